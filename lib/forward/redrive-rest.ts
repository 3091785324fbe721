// What is to stay of an object of the store when its records have been sent: nothing is dropped that was not delivered.
import type { GivenUp } from './on-failure.ts';
import type { Item, Parcel, StoredEntry } from './redrive-parcel.ts';
import type { Tally } from './redrive-request.ts';
import type { Part } from './redrive-send.ts';
import { entryOf } from './undelivered.ts';
import { RETRY, type Rejected, rejected, type Settled } from './verdict.ts';

type Parts = ReadonlyMap<Item, readonly Part[]>;

export interface Rest {
  /** To be stored before the object is touched: what it cannot hold itself. */
  readonly rejects: readonly Settled<Rejected>[];
  /** What the object becomes: `same` where nothing came of it, `nothing` where all of it is done. */
  readonly becomes: 'same' | 'nothing' | { readonly text: string };
  readonly counts: Pick<Tally, 'chosen' | 'delivered' | 'rejectedAgain' | 'filtered' | 'left'>;
}

/** @param chosen those of the parcel's items that were to be sent */
export function restOf(parcel: Parcel, chosen: ReadonlySet<Item>, parts: Parts): Rest {
  return parcel.kind === 'rejected'
    ? restOfRejected(parcel, chosen, parts)
    : restOfOnFailure(parcel, chosen, parts);
}

function restOfRejected(
  { document, items }: Extract<Parcel, { kind: 'rejected' }>,
  chosen: ReadonlySet<Item>,
  parts: Parts,
): Rest {
  const entries = items.flatMap((item) => entriesOf(item, parts.get(item)));
  const counts = countOf(items.filter((item) => chosen.has(item)).map((item) => parts.get(item)));
  const done = counts.delivered + counts.rejectedAgain + counts.filtered;
  const touched = done > 0 || items.some((item) => parts.get(item)?.length === 0);
  if (!touched) return { rejects: [], becomes: 'same', counts };
  if (entries.length === 0) return { rejects: [], becomes: 'nothing', counts };
  return { rejects: [], becomes: { text: `${JSON.stringify({ ...document, entries })}\n` }, counts };
}

/** The entries that stay in place of one: the entry itself, or one for each of the messages it turned out to be. */
function entriesOf({ entry }: Item, parts: readonly Part[] | undefined): StoredEntry[] {
  if (entry === undefined) return [];
  if (parts === undefined) return [entry];
  return parts.flatMap(({ message, verdict }) => {
    if (verdict.kind === 'delivered' || verdict.kind === 'filtered') return [];
    const { reason, text } =
      verdict.kind === 'rejected' ? verdict : { reason: entry.reason, text: entry.message };
    // Bytes that are in the store are not given up because they cannot be redacted.
    const asItWas = message.withheld !== undefined || message.redacted === entry.redacted;
    const own = parts.length === 1 && asItWas ? {} : entryOf({ message, verdict: rejected('refused', text) });
    return [{ ...entry, ...own, reason, message: text }];
  });
}

/** A record stays whole, as Lambda wrote it, until all of its messages are done; then its rejects are stored. */
function restOfOnFailure(
  { document, items }: Extract<Parcel, { kind: 'on-failure' }>,
  chosen: ReadonlySet<Item>,
  parts: Parts,
): Rest {
  const isOpen = (item: Item) => parts.get(item)?.some(staysOpen) ?? true;
  const done = items.filter((item) => !isOpen(item));
  const rejects = done.flatMap((item) => parts.get(item) ?? []).flatMap(rejectOf);
  const counts = countOf(
    items
      .filter((item) => chosen.has(item))
      .map((item) => (isOpen(item) ? parts.get(item)?.map(asOpen) : parts.get(item))),
  );
  if (done.length === items.length) return { rejects, becomes: 'nothing', counts };
  if (done.length === 0) return { rejects, becomes: 'same', counts };
  return { rejects, becomes: { text: document.with(givenUpIn(items.filter(isOpen))) }, counts };
}

export function givenUpIn(items: readonly Item[]): GivenUp[] {
  return items.flatMap(({ givenUp }) => (givenUp === undefined ? [] : [givenUp]));
}

function rejectOf({ message, verdict }: Part): Settled<Rejected>[] {
  return verdict.kind === 'rejected' ? [{ message, verdict }] : [];
}

/** Not sent; or rejected, and to be stored without its bytes: the document still has them. */
function staysOpen({ message, verdict }: Part): boolean {
  return verdict.kind === 'retry' || (verdict.kind === 'rejected' && message.withheld !== undefined);
}

/** What was rejected of a record that stays is judged again with it. */
export function asOpen(part: Part): Part {
  return part.verdict.kind === 'rejected' ? { ...part, verdict: RETRY } : part;
}

/** `undefined`: an item that was not looked at, which counts as one message. */
export function countOf(items: readonly (readonly Part[] | undefined)[]): Rest['counts'] {
  const counts = { chosen: 0, delivered: 0, rejectedAgain: 0, filtered: 0, left: 0 };
  for (const parts of items) {
    if (parts === undefined) {
      counts.chosen++;
      counts.left++;
      continue;
    }
    for (const { chosen, verdict } of parts) {
      if (!chosen) continue;
      counts.chosen++;
      if (verdict.kind === 'delivered') counts.delivered++;
      else if (verdict.kind === 'rejected') counts.rejectedAgain++;
      else if (verdict.kind === 'filtered') counts.filtered++;
      else counts.left++;
    }
  }
  return counts;
}
