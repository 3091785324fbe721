// Why an execution failed, where, and what to do next.
import type { Report } from '../../lib/pipeline.ts';
import { runFailed } from '../../terminal/run-failed.ts';
import type { Execution } from '../aws/executions.ts';
import type { ToldFailure } from './told.ts';

const NEXT = 'Correct the cause, and apply the manifest again.';

/**
 * In the words of the command line. `undefined` of one that runs or has succeeded.
 * @param report of this very execution, where it has left one
 */
export function failureOf(
  execution: Execution,
  report?: Report,
): (ToldFailure & { readonly next: string }) | undefined {
  const { status, events } = execution;
  if (status === 'RUNNING' || status === 'SUCCEEDED') return undefined;
  const { code, message: what, next = NEXT } = runFailed(execution, report);
  const state = events.find(({ type }) => type === 'caught' || type === 'failed')?.state ?? '';
  return { state, code, what, next };
}
