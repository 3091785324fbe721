// How an execution of the provisioning state machine failed: code, cause and what is next, each from where it is known best.
import { readCause } from '../lib/failure.ts';
import type { Report } from '../lib/pipeline.ts';
import { MistakeError } from './mistake.ts';
import { plainText } from './plain-text.ts';

/** An execution that has failed, with its report. */
export class RunFailedError extends MistakeError {
  readonly report: Report | undefined;

  constructor(report: Report | undefined, ...rest: ConstructorParameters<typeof MistakeError>) {
    super(...rest);
    this.report = report;
  }
}

/** How Step Functions tells that an execution has ended otherwise than well. */
export interface FailedExecution {
  readonly status: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/** @param report of this very execution, where it left one */
export function runFailed(
  { status, error, cause = '' }: FailedExecution,
  report: Report | undefined,
): RunFailedError {
  const told = readCause(cause);
  const code = report?.failure?.code ?? told.code;
  const next = report?.next[0] ?? told.next;
  const what = plainText(report?.failure?.cause ?? told.text, code, next);
  // Without a code the name of the error is all that tells the kind.
  if (code === undefined)
    return new RunFailedError(report, 'EXECUTION_FAILED', `${error ?? status}: ${what}`, next);
  return new RunFailedError(report, code, what, next);
}
