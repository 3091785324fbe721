// What the last executions left: which one works on the pipeline, and how the last one ended.
import { isStuck } from '../provision/status.ts';
import * as z from '../zod.ts';
import { ok, type Said, wrong } from './check.ts';
import type { Patient } from './patient.ts';

/** A run report, as far as it can be read. */
const ReportAsRead = z.catch(
  z.optional(
    z.object({
      outcome: z.string(),
      execution: z.object({ endedAt: z.string() }),
      next: z._default(z.array(z.string()), []),
    }),
  ),
  undefined,
);

/** @throws Failure `NOT_READY` if no manifest is in force */
export async function runs({ record, manifest, runtime }: Patient): Promise<Said> {
  manifest();
  const { owner, since } = record;
  if (isStuck(record, runtime.clock.now()))
    return wrong(
      `the execution ${owner} has not returned the pipeline since ${since}`,
      'Start another one, which takes over.',
    );
  const report = ReportAsRead.parse(record.report);
  const last =
    report === undefined ? 'no report is kept' : `${report.outcome} at ${report.execution.endedAt}`;
  const now = owner === undefined ? '' : `; the execution ${owner} works on it since ${since}`;
  if (report === undefined || report.outcome === 'succeeded') return ok(`${last}${now}`);
  const { pipeline } = record;
  return wrong(`${last}${now}`, report.next.join(' ') || 'Ask for its report: status without "doctor".', {
    to: 'read its report',
    function: 'status',
    event: { pipeline },
  });
}
