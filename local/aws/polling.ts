// Lambda's Kinesis polling for one event source mapping: a reader per shard, each with its own checkpoint.
import type { InvocationReport } from './delivery.ts';
import type { Discarded } from './retry-rules.ts';
import { type ReaderPorts, type ReaderSettings, readShard, type ShardProgress } from './shard-reader.ts';
import type { Shard, StartingPosition } from './stream.ts';

export interface Totals {
  invocations: number;
  /** Records handed to the function, redeliveries included. */
  records: number;
  redelivered: number;
  /** Records that were discarded, because they were too old or tried often enough. */
  discarded: number;
}

export interface ShardPosition {
  shardId: string;
  checkpoint: string | undefined;
  finished: boolean;
}

export type PollerPorts = Omit<ReaderPorts, 'beginRead' | 'onCaughtUp' | 'stop'>;

interface Waiter {
  /** How many reads had begun by then. */
  since: number;
  /** The shards that took records at that time. */
  open: string[];
  resolve(): void;
  reject(error: Error): void;
}

/** Polls while it is started; stopped and started again, it resumes from the checkpoints. */
export class Poller {
  readonly totals: Totals = { invocations: 0, records: 0, redelivered: 0, discarded: 0 };
  readonly #ports: Omit<ReaderPorts, 'stop'>;
  readonly #start: StartingPosition;
  readonly #shards = new Map<string, ShardProgress>();
  readonly #readers = new Set<Promise<void>>();
  readonly #waiters = new Set<Waiter>();
  readonly #over = new AbortController();
  #settings: ReaderSettings;
  /** Given while it runs. */
  #stop: AbortController | undefined;
  #reads = 0;

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
      beginRead: () => ++this.#reads,
      onCaughtUp: () => this.#settle(),
    };
  }

  /** Begins polling; resolves when the stream's shards are known, which takes as long as they cannot be listed. */
  async start(settings: ReaderSettings): Promise<void> {
    if (this.#stop !== undefined) return;
    this.#stop = new AbortController();
    this.#settings = settings;
    await this.#follow(this.#stop.signal);
  }

  /** Resolves when no invocation is in flight and none will begin. */
  async stop(): Promise<void> {
    this.#stop?.abort();
    this.#stop = undefined;
    await Promise.all(this.#readers);
  }

  /** Stops for good: nothing will be drained any more. */
  async end(): Promise<void> {
    this.#over.abort();
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
    const since = this.#reads;
    // A shard that was split a moment ago can look empty while its children are not known yet.
    const open = await this.#openShards();
    return new Promise((resolve, reject) => {
      this.#waiters.add({ since, open, resolve, reject });
      if (this.#over.signal.aborted) this.#rejectWaiters();
      else this.#settle();
    });
  }

  async #openShards(): Promise<string[]> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        return (await this.#listShards()).filter(({ closed }) => !closed).map(({ shardId }) => shardId);
      } catch {
        await this.#ports.clock.sleep(this.#ports.pace.idleMs, signal);
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
      if (!shards.every(({ finished, caughtUpBy }) => finished || caughtUpBy > waiter.since)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  async #follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        return await this.#startReaders(stop);
      } catch {
        // A stream that is throttled, or not there for now: Lambda keeps trying too.
        await this.#ports.clock.sleep(this.#ports.pace.idleMs, stop);
      }
    }
  }

  // Children of a shard that was split or merged are read after their parents, so that the order per key is kept.
  async #startReaders(stop: AbortSignal): Promise<void> {
    const shards = await this.#listShards();
    if (stop.aborted) return;
    this.#discover(shards);
    for (const { shardId, parents } of shards) {
      const progress = this.#shards.get(shardId);
      if (!progress || progress.finished || progress.reading) continue;
      if (parents.every((parent) => this.#shards.get(parent)?.finished ?? true)) this.#read(progress, stop);
    }
  }

  /** Adds the shards a new mapping begins with, later on the children of those it knows. */
  #discover(shards: readonly Shard[]): void {
    const first = this.#shards.size === 0;
    for (const { shardId, parents, closed } of shards) {
      if (this.#shards.has(shardId)) continue;
      if (first && this.#start.type === 'LATEST' && closed) continue;
      if (!first && !parents.some((parent) => this.#shards.has(parent))) continue;
      // What a child found later holds was all put after the mapping's start: LATEST would lose the first of it.
      const start = first || this.#start.type !== 'LATEST' ? this.#start : { type: 'TRIM_HORIZON' as const };
      const handedOver = new Set<string>();
      this.#shards.set(shardId, {
        shardId,
        start,
        finished: false,
        reading: false,
        caughtUpBy: 0,
        handedOver,
      });
    }
  }

  #read(progress: ShardProgress, stop: AbortSignal): void {
    progress.reading = true;
    const ended = readShard({ ...this.#ports, stop }, this.#settings, progress).then(async () => {
      progress.reading = false;
      this.#readers.delete(ended);
      if (progress.finished) await this.#follow(stop);
      this.#settle();
    });
    this.#readers.add(ended);
  }

  async #listShards(): Promise<readonly Shard[]> {
    const shards = await this.#ports.stream.shards();
    // A stream has shards from the moment it is made; before, this is an answer like "not found".
    if (shards.length === 0) throw new Error('The stream is still being made.');
    return shards;
  }
}
