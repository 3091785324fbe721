// The report of an execution as the page shows it.
import { readCause } from '../../lib/failure.ts';
import { Report } from '../../lib/pipeline.ts';
import { toldReport } from '../../local/page/reported.ts';
import type { ToldFailure } from '../../local/page/told.ts';
import type { StageReport } from '../../local/page/told-stage.ts';
import { plainText } from '../../terminal/plain-text.ts';

/** @returns `undefined` of what is no report that this version reads */
export function reportIn(kept: unknown): Report | undefined {
  const found = Report.safeParse(kept);
  return found.success ? found.data : undefined;
}

/** @returns `undefined` of what is no report that this version reads */
export function reportOf(kept: unknown): StageReport | undefined {
  const report = reportIn(kept);
  if (report === undefined) return undefined;
  const { execution, mode, failure, next } = report;
  const { summary, ...told } = toldReport(report);
  return {
    ...told,
    execution: execution.name,
    mode,
    endedAt: execution.endedAt,
    // The summary of a failure has its cause with all that stands beside it here.
    ...(failure === undefined
      ? { ...(summary !== undefined && { summary }) }
      : { failure: failureOf(failure, next[0]), next: next.slice(1) }),
  };
}

function failureOf(
  { error, cause, code }: NonNullable<Report['failure']>,
  first: string | undefined,
): ToldFailure {
  const told = readCause(cause);
  const next = first ?? told.next;
  return {
    state: '',
    code: code ?? told.code ?? error,
    what: plainText(told.text, code ?? told.code, next),
    ...(next !== undefined && { next }),
  };
}
