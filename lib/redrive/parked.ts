// Walks what is parked for a route again and again until nothing is left to send, and then ends the route's outage.
import { isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { Tally } from './request.ts';
import { type RedriveRun, type Walked, WHOLE } from './run.ts';
import { FROM_START, givenTo, walkStore } from './store.ts';

/**
 * While this run sends, the forwarder parks what comes behind. So what is parked is listed again, until a walk finds
 * nothing to send.
 */
export async function walkParked(run: RedriveRun): Promise<Walked> {
  const { request, runtime, pipeline, tally } = run;
  const what = { kind: 'parked', pipeline: pipeline.pipeline } as const;
  for (let from = givenTo(run) ?? FROM_START; ; from = FROM_START) {
    const begun = runtime.clock.now();
    const before = structuredClone(tally);
    const stuck = run.stuck;
    const walked = await walkStore(run, [what], from);
    if (walked.kind === 'ended' || request.dryRun) return walked;
    const isLast = from === FROM_START && doneIn(tally) === doneIn(before);
    if (isLast && isNothingLeft(run, before, run.stuck - stuck)) await endOutages(run, begun);
    if (isLast || skippedIn(tally, TOO_LARGE) > skippedIn(before, TOO_LARGE)) return WHOLE;
    forgetOpen(tally, before);
  }
}

/** It could not be written without what was sent of it, so every walk would send that again. */
const TOO_LARGE = ['too-large'] as const;
/** Passed over, and to be sent yet. What cannot be read holds up nothing: no later run could send it either. */
const WAITING = ['claimed', 'changed', ...TOO_LARGE] as const;

/**
 * @param stuck messages that the inlet does not take while it takes others. They stay: an outage is
 * of the inlet, and not of one message.
 */
function isNothingLeft({ request, tally }: RedriveRun, before: Tally, stuck: number): boolean {
  const isOfAll = Object.keys(request.where).length === 0;
  return (
    isOfAll && tally.left - before.left === stuck && skippedIn(tally, WAITING) === skippedIn(before, WAITING)
  );
}

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

/**
 * From then on the forwarder sends the route's new messages itself. It looks into every shard: a run that died may have
 * sent the documents of any. An outage that fails to end here ends behind the next document that is parked.
 * @param begun an outage that has begun since may park what this run has not seen
 */
async function endOutages(
  { runtime, pipeline: { pipeline, streamArn } }: RedriveRun,
  begun: number,
): Promise<void> {
  const { stream, marks, log } = runtime;
  const about = { pipeline, stream: streamNameOf(streamArn) };
  try {
    for (const shardId of await stream.shards(streamArn)) {
      const shard = { stream: about.stream, shardId };
      const { parkedSince = begun } = (await marks.read(shard)).outages.get(pipeline) ?? {};
      if (parkedSince >= begun) continue;
      await marks.outageEnded(shard, pipeline);
      log.info('all that was parked is sent: the outage has ended', {
        ...about,
        shardId,
        parkedSince,
      });
    }
  } catch (error) {
    if (!isFailure(error)) throw error;
    log.warn('an outage could not be ended: new messages are still parked', { ...about, code: error.code });
  }
}
