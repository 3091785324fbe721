// The balance of an invocation: what went in is what came out, by counts that were made apart from each other.
import { Failure } from '../failure.ts';

export interface Counts {
  /** Messages, counted where they leave the decoder. */
  readonly decoded: number;
  /** Acknowledgements, counted in AEP's replies. */
  readonly acknowledged: number;
  /** Entries, counted by the dead-letter store. */
  readonly stored: number;
  /** Messages that the pipeline does not want, counted where the batch is settled. */
  readonly filtered: number;
  /** Messages that an earlier invocation was acknowledged, counted where they were passed over. */
  readonly known: number;
  /** Messages that stay in the stream, counted where the batch is settled. */
  readonly unresolved: number;
}

/** Messages that went missing; negative where there are more than there were. */
export function differenceOf(counts: Counts): number {
  const { decoded, acknowledged, stored, filtered, known, unresolved } = counts;
  return decoded - acknowledged - stored - filtered - known - unresolved;
}

/**
 * @throws Failure `CONSERVATION`, which fails the whole batch: Lambda delivers it again, and a copy is better than a loss
 */
export function checkConservation(counts: Counts): void {
  if (differenceOf(counts) === 0) return;
  throw new Failure(
    'CONSERVATION',
    `${counts.decoded} messages were decoded, but ${counts.acknowledged} acknowledged, ${counts.known} known, ${counts.filtered} filtered, ${counts.stored} stored and ${counts.unresolved} left in the stream`,
  );
}
