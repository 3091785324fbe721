// What an invocation of a Lambda function can come to, in the shapes in which Lambda reports it.

/** Lambda's error document: what a caller reads in the payload of a failed invocation. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

/**
 * - `handled`: the handler threw, or its module could not be loaded
 * - `timeout`: the function ran longer than its timeout and was killed
 * - `exit`: the process ended without an answer
 * - `throttled`: all of the function's processes are busy (AWS: 429)
 * - `rejected`: the invocation never reached the function, for example because the event is too large
 */
export type FailureKind = 'handled' | 'timeout' | 'exit' | 'throttled' | 'rejected';

export type InvocationFailure = { error: FunctionError; kind: FailureKind };

/** `ok` is the handler's result after its trip through JSON; a handler that returns nothing gives `null`. */
export type InvocationResult = { ok: unknown } | InvocationFailure;

export function failure(kind: FailureKind, errorType: string, errorMessage: string): InvocationFailure {
  return { kind, error: { errorType, errorMessage, trace: [] } };
}

/** The synchronous payload limit, for events and results alike. */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
