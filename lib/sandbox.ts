// The sandbox of a pipeline: its type as AEP tells it, and the check of an event that names it.
import type { Aep } from './aep/client.ts';
import type { Sandbox } from './aep/sandboxes.ts';
import { Failure, isFailure } from './failure.ts';
import type { ToldSandbox } from './pipeline.ts';

/** The sandbox of that name, or nothing where the technical account may not see it. */
export async function findSandbox(aep: Aep, name: string): Promise<Sandbox | undefined> {
  try {
    return (await aep.sandboxes.visible()).find((one) => one.name === name);
  } catch (error) {
    if (isFailure(error) && !error.retryable) return undefined;
    throw error;
  }
}

export function toldSandbox(name: string, found: Sandbox | undefined): ToldSandbox {
  const { type } = found ?? {};
  return { name, ...(typeof type === 'string' && { type }) };
}

/**
 * An event may name the sandbox that its sender has in mind. Nothing is done in another one.
 * @throws Failure `WRONG_SANDBOX`
 */
export function checkSandbox(named: string | undefined, pipeline: string, sandbox: string): void {
  if (named === undefined || named === sandbox) return;
  throw new Failure(
    'WRONG_SANDBOX',
    `sandbox: found ${JSON.stringify(named)}, and the pipeline ${pipeline} is in ${JSON.stringify(sandbox)}; nothing was done`,
  );
}
