// Reads what a function returned for a Kinesis batch, the way Lambda's event source mapping reads it.
import type { InvocationResult } from './function-errors.ts';

export type BatchVerdict =
  | { kind: 'delivered' }
  /**
   * Everything from this index of the batch on is delivered again; `reason` says what led to it. `reported` tells whether the
   * function named that record, or the batch failed as a whole.
   */
  | { kind: 'redeliver'; from: number; reported: boolean; reason: string };

const DELIVERED: BatchVerdict = { kind: 'delivered' };

/**
 * Decides what becomes of a batch.
 *
 * @param sequenceNumbers of the batch, in order
 * @param reportsItemFailures whether the mapping has `FunctionResponseTypes: ["ReportBatchItemFailures"]`;
 *   without it the returned value is ignored
 */
export function readBatchResponse(
  result: InvocationResult,
  sequenceNumbers: readonly string[],
  reportsItemFailures: boolean,
): BatchVerdict {
  if ('error' in result) return wholeBatch(`${result.error.errorType}: ${result.error.errorMessage}`);
  if (!reportsItemFailures) return DELIVERED;
  const failures = reportedFailures(result.ok);
  if (failures === 'malformed') return wholeBatch('the response is not a batch response');
  return lowest(failures, sequenceNumbers);
}

function wholeBatch(reason: string): BatchVerdict {
  return { kind: 'redeliver', from: 0, reported: false, reason };
}

/**
 * The list under `batchItemFailures`.
 *
 * The outer key fails open: an empty answer, or an object without the key (a misspelt one too), is full success.
 * Recorded against AWS for "", [], null, {} and for an empty or null list. What AWS makes of any other JSON (a number, a
 * text, a list that is none) is not recorded. Here it is a failure, because a laptop should show that fault.
 */
function reportedFailures(response: unknown): readonly unknown[] | 'malformed' {
  if (response === null || response === undefined || response === '') return [];
  if (typeof response !== 'object') return 'malformed';
  if (Array.isArray(response)) return response.length === 0 ? [] : 'malformed';
  const list = (response as Record<string, unknown>).batchItemFailures;
  if (list === null || list === undefined) return [];
  return Array.isArray(list) ? list : 'malformed';
}

/**
 * The lowest reported sequence number is the checkpoint.
 *
 * The inner key fails closed. An identifier that is missing, empty, null, misnamed or not in the batch makes the whole batch
 * fail, also where others are good.
 */
function lowest(failures: readonly unknown[], sequenceNumbers: readonly string[]): BatchVerdict {
  let checkpoint: bigint | undefined;
  const inBatch = new Set(sequenceNumbers);
  for (const item of failures) {
    const identifier = (item as { itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof identifier !== 'string' || !inBatch.has(identifier)) {
      return wholeBatch(`itemIdentifier ${JSON.stringify(identifier) ?? 'missing'} is not in the batch`);
    }
    // Sequence numbers have some 56 digits: as Numbers, neighbours would be equal.
    const sequenceNumber = BigInt(identifier);
    if (checkpoint === undefined || sequenceNumber < checkpoint) checkpoint = sequenceNumber;
  }
  if (checkpoint === undefined) return DELIVERED;
  return {
    kind: 'redeliver',
    from: sequenceNumbers.indexOf(checkpoint.toString()),
    reported: true,
    reason: `reported from ${checkpoint} on`,
  };
}
