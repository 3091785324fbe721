// The report of a request that `begin` did not make a document of: it may hold anything, and what can be read of it is told.
import * as z from 'zod';
import { messageInCause } from '../failure.ts';
import { PipelineName } from '../manifest.ts';
import { Pipeline, type Report } from '../pipeline.ts';
import { clip } from './clip.ts';

/** A request with the failure that the state machine put beside it. */
export const Refused = z.looseObject({
  failure: Pipeline.shape.failure.unwrap(),
  manifest: z.looseObject({ name: PipelineName }).optional().catch(undefined),
  mode: Pipeline.shape.mode.catch('apply'),
  execution: Pipeline.shape.execution.optional().catch(undefined),
});
export type Refused = z.infer<typeof Refused>;

const NAMELESS = '(a manifest without a name)';
const MOST_CAUSE = 8_000;

export function refusedReport(
  { manifest, mode, execution, failure }: Pick<Refused, 'manifest' | 'mode' | 'execution'> & Failed,
  now: number,
): Report {
  const pipeline = manifest?.name ?? NAMELESS;
  const { Error: error = 'Unknown', Cause: cause = '' } = failure ?? {};
  const endedAt = new Date(now).toISOString();
  const { id, name, startedAt } = execution ?? { id: 'by-hand', name: 'by-hand', startedAt: endedAt };
  return {
    version: 1,
    pipeline,
    mode,
    execution: { id, name, startedAt, endedAt },
    outcome: error,
    summary: failedIn(pipeline, { Error: error, Cause: cause }),
    durationMs: Math.max(0, now - Date.parse(startedAt)),
    resources: [],
    warnings: [],
    verified: [],
    steps: [],
    failure: { error, cause: clip(messageInCause(cause), MOST_CAUSE) },
    next: [nextAfter(cause)],
  };
}

type Failed = Pick<Pipeline, 'failure'>;

/** One line. */
export function failedIn(pipeline: string, failure: NonNullable<Pipeline['failure']>): string {
  const [first = ''] = messageInCause(failure.Cause).split('\n');
  return `${pipeline}: ${failure.Error}: ${clip(first, 500)}`;
}

/** The advice in a cause, where it has any. */
export function nextAfter(cause: string): string {
  const advice = /\| Next: (.*?)(?: \| |$)/s.exec(messageInCause(cause))?.[1];
  return advice ?? 'Read the cause, correct the fault, then start it again.';
}
