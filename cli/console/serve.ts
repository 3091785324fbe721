// Serves the page of a deployed stage on this machine, until Ctrl-C.
import { once } from 'node:events';
import { createAccess } from '../../local/aep/access.ts';
import { servePage } from '../../local/page/serve.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Context } from '../context.ts';
import { stageSource } from './source.ts';

/** @throws MistakeError where there is no such stack, or something listens on the port already */
export async function serveStage(
  { target, output, signal }: Context,
  stage: string,
  port: number,
): Promise<void> {
  // What is wrong with the stage's name or the credentials is told here, and not on the page.
  await target.invoke('status', {});
  // Whoever else uses this machine must not read the stage with somebody's credentials: programs need the token too.
  const page = await servePage(stageSource(target, stage), { port, access: createAccess(true) }).catch(
    (error: unknown) => {
      throw (error as { readonly code?: unknown }).code === 'EADDRINUSE' ? portTaken(port, error) : error;
    },
  );
  output.whole(page.address);
  output.note(`The page of ${target.name}, for reading alone. Ctrl-C ends it.`);
  if (!signal.aborted) await once(signal, 'abort');
  await page.close();
}

function portTaken(port: number, cause: unknown): MistakeError {
  return new MistakeError(
    'USAGE',
    `--port ${port}: something listens there already`,
    'Name another port, or leave it out.',
    cause,
  );
}
