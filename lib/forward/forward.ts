// The forwarder: an event of Kinesis records in, Lambda's partial batch response out.
import type { Sessions } from '../aep/token.ts';
import { FAILURES, type Failure, isFailure } from '../failure.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { sessionsOf } from '../sessions.ts';
import { within } from '../within.ts';
import { checkConservation } from './conservation.ts';
import { deadLetterDocument } from './dead-letters.ts';
import { createFramer } from './frame/frame.ts';
import { createRoom, mostHeld, type Prepared, prepare, type Room, type Stages } from './frame/prepare.ts';
import { createMemory, type Memory, type Recalled } from './memory.ts';
import { createPipelines, type Pipelines } from './pipelines.ts';
import { createDecoding, isPlain } from './read/decoding.ts';
import { type Received, readEvent } from './read/event.ts';
import { createSchemas, type Schemas } from './read/formats/by-schema.ts';
import { keyOf } from './read/message.ts';
import { type Held, measureRequest, reportInvocation, reportReturned } from './report.ts';
import { type BatchOptions, batch, MAX_MESSAGES, recordGroups } from './send/batch.ts';
import { MIN_REQUEST_MS, SETTLE_RESERVE_MS } from './send/classes.ts';
import { createLimits, type Limits } from './send/limits.ts';
import type { Sent } from './send/run.ts';
import { type Sending, startSending } from './send/send.ts';
import { createSender } from './send/sender.ts';
import { createStanding, type Standing } from './send/standing.ts';
import { type BatchResponse, type Keep, lowest, respond, settle } from './settle.ts';
import { createTransform } from './transform/transform.ts';
import type { Settled } from './verdict.ts';

export interface Invocation {
  /** The time that Lambda leaves for this invocation, in ms. */
  readonly remainingMs: () => number;
  readonly invocationId: string;
}

/**
 * Forwards the records of one event.
 * @throws Failure that fails the whole batch before anything is delivered: `EVENT_INVALID`, `NOT_PUBLISHED`,
 * `SECRET_*`, `IMS_REFUSED`, `INLET_NOT_ALLOWED`, or `AEP_*` for a fault of the set-up. Also `CONSERVATION`. Nothing
 * in a record makes it throw.
 */
export type Forward = (event: unknown, invocation: Invocation) => Promise<BatchResponse>;

/** What a container keeps between invocations: published pipelines, acknowledged messages, and each inlet's limits. */
interface ContainerState {
  readonly runtime: ForwardRuntime;
  readonly pipelines: Pipelines;
  readonly sessions: Sessions;
  readonly memory: Memory;
  readonly schemas: Schemas;
  readonly inletOf: (pipeline: PublishedPipeline) => KnownInlet;
}

/** What is known of an inlet. */
interface KnownInlet {
  readonly limits: Limits;
  readonly standing: Standing;
}

/** A forwarder for one container. Nothing is read or sent before the first call. */
export function createForward(runtime: ForwardRuntime): Forward {
  const container: ContainerState = {
    runtime,
    pipelines: createPipelines(runtime),
    memory: createMemory(),
    schemas: createSchemas(runtime.clock, runtime.schemas),
    inletOf: inlets(runtime),
    sessions: sessionsOf(runtime, {
      onIssued: () => runtime.metrics.count('TokensIssued', 1),
      onFailed: () => runtime.metrics.count('TokenFailures', 1),
      onFallback: () => runtime.metrics.count('CredentialsFallback', 1),
    }),
  };
  return (event, invocation) => forward(event, invocation, container);
}

/**
 * The next invocation knows what this one has learnt of an inlet. Its limits stay as long as inlet and rate are the
 * same. Its answers count only as long as the same pipeline is published: after that it may take the same records.
 */
function inlets({ clock }: ForwardRuntime): (pipeline: PublishedPipeline) => KnownInlet {
  const limitsOf = new Map<string, Limits>();
  const standingOf = new Map<string, { readonly published: string; readonly standing: Standing }>();
  return (pipeline) => {
    const { inletUrl, rate, streamArn } = pipeline;
    const key = JSON.stringify([inletUrl, rate]);
    const limits = limitsOf.get(key) ?? createLimits(clock, rate);
    limitsOf.set(key, limits);
    const published = JSON.stringify(pipeline);
    const held = standingOf.get(streamArn);
    if (held?.published === published) return { limits, standing: held.standing };
    const standing = createStanding(clock);
    standingOf.set(streamArn, { published, standing });
    return { limits, standing };
  };
}

async function forward(
  event: unknown,
  invocation: Invocation,
  container: ContainerState,
): Promise<BatchResponse> {
  const { runtime, memory } = container;
  const started = runtime.clock.now();
  const received = readEvent(event);
  if (received === undefined) return respond(undefined, () => false);
  if (invocation.remainingMs() < SETTLE_RESERVE_MS + MIN_REQUEST_MS)
    return nothingDone(received, invocation, runtime);

  const pipeline = await pipelineOf(received, invocation, container);
  const { prepared, sent } = await prepareAndSend(received, pipeline, invocation, container);
  const { decoded, known, left } = prepared;
  failOnFault(sent, { received, invocation, pipeline, container, messages: decoded + left.length });
  const settled = [...prepared.settled, ...sent.settled];
  const settlement = await settle(settled, left, keeper(pipeline, received, invocation, runtime));
  const held = learn(container.inletOf(pipeline).standing, sent, settlement.checkpoint);
  const counts = { ...settlement, decoded, known, acknowledged: sent.acknowledged };
  const again = beyond(settled, settlement.checkpoint);
  const outcome = { pipeline, received, invocation, sent, counts, left: left.length, again, held, started };
  reportInvocation(runtime, outcome);
  checkConservation(counts);
  memory.keep(memoryKey(received, pipeline), settled, settlement.checkpoint);
  return respond(settlement.checkpoint, (sequenceNumber) =>
    received.records.some(({ kinesis }) => kinesis.sequenceNumber === sequenceNumber),
  );
}

/**
 * Updates what is known of messages that come again.
 * @returns the message that blocks its shard: all before it are settled, and nothing shows whether it is at fault
 */
function learn(
  standing: Standing,
  { settled, unproven, failing, troubled }: Sent,
  checkpoint: string | undefined,
): Held | undefined {
  if (troubled) standing.clear();
  let held: Held | undefined;
  for (const message of failing) {
    const stretches = standing.suspect(message);
    if (message.sequenceNumber === checkpoint) held = { message, stretches };
  }
  for (const { message, verdict } of settled) {
    if (verdict.kind === 'delivered') standing.cleared(message);
    if (verdict.kind !== 'rejected') continue;
    const isKept = checkpoint === undefined || BigInt(message.sequenceNumber) < BigInt(checkpoint);
    if (isKept && unproven.has(message)) standing.refused(1);
    if (!isKept && !unproven.has(message)) standing.know(message);
  }
  return held;
}

/** Messages that are acknowledged and delivered again. Another container may read them, and does not know of them. */
function beyond(settled: readonly Settled[], checkpoint: string | undefined): number {
  if (checkpoint === undefined) return 0;
  const from = BigInt(checkpoint);
  return settled.filter(
    ({ verdict, message }) => verdict.kind === 'delivered' && BigInt(message.sequenceNumber) >= from,
  ).length;
}

function memoryKey({ streamArn, shardId }: Received, { datasetId }: PublishedPipeline) {
  return { streamArn, shardId, datasetId };
}

async function prepareAndSend(
  received: Received,
  pipeline: PublishedPipeline,
  invocation: Invocation,
  container: ContainerState,
): Promise<{ prepared: Omit<Prepared, 'framed' | 'witness'>; sent: Sent }> {
  const { runtime, sessions, memory, inletOf } = container;
  const framer = createFramer(pipeline, received.shardId);
  const inlet = inletOf(pipeline);
  const known = memory.recall(memoryKey(received, pipeline));
  const witness = witnessOf(received, known, inlet.standing);
  const transform = createTransform(pipeline);
  const decoding = createDecoding(pipeline, container.schemas);
  const stages: Stages = {
    decoding,
    transform,
    frame: framer.frame,
    direct: transform === undefined && isPlain(decoding) ? framer.direct : undefined,
    isKnown: (message) => known.has(message),
    isWitness: (message) => witness !== undefined && keyOf(message) === witness,
    onUnready: onceUnready(runtime, received, pipeline, invocation),
  };
  const sender = createSender({
    runtime,
    sessions,
    ...inlet,
    pipeline,
    framer,
    budgetMs: () => invocation.remainingMs() - SETTLE_RESERVE_MS,
    about: {
      pipeline: pipeline.pipeline,
      stream: streamNameOf(received.streamArn),
      shardId: received.shardId,
      invocationId: invocation.invocationId,
    },
    onReply: (messages, reply, times) => measureRequest(runtime.metrics, messages, reply, times),
  });
  // Half of the time is for preparing, half for sending. Records that were not prepared come again.
  const enough = invocation.remainingMs() / 2;
  const room = createRoom(() => invocation.remainingMs() > enough, mostHeld(decoding));
  const sending = startSending(sender);
  const [preparing] = await Promise.allSettled([
    prepareGroups(received, pipeline, { stages, room, sending }),
  ]);
  // Requests under way are waited for, even if preparing failed.
  const sent = await sending.end();
  if (preparing.status === 'rejected') throw preparing.reason;
  return { prepared: joined(preparing.value), sent };
}

/** Records whose schema cannot be had wait in the stream: why is said once, however many there are. */
function onceUnready(
  { log }: ForwardRuntime,
  { shardId, streamArn }: Received,
  { pipeline }: PublishedPipeline,
  { invocationId }: Invocation,
): (failure: Failure) => void {
  let said = false;
  return ({ code, what, next }) => {
    if (said) return;
    said = true;
    const about = { pipeline, stream: streamNameOf(streamArn), shardId, invocationId };
    log.warn('the schema of a record cannot be had: it waits in the stream', {
      ...about,
      code,
      reason: what,
      next,
    });
  };
}

/**
 * The message of the shard that AEP took last, if a message of the event has failed alone before. Sending it once
 * more shows whether the inlet takes anything. Only the very last one may be repeated: an earlier one would overwrite
 * newer data.
 */
function witnessOf({ records }: Received, known: Recalled, standing: Standing): string | undefined {
  const sequenceNumbers = records.map(({ kinesis }) => kinesis.sequenceNumber);
  return standing.suspects(sequenceNumbers) ? known.latest : undefined;
}

/** Prepares group by group: the first requests are under way while the next records are prepared. */
async function prepareGroups(
  { records }: Received,
  { order, rate }: PublishedPipeline,
  { stages, room, sending }: { stages: Stages; room: Room; sending: Sending },
): Promise<Prepared[]> {
  const groups = recordGroups(records, isPlain(stages.decoding));
  const options: BatchOptions = {
    strict: order === 'strict',
    // A request larger than a second's rate might need more time than there is.
    maxMessages: Math.min(MAX_MESSAGES, rate?.messagesPerSecond ?? MAX_MESSAGES),
    ...(groups.length > 1 && { lanes: 1 }),
  };
  const parts: Prepared[] = [];
  for (const group of groups) {
    const part = await prepare(group, stages, room);
    for (const lane of batch(part.framed, options)) sending.add(lane);
    if (part.witness !== undefined) sending.witness(part.witness);
    parts.push(part);
    // Lets the requests that were started leave.
    await new Promise(setImmediate);
  }
  return parts;
}

function joined(parts: readonly Prepared[]): Omit<Prepared, 'framed' | 'witness'> {
  return {
    settled: parts.flatMap(({ settled }) => settled),
    decoded: parts.reduce((sum, { decoded }) => sum + decoded, 0),
    known: parts.reduce((sum, { known }) => sum + known, 0),
    left: parts.flatMap(({ left }) => left),
  };
}

/** Too little time is left to send anything: Lambda delivers the whole batch again. */
function nothingDone(received: Received, invocation: Invocation, runtime: ForwardRuntime): BatchResponse {
  const { records, streamArn } = received;
  const pipeline = streamNameOf(streamArn);
  reportReturned(runtime, { received, invocation, pipeline, messages: records.length, why: 'time' });
  return respond(lowest(records.map(({ kinesis }) => kinesis.sequenceNumber)), () => true);
}

/** @throws Failure where nothing was sent, so that a blocked stream shows in the metrics and in the log */
async function pipelineOf(
  received: Received,
  invocation: Invocation,
  { runtime, pipelines }: ContainerState,
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

/** A set-up fault that let nothing through fails the invocation, so that Lambda's own error metric shows it. */
function failOnFault(
  { stop, acknowledged }: Sent,
  about: {
    readonly received: Received;
    readonly invocation: Invocation;
    readonly pipeline: PublishedPipeline;
    readonly container: ContainerState;
    readonly messages: number;
  },
): void {
  if (stop?.fault !== true || stop.failure === undefined) return;
  const { received, invocation, messages, container } = about;
  const { failure, why } = stop;
  const { pipeline } = about.pipeline;
  // A newer pipeline, with another inlet, may have been published.
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
  { deadLetters, clock, log }: ForwardRuntime,
): Keep {
  return async (rejects) => {
    const about = {
      pipeline: pipeline.pipeline,
      stream: streamNameOf(streamArn),
      shardId,
      messages: rejects.length,
      next: FAILURES.STORE_UNAVAILABLE.next,
    };
    const document = deadLetterDocument(rejects, {
      pipeline: pipeline.pipeline,
      streamArn,
      shardId,
      invocationId,
      storedAt: new Date(clock.now()).toISOString(),
    });
    try {
      const answer = await within(remainingMs() - MIN_REQUEST_MS, deadLetters.put(document));
      if (answer !== 'late') return answer.entries;
      log.error('the dead-letter store did not answer in time', about);
    } catch (error) {
      log.error('the dead-letter store did not take the rejected messages', {
        code: isFailure(error) ? error.code : 'STORE_UNAVAILABLE',
        reason: isFailure(error) ? error.what : error instanceof Error ? error.name : 'unknown',
        ...about,
      });
    }
    return undefined;
  };
}
