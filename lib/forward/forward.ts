// The forwarder: an event of Kinesis records in, Lambda's partial batch response out.
import type { Sessions } from '../aep/token.ts';
import { FAILURES, isFailure } from '../failure.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { sessionsOf } from '../sessions.ts';
import { type BatchOptions, batch, groupsOf, MAX_MESSAGES } from './batch.ts';
import { LEAST_REQUEST_MS, RESERVE_MS } from './classes.ts';
import { checkConservation } from './conservation.ts';
import { type Received, readEvent } from './event.ts';
import { createFramer } from './frame.ts';
import { createLimits, type Limits } from './limits.ts';
import { createMemory, type Memory } from './memory.ts';
import { createPipelines, type Pipelines } from './pipelines.ts';
import { createRoom, type Prepared, prepare, type Room, type Stages } from './prepare.ts';
import { measureRequest, report, reportReturned } from './report.ts';
import type { Sent } from './run.ts';
import { type Sending, startSending } from './send.ts';
import { createSender } from './sender.ts';
import { type BatchResponse, type Keep, lowest, respond, settle } from './settle.ts';
import { createShaper } from './shape.ts';
import { createStanding, type Standing } from './standing.ts';
import { undeliveredDocument } from './undelivered.ts';
import type { Settled } from './verdict.ts';
import { within } from './within.ts';

export interface Invocation {
  /** What Lambda still gives this invocation, in ms. */
  readonly remainingMs: () => number;
  readonly invocationId: string;
}

/**
 * Forwards the records of one event.
 * @throws Failure that fails the batch as a whole, before anything was delivered: `EVENT_INVALID`, `NOT_PUBLISHED`,
 * `SECRET_*`, `IMS_REFUSED`, `INLET_NOT_ALLOWED`, `AEP_*` for a fault of the set-up; and `CONSERVATION`. Nothing that is
 * in a record makes it throw.
 */
export type Forward = (event: unknown, invocation: Invocation) => Promise<BatchResponse>;

/** What outlives an invocation: what has been read, what AEP has taken, and how much it takes. */
interface Container {
  readonly runtime: ForwardRuntime;
  readonly pipelines: Pipelines;
  readonly sessions: Sessions;
  readonly memory: Memory;
  readonly inletOf: (pipeline: PublishedPipeline) => Inlet;
}

/** What is known of an inlet. */
interface Inlet {
  readonly limits: Limits;
  readonly standing: Standing;
}

/** A forwarder for one container. Nothing is read or sent before the first call. */
export function createForward(runtime: ForwardRuntime): Forward {
  const container: Container = {
    runtime,
    pipelines: createPipelines(runtime),
    memory: createMemory(),
    inletOf: inlets(runtime),
    sessions: sessionsOf(runtime, {
      onIssued: () => runtime.metrics.count('TokensIssued', 1),
      onFailed: () => runtime.metrics.count('TokenFailures', 1),
      onFallback: () => runtime.metrics.count('CredentialsFallback', 1),
    }),
  };
  return (event, invocation) => forward(event, invocation, container);
}

/** One for each inlet and rate, so that what is learnt of an inlet is known to the next invocation. */
function inlets({ clock }: ForwardRuntime): (pipeline: PublishedPipeline) => Inlet {
  const held = new Map<string, Inlet>();
  return ({ inletUrl, rate }) => {
    const key = JSON.stringify([inletUrl, rate]);
    const inlet = held.get(key) ?? { limits: createLimits(clock, rate), standing: createStanding(clock) };
    held.set(key, inlet);
    return inlet;
  };
}

async function forward(event: unknown, invocation: Invocation, container: Container): Promise<BatchResponse> {
  const { runtime, memory } = container;
  const started = runtime.clock.now();
  const received = readEvent(event);
  if (received === undefined) return respond(undefined, () => false);
  if (invocation.remainingMs() < RESERVE_MS + LEAST_REQUEST_MS)
    return nothingDone(received, invocation, runtime);

  const pipeline = await pipelineOf(received, invocation, container);
  const { prepared, sent } = await prepareAndSend(received, pipeline, invocation, container);
  const { decoded, known, left } = prepared;
  failOnFault(sent, { received, invocation, pipeline, container, messages: decoded + left.length });
  const settled = [...prepared.settled, ...sent.settled];
  const settlement = await settle(settled, left, keeper(pipeline, received, invocation, runtime));
  learn(container.inletOf(pipeline).standing, sent, settlement.checkpoint);
  const counts = { ...settlement, decoded, known, acknowledged: sent.acknowledged };
  const again = beyond(settled, settlement.checkpoint);
  report(runtime, { pipeline, received, invocation, sent, counts, left: left.length, again, started });
  checkConservation(counts);
  memory.keep(placeOf(received, pipeline), settled, settlement.checkpoint);
  return respond(settlement.checkpoint, (sequenceNumber) =>
    received.records.some(({ kinesis }) => kinesis.sequenceNumber === sequenceNumber),
  );
}

/** Of what is rejected and comes again: what was found out about it need not be found out once more. */
function learn(standing: Standing, { settled, unproven }: Sent, checkpoint: string | undefined): void {
  for (const { message, verdict } of settled) {
    if (verdict.kind !== 'rejected') continue;
    const isKept = checkpoint === undefined || BigInt(message.sequenceNumber) < BigInt(checkpoint);
    if (isKept && unproven.has(message)) standing.refused(1);
    if (!isKept && !unproven.has(message)) standing.know(message);
  }
}

/** Acknowledged, and to be delivered again: whether this container is asked then, and so knows, nobody can say. */
function beyond(settled: readonly Settled[], checkpoint: string | undefined): number {
  if (checkpoint === undefined) return 0;
  const from = BigInt(checkpoint);
  return settled.filter(
    ({ verdict, message }) => verdict.kind === 'delivered' && BigInt(message.sequenceNumber) >= from,
  ).length;
}

function placeOf({ streamArn, shardId }: Received, { datasetId }: PublishedPipeline) {
  return { streamArn, shardId, datasetId };
}

async function prepareAndSend(
  received: Received,
  pipeline: PublishedPipeline,
  invocation: Invocation,
  container: Container,
): Promise<{ prepared: Omit<Prepared, 'framed'>; sent: Sent }> {
  const { runtime, sessions, memory, inletOf } = container;
  const framer = createFramer(pipeline, received.shardId);
  const known = memory.recall(placeOf(received, pipeline));
  const shape = createShaper(pipeline);
  const stages: Stages = {
    compression: pipeline.compression,
    shape,
    frame: framer.frame,
    direct: shape === undefined && pipeline.compression === 'none' ? framer.direct : undefined,
    isKnown: (message) => known.has(message),
  };
  const sender = createSender({
    runtime,
    sessions,
    ...inletOf(pipeline),
    pipeline,
    framer,
    budgetMs: () => invocation.remainingMs() - RESERVE_MS,
    about: {
      pipeline: pipeline.pipeline,
      stream: streamNameOf(received.streamArn),
      shardId: received.shardId,
      invocationId: invocation.invocationId,
    },
    onReply: (messages, reply, times) => measureRequest(runtime.metrics, messages, reply, times),
  });
  // Half of the time for this, half for sending: what is not looked at comes again.
  const enough = invocation.remainingMs() / 2;
  const room = createRoom(() => invocation.remainingMs() > enough);
  const sending = startSending(sender);
  const [preparing] = await Promise.allSettled([
    prepareGroups(received, pipeline, { stages, room, sending }),
  ]);
  // What is under way is heard, whatever became of the rest.
  const sent = await sending.end();
  if (preparing.status === 'rejected') throw preparing.reason;
  return { prepared: joined(preparing.value), sent };
}

/** Group by group: the first requests are under way while the next records are looked at. */
async function prepareGroups(
  { records }: Received,
  { compression, order, rate }: PublishedPipeline,
  { stages, room, sending }: { stages: Stages; room: Room; sending: Sending },
): Promise<Prepared[]> {
  const groups = groupsOf(records, compression);
  const options: BatchOptions = {
    strict: order === 'strict',
    // What takes longer than a second at the rate could take longer than there is.
    maxMessages: Math.min(MAX_MESSAGES, rate?.messagesPerSecond ?? MAX_MESSAGES),
    ...(groups.length > 1 && { lanes: 1 }),
  };
  const parts: Prepared[] = [];
  for (const group of groups) {
    const part = await prepare(group, stages, room);
    for (const lane of batch(part.framed, options)) sending.add(lane);
    parts.push(part);
    // What was begun gets its turn to leave.
    await new Promise(setImmediate);
  }
  return parts;
}

function joined(parts: readonly Prepared[]): Omit<Prepared, 'framed'> {
  return {
    settled: parts.flatMap(({ settled }) => settled),
    decoded: parts.reduce((sum, { decoded }) => sum + decoded, 0),
    known: parts.reduce((sum, { known }) => sum + known, 0),
    left: parts.flatMap(({ left }) => left),
  };
}

/** Too little time is left to send anything: the whole batch comes again. */
function nothingDone(received: Received, invocation: Invocation, runtime: ForwardRuntime): BatchResponse {
  const { records, streamArn } = received;
  const pipeline = streamNameOf(streamArn);
  reportReturned(runtime, { received, invocation, pipeline, messages: records.length, why: 'time' });
  return respond(lowest(records.map(({ kinesis }) => kinesis.sequenceNumber)), () => true);
}

/** @throws Failure that is not silent: a stream that stands still shows in the metrics and in the log */
async function pipelineOf(
  received: Received,
  invocation: Invocation,
  { runtime, pipelines }: Container,
): Promise<PublishedPipeline> {
  try {
    return await pipelines.of(received.streamArn);
  } catch (error) {
    const pipeline = streamNameOf(received.streamArn);
    const about = { received, invocation, pipeline, messages: received.records.length, why: 'pipeline' };
    reportReturned(runtime, isFailure(error) ? { ...about, failure: error } : about);
    throw error;
  }
}

/** A fault of the set-up that let nothing through fails the invocation, so that Lambda's own error metric shows it. */
function failOnFault(
  { stop, acknowledged }: Sent,
  about: {
    readonly received: Received;
    readonly invocation: Invocation;
    readonly pipeline: PublishedPipeline;
    readonly container: Container;
    readonly messages: number;
  },
): void {
  if (stop?.fault !== true || stop.failure === undefined) return;
  const { received, invocation, messages, container } = about;
  const { failure, why } = stop;
  const { pipeline } = about.pipeline;
  // Perhaps a newer pipeline is published, with another inlet.
  container.pipelines.forget(received.streamArn);
  if (acknowledged === 0) {
    reportReturned(container.runtime, { received, invocation, pipeline, messages, why, failure });
    throw failure;
  }
  container.runtime.log.error('sending stopped: the configuration is wrong', {
    pipeline,
    stream: streamNameOf(received.streamArn),
    shardId: received.shardId,
    code: failure.code,
    reason: failure.what,
    next: failure.next,
    status: failure.status,
    requestId: failure.requestId,
  });
}

function keeper(
  pipeline: PublishedPipeline,
  { streamArn, shardId }: Received,
  { invocationId, remainingMs }: Invocation,
  { undelivered, clock, log }: ForwardRuntime,
): Keep {
  return async (rejects) => {
    const about = {
      pipeline: pipeline.pipeline,
      stream: streamNameOf(streamArn),
      shardId,
      messages: rejects.length,
      next: FAILURES.STORE_UNAVAILABLE.next,
    };
    const document = undeliveredDocument(rejects, {
      pipeline: pipeline.pipeline,
      streamArn,
      shardId,
      invocationId,
      storedAt: new Date(clock.now()).toISOString(),
    });
    try {
      const answer = await within(remainingMs() - LEAST_REQUEST_MS, undelivered.put(document));
      if (answer !== 'late') return answer.entries;
      log.error('the undelivered store did not answer in time', about);
    } catch (error) {
      log.error('the undelivered store did not take the rejected messages', {
        code: isFailure(error) ? error.code : 'STORE_UNAVAILABLE',
        reason: isFailure(error) ? error.what : error instanceof Error ? error.name : 'unknown',
        ...about,
      });
    }
    return undefined;
  };
}
