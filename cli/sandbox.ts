// The sandbox of a pipeline, as the function `status` tells it.
import type { ToldSandbox } from './planning.ts';
import type { Target } from './target.ts';

/** @throws MistakeError with the function's own code where it does not know the pipeline */
export async function sandboxOf(target: Target, pipeline: string): Promise<ToldSandbox> {
  return (await target.invoke('status', { pipeline, sandbox: true })) as ToldSandbox;
}
