// The report of a request that `begin` refused. The request may hold anything, so only readable parts are
// told.
import * as z from 'zod';
import { readCause } from '../../failure.ts';
import { Manifest } from '../../manifest.ts';
import { Pipeline, REPORT_VERSION, type Report } from '../../pipeline.ts';
import { clip, MAX_CAUSE } from '../clip.ts';

/** A request with the failure that the state machine put beside it. */
export const Refused = z.looseObject({
  failure: Pipeline.shape.failure.unwrap(),
  manifest: z.looseObject({ name: Manifest.in.shape.name }).optional().catch(undefined),
  mode: Pipeline.shape.mode.catch('apply'),
  execution: Pipeline.shape.execution.optional().catch(undefined),
});
export type Refused = z.infer<typeof Refused>;

const NAMELESS = '(a manifest without a name)';

export function refusedReport(
  { manifest, mode, execution, failure }: Pick<Refused, 'manifest' | 'mode' | 'execution'> & Failed,
  now: number,
): Report {
  const pipeline = manifest?.name ?? NAMELESS;
  const told = tellingOf(failure ?? { Error: 'Unknown', Cause: '' });
  const endedAt = new Date(now).toISOString();
  const { id, name, startedAt } = execution ?? { id: 'by-hand', name: 'by-hand', startedAt: endedAt };
  return {
    version: REPORT_VERSION,
    pipeline,
    mode,
    execution: { id, name, startedAt, endedAt },
    outcome: told.Error,
    summary: failureLine(pipeline, told),
    durationMs: Math.max(0, now - Date.parse(startedAt)),
    resources: [],
    warnings: [],
    verified: [],
    steps: [],
    failure: reportedFailure(told),
    next: [nextAfter(told)],
  };
}

type Failed = Pick<Pipeline, 'failure'>;
type Fault = NonNullable<Pipeline['failure']>;

/**
 * The failure with its text as Cause. Lambda wraps it into JSON with a trace, which is in the log already.
 * Its fields stand beside it.
 */
export function tellingOf({ Error: error, Cause, ...fields }: Fault): Fault {
  const { text, code = fields.code, next = fields.next } = readCause(Cause);
  return {
    Error: error,
    Cause: clip(text, MAX_CAUSE),
    ...(code !== undefined && { code }),
    ...(next !== undefined && { next }),
  };
}

/** In the form of a report. */
export function reportedFailure({ Error: error, Cause, code }: Fault): NonNullable<Report['failure']> {
  return { error, cause: Cause, ...(code !== undefined && { code }) };
}

/** One line. */
export function failureLine(pipeline: string, failure: Fault): string {
  const [first = ''] = failure.Cause.split('\n');
  return `${pipeline}: ${failure.Error}: ${clip(first, 500)}`;
}

/** The advice that came with a failure, if any. */
export function nextAfter({ next }: Fault): string {
  return next ?? 'Read the cause, correct the fault, then start it again.';
}
