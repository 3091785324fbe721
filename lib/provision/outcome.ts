// How the last execution of a pipeline ended, by its stored report. One whose token was refused did nothing, so the one before it counts.
import type { Pipeline } from '../pipeline.ts';
import * as z from '../zod.ts';

type Ending = NonNullable<Pipeline['before']>;

/** A run report, as far as it can be read. */
const ReportAsRead = z.object({
  outcome: z.string(),
  execution: z.object({ id: z.optional(z.string()), endedAt: z.string() }),
  next: z._default(z.array(z.string()), []),
  failure: z.optional(z.object({ code: z.optional(z.string()) })),
  before: z.optional(
    z.object({ outcome: z.string(), endedAt: z.string(), next: z._default(z.array(z.string()), []) }),
  ),
});

export interface LastEnding {
  /** Of the last execution that did or tried anything; absent where no report tells it. */
  readonly last?: Ending | undefined;
  /** When a token was refused since. */
  readonly refusedAt?: string;
}

/** @param report as stored, of any version */
export function lastEnding(report: unknown): LastEnding {
  const read = z.catch(z.optional(ReportAsRead), undefined).parse(report);
  if (read === undefined) return {};
  const { outcome, next, before, failure, execution } = read;
  const { endedAt } = execution;
  if (failure?.code === 'PLAN_MOVED') return { last: before, refusedAt: endedAt };
  return { last: { outcome, endedAt, next } };
}

/**
 * What the report of a refused token keeps of the report that it replaces. An execution whose lease was taken over may have been
 * stopped before it could report: what it left half done is not to be hidden.
 */
export function outcomeBefore(report: unknown, { holder, execution }: Pipeline): Pick<Pipeline, 'before'> {
  const stopped = holder?.item.owner?.S;
  if (stopped !== undefined && stopped !== execution.id && stopped !== executionIn(report))
    return { before: { outcome: STOPPED, endedAt: execution.startedAt, next: [GOES_ON] } };
  const { last } = lastEnding(report);
  return last === undefined ? {} : { before: last };
}

/** No report says when: `endedAt` is when its lease was taken over. */
const STOPPED = 'Penstock.Stopped';
const GOES_ON = 'Start it again: it goes on from where the stopped execution was.';

function executionIn(report: unknown): unknown {
  return z.catch(z.optional(ReportAsRead), undefined).parse(report)?.execution.id;
}
