// The report of an execution in the words of the page.
import { readCause } from '../../lib/failure.ts';
import { Report } from '../../lib/pipeline.ts';
import type { ToldReport } from '../../local/page/told-stage.ts';
import { plainText } from '../../terminal/plain-text.ts';
import { deedOf, listedIn, whyOf } from '../../terminal/report.ts';

/** @returns `undefined` of what is no report that this version reads */
export function reportOf(kept: unknown): ToldReport | undefined {
  const found = Report.safeParse(kept);
  if (!found.success) return undefined;
  const report = found.data;
  const { execution, mode, summary, failure, warnings, verified, next } = report;
  return {
    execution: execution.name,
    mode,
    isBad: failure !== undefined,
    says: failure === undefined ? summary : failureSaid(failure, next),
    endedAt: execution.endedAt,
    resources: listedIn(report).map((entry) => ({
      resource: entry.resource,
      done: deedOf(entry),
      name: entry.name,
      ...(entry.id !== undefined && { id: entry.id }),
      why: whyOf(entry).split('\n').filter(Boolean),
    })),
    warnings,
    verified,
    next,
  };
}

function failureSaid(
  { error, cause, code }: NonNullable<Report['failure']>,
  next: readonly string[],
): string {
  const told = readCause(cause);
  return `${code ?? told.code ?? error}: ${plainText(told.text, code ?? told.code, next[0] ?? told.next)}`;
}
