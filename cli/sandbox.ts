// The sandbox of a pipeline, as the function `status` tells it.
import { MistakeError } from '../terminal/mistake.ts';
import type { ToldSandbox } from './planning.ts';
import type { Target } from './target.ts';

/** @throws MistakeError with the function's own code where it does not know the pipeline, or no manifest is in force */
export async function sandboxOf(target: Target, pipeline: string): Promise<ToldSandbox> {
  const answer = (await target.invoke('status', { pipeline, sandbox: true })) as { sandbox: ToldSandbox };
  return answer.sandbox;
}

/** Codes with which `status` says that it cannot tell it: nothing is in force, or it is not known. */
const NOT_TOLD: ReadonlySet<string> = new Set(['NOT_READY', 'EVENT_INVALID']);

/** The same, or the sandbox of the manifest without a type: what was retired may be retired again. */
export async function sandboxOr(target: Target, pipeline: string, name: string): Promise<ToldSandbox> {
  try {
    return await sandboxOf(target, pipeline);
  } catch (error) {
    if (error instanceof MistakeError && NOT_TOLD.has(error.code)) return { name };
    throw error;
  }
}
