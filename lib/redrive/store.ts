// Walks the dead-letter store and sends its records again, a group of objects at a time.
import { createHash } from 'node:crypto';
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { type Failure, isFailure } from '../failure.ts';
import { deadLetterDocument } from '../forward/dead-letters.ts';
import { asDiscarded } from '../forward/read/on-failure.ts';
import type { StoredKind, StoredObject } from '../runtime.ts';
import { type Item, onFailureParcel, type Parcel, readParcel, type Skip } from './parcel.ts';
import { readRange } from './range.ts';
import type { Cursor, LostRange } from './request.ts';
import { isOtherwise, type Rest, restOf, textWith } from './rest.ts';
import {
  addToTally,
  countLost,
  countSkipped,
  type Ended,
  giveBack,
  isLate,
  type RedriveRun,
  type Walked,
} from './run.ts';
import { chosenByTime } from './select.ts';
import type { Carried, SentPart } from './send.ts';

/** Objects are taken together up to so many, or so many bytes: small ones would crawl one by one. */
const GROUP_OBJECTS = 100;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Calls to the store at the same time. */
const AT_ONCE = 16;
/** A claim lasts so much longer than the invocation that made it, in ms. */
const CLAIM_MARGIN_MS = 60_000;

/** An object of which something is to be sent. */
interface Opened {
  readonly key: string;
  readonly version: string;
  readonly text: string;
  readonly parcel: Parcel;
  readonly lost: LostRange | undefined;
  chosen: readonly Item[];
  /** Entries without bytes. */
  readonly withheld: number;
  /** Whether there was no room for some of them. */
  cut: boolean;
}

type StoreCursor = Extract<Cursor, { after: string; within?: unknown }>;
type Within = StoreCursor['within'];

export async function walkStore(run: RedriveRun, what: StoredKind): Promise<Walked> {
  let cursor: StoreCursor = givenTo(run) ?? { after: '' };
  for (;;) {
    const page = await run.runtime.deadLetters.list(what, cursor.after);
    for (const group of objectGroups(page.objects)) {
      if (run.room <= 0) return { cursor, ended: { why: 'limit', fault: false } };
      if (isLate(run)) return { cursor, ended: { why: 'time', fault: false } };
      const { ended, last, within } = await walkGroup(run, what.kind, group);
      if (last !== undefined) cursor = { after: last };
      if (within !== undefined) cursor = { ...cursor, within };
      if (ended !== undefined) return { cursor, ended };
    }
    if (!page.more) return { cursor: undefined, ended: undefined };
  }
}

function givenTo({ request: { cursor } }: RedriveRun): StoreCursor | undefined {
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

/** `last`: the object up to which nothing is to be done any more, `undefined` where that is none of these. */
interface GroupEnd {
  readonly ended: Ended | undefined;
  readonly last: string | undefined;
  /** How far the one behind it is done. */
  readonly within: Within;
}

async function walkGroup(
  run: RedriveRun,
  kind: StoredKind['kind'],
  group: readonly StoredObject[],
): Promise<GroupEnd> {
  const claimed = new Set<string>();
  try {
    const opened = await inParallel(group, (object) => openObject(run, kind, object, claimed));
    const found = opened.filter((one): one is Opened => typeof one === 'object');
    const limited = limit(run, found);
    const chosen = found.flatMap((one) => one.chosen);
    const carried = await run.carrier.carry(chosen);
    giveBack(run, chosen, carried);
    const rests = await inParallel(found, (one) => settleObject(run, one, carried));
    const failed = rests.find((rest) => 'failure' in rest)?.failure;
    const ended: Ended | undefined =
      failed !== undefined ? { why: 'store', failure: failed, fault: false } : (carried.stop ?? limited);
    return { ended, ...tell(run, group, opened, rests, ended, carried) };
  } finally {
    await inParallel([...claimed], (key) => release(run, key));
  }
}

/** Reads it, claims it, and reads it again: somebody may have been done with it in between. */
async function openObject(
  run: RedriveRun,
  kind: StoredKind['kind'],
  { key, bytes }: StoredObject,
  claimed: Set<string>,
): Promise<Opened | Skip | undefined> {
  if (bytes > MAX_OBJECT_BYTES) return 'too-large';
  const seen = await openMatching(run, kind, key);
  if (typeof seen !== 'object') return seen;
  if (run.request.dryRun) return filled(run, seen);
  const { deadLetters, clock } = run.runtime;
  const now = clock.now();
  const until = now + run.remainingMs() + CLAIM_MARGIN_MS;
  if (!(await deadLetters.claim(key, run.owner, now, until))) return 'claimed';
  claimed.add(key);
  const again = await openMatching(run, kind, key);
  return typeof again === 'object' ? filled(run, again) : again;
}

/** `undefined` where it is gone, or the conditions hold for nothing in it. */
async function openMatching(
  run: RedriveRun,
  kind: StoredKind['kind'],
  key: string,
): Promise<Opened | Skip | undefined> {
  const { request, pipeline, carrier, runtime } = run;
  const stored = await runtime.deadLetters.read(key);
  if (stored === undefined) return undefined;
  const parcel = readParcel(stored.text, kind, pipeline);
  if (typeof parcel !== 'object') return parcel;
  if (!chosenByTime(request.where, parcel.storedAt)) return undefined;
  const opened = { ...stored, key, parcel, withheld: 0, lost: undefined, cut: false };
  if (isEmptyOfRecords(parcel)) {
    const { reasons } = request.where;
    const condition = parcel.kind === 'on-failure' ? parcel.document.condition : '';
    return reasons === undefined || reasons.includes(condition) ? { ...opened, chosen: [] } : undefined;
  }
  const meant = parcel.items.filter((item) => carrier.wants(item));
  const sendable = meant.filter(({ entry }) => entry?.withheld !== true && entry?.processed !== true);
  const withheld = meant.length - sendable.length;
  const chosen = notYetTried(run, key, sendable);
  return meant.length === 0 ? undefined : { ...opened, chosen, withheld };
}

/** With the records from the stream, where Lambda's document has none. */
async function filled(run: RedriveRun, opened: Opened): Promise<Opened | Skip> {
  const { parcel } = opened;
  if (parcel.kind !== 'on-failure' || !isEmptyOfRecords(parcel)) return opened;
  const range = await readRange(run.runtime.stream, parcel.document);
  if (range === 'too-large') return range;
  const { records, lost } = range;
  const whole = onFailureParcel(parcel.document, records.map(asDiscarded));
  const wanted = whole.items.filter((item) => run.carrier.wants(item));
  const chosen = notYetTried(run, opened.key, wanted);
  return { ...opened, parcel: whole, lost, chosen };
}

function redacts({ pipeline }: RedriveRun): boolean {
  return pipeline.records?.redact !== undefined;
}

function isEmptyOfRecords(parcel: Parcel): boolean {
  return parcel.kind === 'on-failure' && parcel.document.records === undefined;
}

const numberOf = ({ record }: Item) => BigInt(record.kinesis.sequenceNumber);

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

/** Takes no more than there is room for. Says so where something had to stay. */
function limit(run: RedriveRun, opened: readonly Opened[]): Ended | undefined {
  for (const one of opened) {
    const taken = atMost(one.chosen, run.room);
    one.cut = taken.length < one.chosen.length;
    one.chosen = taken;
    run.room -= taken.length;
  }
  return opened.some(({ cut }) => cut) ? { why: 'limit', fault: false } : undefined;
}

type SettledObject = (Rest | { readonly counts: Rest['counts']; readonly failure: Failure }) & {
  readonly one: Opened;
};

/** Stores what was rejected anew, then changes or removes the object. Where the store fails, all of it stays. */
async function settleObject(run: RedriveRun, one: Opened, { parts }: Carried): Promise<SettledObject> {
  const rest = restOf(one.parcel, new Set(one.chosen), parts, redacts(run));
  if (run.request.dryRun) return { ...rest, one };
  try {
    await write(run, one, rest);
    return { ...rest, one };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { counts: rest.counts, failure: error, one };
  }
}

async function write(run: RedriveRun, one: Opened, rest: Rest): Promise<void> {
  const { deadLetters } = run.runtime;
  const { key, version } = one;
  if (rest.rejects.length > 0) await putRejects(run, one, rest);
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
  if (becomes === 'same') return;
  // Written, it could never be read again. What was delivered of it will be sent once more.
  if (typeof becomes === 'object' && Buffer.byteLength(becomes.text) > MAX_OBJECT_BYTES)
    return countSkipped(run, key, 'too-large');
  const done =
    becomes === 'nothing'
      ? await deadLetters.remove(key, version)
      : await deadLetters.replace(key, version, becomes.text);
  if (!done) countSkipped(run, key, 'changed');
}

async function putRejects(run: RedriveRun, { key, parcel }: Opened, { rejects }: Rest): Promise<void> {
  const { runtime, pipeline } = run;
  // Two runs may have rejects of one record, and each has to find its own place.
  const source = `${key} ${rejects[0]?.message.subSequenceNumber ?? ''}`;
  const document = deadLetterDocument(rejects, {
    pipeline: pipeline.pipeline,
    streamArn: pipeline.streamArn,
    shardId: parcel.items[0]?.shardId ?? 'unknown',
    // The same for the same document: if it is done twice, it is stored once.
    invocationId: `redrive-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`,
    storedAt: new Date(runtime.clock.now()).toISOString(),
  });
  await runtime.deadLetters.put(document);
}

/** Counts what became of the group. Returns the object up to which everything is done, and how far the next one is. */
function tell(
  run: RedriveRun,
  group: readonly StoredObject[],
  opened: readonly (Opened | Skip | undefined)[],
  rests: readonly SettledObject[],
  ended: Ended | undefined,
  carried: Carried,
): Pick<GroupEnd, 'last' | 'within'> {
  const restOfKey = new Map(rests.map((rest) => [rest.one.key, rest]));
  let last: string | undefined;
  let within: Within;
  let open = false;
  for (const [index, { key }] of group.entries()) {
    const one = opened[index];
    const rest = restOfKey.get(key);
    // Behind the first that is not done everything comes again, and is told then.
    if (!open && ended !== undefined && rest !== undefined && !isDone(rest, run)) {
      open = true;
      within = doneWithin(run, rest, carried);
    }
    if (rest !== undefined) {
      const counts = open ? countsOfOpen(run, rest, carried, within) : rest.counts;
      addToTally(run.tally, { ...counts, documents: counts.chosen > 0 ? 1 : 0 });
      if (!open) addToTally(run.tally, { withheld: rest.one.withheld });
    }
    if (rest?.one.lost !== undefined) countLost(run, rest.one.lost);
    if (open) continue;
    if (typeof one === 'string') countSkipped(run, key, one);
    last = key;
  }
  return { last, within };
}

/** The last record before the first that is open; where there is none, as far as the runs before came. */
function doneWithin(run: RedriveRun, { one, ...rest }: SettledObject, { parts }: Carried): Within {
  const { key, chosen } = one;
  const given = givenTo(run)?.within;
  const before = given?.key === key ? given : undefined;
  if ('failure' in rest) return before;
  const isOpen = (item: Item) =>
    !run.request.dryRun &&
    (parts.get(item)?.some((part) => part.chosen && part.verdict.kind === 'retry') ?? true);
  const firstOpen = chosen.find(isOpen);
  const done =
    firstOpen === undefined ? chosen : chosen.filter((item) => numberOf(item) < numberOf(firstOpen));
  const through = done.at(-1)?.record.kinesis.sequenceNumber;
  return through === undefined ? before : { key, through };
}

/** What was rejected behind the place to go on from, and has not left the object, comes again: it is counted then. */
function countsOfOpen(
  run: RedriveRun,
  rest: SettledObject,
  { parts }: Carried,
  within: Within,
): Rest['counts'] {
  const { one, counts } = rest;
  const leaves = one.parcel.kind === 'on-failure' && !('failure' in rest);
  const isBehind = (item: Item) => within?.key !== one.key || numberOf(item) > BigInt(within.through);
  const rejectsOf = (item: Item) =>
    (parts.get(item) ?? []).filter((part) => part.chosen && part.verdict.kind === 'rejected');
  const behind = one.chosen.filter((item) => isBehind(item) && rejectsOf(item).length > 0);
  const rejects = behind.flatMap(rejectsOf);
  const isStuck: (part: SentPart) => boolean =
    one.parcel.kind === 'on-failure' ? ({ message }) => message.withheld !== undefined : isOtherwise;
  const stuck = rejects.filter(isStuck).length;
  const again = leaves ? 0 : rejects.length - stuck;
  // And so it takes no room either.
  if (!leaves && !run.request.dryRun) run.room += behind.length;
  return {
    ...counts,
    rejectedAgain: counts.rejectedAgain - again,
    left: counts.left + again,
    withheld: counts.withheld - stuck,
  };
}

function isDone({ one, counts, ...rest }: SettledObject, { request }: RedriveRun): boolean {
  return !one.cut && !('failure' in rest) && (request.dryRun || counts.left === 0);
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
