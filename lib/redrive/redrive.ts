// Sends again what was not delivered: rejects, what is parked, batches that Lambda discarded, or a stretch of the stream.
import { randomUUID } from 'node:crypto';
import { isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { RedriveRuntime } from '../runtime.ts';
import { checkSandbox } from '../sandbox.ts';
import { sessionsOf } from '../sessions.ts';
import { walkParked } from './parked.ts';
import { emptyTally, type RedriveAnswer, type RedriveRequest, readRequest, type Tally } from './request.ts';
import { routeFor } from './routes.ts';
import type { RedriveRun, Walked } from './run.ts';
import { createCarrier } from './send.ts';
import { walkStore } from './store.ts';
import { walkStream } from './stream.ts';

export interface RedriveInvocation {
  /** The time that Lambda leaves for this invocation, in ms. */
  readonly remainingMs: () => number;
  readonly invocationId: string;
  /** Starts the next invocation of this function. */
  readonly functionArn: string;
}

/**
 * Sends again what the request names, through one route of the stream as it is published now. At least once: what was
 * acknowledged when an invocation dies is sent again, with the same derived id. Nothing is removed before it is
 * acknowledged or stored.
 * @throws Failure before anything is done: `EVENT_INVALID`, `NOT_PUBLISHED`, `SECRET_*`, `INLET_NOT_ALLOWED`,
 * `AWS_*`, or `STORE_UNAVAILABLE` where nothing can be read. Also `CONSERVATION`.
 */
export type Redrive = (event: unknown, invocation: RedriveInvocation) => Promise<RedriveAnswer>;

export function createRedrive(runtime: RedriveRuntime): Redrive {
  const sessions = sessionsOf(runtime);
  return async (event, invocation) => {
    const asked = withEnd(readRequest(event), runtime.clock.now());
    const { pipeline, others } = await routeFor(asked, runtime);
    checkSandbox(asked.sandbox, pipeline.pipeline, pipeline.sandbox);
    // What goes on from here goes through the same route, whichever join the stream.
    const request = { ...asked, pipeline: pipeline.pipeline };
    const { where, rate, dryRun } = request;
    const run: RedriveRun = {
      runtime,
      request,
      pipeline,
      others,
      carrier: createCarrier({
        runtime,
        sessions: sessions(pipeline.credentials),
        pipeline,
        others,
        where,
        rate,
        dryRun,
        passesOver: request.source === 'parked',
        ...invocation,
      }),
      // Lambda may start one event twice under one id, so each invocation has an owner name of its own.
      owner: `redrive-${randomUUID()}`,
      remainingMs: invocation.remainingMs,
      tally: structuredClone(request.soFar ?? emptyTally()),
      room: request.limit ?? Number.POSITIVE_INFINITY,
      stuck: 0,
    };
    try {
      return await answerOf(run, await walk(run), invocation);
    } catch (error) {
      reportRedrive(run, {});
      throw error;
    }
  };
}

/** A stream never ends: records that came after the first invocation are not meant. */
function withEnd(request: RedriveRequest, now: number): RedriveRequest {
  const { source, where } = request;
  if (source !== 'stream' || where.sequence !== undefined || where.arrived?.to !== undefined) return request;
  return { ...request, where: { ...where, arrived: { ...where.arrived, to: new Date(now).toISOString() } } };
}

function walk(run: RedriveRun): Promise<Walked> {
  const { source } = run.request;
  if (source === 'stream') return walkStream(run);
  if (source === 'on-failure') return walkStore(run, [{ kind: source }]);
  if (source === 'parked') return walkParked(run);
  const own = run.pipeline.pipeline;
  const pipelines = source === 'rejected' ? [own] : [own, ...run.others.map(({ pipeline }) => pipeline)];
  return walkStore(
    run,
    pipelines.map((pipeline) => ({ kind: 'rejected', pipeline })),
  );
}

async function answerOf(
  run: RedriveRun,
  walked: Walked,
  invocation: RedriveInvocation,
): Promise<RedriveAnswer> {
  const { request, pipeline, tally } = run;
  const next = nextRequest(run, walked);
  const continues = next !== undefined && (await goesOn(run, walked, next, invocation));
  const stopped = stoppedOf(walked);
  const result: RedriveAnswer = {
    stream: pipeline.streamArn,
    pipeline: pipeline.pipeline,
    source: request.source,
    dryRun: request.dryRun,
    complete: isComplete(request, tally, walked),
    ...tally,
    ...(stopped !== undefined && { stopped }),
    ...(next !== undefined && { next }),
    ...(continues && { continues }),
  };
  reportRedrive(run, result);
  return result;
}

/** The request that goes on from here; `undefined` where everything was looked at. */
function nextRequest({ request, tally, room }: RedriveRun, walked: Walked): RedriveRequest | undefined {
  if (walked.kind === 'whole') return undefined;
  const { cursor, ended } = walked;
  // What was left is looked at again, and counted then.
  const soFar: Tally = { ...tally, chosen: tally.chosen - tally.left, left: 0 };
  const { limit, ...same } = request;
  const more = limit === undefined ? undefined : ended.why === 'limit' ? limit : Math.max(1, room);
  return {
    ...same,
    cursor,
    ...(more !== undefined && { limit: more }),
    ...(ended.why !== 'limit' && { soFar }),
  };
}

/** A run goes on by itself only when its time ran out and it made progress. Otherwise it could run for ever. */
async function goesOn(
  { request, tally, runtime, pipeline }: RedriveRun,
  walked: Walked,
  next: RedriveRequest,
  { functionArn }: RedriveInvocation,
): Promise<boolean> {
  const before = request.soFar ?? emptyTally();
  if (!request.continue || walked.kind === 'whole' || walked.ended.why !== 'time') return false;
  const moved = JSON.stringify(walked.cursor) !== JSON.stringify(request.cursor);
  if (!moved && tally.delivered <= before.delivered) return false;
  try {
    await runtime.functions.start(functionArn, next);
    return true;
  } catch (error) {
    if (!isFailure(error)) throw error;
    runtime.log.error('redrive could not start its next invocation', {
      pipeline: pipeline.pipeline,
      stream: streamNameOf(pipeline.streamArn),
      code: error.code,
      reason: error.what,
      next: error.next,
    });
    return false;
  }
}

function stoppedOf(walked: Walked): RedriveAnswer['stopped'] {
  if (walked.kind === 'whole') return undefined;
  const { why, failure } = walked.ended;
  return { why, ...(failure !== undefined && { code: failure.code, next: failure.next }) };
}

/** Skipped objects of other pipelines do not matter to this request. */
const NOT_MEANT: readonly string[] = ['another-stream', 'another-pipeline'];

/** What a dry run leaves is what would be sent. */
function isComplete({ dryRun }: RedriveRequest, tally: Tally, { kind }: Walked): boolean {
  const passedOver = Object.keys(tally.skipped).some((reason) => !NOT_MEANT.includes(reason));
  const missing = (dryRun ? 0 : tally.left) + tally.withheld + tally.lost.ranges.length;
  return kind === 'whole' && missing === 0 && !passedOver;
}

/** Metrics of a failed run count as well: what was done until then is done. */
function reportRedrive(
  { runtime, pipeline, tally, request, owner }: RedriveRun,
  result: Partial<RedriveAnswer>,
): void {
  const before = request.soFar ?? emptyTally();
  const { metrics, log } = runtime;
  if (!request.dryRun) {
    metrics.count('RecordsRedriven', tally.delivered - before.delivered);
    metrics.count('RecordsRejectedAgain', tally.rejectedAgain - before.rejectedAgain);
    metrics.count('RecordsLost', tally.lost.records - before.lost.records);
    metrics.flush({ pipeline: pipeline.pipeline });
  }
  const level = result.complete || request.dryRun || result.continues ? 'info' : 'warn';
  log[level]('sent again', {
    run: owner,
    pipeline: pipeline.pipeline,
    stream: streamNameOf(pipeline.streamArn),
    source: request.source,
    dryRun: request.dryRun,
    complete: result.complete ?? false,
    documents: tally.documents,
    chosen: tally.chosen,
    delivered: tally.delivered,
    rejectedAgain: tally.rejectedAgain,
    filtered: tally.filtered,
    left: tally.left,
    withheld: tally.withheld,
    lost: tally.lost.records,
    lostRanges: tally.lost.ranges.length,
    skipped: Object.values(tally.skipped).reduce((sum, one) => sum + one, 0),
    stopped: result.stopped?.why,
    code: result.stopped?.code,
    continues: result.continues ?? false,
  });
}
