// The forwarder: an event of Kinesis records in, Lambda's partial batch response out.
import { type Failure, isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { checkConservation } from './conservation.ts';
import { type ContainerState, createContainer } from './container.ts';
import { type Attempted, failOnFault } from './fault.ts';
import type { Invocation } from './invocation.ts';
import { keeper } from './keep.ts';
import { beyond, learn } from './learn.ts';
import { type BatchMarks, marksOf, NO_MARKS } from './marks.ts';
import type { StreamRoutes } from './pipelines.ts';
import { prepareAndSend, type RouteEnd, type StreamEnd, withWhole } from './prepare-and-send.ts';
import { type Received, readEvent } from './read/event.ts';
import { type InvocationOutcome, reportInvocation, reportReturned } from './report.ts';
import { MIN_REQUEST_MS, SETTLE_RESERVE_MS } from './send/classes.ts';
import { type BatchResponse, lowest, type RouteSettlement, respond, settleAll } from './settle.ts';
import { readShard } from './shard-store.ts';
import { streamStages } from './stages.ts';
import { memoryKey, type RouteTurn, startTurn } from './turn.ts';
import { DELIVERED, type Settled } from './verdict.ts';

/**
 * Forwards the records of one event.
 * @throws Failure that fails the whole batch before anything is delivered: `EVENT_INVALID`, `NOT_PUBLISHED`,
 * `SECRET_*`, `IMS_REFUSED`, `INLET_NOT_ALLOWED`, or `AEP_*` for a fault of the set-up. Also `CONSERVATION`. Nothing
 * in a record makes it throw. Of several routes one may have a fault: the others go on.
 */
export type Forward = (event: unknown, invocation: Invocation) => Promise<BatchResponse>;

/** A forwarder for one container. Nothing is read or sent before the first call. */
export function createForward(runtime: ForwardRuntime): Forward {
  const container = createContainer(runtime);
  return (event, invocation) => forward(event, invocation, container);
}

async function forward(
  event: unknown,
  invocation: Invocation,
  container: ContainerState,
): Promise<BatchResponse> {
  const { runtime } = container;
  const started = runtime.clock.now();
  const received = readEvent(event);
  if (received === undefined) return respond(undefined, () => false);
  if (invocation.remainingMs() < SETTLE_RESERVE_MS + MIN_REQUEST_MS)
    return nothingDone(received, invocation, runtime);

  const stream = await publishedStream(received, invocation, container);
  const { routes } = stream;
  const isOnly = routes.length === 1 && stream.faults.size === 0;
  const isKept = !isOnly || routes.some(({ park }) => park !== undefined);
  const store = isKept ? await readShard(runtime, received, invocation) : undefined;
  const marks = isOnly || store === undefined ? NO_MARKS : marksOf(runtime, received, routes.length, store);
  // All of the batch comes again.
  if (stream.faults.size > 0) marks.trouble();
  const turns = routes.map((route) =>
    startTurn(route, { received, invocation, container, marks, store, isOnly }),
  );
  const onUnready = onceUnready(runtime, received, invocation);
  const stages = streamStages(stream, turns, container.schemas, onUnready);
  const { remainingMs } = invocation;
  const end = await prepareAndSend(received, turns, { stages, marks, remainingMs, container });
  failOnFault(attemptedBy(turns, end), { received, invocation, container });
  const checkpoint = await settleBatch({
    received,
    invocation,
    container,
    stream,
    turns,
    end,
    marks,
    started,
  });
  return respond(checkpoint, (sequenceNumber) =>
    received.records.some(({ kinesis }) => kinesis.sequenceNumber === sequenceNumber),
  );
}

/** Records whose schema cannot be read wait in the stream. The reason is logged once, however many there are. */
function onceUnready(
  { log }: ForwardRuntime,
  { shardId, streamArn }: Received,
  { invocationId }: Invocation,
): (failure: Failure) => void {
  let said = false;
  return ({ code, what, next }) => {
    if (said) return;
    said = true;
    const about = { stream: streamNameOf(streamArn), shardId, invocationId };
    log.warn('the schema of a record cannot be read: the record waits in the stream', {
      ...about,
      code,
      reason: what,
      next,
    });
  };
}

interface EndedBatch {
  readonly received: Received;
  readonly invocation: Invocation;
  readonly container: ContainerState;
  readonly stream: StreamRoutes;
  readonly turns: readonly RouteTurn[];
  readonly end: StreamEnd;
  readonly marks: BatchMarks;
  readonly started: number;
}

/** Settles the batch, reports every route, and remembers what comes again. Returns the checkpoint. */
async function settleBatch(ended: EndedBatch): Promise<string | undefined> {
  const { received, invocation, container, stream, turns, end, marks } = ended;
  const { runtime } = container;
  const [settlements, marked] = await Promise.all([
    settleAll(
      turns.map(({ route }, index) => ({
        settled: end.routes[index]?.settled ?? [],
        ...(end.routes[index] && { leftOut: end.routes[index].leftOut }),
        keep: keeper(route.pipeline, received, invocation, runtime),
      })),
      // Any record may be for a route that cannot be read.
      stream.faults.size === 0 ? end.left : received.records.map(({ kinesis }) => kinesis.sequenceNumber),
    ),
    marks.written(),
  ]);
  const outcomes = turns.map((turn, index) =>
    routeOutcome(turn, ended, {
      ...(end.routes[index] as RouteEnd),
      settlement: settlements[index] as RouteSettlement,
      isMarked: marked.has(turn.route.pipeline),
    }),
  );
  for (const [index, outcome] of outcomes.entries())
    reportInvocation({ ...runtime, metrics: turns[index]?.metrics ?? runtime.metrics }, outcome);
  reportUnread(ended);
  for (const { counts } of outcomes) checkConservation(counts);
  const checkpoint = settlements[0]?.checkpoint;
  for (const [index, { route }] of turns.entries()) {
    const done = doneBy(allSettled(end.routes[index], checkpoint), settlements[index] as RouteSettlement);
    container.memory.keep(memoryKey(received, route), done, checkpoint, turns.length);
  }
  // Nothing reads these bodies any more: each was answered, with an entry for every message.
  for (const { memory } of end.routes.flatMap(({ sent }) => sent.whole)) container.spare.giveBack(memory);
  if (checkpoint === undefined) await marks.clear();
  return checkpoint;
}

/** All that is in the batch waits for a route that cannot be read. */
function reportUnread({ received, invocation, container, stream, end }: EndedBatch): void {
  const messages = end.decoded + end.left.length;
  for (const [pipeline, failure] of stream.faults)
    reportReturned(container.runtime, { received, invocation, pipeline, messages, why: 'pipeline', failure });
  if (stream.faults.size > 0) container.pipelines.forget(received.streamArn);
}

/** Every message of a route with its verdict, where some of the batch comes again. */
function allSettled(end: RouteEnd | undefined, checkpoint: string | undefined): readonly Settled[] {
  if (end === undefined) return [];
  return checkpoint === undefined ? end.settled : withWhole(end);
}

function routeOutcome(
  { route, standing }: RouteTurn,
  { received, invocation, stream, turns, end, started }: EndedBatch,
  one: RouteEnd & { readonly settlement: RouteSettlement; readonly isMarked: boolean },
): InvocationOutcome {
  const { sent, known, settlement, isMarked } = one;
  const { checkpoint } = settlement;
  return {
    pipeline: route,
    received,
    invocation,
    sent,
    counts: { ...settlement, decoded: end.decoded, known, acknowledged: sent.acknowledged },
    left: end.left.length,
    again: isMarked ? 0 : beyond(allSettled(one, checkpoint), checkpoint),
    held: learn(standing, sent, checkpoint),
    started,
    isOnly: turns.length === 1 && stream.faults.size === 0,
  };
}

/** With the rejects beyond the checkpoint that were stored: they come again, and are not to be stored again. */
function doneBy(settled: readonly Settled[], { kept, checkpoint }: RouteSettlement): readonly Settled[] {
  if (checkpoint === undefined || kept.length === 0) return settled;
  const stored = new Set(kept);
  return settled.map((one) =>
    one.verdict.kind === 'rejected' && stored.has(one as (typeof kept)[number])
      ? { message: one.message, verdict: DELIVERED }
      : one,
  );
}

/** Too little time is left to send anything: Lambda delivers the whole batch again. */
function nothingDone(received: Received, invocation: Invocation, runtime: ForwardRuntime): BatchResponse {
  const { records, streamArn } = received;
  const pipeline = streamNameOf(streamArn);
  reportReturned(runtime, { received, invocation, pipeline, messages: records.length, why: 'time' });
  return respond(lowest(records.map(({ kinesis }) => kinesis.sequenceNumber)), () => true);
}

/** @throws Failure where nothing was sent, so that a blocked stream shows in the metrics and in the log */
async function publishedStream(
  received: Received,
  invocation: Invocation,
  { runtime, pipelines }: ContainerState,
): Promise<StreamRoutes> {
  try {
    return await pipelines.of(received.streamArn);
  } catch (error) {
    const pipeline = streamNameOf(received.streamArn);
    const about = { received, invocation, pipeline, messages: received.records.length, why: 'pipeline' };
    reportReturned(runtime, isFailure(error) ? { ...about, failure: error } : about);
    throw error;
  }
}

/** The routes that took a message, or could not. */
function attemptedBy(turns: readonly RouteTurn[], { routes, decoded, left }: StreamEnd): Attempted[] {
  return turns.flatMap(({ route }, index) => {
    const { sent, settled, isParked } = routes[index] as RouteEnd;
    const hasTaken =
      turns.length === 1 ||
      sent.whole.length > 0 ||
      settled.some(({ verdict }) => verdict.kind !== 'filtered');
    return hasTaken ? [{ route, sent, isParked, messages: decoded + left.length }] : [];
  });
}
