// What became of one document of the store: one outcome, which the walk and the tally read.
import type { Failure } from '../failure.ts';
import type { Item, Parcel, Skip } from './parcel.ts';
import type { LostRange, StoreCursor } from './request.ts';
import { isOtherwise, isWithoutBytes, type Rest } from './rest.ts';
import { isItemOpen } from './run.ts';
import type { Carried } from './send.ts';

/** A document of which something is to be sent. */
export interface OpenedDocument {
  readonly key: string;
  readonly version: string;
  readonly text: string;
  readonly parcel: Parcel;
  readonly lost: LostRange | undefined;
  /** What is to be sent of it, by sequence number. */
  readonly chosen: readonly Item[];
  /** Entries without bytes. */
  readonly withheld: number;
}

/** What was found where a document was listed. */
export type Opening =
  /** It is gone, or the conditions hold for nothing in it. */
  | { readonly kind: 'not-meant' }
  | { readonly kind: 'skipped'; readonly reason: Skip }
  | { readonly kind: 'opened'; readonly document: OpenedDocument }
  /** The same, but there was no room for some of what was to be sent. */
  | { readonly kind: 'cut'; readonly document: OpenedDocument };

interface Handled {
  readonly document: OpenedDocument;
  readonly counts: Rest['counts'];
}

/** What the object became: what is left of it; or it stayed as it was, and this is why. */
export type Written = 'as-settled' | Extract<Skip, 'changed' | 'too-large'>;

/** Something was chosen of it, and there was a try to send that. */
export type HandledOutcome =
  /** Nothing of it is to be done any more. */
  | (Handled & { readonly kind: 'done'; readonly written: Written })
  /** A part of what was to be sent is to be sent yet. */
  | (Handled & { readonly kind: 'partial'; readonly written: Written })
  /** The store did not take what became of it: all of it stays. */
  | (Handled & { readonly kind: 'failed'; readonly failure: Failure });

export type DocumentOutcome = Extract<Opening, { kind: 'not-meant' | 'skipped' }> | HandledOutcome;

type Within = StoreCursor['within'];

export const numberOf = ({ record }: Item) => BigInt(record.kinesis.sequenceNumber);

/** Where the first is that is not done: from there on everything comes again, and is told then. */
export function firstOpen(outcomes: readonly DocumentOutcome[]): number {
  const at = outcomes.findIndex(({ kind }) => kind === 'partial' || kind === 'failed');
  return at === -1 ? outcomes.length : at;
}

/** How far it is done: to the last record before the first that is open. `before`: as far as the runs before came. */
export function doneWithin(
  outcome: DocumentOutcome | undefined,
  { parts }: Carried,
  before: Within,
  dryRun: boolean,
): Within {
  if (outcome === undefined || !('document' in outcome)) return undefined;
  const { key, chosen } = outcome.document;
  const own = before?.key === key ? before : undefined;
  if (outcome.kind === 'failed') return own;
  const open = dryRun ? undefined : chosen.find((item) => isItemOpen(parts.get(item)));
  const done = open === undefined ? chosen : chosen.filter((item) => numberOf(item) < numberOf(open));
  const through = done.at(-1)?.record.kinesis.sequenceNumber;
  return through === undefined ? own : { key, through };
}

/**
 * The counts of a document that comes again. Rejects behind the place to go on from that are still in it are counted then.
 * `again`: items that take no room for that reason.
 */
export function countsOfOpen(
  outcome: HandledOutcome,
  { parts }: Carried,
  within: Within,
): { readonly counts: Rest['counts']; readonly again: number } {
  const { document, counts } = outcome;
  const { key, parcel, chosen } = document;
  const leaves = parcel.kind === 'on-failure' && outcome.kind !== 'failed';
  const isBehind = (item: Item) => within?.key !== key || numberOf(item) > BigInt(within.through);
  const rejectsOf = (item: Item) =>
    (parts.get(item) ?? []).filter((part) => part.chosen && part.verdict.kind === 'rejected');
  const behind = chosen.filter((item) => isBehind(item) && rejectsOf(item).length > 0);
  const rejects = behind.flatMap(rejectsOf);
  const stuck = rejects.filter(parcel.kind === 'on-failure' ? isWithoutBytes : isOtherwise).length;
  const rejectedLater = leaves ? 0 : rejects.length - stuck;
  return {
    counts: {
      ...counts,
      rejectedAgain: counts.rejectedAgain - rejectedLater,
      left: counts.left + rejectedLater,
      withheld: counts.withheld - stuck,
    },
    again: leaves ? 0 : behind.length,
  };
}
