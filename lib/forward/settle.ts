// Settles a batch with Lambda: rejects are stored first, then the lowest unresolved sequence number is the
// checkpoint.
import {
  type Filtered,
  isParked,
  type Reason,
  type Rejected,
  type Settled,
  type Verdict,
} from './verdict.ts';

/**
 * The partial batch response. Lambda reads a misspelt outer key as full success and a wrong inner one as full failure,
 * so there are exactly these two forms. AWS: "Configuring partial batch response with Kinesis Data Streams and Lambda".
 */
export interface BatchResponse {
  readonly batchItemFailures: readonly [] | readonly [{ readonly itemIdentifier: string }];
}

export interface Settlement {
  /** The lowest sequence number that is not resolved: Lambda delivers again from there on. */
  readonly checkpoint: string | undefined;
  /** The rejects that were stored. */
  readonly kept: readonly Settled<Rejected>[];
  /** Entries that the store confirms. */
  readonly stored: number;
  /** The same, by reason. */
  readonly reasons: ReadonlyMap<Reason, number>;
  /** Messages that the pipeline filters out. */
  readonly filtered: number;
  /** Those of them that no route of the stream takes. */
  readonly unrouted: number;
  /** Messages that stay in the stream. */
  readonly unresolved: number;
}

/**
 * Stores rejects, all of which are parked or none. Returns the number of their entries in the store, or `undefined` if
 * it failed.
 */
export type Keep = (rejects: readonly Settled<Rejected>[]) => Promise<number | undefined>;

/** How many messages there are, and how many of them below a sequence number. */
export interface LeftOutCount {
  readonly count: number;
  below(checkpoint: string): number;
}

const NONE: LeftOutCount = { count: 0, below: () => 0 };

/** What became of a route's messages, and where its rejects are stored. */
export interface RouteSettled {
  readonly settled: readonly Settled[];
  /** Messages that its conditions leave out, besides those in `settled`. */
  readonly leftOut?: LeftOutCount;
  readonly keep: Keep;
}

/** How a route was settled. */
export interface RouteSettlement extends Settlement {
  /** The lowest sequence number that this route has not resolved: at the checkpoint of the shard, or behind it. */
  readonly lowest: string | undefined;
}

/**
 * Settles all routes of a batch. Its checkpoint is the lowest over the routes: each settlement has that one.
 * A store may fail for one route after it took another's rejects. Those come again and are `kept` all the same.
 * @param left sequence numbers of records that no route has settled
 */
export async function settleAll(
  routes: readonly RouteSettled[],
  left: readonly string[],
): Promise<readonly RouteSettlement[]> {
  const open = routes.map(({ settled }) => lowest([...left, ...openIn(settled).map(sequenceNumberOf)]));
  const before = lowest(open.filter((one) => one !== undefined));
  const all = await Promise.all(
    routes.map(({ settled, keep, leftOut }) =>
      settle(settled, before === undefined ? [] : [before], keep, leftOut),
    ),
  );
  const checkpoint = lowest(all.flatMap((one) => one.checkpoint ?? []));
  return all.map((one, index) => ({
    ...one,
    checkpoint,
    lowest: one.checkpoint === before ? open[index] : one.checkpoint,
  }));
}

/**
 * @param settled every message with its verdict
 * @param left sequence numbers of records that were not prepared
 * @param leftOut messages that the pipeline filters out, besides those in `settled`
 */
export async function settle(
  settled: readonly Settled[],
  left: readonly string[],
  keep: Keep,
  leftOut: LeftOutCount = NONE,
): Promise<Settlement> {
  const open = openIn(settled);
  const rejects = settled.filter(isRejected);
  const unwanted = settled.filter(isFiltered);
  const before = lowest([...open.map(sequenceNumberOf), ...left]);
  const due = below(rejects, before);
  const { stored, kept, failed } = await keepAll(due, keep);
  // Rejects that could not be stored may be the lowest open records.
  const checkpoint = failed.length > 0 ? lowest(failed.map(sequenceNumberOf)) : before;
  const filtered = below(unwanted, checkpoint);
  const passed = filtered.length + (checkpoint === undefined ? leftOut.count : leftOut.below(checkpoint));
  const resolved = kept.length + passed;
  const unresolved = open.length + rejects.length + unwanted.length + leftOut.count - resolved;
  return {
    checkpoint,
    kept,
    stored,
    reasons: counted(kept),
    filtered: passed,
    unrouted: filtered.filter(({ verdict }) => verdict.unrouted === true).length,
    unresolved,
  };
}

/** Keeps rejects and what is parked apart: the store may take the one and not the other. */
async function keepAll(due: readonly Settled<Rejected>[], keep: Keep) {
  const parked = due.filter(isParked);
  const rejects = parked.length === 0 ? due : due.filter((one) => !isParked(one));
  const kept: Settled<Rejected>[] = [];
  const failed: Settled<Rejected>[] = [];
  let stored = 0;
  const keepThese = async (these: readonly Settled<Rejected>[]) => {
    const entries = these.length === 0 ? 0 : await keep(these);
    stored += entries ?? 0;
    (entries === undefined ? failed : kept).push(...these);
  };
  await Promise.all([keepThese(rejects), keepThese(parked)]);
  return { stored, kept, failed };
}

function counted(rejects: readonly Settled<Rejected>[]): Map<Reason, number> {
  const counts = new Map<Reason, number>();
  for (const { verdict } of rejects) counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
  return counts;
}

/**
 * Messages from the checkpoint on come again and are judged then. Stored now, they would be both in the store and in
 * the stream.
 */
function below<V extends Verdict>(settled: Settled<V>[], checkpoint: string | undefined): Settled<V>[] {
  if (checkpoint === undefined) return settled;
  const value = BigInt(checkpoint);
  return settled.filter(({ message }) => BigInt(message.sequenceNumber) < value);
}

/**
 * The answer to Lambda.
 * @throws RangeError where the checkpoint is not of this batch: Lambda would read it as a failure of the whole batch
 */
export function respond(
  checkpoint: string | undefined,
  inBatch: (sequenceNumber: string) => boolean,
): BatchResponse {
  if (checkpoint === undefined) return { batchItemFailures: [] };
  if (!inBatch(checkpoint)) throw new RangeError('the checkpoint is not a record of the batch');
  return { batchItemFailures: [{ itemIdentifier: checkpoint }] };
}

/** The lowest of the sequence numbers. They have up to 128 digits, so doubles would be equal for neighbours. */
export function lowest(sequenceNumbers: readonly string[]): string | undefined {
  let found: string | undefined;
  let value: bigint | undefined;
  for (const sequenceNumber of sequenceNumbers) {
    const candidate = BigInt(sequenceNumber);
    if (value === undefined || candidate < value) {
      value = candidate;
      found = sequenceNumber;
    }
  }
  return found;
}

function openIn(settled: readonly Settled[]): Settled[] {
  return settled.filter(({ verdict }) => verdict.kind === 'retry');
}

function isFiltered(settled: Settled): settled is Settled<Filtered> {
  return settled.verdict.kind === 'filtered';
}

function isRejected(settled: Settled): settled is Settled<Rejected> {
  return settled.verdict.kind === 'rejected';
}

function sequenceNumberOf({ message }: Settled): string {
  return message.sequenceNumber;
}
