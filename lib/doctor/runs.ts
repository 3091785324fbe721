// What the last executions left: which one works on the pipeline, and how the last one ended.
import { type LastEnding, lastEnding } from '../provision/outcome.ts';
import { isStuck } from '../provision/status.ts';
import { ok, type Said, wrong } from './check.ts';
import type { Patient } from './patient.ts';

/** @throws Failure `NOT_READY` if no manifest is in force */
export async function runs({ record, manifest, runtime }: Patient): Promise<Said> {
  manifest();
  const { owner, since } = record;
  if (isStuck(record, runtime.clock.now()))
    return wrong(
      `the execution ${owner} has not returned the pipeline since ${since}`,
      'Start another one, which takes over.',
    );
  const ended = lastEnding(record.report);
  const { last } = ended;
  const now = owner === undefined ? '' : `; the execution ${owner} works on it since ${since}`;
  const found = `${endingOf(ended)}${now}`;
  if (last === undefined || last.outcome === 'succeeded') return ok(found);
  const { pipeline } = record;
  return wrong(found, last.next.join(' ') || 'Ask for its report: status without "doctor".', {
    to: 'read its report',
    function: 'status',
    event: { pipeline },
  });
}

function endingOf({ last, refusedAt }: LastEnding): string {
  const told = last === undefined ? 'no report is kept' : `${last.outcome} at ${last.endedAt}`;
  if (refusedAt === undefined) return told;
  return `${told}; a token was refused at ${refusedAt}, which changed nothing`;
}
