// Walks the dead-letter store and sends its records again, a group of objects at a time.
import { createHash } from 'node:crypto';
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { isFailure } from '../failure.ts';
import { asDiscarded } from '../forward/read/on-failure.ts';
import type { StoredKind, StoredObject } from '../runtime.ts';
import {
  countsOfOpen,
  type DocumentOutcome,
  doneWithin,
  firstOpen,
  type HandledOutcome,
  numberOf,
  type OpenedDocument,
  type Opening,
  type Written,
} from './outcome.ts';
import { type Item, onFailureParcel, type Parcel, readParcel, type Skip } from './parcel.ts';
import { readRange } from './range.ts';
import type { StoreCursor } from './request.ts';
import { type Rest, restOf, textWith } from './rest.ts';
import {
  addToTally,
  countLost,
  countSkipped,
  type Ended,
  giveBack,
  isLate,
  type PartEnd,
  partEnd,
  type RedriveRun,
  type Walked,
  WHOLE,
} from './run.ts';
import { chosenByTime } from './select.ts';
import type { Carried } from './send.ts';
import { isOfAllRoutes } from './settled-before.ts';

/** Objects are taken together up to so many, or so many bytes: small ones would crawl one by one. */
const GROUP_OBJECTS = 100;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Calls to the store at the same time. */
const AT_ONCE = 16;
/** A claim lasts so much longer than the invocation that made it, in ms. */
const CLAIM_MARGIN_MS = 60_000;

export const FROM_START: StoreCursor = { after: '' };

/** @param from where it begins; by default where the run before ended */
export async function walkStore(
  run: RedriveRun,
  all: readonly StoredKind[],
  from: StoreCursor = givenTo(run) ?? FROM_START,
): Promise<Walked> {
  let cursor = from;
  // In the order of their keys, so that one cursor serves for all.
  for (const what of all.toSorted((a, b) => (folderOf(a) < folderOf(b) ? -1 : 1))) {
    const walked = await walkKind(run, what, cursor);
    if (walked.kind === 'ended') return walked;
    cursor = walked.cursor;
  }
  return WHOLE;
}

function folderOf(what: StoredKind): string {
  return what.kind === 'on-failure' ? '' : `${what.pipeline}/`;
}

async function walkKind(run: RedriveRun, what: StoredKind, from: StoreCursor): Promise<PartEnd<StoreCursor>> {
  let cursor = from;
  for (;;) {
    const page = await run.runtime.deadLetters.list(what, cursor.after);
    for (const group of objectGroups(page.objects)) {
      if (run.room <= 0) return { kind: 'ended', cursor, ended: { why: 'limit', fault: false } };
      if (isLate(run)) return { kind: 'ended', cursor, ended: { why: 'time', fault: false } };
      const walked = await walkGroup(run, what, group, cursor);
      if (walked.kind === 'ended') return walked;
      cursor = walked.cursor;
    }
    if (!page.more) return { kind: 'whole', cursor };
  }
}

/** The place that the run before gave to this one. */
export function givenTo({ request: { cursor } }: RedriveRun): StoreCursor | undefined {
  return cursor === undefined || 'shardId' in cursor ? undefined : cursor;
}

function objectGroups(objects: readonly StoredObject[]): StoredObject[][] {
  const groups: StoredObject[][] = [];
  let bytes = 0;
  for (const object of objects) {
    const current = groups.at(-1);
    // What is too large is never read.
    const size = object.bytes > MAX_OBJECT_BYTES ? 0 : object.bytes;
    if (current === undefined || current.length === GROUP_OBJECTS || bytes + size > GROUP_BYTES) {
      groups.push([object]);
      bytes = size;
    } else {
      current.push(object);
      bytes += size;
    }
  }
  return groups;
}

async function walkGroup(
  run: RedriveRun,
  what: StoredKind,
  group: readonly StoredObject[],
  from: StoreCursor,
): Promise<PartEnd<StoreCursor>> {
  const claimed = new Set<string>();
  try {
    const found = await inParallel(group, (object) => openObject(run, what, object, claimed));
    const openings = takeWithin(run, found);
    const chosen = openings.flatMap((one) => ('document' in one ? one.document.chosen : []));
    const carried = await run.carrier.carry(chosen);
    giveBack(run, chosen, carried);
    run.stuck += carried.stuck;
    const outcomes = await inParallel(openings, (one) => outcomeOf(run, one, carried));
    const ended = endOf(openings, outcomes, carried);
    const { last, within } = tell(run, group, outcomes, ended, carried);
    const behind = last === undefined ? from : { after: last };
    return partEnd(within === undefined ? behind : { ...behind, within }, ended);
  } finally {
    await inParallel([...claimed], (key) => release(run, key));
  }
}

function endOf(
  openings: readonly Opening[],
  outcomes: readonly DocumentOutcome[],
  { stop }: Carried,
): Ended | undefined {
  const failed = outcomes.find((one) => one.kind === 'failed');
  if (failed !== undefined) return { why: 'store', failure: failed.failure, fault: false };
  const isCut = openings.some(({ kind }) => kind === 'cut');
  return stop ?? (isCut ? { why: 'limit', fault: false } : undefined);
}

/** Reads it, claims it, and reads it again: somebody may have been done with it in between. */
async function openObject(
  run: RedriveRun,
  what: StoredKind,
  { key, bytes }: StoredObject,
  claimed: Set<string>,
): Promise<Opening> {
  if (bytes > MAX_OBJECT_BYTES) return skipped('too-large');
  const seen = await openMatching(run, what, key);
  if (!('document' in seen)) return seen;
  if (run.request.dryRun) return filled(run, seen.document);
  const { deadLetters, clock } = run.runtime;
  const now = clock.now();
  const until = now + run.remainingMs() + CLAIM_MARGIN_MS;
  if (!(await deadLetters.claim(key, run.owner, now, until))) return skipped('claimed');
  claimed.add(key);
  const again = await openMatching(run, what, key);
  return 'document' in again ? filled(run, again.document) : again;
}

const UNMEANT: Opening = { kind: 'not-meant' };

function skipped(reason: Skip): Opening {
  return { kind: 'skipped', reason };
}

function opened(document: OpenedDocument): Opening {
  return { kind: 'opened', document };
}

async function openMatching(run: RedriveRun, what: StoredKind, key: string): Promise<Opening> {
  const { request, carrier, runtime, others } = run;
  const stored = await runtime.deadLetters.read(key);
  if (stored === undefined) return UNMEANT;
  const parcel = readParcel(stored.text, what.kind, { ...run.pipeline, ...what });
  if (typeof parcel !== 'object') return skipped(parcel);
  if (!chosenByTime(request.where, parcel.storedAt)) return UNMEANT;
  const found = { ...stored, key, parcel, lost: undefined };
  if (isEmptyOfRecords(parcel)) {
    const { reasons } = request.where;
    const condition = parcel.kind === 'on-failure' ? parcel.document.condition : '';
    if (reasons !== undefined && !reasons.includes(condition)) return UNMEANT;
    return opened({ ...found, chosen: [], withheld: 0 });
  }
  const ofAll = parcel.items.filter((item) => request.source !== 'unrouted' || isOfAllRoutes(item, others));
  const meant = await carrier.wanted(ofAll);
  if (meant.length === 0) return UNMEANT;
  const sendable = meant.filter(({ entry }) => entry?.withheld !== true && entry?.processed !== true);
  const withheld = meant.length - sendable.length;
  return opened({ ...found, chosen: notYetTried(run, key, sendable), withheld });
}

/** With the records from the stream, where Lambda's document has none. */
async function filled(run: RedriveRun, document: OpenedDocument): Promise<Opening> {
  const { parcel } = document;
  if (parcel.kind !== 'on-failure' || !isEmptyOfRecords(parcel)) return opened(document);
  const range = await readRange(run.runtime.stream, parcel.document);
  if (range.kind === 'too-large') return skipped('too-large');
  const { records, lost } = range;
  const { note } = parcel.document;
  const discarded = records.map((record) => asDiscarded(record, note));
  const whole = onFailureParcel(parcel.document, discarded);
  const wanted = await run.carrier.wanted(whole.items);
  return opened({ ...document, parcel: whole, lost, chosen: notYetTried(run, document.key, wanted) });
}

/** Whether a route of the stream redacts: then no record comes from the stream into the store as it is. */
function redacts({ pipeline, others }: RedriveRun): boolean {
  return pipeline.records?.redact !== undefined || others.some((other) => other.redacts);
}

function isEmptyOfRecords(parcel: Parcel): boolean {
  return parcel.kind === 'on-failure' && parcel.document.records === undefined;
}

/** Without what the runs before this one have tried, by sequence number. */
function notYetTried(run: RedriveRun, key: string, items: readonly Item[]): readonly Item[] {
  const within = givenTo(run)?.within;
  const left = within?.key === key ? items.filter((item) => numberOf(item) > BigInt(within.through)) : items;
  return left.toSorted((a, b) => Number(numberOf(a) > numberOf(b)) - Number(numberOf(a) < numberOf(b)));
}

/** So many of them, and all with the same sequence number as the last: a cursor could not tell those apart. */
function atMost(items: readonly Item[], room: number): readonly Item[] {
  const last = items[room - 1];
  if (room <= 0 || last === undefined) return room <= 0 ? [] : items;
  return items.filter((item) => numberOf(item) <= numberOf(last));
}

/** Takes no more than there is room for, document by document. */
function takeWithin(run: RedriveRun, openings: readonly Opening[]): Opening[] {
  return openings.map((one) => {
    if (!('document' in one)) return one;
    const chosen = atMost(one.document.chosen, run.room);
    run.room -= chosen.length;
    const kind = chosen.length < one.document.chosen.length ? 'cut' : one.kind;
    return { kind, document: { ...one.document, chosen } };
  });
}

/** Stores what was rejected anew, then changes or removes the object. Where the store fails, all of it stays. */
async function outcomeOf(run: RedriveRun, one: Opening, { parts }: Carried): Promise<DocumentOutcome> {
  if (!('document' in one)) return one;
  const { document } = one;
  const { dryRun } = run.request;
  const rest = restOf(document.parcel, new Set(document.chosen), parts, {
    pipeline: run.pipeline.pipeline,
    others: run.others,
    redacts: redacts(run),
  });
  const { counts } = rest;
  const kind = one.kind === 'cut' || (!dryRun && counts.left > 0) ? 'partial' : 'done';
  try {
    const written = dryRun ? 'as-settled' : await write(run, document, rest);
    return { kind, document, counts, written };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { kind: 'failed', document, counts, failure: error };
  }
}

async function write(run: RedriveRun, one: OpenedDocument, rest: Rest): Promise<Written> {
  const { deadLetters } = run.runtime;
  const { key, version } = one;
  if (rest.rejects.entries.length > 0) await putRejects(run, one, rest);
  if (one.lost !== undefined) await deadLetters.noteLoss(key, one.text);
  // A loss is reported once: the document keeps only what could still be read.
  const becomes =
    rest.becomes === 'same' && one.lost !== undefined && one.parcel.kind === 'on-failure'
      ? {
          text: textWith(
            one.parcel,
            one.parcel.items.map((item) => item.givenUp),
            redacts(run),
          ),
        }
      : rest.becomes;
  if (becomes === 'same') return 'as-settled';
  // Written, it could never be read again. What was delivered of it will be sent once more.
  if (typeof becomes === 'object' && Buffer.byteLength(becomes.text) > MAX_OBJECT_BYTES) return 'too-large';
  const done =
    becomes === 'nothing'
      ? await deadLetters.remove(key, version)
      : await deadLetters.replace(key, version, becomes.text);
  return done ? 'as-settled' : 'changed';
}

async function putRejects(
  run: RedriveRun,
  { key, parcel }: OpenedDocument,
  { rejects }: Rest,
): Promise<void> {
  const { runtime, pipeline } = run;
  // Two runs may have rejects of one record, and each has to find its own place.
  const source = `${key} ${rejects.entries[0]?.subSequenceNumber ?? ''}`;
  await runtime.deadLetters.put({
    version: 1,
    pipeline: pipeline.pipeline,
    streamArn: pipeline.streamArn,
    shardId: parcel.items[0]?.shardId ?? 'unknown',
    // The same for the same document: if it is done twice, it is stored once.
    invocationId: `redrive-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`,
    storedAt: new Date(runtime.clock.now()).toISOString(),
    ...rejects,
  });
}

/** Counts what became of the group. Returns the object up to which everything is done, and how far the next one is. */
function tell(
  run: RedriveRun,
  group: readonly StoredObject[],
  outcomes: readonly DocumentOutcome[],
  ended: Ended | undefined,
  carried: Carried,
): { readonly last: string | undefined; readonly within: StoreCursor['within'] } {
  const open = ended === undefined ? outcomes.length : firstOpen(outcomes);
  const within = doneWithin(outcomes[open], carried, givenTo(run)?.within, run.request.dryRun);
  for (const [at, outcome] of outcomes.entries()) {
    const key = group[at]?.key ?? '';
    if ('document' in outcome)
      countHandled(run, at < open ? outcome : comingAgain(run, outcome, carried, within));
    // Behind the first that is not done everything comes again, and is told then.
    else if (at < open && outcome.kind === 'skipped') countSkipped(run, key, outcome.reason);
  }
  return { last: group[open - 1]?.key, within };
}

function countHandled(run: RedriveRun, outcome: HandledOutcome): void {
  const { document, counts } = outcome;
  addToTally(run.tally, { ...counts, documents: counts.chosen > 0 ? 1 : 0 });
  addToTally(run.tally, { withheld: document.withheld });
  if (document.lost !== undefined) countLost(run, document.lost);
  if (outcome.kind !== 'failed' && outcome.written !== 'as-settled')
    countSkipped(run, document.key, outcome.written);
}

/** The same of a document that comes again: its entries without bytes are counted then, too. */
function comingAgain(
  run: RedriveRun,
  outcome: HandledOutcome,
  carried: Carried,
  within: StoreCursor['within'],
): HandledOutcome {
  const { counts, again } = countsOfOpen(outcome, carried, within);
  if (!run.request.dryRun) run.room += again;
  return { ...outcome, counts, document: { ...outcome.document, withheld: 0 } };
}

async function release({ runtime, owner }: RedriveRun, key: string): Promise<void> {
  try {
    await runtime.deadLetters.release(key, owner, runtime.clock.now());
  } catch (error) {
    // The claim expires.
    if (!isFailure(error)) throw error;
    runtime.log.warn('a claim could not be released', { key, code: error.code });
  }
}

/**
 * The results of `work` for each item, in their order, with so many calls at a time. Waits for all of them, then
 * throws the first error.
 */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return results;
}
