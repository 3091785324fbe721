// Why there is no stream to look at for a pipeline, for whoever asks about its records.
import { inletStreamIn } from './kept-manifest.ts';
import { didYouMean } from './nearest.ts';
import type { Ledger } from './runtime.ts';

/**
 * In words. Called where the stream of its manifest was not found.
 * @param names of all pipelines, where they may be read: one of them may be meant
 */
export async function withoutStream(
  pipeline: string,
  { ledger }: { readonly ledger: Pick<Ledger, 'read'> },
  names: readonly string[] = [],
): Promise<string> {
  const record = await ledger.read(pipeline);
  if (record === undefined)
    return `no execution has worked on a pipeline ${pipeline}${didYouMean([pipeline], names)}`;
  if (record.manifest === undefined) return `the pipeline ${pipeline} is not applied`;
  const stream = inletStreamIn(record.manifest);
  if (stream !== undefined) return `the pipeline ${pipeline} reads the stream ${stream}, which is not there`;
  return `the pipeline ${pipeline} reads no stream: Experience Platform reads its source by itself`;
}
