// Reads one shard for an event source mapping, and gathers its records into batches for delivery.
import { createHash } from 'node:crypto';
import { type CheckpointState, createCheckpoint } from './checkpoint.ts';
import { type Backoff, type DeliveryPorts, deliver } from './delivery.ts';
import { type EventRecord, type EventSource, eventRecord, takeBatch } from './kinesis-event.ts';
import type { RetrySettings } from './retry-rules.ts';
import type { ReadFrom, StartingPosition, Stream } from './stream.ts';

export interface ReaderSettings extends RetrySettings {
  batchSize: number;
  windowMs: number;
  /** How many batches of the shard at a time; above 1 the order is kept per partition key only. */
  parallelization: number;
}

export interface Pace extends Backoff {
  /** The pause after an empty read; Lambda polls a shard about once a second. */
  idleMs: number;
}

export const LAMBDA_PACE: Pace = { idleMs: 1000, firstRetryMs: 250, maxRetryMs: 30_000 };

/** What outlives a reader, so that a paused mapping resumes where it stopped. */
export interface ShardProgress extends CheckpointState {
  readonly shardId: string;
  /** Where to begin without a checkpoint. LATEST is turned into a time once it was used, or a pause would lose records. */
  start: StartingPosition;
  /** The shard was split or merged, and all of it is delivered or discarded. */
  finished: boolean;
  /** A reader is at work on it. */
  reading: boolean;
  /** The number of the last read that found nothing more while nothing was left to deliver. */
  caughtUpBy: number;
}

export interface ReaderPorts extends Omit<DeliveryPorts, 'shardId' | 'checkpoint'> {
  stream: Stream;
  source: EventSource;
  pace: Pace;
  /** Numbers a read as it begins, over all shards: what was put before is found by it, or by an earlier one. */
  beginRead(): number;
  /** Called whenever the reader has read to the shard's tip. */
  onCaughtUp(): void;
}

/** Records of the shard, delivered one batch at a time. A partition key is always in the same lane; a record without one in any. */
type Lane = EventRecord[];

/** Reads one shard. Ends after the stop, when the invocations in flight have been accounted for, or at the shard's end. */
export async function readShard(
  ports: ReaderPorts,
  settings: ReaderSettings,
  progress: ShardProgress,
): Promise<void> {
  const { stream, source, clock, pace, stop } = ports;
  const { batchSize, parallelization, windowMs } = settings;
  const { shardId } = progress;
  const checkpoint = createCheckpoint(progress);
  const lanes: readonly Lane[] = Array.from({ length: parallelization }, () => []);
  let reading: Promise<number> | undefined;
  let iterator: string | undefined;
  let ended = false;

  async function work(lane: Lane): Promise<void> {
    while (!stop.aborted) {
      const count = await gather(lane);
      if (count === 0) return;
      await deliver(lane.splice(0, count), settings, { ...ports, shardId, checkpoint });
    }
  }

  // Waits until a batch is full or its window is over; a window begins when the invocation before it ended. Nothing is
  // returned when the reader was stopped, and at the end of the shard.
  async function gather(lane: Lane): Promise<number> {
    let windowEnd = clock.now() + windowMs;
    while (!stop.aborted) {
      const { count, full } = takeBatch(lane, batchSize);
      const over = clock.now() >= windowEnd;
      if (full || ended || (over && count > 0)) return count;
      if (over) windowEnd = clock.now() + windowMs;
      const found = await readOnce();
      const left = count > 0 ? Math.max(windowEnd - clock.now(), 0) : Number.POSITIVE_INFINITY;
      if (found === 0 && !ended) await clock.sleep(Math.min(pace.idleMs, left), stop);
    }
    return 0;
  }

  /** A read that is under way serves every lane. */
  function readOnce(): Promise<number> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** One page; a read that fails is logged nowhere and counts as empty, because Lambda too just reads again. */
  async function read(): Promise<number> {
    // A lane that gets nowhere holds the others up only when all there is room for waits in it.
    const room = batchSize * parallelization - checkpoint.unsettled;
    if (room <= 0) return 0;
    const number = ports.beginRead();
    try {
      iterator ??= await newIterator();
      const page = await stream.read(iterator, room);
      take(page.records.map((record) => eventRecord(source, shardId, record)));
      iterator = page.next;
      ended = page.next === undefined;
      if (page.records.length === 0 && checkpoint.unsettled === 0 && page.atTip) {
        progress.caughtUpBy = number;
        ports.onCaughtUp();
      }
      return page.records.length;
    } catch {
      // An expired iterator, a throttled read: ask for a new iterator behind what was read already.
      iterator = undefined;
      return 0;
    }
  }

  function take(page: readonly EventRecord[]): void {
    checkpoint.read(page);
    for (const record of page) lanes[laneOf(record, lanes.length)]?.push(record);
  }

  async function newIterator(): Promise<string> {
    const { start } = progress;
    const after = checkpoint.lastRead;
    const from: ReadFrom =
      after === undefined ? start : { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: after };
    const asked = new Date(clock.now());
    const made = await stream.iterator(shardId, from);
    if (start.type === 'LATEST') progress.start = { type: 'AT_TIMESTAMP', timestamp: asked };
    return made;
  }

  await Promise.all(lanes.map(work));
  if (!stop.aborted) progress.finished = true;
}

function laneOf({ record, sequenceNumber }: EventRecord, lanes: number): number {
  if (lanes === 1) return 0;
  // How Lambda spreads records without a key it does not say.
  const hash = createHash('md5')
    .update(record.kinesis.partitionKey ?? sequenceNumber)
    .digest();
  return hash.readUInt32BE() % lanes;
}
