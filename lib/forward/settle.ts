// Settles a batch with Lambda: rejects are stored first, then the lowest unresolved sequence number is the checkpoint.
import type { Rejected, Settled } from './verdict.ts';

/**
 * The partial batch response. Lambda reads a misspelt outer key as full success and a wrong inner one as full failure,
 * so there are exactly these two forms. AWS: "Configuring partial batch response with Kinesis Data Streams and Lambda".
 */
export interface BatchResponse {
  readonly batchItemFailures: readonly [] | readonly [{ readonly itemIdentifier: string }];
}

export interface Settlement {
  /** The lowest sequence number that is not resolved; Lambda delivers again from there on. */
  readonly checkpoint: string | undefined;
  /** Entries the store says it holds. */
  readonly stored: number;
  /** Messages that stay in the stream. */
  readonly unresolved: number;
}

/** Stores rejects; the number of entries the store holds of them, or `undefined` where it could not. */
export type Keep = (rejects: readonly Settled<Rejected>[]) => Promise<number | undefined>;

/**
 * @param settled every message with its verdict
 * @param left sequence numbers of records that were not looked at
 */
export async function settle(
  settled: readonly Settled[],
  left: readonly string[],
  keep: Keep,
): Promise<Settlement> {
  const open = settled.filter(({ verdict }) => verdict.kind === 'retry');
  const rejects = settled.filter(isRejected);
  const before = lowest([...open.map(sequenceNumberOf), ...left]);
  // What comes again anyway is judged again then: kept now, it would be in the store and in the stream.
  const due = before === undefined ? rejects : rejects.filter((reject) => isBelow(reject, before));
  const stored = due.length === 0 ? 0 : await keep(due);
  if (stored !== undefined) {
    return { checkpoint: before, stored, unresolved: open.length + rejects.length - due.length };
  }
  const checkpoint = lowest([...due.map(sequenceNumberOf), ...(before === undefined ? [] : [before])]);
  return { checkpoint, stored: 0, unresolved: open.length + rejects.length };
}

/** What Lambda is told. @throws RangeError where the checkpoint is not of this batch: Lambda would take it for a failure of all */
export function respond(
  checkpoint: string | undefined,
  inBatch: (sequenceNumber: string) => boolean,
): BatchResponse {
  if (checkpoint === undefined) return { batchItemFailures: [] };
  if (!inBatch(checkpoint)) throw new RangeError('the checkpoint is not a record of the batch');
  return { batchItemFailures: [{ itemIdentifier: checkpoint }] };
}

/** The lowest of the sequence numbers. They have up to 128 digits: as numbers, neighbours would be equal. */
export function lowest(sequenceNumbers: readonly string[]): string | undefined {
  let found: string | undefined;
  let value: bigint | undefined;
  for (const sequenceNumber of sequenceNumbers) {
    const candidate = BigInt(sequenceNumber);
    if (value !== undefined && candidate >= value) continue;
    value = candidate;
    found = sequenceNumber;
  }
  return found;
}

function isBelow(settled: Settled, sequenceNumber: string): boolean {
  return BigInt(settled.message.sequenceNumber) < BigInt(sequenceNumber);
}

function isRejected(settled: Settled): settled is Settled<Rejected> {
  return settled.verdict.kind === 'rejected';
}

function sequenceNumberOf({ message }: Settled): string {
  return message.sequenceNumber;
}
