// Reads one shard for an event source mapping, and gathers its records into batches for delivery.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { Checkpoint, type CheckpointState } from './checkpoint.ts';
import { type Backoff, type DeliveryPorts, deliver } from './delivery.ts';
import { type EventRecord, type EventSource, eventRecord, takeBatch } from './kinesis-event.ts';
import type { RetrySettings } from './retry-rules.ts';

export type StartingPosition =
  | { type: 'TRIM_HORIZON' | 'LATEST' }
  | { type: 'AT_TIMESTAMP'; timestamp: Date };

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

const maxPageBytes = 10 * 1024 * 1024;
const maxPageRecords = 10_000;

export const lambdaPace: Pace = { idleMs: 1000, firstRetryMs: 250, maxRetryMs: 30_000 };

/** What outlives a reader, so that a paused mapping resumes where it stopped. */
export interface ShardProgress extends CheckpointState {
  readonly shardId: string;
  /** Where to begin without a checkpoint. LATEST is turned into a time once it was used, or a pause would lose records. */
  start: StartingPosition;
  /** The shard was split or merged, and all of it is delivered or discarded. */
  finished: boolean;
  /** A reader is at work on it. */
  reading: boolean;
  /** When the last read began that found nothing more while nothing was left to deliver; a `performance.now()` time. */
  caughtUpAt: number;
}

export interface ReaderPorts extends Omit<DeliveryPorts, 'shardId' | 'checkpoint' | 'stop'> {
  kinesis: KinesisClient;
  source: EventSource;
  pace: Pace;
  /** Called whenever the reader has read to the shard's tip. */
  onCaughtUp(): void;
}

/** Records of the shard that are delivered one batch at a time; a partition key is always in the same lane. */
type Lane = EventRecord[];

export class ShardReader {
  readonly #ports: ReaderPorts;
  readonly #settings: ReaderSettings;
  readonly #progress: ShardProgress;
  readonly #stop = new AbortController();
  readonly #checkpoint: Checkpoint;
  readonly #lanes: readonly Lane[];
  #reading: Promise<number> | undefined;
  #iterator: string | undefined;
  #ended = false;
  #pageRecords = 1000;

  constructor(ports: ReaderPorts, settings: ReaderSettings, progress: ShardProgress) {
    this.#ports = ports;
    this.#settings = settings;
    this.#progress = progress;
    this.#checkpoint = new Checkpoint(progress);
    this.#lanes = Array.from({ length: settings.parallelization }, () => []);
  }

  /** Ends after `stop`, when the invocations in flight have been accounted for, or when the shard is read to its end. */
  async run(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => this.#work(lane)));
    if (this.#stopped) return;
    this.#progress.finished = true;
  }

  stop(): void {
    this.#stop.abort();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #work(lane: Lane): Promise<void> {
    const { shardId } = this.#progress;
    const ports = { ...this.#ports, shardId, checkpoint: this.#checkpoint, stop: this.#stop.signal };
    while (!this.#stopped) {
      const count = await this.#gather(lane);
      if (count === 0) return;
      await deliver(lane.splice(0, count), this.#settings, ports);
    }
  }

  // Waits until a batch is full or its window is over; a window begins when the invocation before it ended. Nothing is
  // returned when the reader was stopped, and at the end of the shard.
  async #gather(lane: Lane): Promise<number> {
    let windowEnd = performance.now() + this.#settings.windowMs;
    while (!this.#stopped) {
      const { count, full } = takeBatch(lane, this.#settings.batchSize);
      const over = performance.now() >= windowEnd;
      if (full || this.#ended || (over && count > 0)) return count;
      if (over) windowEnd = performance.now() + this.#settings.windowMs;
      const found = await this.#readOnce();
      const left = count > 0 ? Math.max(windowEnd - performance.now(), 0) : Number.POSITIVE_INFINITY;
      if (found === 0 && !this.#ended) await this.#pause(Math.min(this.#ports.pace.idleMs, left));
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

  /** One GetRecords call; a failing one is logged nowhere and counts as empty, because Lambda too just reads again. */
  async #read(): Promise<number> {
    const { batchSize, parallelization } = this.#settings;
    // A lane that gets nowhere holds the others up only when all there is room for waits in it.
    const room = batchSize * parallelization - this.#checkpoint.unsettled;
    if (room <= 0) return 0;
    const startedAt = performance.now();
    try {
      this.#iterator ??= await this.#newIterator();
      const { source } = this.#ports;
      const page = await this.#ports.kinesis.send(
        new GetRecordsCommand({
          StreamARN: source.eventSourceArn,
          ShardIterator: this.#iterator,
          Limit: Math.min(room, this.#pageRecords),
        }),
      );
      const found = (page.Records ?? []).map((record) => eventRecord(source, this.#progress.shardId, record));
      this.#take(found);
      this.#iterator = page.NextShardIterator;
      this.#ended = !page.NextShardIterator;
      if (found.length === 0 && this.#checkpoint.unsettled === 0 && !page.MillisBehindLatest) {
        this.#progress.caughtUpAt = startedAt;
        this.#ports.onCaughtUp();
      }
      return found.length;
    } catch {
      // An expired iterator, a throttled read: ask for a new iterator behind what was read already.
      this.#iterator = undefined;
      return 0;
    }
  }

  #take(page: EventRecord[]): void {
    this.#checkpoint.read(page);
    for (const record of page) this.#lanes[this.#laneOf(record)]?.push(record);
    this.#fitPages(page);
  }

  #laneOf({ record }: EventRecord): number {
    if (this.#lanes.length === 1) return 0;
    const hash = createHash('md5').update(record.kinesis.partitionKey).digest();
    return hash.readUInt32BE() % this.#lanes.length;
  }

  // Kinesis returns at most 10 MB a call; kinesalite returns what was asked for, so the reader asks for less.
  #fitPages(page: EventRecord[]): void {
    const bytes = page.reduce((sum, record) => sum + record.bytes, 0);
    if (bytes > 0)
      this.#pageRecords = clamp(Math.ceil((maxPageBytes * page.length) / bytes), 1, maxPageRecords);
  }

  async #newIterator(): Promise<string> {
    const { shardId, start } = this.#progress;
    const shard = { StreamName: this.#ports.streamName, ShardId: shardId };
    const after = this.#checkpoint.lastRead;
    const from =
      after !== undefined
        ? ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after } as const)
        : start.type === 'AT_TIMESTAMP'
          ? ({ ShardIteratorType: 'AT_TIMESTAMP', Timestamp: start.timestamp } as const)
          : ({ ShardIteratorType: start.type } as const);
    const asked = new Date();
    const answer = await this.#ports.kinesis.send(new GetShardIteratorCommand({ ...shard, ...from }));
    if (start.type === 'LATEST') this.#progress.start = { type: 'AT_TIMESTAMP', timestamp: asked };
    return answer.ShardIterator ?? '';
  }

  async #pause(milliseconds: number): Promise<void> {
    // `ref: true` (the default) keeps a process alive while a mapping polls, as a service would.
    await sleep(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}
