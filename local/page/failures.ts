// Why an execution failed, where, and what to do next.
import { readCause } from '../../lib/failure.ts';
import type { Execution } from '../aws/executions.ts';

export interface ToldFailure {
  /** The state in which it began; empty where the machine itself ended it. */
  readonly state: string;
  readonly what: string;
  readonly next: string;
}

const NEXT = 'Correct the cause, and apply the manifest again.';

/** `undefined` of one that runs or has succeeded. */
export function failureOf({
  status,
  error = status,
  cause = '',
  events,
}: Execution): ToldFailure | undefined {
  if (status === 'RUNNING' || status === 'SUCCEEDED') return undefined;
  const { text, next } = readCause(cause);
  const ending = ` | Next: ${next}`;
  const what = text.endsWith(ending) ? text.slice(0, -ending.length) : text;
  return {
    state: events.find(({ type }) => type === 'caught' || type === 'failed')?.state ?? '',
    what: `${error}: ${what}`,
    next: next ?? NEXT,
  };
}
