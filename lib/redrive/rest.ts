// What stays of an object of the store when its records have been sent: nothing is dropped that was not delivered.

import { rulesBehind, storedEntry } from '../forward/dead-letters.ts';
import { type DiscardedRecord, noted, type RedriveNote } from '../forward/read/on-failure.ts';
import { type Rejected, rejected, type Settled } from '../forward/verdict.ts';
import type { DeadLetter, DeadLetterDocument } from '../runtime.ts';
import type { Item, OnFailureParcel, OwnParcel, Parcel, StoredEntry } from './parcel.ts';
import type { Tally } from './request.ts';
import type { OtherRoute } from './routes.ts';
import type { SentPart } from './send.ts';
import { isOfAllRoutes, isOfOneRoute } from './settled-before.ts';

type PartsByItem = ReadonlyMap<Item, readonly SentPart[]>;

export interface Rest {
  /** Stored before the object is changed: rejects that the object cannot hold itself. */
  readonly rejects: RestRejects;
  /** What the object becomes: `same` if nothing changes, `nothing` if all of it is done. */
  readonly becomes: 'same' | 'nothing' | { readonly text: string };
  readonly counts: PartCounts & Pick<Tally, 'withheld'>;
}

/** Entries of a document of their own, and the rules under which they were redacted. */
export type RestRejects = Pick<DeadLetterDocument, 'entries' | 'rules'>;

/** Through which route it was sent. */
export interface SentBy {
  readonly pipeline: string;
  readonly others: readonly OtherRoute[];
  /** Whether a route of the stream redacts: then no record comes from the stream into the store as it is. */
  readonly redacts: boolean;
}

type PartCounts = Pick<Tally, 'chosen' | 'delivered' | 'rejectedAgain' | 'filtered' | 'left'>;

/**
 * @param chosen those of the parcel's items that were to be sent
 */
export function restOf(parcel: Parcel, chosen: ReadonlySet<Item>, parts: PartsByItem, by: SentBy): Rest {
  if (parcel.kind === 'on-failure') return restOfOnFailure(parcel, chosen, parts, by);
  return parcel.kind === 'parked'
    ? restOfParked(parcel, chosen, parts)
    : restOfRejected(parcel, chosen, parts, by);
}

/** Lambda's document with these of its records. If it only points to its records, then with their range. */
export function textWith(
  { document, items }: OnFailureParcel,
  kept: readonly DiscardedRecord[],
  redacts: boolean,
): string {
  const [first, last] = [kept[0], kept.at(-1)];
  if (document.records !== undefined || !redacts || first === undefined || last === undefined)
    return document.with(kept);
  const numberOf = ({ record }: DiscardedRecord) => record.kinesis.sequenceNumber;
  const [from, to] = [BigInt(numberOf(first)), BigInt(numberOf(last))];
  const between = items.filter(({ givenUp }) => {
    const number = BigInt(numberOf(givenUp));
    return number >= from && number <= to;
  });
  return document.about(numberOf(first), numberOf(last), between.length, noteOfAll(document.note, kept));
}

/** The document's note, with the routes that have settled all of these records. */
function noteOfAll(note: RedriveNote, kept: readonly DiscardedRecord[]): RedriveNote {
  const { routes = {} } = kept[0]?.note ?? {};
  const settled = Object.keys(routes).filter((name) => kept.every((one) => one.note.routes?.[name] === true));
  if (settled.length === 0) return note;
  return { ...note, routes: Object.fromEntries(settled.map((name) => [name, true] as const)) };
}

function restOfRejected(
  { document, items }: OwnParcel,
  chosen: ReadonlySet<Item>,
  parts: PartsByItem,
  by: SentBy,
): Rest {
  const shared = new Set(items.filter((item) => isOfAllRoutes(item, by.others)));
  const isOwn = document.pipeline === by.pipeline;
  const entries = items.flatMap((item) => {
    const ofItem = parts.get(item);
    if (!shared.has(item)) return remainingEntries(item, ofItem);
    const own = isOwn ? ownRejects(ofItem ?? []).map(storedEntry) : [];
    return [...own, ...sharedEntries(item, ofItem, by.pipeline)];
  });
  const others = isOwn ? [] : [...shared].flatMap((item) => parts.get(item) ?? []);
  const rejects = documentOf(ownRejects(others));
  const sent = items.filter((item) => chosen.has(item)).map((item) => parts.get(item));
  const withheld = sent.flatMap((one) => one?.filter(isOtherwise) ?? []).length;
  const counts = { ...countOf(sent.map((one) => one?.filter((part) => !isOtherwise(part)))), withheld };
  const done = counts.delivered + counts.rejectedAgain + counts.filtered;
  const touched = done > 0 || items.some((item) => parts.get(item)?.length === 0);
  const isSame = entries.length === items.length && entries.every((one, at) => one === items[at]?.entry);
  if (!touched || isSame) return { rejects, becomes: 'same', counts };
  if (entries.length === 0) return { rejects, becomes: 'nothing', counts };
  return { rejects, becomes: { text: documentText(document, entries, parts) }, counts };
}

/** The document with these entries, and the rules that they name. */
function documentText(
  document: OwnParcel['document'],
  entries: readonly object[],
  parts: PartsByItem,
): string {
  return `${JSON.stringify({ ...document, ...rulesOf(document, parts), entries })}\n`;
}

function rulesOf(document: OwnParcel['document'], parts: PartsByItem): Pick<DeadLetterDocument, 'rules'> {
  const all = [...parts.values()].flatMap((ofItem) => ofItem.map(({ message }) => message.redacted));
  const rules = { ...document.rules, ...rulesBehind(all) };
  return Object.keys(rules).length > 0 ? { rules } : {};
}

/**
 * A message that is rejected waits for no inlet any more, so it becomes a reject. So does one that the rules in force
 * cannot be applied to: left here, new ones would queue behind it for ever.
 */
function restOfParked({ document, items }: OwnParcel, chosen: ReadonlySet<Item>, parts: PartsByItem): Rest {
  const entries: StoredEntry[] = [];
  const rejects: StoredEntry[] = [];
  for (const item of items) {
    const ofItem = parts.get(item);
    if (ofItem === undefined && item.entry !== undefined) entries.push(item.entry);
    for (const part of ofItem ?? []) {
      const { verdict } = part;
      const left = remainingEntry(item, part, ofItem?.length === 1);
      if (verdict.kind !== 'rejected') entries.push(...left);
      else rejects.push(...left.map((one) => ({ ...one, reason: verdict.reason, message: verdict.text })));
    }
  }
  const sent = items.filter((item) => chosen.has(item)).map((item) => parts.get(item));
  const counts = { ...countOf(sent), withheld: 0 };
  const own = { ...rulesOf(document, parts), entries: rejects.map(asDeadLetter) };
  if (entries.length === 0) return { rejects: own, becomes: 'nothing', counts };
  const isSame = entries.length === items.length && entries.every((one, at) => one === items[at]?.entry);
  return {
    rejects: own,
    becomes: isSame ? 'same' : { text: documentText(document, entries, parts) },
    counts,
  };
}

/** What was read as JSON has no member that is `undefined`. */
function asDeadLetter(entry: StoredEntry): DeadLetter {
  return entry as DeadLetter;
}

function documentOf(rejects: readonly Settled<Rejected>[]): RestRejects {
  const rules = rulesBehind(rejects.map(({ message }) => message.redacted));
  return { entries: rejects.map(storedEntry), ...(rules !== undefined && { rules }) };
}

/** Rejected by the route itself, which could read it. */
function isOwnReject(part: SentPart): boolean {
  return isReadReject(part) && !isOtherwise(part) && part.message.withheld === undefined;
}

function isReadReject({ verdict }: SentPart): boolean {
  return verdict.kind === 'rejected' && isOfOneRoute(verdict.reason);
}

function ownRejects(parts: readonly SentPart[]): Settled<Rejected>[] {
  return parts.filter(isOwnReject).flatMap(rejectOf);
}

/**
 * What stays of an entry that belongs to several routes: all of it, until each that takes it has settled it. What no
 * route has taken yet stays as well.
 */
function sharedEntries(
  { entry, settled: before = {} }: Item,
  parts: readonly SentPart[] | undefined,
  pipeline: string,
): StoredEntry[] {
  if (entry === undefined) return [];
  if (parts === undefined) return [entry];
  const settled = parts.filter((part) => part.verdict.kind === 'delivered' || isOwnReject(part));
  const open = parts.filter((part) => !settled.includes(part) && part.verdict.kind !== 'filtered');
  const isTaken = settled.length > 0 || Object.keys(before).length > 0;
  const isWanted = open.length > 0 || parts.some(({ openFor }) => openFor.length > 0);
  if (!isWanted && (isTaken || entry.reason !== 'unrouted')) return [];
  const unread = parts.length === 1 ? open.find((part) => !isReadReject(part))?.verdict : undefined;
  if (unread?.kind === 'rejected') return [{ ...entry, reason: unread.reason, message: unread.text }];
  if (settled.every((part) => part.before === true)) return [entry];
  const numbers = settled.flatMap(({ message }) => message.subSequenceNumber ?? []);
  return [{ ...entry, routes: { ...before, [pipeline]: settled.length === parts.length || numbers } }];
}

/** The entries that replace one: the entry itself, or one for each of its messages. */
function remainingEntries(item: Item, parts: readonly SentPart[] | undefined): StoredEntry[] {
  if (item.entry !== undefined && parts === undefined) return [item.entry];
  return parts?.flatMap((part) => remainingEntry(item, part, parts.length === 1)) ?? [];
}

/** @param alone whether the entry has no other message */
function remainingEntry({ entry, redacted }: Item, part: SentPart, alone: boolean): StoredEntry[] {
  const { message, verdict } = part;
  if (entry === undefined || verdict.kind === 'delivered' || verdict.kind === 'filtered') return [];
  if (isOtherwise(part) || (verdict.kind === 'retry' && alone)) return [entry];
  // Bytes that are in the store are kept, even if they cannot be redacted.
  const asItWas = alone && (message.withheld !== undefined || message.redacted === redacted);
  const { reason, text } =
    verdict.kind === 'rejected' ? verdict : { reason: entry.reason, text: entry.message };
  if (asItWas) return [{ ...entry, reason, message: text }];
  const own = storedEntry({ message, verdict: rejected('refused', text) });
  // It is a hash already.
  const { partitionKey } = redacted === undefined ? own : entry;
  return [{ ...entry, ...own, ...(partitionKey !== undefined && { partitionKey }), reason, message: text }];
}

/**
 * The rules in force cannot be applied to what is left of it. Only the stream has the record, and the entry stays as
 * it is.
 */
export function isOtherwise({ verdict }: SentPart): boolean {
  return verdict.kind === 'rejected' && verdict.reason === 'redacted-otherwise';
}

/**
 * A record stays whole, as Lambda wrote it, until every route that takes them has settled all of its messages. The
 * note says which have.
 */
function restOfOnFailure(
  parcel: OnFailureParcel,
  chosen: ReadonlySet<Item>,
  parts: PartsByItem,
  { pipeline, redacts }: SentBy,
): Rest {
  const { items } = parcel;
  const stay = items.flatMap((item) => staying(item.givenUp, parts.get(item), pipeline));
  const sent = items.filter((item) => chosen.has(item)).map((item) => parts.get(item));
  const rejects = documentOf(sent.flatMap((one) => one ?? []).flatMap(rejectOf));
  const withheld = sent.flatMap((one) => one?.filter(isWithoutBytes) ?? []).length;
  const counts = { ...countOf(sent.map((one) => one?.filter((part) => !isWithoutBytes(part)))), withheld };
  if (stay.length === 0) return { rejects, becomes: 'nothing', counts };
  const same = stay.length === items.length && stay.every((one, at) => one === items[at]?.givenUp);
  return { rejects, becomes: same ? 'same' : { text: textWith(parcel, stay, redacts) }, counts };
}

/** The record with its note; none if all of it is done. */
function staying(
  givenUp: DiscardedRecord,
  parts: readonly SentPart[] | undefined,
  pipeline: string,
): DiscardedRecord[] {
  if (parts === undefined) return [givenUp];
  const settled = parts.filter((part) => !staysOpen(part));
  const isSettled = settled.length === parts.length;
  if (isSettled && parts.every(({ openFor }) => openFor.length === 0)) return [];
  if (settled.every(({ before }) => before === true)) return [givenUp];
  const numbers = settled.flatMap(({ message }) => message.subSequenceNumber ?? []);
  const routes = { ...givenUp.note.routes, [pipeline]: isSettled || numbers };
  return [noted(givenUp, { ...givenUp.note, routes })];
}

function rejectOf({ message, verdict }: SentPart): Settled<Rejected>[] {
  return verdict.kind === 'rejected' && message.withheld === undefined ? [{ message, verdict }] : [];
}

function staysOpen(part: SentPart): boolean {
  return part.verdict.kind === 'retry' || isWithoutBytes(part);
}

/** Rejected, and to be stored without its bytes: the document still has them. */
export function isWithoutBytes({ message, verdict }: SentPart): boolean {
  return verdict.kind === 'rejected' && message.withheld !== undefined;
}

/** `undefined`: an item that was not looked at, which counts as one message. */
export function countOf(items: readonly (readonly SentPart[] | undefined)[]): PartCounts {
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
