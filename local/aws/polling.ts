// Lambda's Kinesis polling for one event source mapping: a reader per shard, each with its own checkpoint.
import { type ReaderPorts, type ReaderSettings, readShard, type ShardProgress } from './shard-reader.ts';
import type { Shard, StartingPosition, Stream } from './stream.ts';

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
export interface Poller {
  readonly totals: Totals;
  readonly positions: ShardPosition[];
  /** Begins polling; resolves when the stream's shards are known, which takes as long as they cannot be listed. */
  start(settings: ReaderSettings): Promise<void>;
  /** Resolves when no invocation is in flight and none will begin. */
  stop(): Promise<void>;
  /** Stops for good: nothing will be drained any more. */
  end(): Promise<void>;
  /** Resolves when everything put before this call is behind the checkpoints, delivered or discarded; waits through a pause. */
  drained(): Promise<void>;
}

/** From a start to the next stop. */
interface Run {
  readonly settings: ReaderSettings;
  readonly stop: AbortSignal;
}

export function createPoller(ports: PollerPorts, from: StartingPosition): Poller {
  const { stream, clock, pace } = ports;
  const totals: Totals = { invocations: 0, records: 0, redelivered: 0, discarded: 0 };
  const known = new Map<string, ShardProgress>();
  const readers = new Set<Promise<void>>();
  const waiters = new Set<Waiter>();
  const over = new AbortController();
  let stopping: AbortController | undefined;
  let reads = 0;

  const readerPorts: Omit<ReaderPorts, 'stop'> = {
    ...ports,
    onInvocation(report) {
      totals.invocations += 1;
      totals.records += report.records;
      totals.redelivered += report.redelivered;
      ports.onInvocation(report);
    },
    async onDiscard(shardId, discarded) {
      await ports.onDiscard(shardId, discarded);
      totals.discarded += discarded.records.length;
    },
    beginRead: () => ++reads,
    onCaughtUp: settle,
  };

  function settle(): void {
    for (const waiter of waiters) {
      if (!isDrained(waiter, known)) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  }

  function rejectWaiters(): void {
    for (const { reject } of waiters) reject(new Error('The event source mapping has ended.'));
    waiters.clear();
  }

  async function follow(run: Run): Promise<void> {
    while (!run.stop.aborted) {
      try {
        return await startReaders(run);
      } catch {
        // A stream that is throttled, or not there for now: Lambda keeps trying too.
        await clock.sleep(pace.idleMs, run.stop);
      }
    }
  }

  // Children of a shard that was split or merged are read after their parents, so that the order per key is kept.
  async function startReaders(run: Run): Promise<void> {
    const shards = await listShards(stream);
    if (run.stop.aborted) return;
    discover(shards, known, from);
    for (const { shardId, parents } of shards) {
      const progress = known.get(shardId);
      if (!progress || progress.finished || progress.reading) continue;
      if (parents.every((parent) => known.get(parent)?.finished ?? true)) read(progress, run);
    }
  }

  function read(progress: ShardProgress, run: Run): void {
    progress.reading = true;
    const ended = readShard({ ...readerPorts, stop: run.stop }, run.settings, progress).then(async () => {
      progress.reading = false;
      readers.delete(ended);
      if (progress.finished) await follow(run);
      settle();
    });
    readers.add(ended);
  }

  async function openShards(): Promise<string[]> {
    const { signal } = over;
    while (!signal.aborted) {
      try {
        return (await listShards(stream)).filter(({ closed }) => !closed).map(({ shardId }) => shardId);
      } catch {
        await clock.sleep(pace.idleMs, signal);
      }
    }
    return [];
  }

  async function stop(): Promise<void> {
    stopping?.abort();
    stopping = undefined;
    await Promise.all(readers);
  }

  return {
    totals,
    get positions() {
      return [...known.values()].map(({ shardId, checkpoint, finished }) => ({
        shardId,
        checkpoint,
        finished,
      }));
    },
    async start(settings) {
      if (stopping !== undefined) return;
      stopping = new AbortController();
      await follow({ settings, stop: stopping.signal });
    },
    stop,
    async end() {
      over.abort();
      await stop();
      rejectWaiters();
    },
    async drained() {
      const since = reads;
      // A shard that was split a moment ago can look empty while its children are not known yet.
      const open = await openShards();
      return new Promise((resolve, reject) => {
        waiters.add({ since, open, resolve, reject });
        if (over.signal.aborted) rejectWaiters();
        else settle();
      });
    },
  };
}

function isDrained({ open, since }: Waiter, known: ReadonlyMap<string, ShardProgress>): boolean {
  return (
    open.every((shardId) => known.has(shardId)) &&
    [...known.values()].every(({ finished, caughtUpBy }) => finished || caughtUpBy > since)
  );
}

/** Adds the shards a new mapping begins with, later on the children of those it knows. */
function discover(shards: readonly Shard[], known: Map<string, ShardProgress>, from: StartingPosition): void {
  const first = known.size === 0;
  for (const { shardId, parents, closed } of shards) {
    if (known.has(shardId)) continue;
    if (first && from.type === 'LATEST' && closed) continue;
    if (!first && !parents.some((parent) => known.has(parent))) continue;
    // What a child found later holds was all put after the mapping's start: LATEST would lose the first of it.
    const start = first || from.type !== 'LATEST' ? from : { type: 'TRIM_HORIZON' as const };
    const handedOver = new Set<string>();
    known.set(shardId, { shardId, start, finished: false, reading: false, caughtUpBy: 0, handedOver });
  }
}

async function listShards(stream: Stream): Promise<readonly Shard[]> {
  const shards = await stream.shards();
  // A stream has shards from the moment it is made; before, this is an answer like "not found".
  if (shards.length === 0) throw new Error('The stream is still being made.');
  return shards;
}
