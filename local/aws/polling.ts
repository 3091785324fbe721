// Lambda's Kinesis polling for one event source mapping: a reader per shard, each with its own checkpoint.
import { setTimeout as sleep } from 'node:timers/promises';
import { ListShardsCommand, type Shard } from '@aws-sdk/client-kinesis';
import type { InvocationReport } from './delivery.ts';
import type { Discarded } from './retry-rules.ts';
import {
  type ReaderPorts,
  type ReaderSettings,
  type ShardProgress,
  ShardReader,
  type StartingPosition,
} from './shard-reader.ts';

export interface Totals {
  invocations: number;
  /** Records handed to the function, redeliveries included. */
  records: number;
  redelivered: number;
  /** Records that were given up on, because they were too old or tried often enough. */
  discarded: number;
}

export interface ShardPosition {
  shardId: string;
  checkpoint: string | undefined;
  finished: boolean;
}

export type PollerPorts = Omit<ReaderPorts, 'onCaughtUp'>;

interface Waiter {
  since: number;
  /** The shards that took records at that time. */
  open: string[];
  resolve(): void;
  reject(error: Error): void;
}

/** Polls while it is started; stopped and started again, it resumes from the checkpoints. */
export class Poller {
  readonly totals: Totals = { invocations: 0, records: 0, redelivered: 0, discarded: 0 };
  readonly #ports: ReaderPorts;
  readonly #start: StartingPosition;
  readonly #shards = new Map<string, ShardProgress>();
  readonly #readers = new Map<ShardReader, Promise<void>>();
  readonly #waiters = new Set<Waiter>();
  #settings: ReaderSettings;
  #running = false;
  #over = false;

  constructor(ports: PollerPorts, settings: ReaderSettings, start: StartingPosition) {
    this.#settings = settings;
    this.#start = start;
    this.#ports = {
      ...ports,
      onInvocation: (report) => {
        this.#count(report);
        ports.onInvocation(report);
      },
      onDiscard: async (shardId: string, discarded: Discarded) => {
        await ports.onDiscard(shardId, discarded);
        this.totals.discarded += discarded.records.length;
      },
      onCaughtUp: () => this.#settle(),
    };
  }

  /** Begins polling; resolves when the stream's shards are known, which takes as long as they cannot be listed. */
  async start(settings: ReaderSettings): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#settings = settings;
    await this.#follow();
  }

  /** Resolves when no invocation is in flight and none will begin. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const reader of this.#readers.keys()) reader.stop();
    await Promise.all(this.#readers.values());
  }

  /** Stops for good: nothing will be drained any more. */
  async end(): Promise<void> {
    this.#over = true;
    await this.stop();
    this.#rejectWaiters();
  }

  #rejectWaiters(): void {
    for (const { reject } of this.#waiters) reject(new Error('The event source mapping has ended.'));
    this.#waiters.clear();
  }

  get positions(): ShardPosition[] {
    return [...this.#shards.values()].map(({ shardId, checkpoint, finished }) => ({
      shardId,
      checkpoint,
      finished,
    }));
  }

  /** Resolves when everything put before this call is behind the checkpoints, delivered or discarded; waits through a pause. */
  async drained(): Promise<void> {
    const since = performance.now();
    // A shard that was split a moment ago can look empty while its children are not known yet.
    const open = await this.#openShards();
    return new Promise((resolve, reject) => {
      this.#waiters.add({ since, open, resolve, reject });
      if (this.#over) this.#rejectWaiters();
      else this.#settle();
    });
  }

  async #openShards(): Promise<string[]> {
    while (!this.#over) {
      try {
        return (await this.#listShards())
          .filter((shard) => !isClosed(shard))
          .map(({ ShardId }) => ShardId ?? '');
      } catch {
        await sleep(this.#ports.pace.idleMs);
      }
    }
    return [];
  }

  #count(report: InvocationReport): void {
    this.totals.invocations += 1;
    this.totals.records += report.records;
    this.totals.redelivered += report.redelivered;
  }

  #settle(): void {
    const shards = [...this.#shards.values()];
    for (const waiter of this.#waiters) {
      if (!waiter.open.every((shardId) => this.#shards.has(shardId))) continue;
      if (!shards.every(({ finished, caughtUpAt }) => finished || caughtUpAt >= waiter.since)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  async #follow(): Promise<void> {
    while (this.#running) {
      try {
        return await this.#startReaders();
      } catch {
        // A stream that is throttled, or not there for now: Lambda keeps trying too.
        await sleep(this.#ports.pace.idleMs);
      }
    }
  }

  // Children of a shard that was split or merged are read after their parents, so that the order per key is kept.
  async #startReaders(): Promise<void> {
    const shards = await this.#listShards();
    if (!this.#running) return;
    this.#discover(shards);
    for (const shard of shards) {
      const progress = this.#shards.get(shard.ShardId ?? '');
      if (!progress || progress.finished || progress.reading) continue;
      if (parents(shard).every((parent) => this.#shards.get(parent)?.finished ?? true)) this.#read(progress);
    }
  }

  /** Adds the shards a new mapping begins with, later on the children of those it knows. */
  #discover(shards: Shard[]): void {
    const first = this.#shards.size === 0;
    for (const shard of shards) {
      const shardId = shard.ShardId ?? '';
      if (this.#shards.has(shardId)) continue;
      if (first && this.#start.type === 'LATEST' && isClosed(shard)) continue;
      if (!first && !parents(shard).some((parent) => this.#shards.has(parent))) continue;
      // What a child found later holds was all put after the mapping's start: LATEST would lose the first of it.
      const start = first || this.#start.type !== 'LATEST' ? this.#start : { type: 'TRIM_HORIZON' as const };
      const caughtUpAt = Number.NEGATIVE_INFINITY;
      const handedOver = new Set<string>();
      this.#shards.set(shardId, { shardId, start, finished: false, reading: false, caughtUpAt, handedOver });
    }
  }

  #read(progress: ShardProgress): void {
    const reader = new ShardReader(this.#ports, this.#settings, progress);
    progress.reading = true;
    const ended = reader.run().then(async () => {
      progress.reading = false;
      this.#readers.delete(reader);
      if (progress.finished) await this.#follow();
      this.#settle();
    });
    this.#readers.set(reader, ended);
  }

  async #listShards(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let NextToken: string | undefined;
    do {
      const page = await this.#ports.kinesis.send(
        new ListShardsCommand(NextToken ? { NextToken } : { StreamName: this.#ports.streamName }),
      );
      shards.push(...(page.Shards ?? []));
      NextToken = page.NextToken;
    } while (NextToken);
    // A stream has shards from the moment it is made; before, this is an answer like "not found".
    if (shards.length === 0) throw new Error('The stream is still being made.');
    return shards;
  }
}

function parents(shard: Shard): string[] {
  return [shard.ParentShardId, shard.AdjacentParentShardId].filter((parent) => parent !== undefined);
}

function isClosed(shard: Shard): boolean {
  return shard.SequenceNumberRange?.EndingSequenceNumber !== undefined;
}
