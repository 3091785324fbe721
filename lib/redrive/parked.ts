// Walks what is parked for a route again and again, until nothing is left to send.
import type { Tally } from './request.ts';
import { type RedriveRun, type Walked, WHOLE } from './run.ts';
import { FROM_START, givenTo, walkStore } from './store.ts';

/**
 * While this run sends, the forwarder parks what comes behind. So what is parked is listed again, until a walk finds
 * nothing to send.
 */
export async function walkParked(run: RedriveRun): Promise<Walked> {
  const { request, pipeline, tally } = run;
  const what = { kind: 'parked', pipeline: pipeline.pipeline } as const;
  for (let from = givenTo(run) ?? FROM_START; ; from = FROM_START) {
    const before = structuredClone(tally);
    const walked = await walkStore(run, [what], from);
    if (walked.kind === 'ended' || request.dryRun) return walked;
    const isLast = from === FROM_START && doneIn(tally) === doneIn(before);
    if (isLast || skippedIn(tally, TOO_LARGE) > skippedIn(before, TOO_LARGE)) return WHOLE;
    forgetOpen(tally, before);
  }
}

/** It could not be written without what was sent of it, so every walk would send that again. */
const TOO_LARGE = ['too-large'] as const;

function doneIn({ delivered, rejectedAgain, filtered }: Tally): number {
  return delivered + rejectedAgain + filtered;
}

function skippedIn({ skipped }: Tally, reasons: readonly string[]): number {
  return reasons.reduce((sum, reason) => sum + (skipped[reason] ?? 0), 0);
}

/** What is still there is counted by the next walk. */
function forgetOpen(tally: Tally, { left, withheld, skipped, skippedObjects }: Tally): void {
  const chosen = tally.chosen - (tally.left - left);
  Object.assign(tally, { chosen, left, withheld, skipped, skippedObjects });
}
