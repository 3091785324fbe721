// The balance of an invocation: as many messages come out as went in. Each count is taken in another place.
import { Failure } from '../failure.ts';

export interface Counts {
  /** Messages, counted where they leave the decoder. */
  readonly decoded: number;
  /** Acknowledgements, counted in AEP's replies. */
  readonly acknowledged: number;
  /** Entries, counted by the dead-letter store. */
  readonly stored: number;
  /** Messages that the pipeline filters out, counted where the batch is settled. */
  readonly filtered: number;
  /** Messages that AEP acknowledged in an earlier invocation, counted where they are skipped. */
  readonly known: number;
  /** Messages that stay in the stream, counted where the batch is settled. */
  readonly unresolved: number;
}

/** Messages that are missing; negative where there are too many. */
export function differenceOf(counts: Counts): number {
  const { decoded, acknowledged, stored, filtered, known, unresolved } = counts;
  return decoded - acknowledged - stored - filtered - known - unresolved;
}

/**
 * @throws Failure `CONSERVATION`, which fails the whole batch. Lambda delivers it again: a copy is better than a
 * loss.
 */
export function checkConservation(counts: Counts): void {
  if (differenceOf(counts) === 0) return;
  throw new Failure(
    'CONSERVATION',
    `${counts.decoded} messages were decoded, but ${counts.acknowledged} acknowledged, ${counts.known} known, ${counts.filtered} filtered, ${counts.stored} stored and ${counts.unresolved} left in the stream`,
  );
}
