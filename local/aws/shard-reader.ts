// Reads one shard for an event source mapping, and gathers its records into batches for delivery.
import { createHash } from 'node:crypto';
import { type Checkpoint, type CheckpointState, createCheckpoint } from './checkpoint.ts';
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

export class ShardReader {
  readonly #ports: ReaderPorts;
  readonly #settings: ReaderSettings;
  readonly #progress: ShardProgress;
  readonly #checkpoint: Checkpoint;
  readonly #lanes: readonly Lane[];
  #reading: Promise<number> | undefined;
  #iterator: string | undefined;
  #ended = false;

  constructor(ports: ReaderPorts, settings: ReaderSettings, progress: ShardProgress) {
    this.#ports = ports;
    this.#settings = settings;
    this.#progress = progress;
    this.#checkpoint = createCheckpoint(progress);
    this.#lanes = Array.from({ length: settings.parallelization }, () => []);
  }

  /** Ends after the stop, when the invocations in flight have been accounted for, or when the shard is read to its end. */
  async run(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => this.#work(lane)));
    if (this.#stopped) return;
    this.#progress.finished = true;
  }

  get #stopped(): boolean {
    return this.#ports.stop.aborted;
  }

  async #work(lane: Lane): Promise<void> {
    const { shardId } = this.#progress;
    const ports = { ...this.#ports, shardId, checkpoint: this.#checkpoint };
    while (!this.#stopped) {
      const count = await this.#gather(lane);
      if (count === 0) return;
      await deliver(lane.splice(0, count), this.#settings, ports);
    }
  }

  // Waits until a batch is full or its window is over; a window begins when the invocation before it ended. Nothing is
  // returned when the reader was stopped, and at the end of the shard.
  async #gather(lane: Lane): Promise<number> {
    const { clock, pace, stop } = this.#ports;
    let windowEnd = clock.now() + this.#settings.windowMs;
    while (!this.#stopped) {
      const { count, full } = takeBatch(lane, this.#settings.batchSize);
      const over = clock.now() >= windowEnd;
      if (full || this.#ended || (over && count > 0)) return count;
      if (over) windowEnd = clock.now() + this.#settings.windowMs;
      const found = await this.#readOnce();
      const left = count > 0 ? Math.max(windowEnd - clock.now(), 0) : Number.POSITIVE_INFINITY;
      if (found === 0 && !this.#ended) await clock.sleep(Math.min(pace.idleMs, left), stop);
    }
    return 0;
  }

  /** A read that is under way serves every lane. */
  #readOnce(): Promise<number> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** One page; a read that fails is logged nowhere and counts as empty, because Lambda too just reads again. */
  async #read(): Promise<number> {
    const { batchSize, parallelization } = this.#settings;
    // A lane that gets nowhere holds the others up only when all there is room for waits in it.
    const room = batchSize * parallelization - this.#checkpoint.unsettled;
    if (room <= 0) return 0;
    const { stream, source } = this.#ports;
    const number = this.#ports.beginRead();
    try {
      this.#iterator ??= await this.#newIterator();
      const page = await stream.read(this.#iterator, room);
      this.#take(page.records.map((record) => eventRecord(source, this.#progress.shardId, record)));
      this.#iterator = page.next;
      this.#ended = page.next === undefined;
      if (page.records.length === 0 && this.#checkpoint.unsettled === 0 && page.atTip) {
        this.#progress.caughtUpBy = number;
        this.#ports.onCaughtUp();
      }
      return page.records.length;
    } catch {
      // An expired iterator, a throttled read: ask for a new iterator behind what was read already.
      this.#iterator = undefined;
      return 0;
    }
  }

  #take(page: readonly EventRecord[]): void {
    this.#checkpoint.read(page);
    for (const record of page) this.#lanes[this.#laneOf(record)]?.push(record);
  }

  #laneOf({ record, sequenceNumber }: EventRecord): number {
    if (this.#lanes.length === 1) return 0;
    // How Lambda spreads records without a key it does not say.
    const hash = createHash('md5')
      .update(record.kinesis.partitionKey ?? sequenceNumber)
      .digest();
    return hash.readUInt32BE() % this.#lanes.length;
  }

  async #newIterator(): Promise<string> {
    const { shardId, start } = this.#progress;
    const after = this.#checkpoint.lastRead;
    const from: ReadFrom =
      after === undefined ? start : { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: after };
    const asked = new Date(this.#ports.clock.now());
    const iterator = await this.#ports.stream.iterator(shardId, from);
    if (start.type === 'LATEST') this.#progress.start = { type: 'AT_TIMESTAMP', timestamp: asked };
    return iterator;
  }
}
