// Reads one shard for an event source mapping: gathers batches, invokes the function, moves the checkpoint.
import { setTimeout as sleep } from 'node:timers/promises';
import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import type { KinesisStreamEvent } from 'aws-lambda';
import { readBatchResponse } from './batch-response.ts';
import type { InvocationResult } from './function-errors.ts';
import { type EventRecord, type EventSource, eventRecord, kinesisEvent, takeBatch } from './kinesis-event.ts';

export type StartingPosition =
  | { type: 'TRIM_HORIZON' | 'LATEST' }
  | { type: 'AT_TIMESTAMP'; timestamp: Date };

export interface ReaderSettings {
  batchSize: number;
  windowMs: number;
  reportsItemFailures: boolean;
}

export interface Pace {
  /** The pause after an empty read; Lambda polls a shard about once a second. */
  idleMs: number;
  /**
   * The pause before a batch is delivered again doubles from `firstRetryMs` to `maxRetryMs`. The defaults give the 8 invocations within
   * 60 s that were recorded against AWS for a function that fails at once.
   */
  firstRetryMs: number;
  maxRetryMs: number;
}

const maxPageBytes = 10 * 1024 * 1024;
const maxPageRecords = 10_000;

export const lambdaPace: Pace = { idleMs: 1000, firstRetryMs: 250, maxRetryMs: 30_000 };

/** One invocation, as told to `onInvocation`. */
export interface InvocationReport {
  streamName: string;
  shardId: string;
  records: number;
  /** How many of them had been handed over before. */
  redelivered: number;
  startedAt: number;
  durationMs: number;
  outcome: 'delivered' | 'partial' | 'failed';
  /** Why records come back. */
  reason?: string;
}

/** What outlives a reader, so that a paused mapping resumes where it stopped. */
export interface ShardProgress {
  shardId: string;
  /** The last sequence number that need not be delivered again. */
  checkpoint?: string;
  /** The highest sequence number the function has seen; what comes again up to here is a redelivery. */
  handedOver?: string;
  /** Where to begin without a checkpoint. LATEST is turned into a time once it was used, or a pause would lose records. */
  start: StartingPosition;
  /** The shard was split or merged, and all of it is delivered. */
  finished: boolean;
  /** A reader is at work on it. */
  reading: boolean;
  /** When the last read began that found nothing more while nothing was waiting; a `performance.now()` time. */
  caughtUpAt: number;
}

export interface ReaderPorts {
  kinesis: KinesisClient;
  streamName: string;
  source: EventSource;
  pace: Pace;
  invoke(event: KinesisStreamEvent): Promise<InvocationResult>;
  onInvocation(report: InvocationReport): void;
  /** Called whenever the reader has read to the shard's tip. */
  onCaughtUp(): void;
}

export class ShardReader {
  readonly #ports: ReaderPorts;
  readonly #settings: ReaderSettings;
  readonly #progress: ShardProgress;
  readonly #stop = new AbortController();
  #waiting: EventRecord[] = [];
  #iterator: string | undefined;
  #ended = false;
  #pageRecords = 1000;

  constructor(ports: ReaderPorts, settings: ReaderSettings, progress: ShardProgress) {
    this.#ports = ports;
    this.#settings = settings;
    this.#progress = progress;
  }

  /** Ends after `stop`, when the invocation in flight has been accounted for, or when the shard is read to its end. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const count = await this.#gather();
      if (this.#stopped) return;
      if (count > 0) await this.#deliver(this.#waiting.splice(0, count));
      else if (this.#ended) break;
    }
    if (this.#stopped) return;
    this.#progress.finished = true;
  }

  stop(): void {
    this.#stop.abort();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  // Waits until a batch is full or its window is over; a window begins when the invocation before it ended.
  async #gather(): Promise<number> {
    let windowEnd = performance.now() + this.#settings.windowMs;
    while (!this.#stopped) {
      const { count, full } = takeBatch(this.#waiting, this.#settings.batchSize);
      const over = performance.now() >= windowEnd;
      if (full || this.#ended || (over && count > 0)) return count;
      if (over) windowEnd = performance.now() + this.#settings.windowMs;
      const found = await this.#read(this.#settings.batchSize - count);
      const left = count > 0 ? Math.max(windowEnd - performance.now(), 0) : Number.POSITIVE_INFINITY;
      if (found === 0 && !this.#ended) await this.#pause(Math.min(this.#ports.pace.idleMs, left));
    }
    return 0;
  }

  /** One GetRecords call; a failing one is logged nowhere and counts as empty, because Lambda too just reads again. */
  async #read(limit: number): Promise<number> {
    const startedAt = performance.now();
    try {
      this.#iterator ??= await this.#newIterator();
      const page = await this.#ports.kinesis.send(
        new GetRecordsCommand({ ShardIterator: this.#iterator, Limit: Math.min(limit, this.#pageRecords) }),
      );
      const records = page.Records ?? [];
      const { source } = this.#ports;
      const found = records.map((record) => eventRecord(source, this.#progress.shardId, record));
      this.#waiting.push(...found);
      this.#fitPages(found);
      this.#iterator = page.NextShardIterator;
      this.#ended = !page.NextShardIterator;
      if (records.length === 0 && this.#waiting.length === 0 && !page.MillisBehindLatest) {
        this.#progress.caughtUpAt = startedAt;
        this.#ports.onCaughtUp();
      }
      return records.length;
    } catch {
      // An expired iterator, a throttled read: ask for a new iterator behind what was read already.
      this.#iterator = undefined;
      return 0;
    }
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
    const after = this.#waiting.at(-1)?.sequenceNumber ?? this.#progress.checkpoint;
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

  // A batch that failed, or what is left of it, is delivered again until it is through: Lambda does not
  // go on to the next batch of the shard before.
  async #deliver(batch: EventRecord[]): Promise<void> {
    let rest = batch;
    let retryMs = this.#ports.pace.firstRetryMs;
    while (rest.length > 0) {
      const done = await this.#invoke(rest);
      if (done > 0) {
        this.#progress.checkpoint = rest[done - 1]?.sequenceNumber ?? '';
        retryMs = this.#ports.pace.firstRetryMs;
      }
      rest = rest.slice(done);
      if (rest.length === 0) return;
      await this.#pause(retryMs);
      if (this.#stopped) return;
      if (done === 0) retryMs = Math.min(retryMs * 2, this.#ports.pace.maxRetryMs);
    }
  }

  /** How many records from the front of the batch need not be delivered again. */
  async #invoke(batch: EventRecord[]): Promise<number> {
    const startedAt = Date.now();
    const begin = performance.now();
    const redelivered = this.#countRedelivered(batch);
    const result = await this.#ports.invoke(kinesisEvent(batch));
    const numbers = batch.map(({ sequenceNumber }) => sequenceNumber);
    const verdict = readBatchResponse(result, numbers, this.#settings.reportsItemFailures);
    const done = verdict.kind === 'delivered' ? batch.length : verdict.from;
    this.#ports.onInvocation({
      streamName: this.#ports.streamName,
      shardId: this.#progress.shardId,
      records: batch.length,
      redelivered,
      startedAt,
      durationMs: performance.now() - begin,
      outcome: done === batch.length ? 'delivered' : done > 0 ? 'partial' : 'failed',
      ...(verdict.kind === 'redeliver' ? { reason: verdict.reason } : {}),
    });
    return done;
  }

  #countRedelivered(batch: EventRecord[]): number {
    const before = BigInt(this.#progress.handedOver ?? -1);
    const last = batch.at(-1)?.sequenceNumber ?? '0';
    if (BigInt(last) > before) this.#progress.handedOver = last;
    return batch.filter(({ sequenceNumber }) => BigInt(sequenceNumber) <= before).length;
  }

  async #pause(milliseconds: number): Promise<void> {
    // `ref: true` (the default) keeps a process alive while a mapping polls, as a service would.
    await sleep(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}
