// Serves the page of a deployed stage on this machine, until Ctrl-C.
import { once } from 'node:events';
import { createAccess } from '../../local/aep/access.ts';
import { servePage } from '../../local/page/serve.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Context } from '../context.ts';
import { stageSource } from './source.ts';

export interface ServeOptions {
  readonly stage: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Whether the page may redrive and apply. */
  readonly hasActions: boolean;
}

/** @throws MistakeError where there is no such stack, or something listens on the port already */
export async function serveStage(context: Context, { stage, port, hasActions }: ServeOptions): Promise<void> {
  const { target, output, signal } = context;
  // What is wrong with the stage's name or the credentials is told here, and not on the page.
  await target.invoke('status', {});
  // Whoever else uses this machine must not read the stage with somebody's credentials: programs need the token too.
  const options = { stage, acting: hasActions ? context : undefined };
  const page = await servePage(stageSource(target, options), { port, access: createAccess(true) }).catch(
    (error: unknown) => {
      throw (error as { readonly code?: unknown }).code === 'EADDRINUSE' ? portTaken(port, error) : error;
    },
  );
  output.whole(page.address);
  const may = hasActions ? 'which may redrive and apply' : 'for reading alone';
  output.note(`The page of ${target.name}, ${may}. Ctrl-C ends it.`);
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
