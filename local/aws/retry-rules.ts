// What Lambda does with a batch after an invocation: settle it, cut it, deliver it again, or discard it.
import { readBatchResponse } from './batch-response.ts';
import type { InvocationResult } from './function-errors.ts';
import type { EventRecord } from './kinesis-event.ts';

export interface RetrySettings {
  reportsItemFailures: boolean;
  /** BisectBatchOnFunctionError. */
  bisects: boolean;
  /** MaximumRetryAttempts; -1 for no limit. */
  maxRetryAttempts: number;
  /** MaximumRecordAgeInSeconds; -1 for no limit. */
  maxRecordAgeSeconds: number;
}

/** A batch, or what is left of one. */
export interface Piece {
  readonly records: readonly EventRecord[];
  /** How many of its invocations count as attempts: those after which it was not cut. */
  readonly attempts: number;
  /** How many invocations its records have been in. */
  readonly invocations: number;
}

/** Records that are not delivered again, although the function has not settled them. */
export interface Discarded {
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly records: readonly EventRecord[];
  readonly invocations: number;
  /** Of the last invocation: whether it ended in an error, or in an answer that left records over. */
  readonly lastResult?: 'error' | 'answer';
}

export interface Outcome {
  /** From the front of the piece: what need not be delivered again. */
  readonly settled: readonly EventRecord[];
  /** What has to be, in order. */
  readonly again: readonly Piece[];
  readonly discarded?: Discarded;
  /** Why records come back, or are discarded. */
  readonly reason?: string;
}

export function newPiece(records: readonly EventRecord[]): Piece {
  return { records, attempts: 0, invocations: 0 };
}

/** Cuts off, from the front, the records that are too old to be delivered. */
export function splitByAge(
  records: readonly EventRecord[],
  now: number,
  { maxRecordAgeSeconds }: RetrySettings,
): { expired: readonly EventRecord[]; live: readonly EventRecord[] } {
  const oldest = maxRecordAgeSeconds === -1 ? Number.NEGATIVE_INFINITY : now - maxRecordAgeSeconds * 1000;
  const first = records.findIndex(({ arrivedAt }) => arrivedAt >= oldest);
  const count = first === -1 ? records.length : first;
  return { expired: records.slice(0, count), live: records.slice(count) };
}

export function afterInvocation(piece: Piece, result: InvocationResult, settings: RetrySettings): Outcome {
  const { records } = piece;
  const numbers = records.map(({ sequenceNumber }) => sequenceNumber);
  const verdict = readBatchResponse(result, numbers, settings.reportsItemFailures);
  if (verdict.kind === 'delivered') return { settled: records, again: [] };
  const { from, reason } = verdict;
  const settled = records.slice(0, from);
  if (!reached(result)) return { settled, again: [piece], reason };
  const rest = { ...piece, records: records.slice(from), invocations: piece.invocations + 1 };
  const cut = settings.bisects ? cutUp(rest, from, verdict.reported) : undefined;
  if (cut) return { settled, again: cut, reason };
  const tried = { ...rest, attempts: piece.attempts + 1 };
  const { maxRetryAttempts } = settings;
  if (maxRetryAttempts === -1 || tried.attempts <= maxRetryAttempts)
    return { settled, again: [tried], reason };
  return { settled, again: [], discarded: exhausted(tried, result), reason };
}

function exhausted({ records, invocations }: Piece, result: InvocationResult): Discarded {
  const lastResult = 'error' in result ? 'error' : 'answer';
  return { condition: 'RetryAttemptsExhausted', records, invocations, lastResult };
}

/** A throttle, or an error of the service before the invocation: the function has not seen the batch. */
function reached(result: InvocationResult): boolean {
  return !('error' in result) || (result.kind !== 'throttled' && result.kind !== 'rejected');
}

/**
 * Bisects: at the reported record, or in the middle where none was reported. Undefined if there is nothing to cut; that
 * invocation is an attempt, while one that leads to a cut is not.
 *
 * AWS: "split the batch in two and retry". With a partial response the batch is cut at the returned sequence number; Lambda
 * retries only the remaining records. That the larger half comes first, and that no half is filled up with records from behind
 * the batch, nobody says: that is ours. https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
function cutUp(rest: Piece, from: number, reported: boolean): Piece[] | undefined {
  if (reported) return from > 0 ? [rest] : undefined;
  const { records } = rest;
  if (records.length < 2) return undefined;
  const middle = Math.ceil(records.length / 2);
  return [records.slice(0, middle), records.slice(middle)].map((half) => ({ ...rest, records: half }));
}
