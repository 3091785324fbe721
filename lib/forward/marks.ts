// The marks of a batch: what each route has settled survives the container while another route is in trouble.
import { hash } from 'node:crypto';
import type { Clock } from '../aep/transport.ts';
import type { PublishedRoute } from '../published.ts';
import type { ForwardRuntime, Mark } from '../runtime.ts';
import { MAX_KEYS } from './memory.ts';
import type { Received } from './read/event.ts';
import { keyOf, type Message, sequenceOf } from './read/message.ts';
import type { ShardStore } from './shard-store.ts';
import type { Settled } from './verdict.ts';

/** A route that is on its way for so long, in ms, after another has ended, may be in trouble. */
const PATIENCE_MS = 1_000;

/** Of a key's SHA-256. With as many keys as there can be, two are the same once in 10^9 batches. */
const KEY_BYTES = 8;

/** The marks of one batch. */
export interface BatchMarks {
  /** Whether AEP acknowledged the message on this route before, as its mark says. */
  isKnown(route: PublishedRoute): ((message: Message) => boolean) | undefined;
  /**
   * Whether the last message that AEP took on this route is in this batch.
   * @param remembered the last one's key, if the container remembers it; the mark may know a later one
   */
  hasLatest(route: PublishedRoute, remembered: string | undefined): boolean;
  /** A request of a route was not taken: from now on, each route that ends writes its mark. */
  trouble(): void;
  /** A route has ended, with these verdicts: they are asked for only where they are needed. */
  ended(route: PublishedRoute, settled: () => readonly Settled[]): void;
  /** Waits for the marks that are being written. Returns the pipelines whose mark has all of the batch. */
  written(): Promise<ReadonlySet<string>>;
  /** The whole batch is settled: marks of it are not needed any more. */
  clear(): Promise<void>;
}

/** For a stream of one route: memory alone is enough, as decision 0003 says. */
export const NO_MARKS: BatchMarks = {
  isKnown: () => undefined,
  hasLatest: () => false,
  trouble: () => undefined,
  ended: () => undefined,
  written: async () => new Set(),
  clear: async () => undefined,
};

/** The marks of a batch, as they were when the invocation began. */
export function marksOf(
  { marks, clock }: Pick<ForwardRuntime, 'marks' | 'clock'>,
  { records }: Pick<Received, 'records'>,
  routes: number,
  { shard, kept, ask }: ShardStore,
): BatchMarks {
  // Seldom needed, and it takes a while for 10,000 records.
  let highestYet: string | undefined;
  const last = (): string => {
    highestYet ??= highest(records.map(({ kinesis }) => kinesis.sequenceNumber));
    return highestYet;
  };
  const most = Math.floor(MAX_KEYS / routes);

  const found = kept.marks;
  const there = new Map(found);
  const waiting = new Map<PublishedRoute, () => readonly Settled[]>();
  const writing: Promise<unknown>[] = [];
  const done = new Set<string>();
  let [isTroubled, open] = [false, routes];
  let callOff: (() => void) | undefined;

  const write = (route: PublishedRoute, settled: readonly Settled[]): void => {
    const { pipeline, datasetId } = route;
    const isWhole = settled.filter(({ verdict }) => verdict.kind === 'delivered').length <= most;
    const mark = markOf(settled, markFor(there, route), { datasetId, last: last(), most });
    if (mark === undefined) {
      if (isWhole) done.add(pipeline);
      return;
    }
    there.set(pipeline, mark);
    const call = async () => {
      await marks.write(shard, pipeline, mark);
      if (isWhole) done.add(pipeline);
    };
    writing.push(ask('the marks of a shard could not be written', call));
  };
  const trouble = (): void => {
    isTroubled = true;
    for (const [route, settled] of waiting) write(route, settled());
    waiting.clear();
  };

  return {
    isKnown(route) {
      const keys = keysIn(markFor(found, route));
      return keys.size === 0 ? undefined : (message) => keys.has(markKey(message));
    },
    hasLatest(route, remembered) {
      const end = BigInt(last());
      const through = markFor(found, route)?.through ?? '0';
      const isBehind = remembered !== undefined && BigInt(sequenceOf(remembered)) > end;
      return BigInt(through) <= end && !isBehind;
    },
    trouble,
    ended(route, settled) {
      if (--open === 0) callOff?.();
      if (isTroubled) return write(route, settled());
      waiting.set(route, settled);
      if (open > 0) callOff ??= afterPatience(clock, trouble);
    },
    async written() {
      await Promise.all(writing);
      return done;
    },
    async clear() {
      const passed = [...there].filter(([, { through }]) => BigInt(through) <= BigInt(last()));
      const pipelines = passed.map(([pipeline]) => pipeline);
      if (pipelines.length > 0)
        await ask('the marks of a shard could not be cleared', () => marks.clear(shard, pipelines));
    },
  };
}

/** Returns what calls it off. Then the clock holds nothing of the batch any longer: that may be 20 MB for each event. */
function afterPatience(clock: Pick<Clock, 'sleep'>, task: () => void): () => void {
  let due: (() => void) | undefined = task;
  void clock.sleep(PATIENCE_MS).then(() => due?.());
  return () => {
    due = undefined;
  };
}

function markFor(
  marks: ReadonlyMap<string, Mark>,
  { pipeline, datasetId }: PublishedRoute,
): Mark | undefined {
  const mark = marks.get(pipeline);
  return mark?.datasetId === datasetId ? mark : undefined;
}

/** The route's next mark; `undefined` if the last one has all of it. */
function markOf(
  settled: readonly Settled[],
  before: Mark | undefined,
  { datasetId, last, most }: { readonly datasetId: string; readonly last: string; readonly most: number },
): Mark | undefined {
  const known = keysIn(before);
  // Lambda may deliver a smaller batch than before: what lies behind it still comes.
  const isBehind = before !== undefined && BigInt(before.through) > BigInt(last);
  const keys = new Set(isBehind ? known : []);
  let isNew = false;
  for (const { message, verdict } of settled) {
    if (verdict.kind !== 'delivered' || keys.size >= most) continue;
    const key = markKey(message);
    isNew ||= !known.has(key);
    keys.add(key);
  }
  // If two messages ever had one number, the open one must not count as delivered.
  for (const { message, verdict } of settled) if (verdict.kind !== 'delivered') keys.delete(markKey(message));
  if (!isNew || keys.size === 0) return undefined;
  const bytes = Buffer.alloc(keys.size * KEY_BYTES);
  let at = 0;
  for (const key of keys) at = bytes.writeBigUInt64BE(key, at);
  return { datasetId, through: isBehind ? before.through : last, keys: bytes };
}

function keysIn(mark: Mark | undefined): ReadonlySet<bigint> {
  const keys = new Set<bigint>();
  if (mark === undefined) return keys;
  const bytes = Buffer.from(mark.keys.buffer, mark.keys.byteOffset, mark.keys.byteLength);
  for (let at = 0; at + KEY_BYTES <= bytes.length; at += KEY_BYTES) keys.add(bytes.readBigUInt64BE(at));
  return keys;
}

function markKey(message: Message): bigint {
  return hash('sha256', keyOf(message), 'buffer').readBigUInt64BE();
}

/** Of sequence numbers, of which there is at least one. */
function highest(sequenceNumbers: readonly string[]): string {
  return sequenceNumbers.reduce((one, other) => (BigInt(other) > BigInt(one) ? other : one));
}
