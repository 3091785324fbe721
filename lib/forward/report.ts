// One log line and the metrics of an invocation. They hold no record content and no partition key.
import type { AnsweredReply, BatchReply } from '../aep/inlet.ts';
import type { Failure } from '../failure.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import type { ForwardRuntime, Metrics } from '../runtime.ts';
import { type Counts, differenceOf } from './conservation.ts';
import type { Received } from './read/event.ts';
import { type Message, older } from './read/message.ts';
import { framedIn, isBlock, type SentBatch } from './send/batch.ts';
import type { Sent } from './send/run.ts';
import { lowest, type RouteSettlement } from './settle.ts';
import type { Reason } from './verdict.ts';

/** A message that fails alone while nothing shows what is at fault: its shard waits for it. */
export interface Held {
  readonly message: Message;
  /** How often it has failed with other messages taken in between. */
  readonly stretches: number;
}

export interface InvocationOutcome {
  readonly pipeline: PublishedPipeline;
  readonly received: Received;
  readonly invocation: { readonly invocationId: string };
  readonly sent: Sent;
  readonly counts: Counts & RouteSettlement;
  /** Records that were not prepared. */
  readonly left: number;
  /** Messages that AEP had acknowledged and Lambda brought again. */
  readonly again: number;
  readonly held: Held | undefined;
  /** When the invocation began, ms since the epoch. */
  readonly started: number;
  /** Whether the stream has no other route. */
  readonly isOnly: boolean;
}

const HELD_NEXT =
  'Compare RecordsAcknowledged: if the inlet is unavailable, wait. Otherwise the record is at fault, and no other was acknowledged that would show it. It is rejected as soon as one is. If none is, Lambda discards it when it is too old; then redrive it.';

/** Measures each request: its size, its duration, and the age of its oldest message that AEP took. */
export function measureRequest(
  metrics: Metrics,
  batch: SentBatch,
  reply: BatchReply,
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
): void {
  metrics.measure('RequestMessages', batch.length, 'Count');
  metrics.measure('RequestBytes', sizeOf(batch), 'Bytes');
  metrics.measure('RequestMs', endedAt - startedAt, 'Milliseconds');
  if (reply.kind === 'failed') {
    metrics.count('RequestsFailed', 1, reply.class);
    return;
  }
  const oldest = oldestTaken(batch, reply);
  // The clocks of Kinesis and of this machine may differ.
  if (oldest !== undefined)
    metrics.measure('ArrivalToAcceptedMs', Math.max(0, endedAt - oldest * 1_000), 'Milliseconds');
}

function sizeOf(batch: SentBatch): number {
  return isBlock(batch) ? batch.size : batch.reduce((sum, { size }) => sum + size, 0);
}

/** When the oldest message that AEP took of the batch arrived, in seconds since the epoch. */
function oldestTaken(batch: SentBatch, { outcomes, acknowledged }: AnsweredReply): number | undefined {
  if (isBlock(batch) && acknowledged === batch.length) return batch.oldestArrival;
  const messages = framedIn(batch);
  let oldest: number | undefined;
  outcomes.forEach(({ kind }, index) => {
    if (kind === 'acknowledged') oldest = older(oldest, messages[index]?.message.arrivedAt);
  });
  return oldest;
}

/** In every invocation: received = acknowledged + acknowledged before + filtered + rejected + parked + returned. */
export function reportInvocation(
  runtime: Pick<ForwardRuntime, 'metrics' | 'log' | 'clock'>,
  outcome: InvocationOutcome,
): void {
  const { pipeline, received, invocation, sent, counts, left, isOnly } = outcome;
  const { metrics, log, clock } = runtime;
  const difference = differenceOf(counts);
  metrics.count('RecordsReceived', counts.decoded + left);
  metrics.count('RecordsAcknowledged', counts.acknowledged);
  metrics.count('RecordsAcknowledgedBefore', counts.known);
  metrics.count('RecordsFiltered', counts.filtered);
  if (!isOnly) metrics.count('RecordsUnrouted', counts.unrouted);
  const { parked, rejects } = storedKinds(counts);
  if (rejects.length === 0) metrics.count('RecordsRejected', 0);
  for (const [reason, number] of rejects) metrics.count('RecordsRejected', number, reason);
  if (pipeline.park !== undefined) metrics.count('RecordsParked', parked);
  metrics.count('RecordsReturned', counts.unresolved + left);
  metrics.count('Requests', sent.requests);
  metrics.count('Retries', sent.retries);
  metrics.count('RepliesUnclear', sent.unclear);
  metrics.count('DuplicatesPossible', sent.doubtful + outcome.again);
  metrics.count('ShardsHeld', outcome.held === undefined ? 0 : 1);
  metrics.count('ConservationDifference', Math.abs(difference));
  metrics.flush({ pipeline: pipeline.pipeline });
  const level = difference !== 0 ? 'error' : counts.checkpoint === undefined ? 'info' : 'warn';
  log[level](difference !== 0 ? 'messages were miscounted' : 'forwarded', {
    event: difference !== 0 ? 'miscounted' : 'batch-ended',
    pipeline: pipeline.pipeline,
    stream: streamNameOf(received.streamArn),
    shardId: received.shardId,
    invocationId: invocation.invocationId,
    firstSequenceNumber: received.records[0]?.kinesis.sequenceNumber,
    lastSequenceNumber: received.records.at(-1)?.kinesis.sequenceNumber,
    records: received.records.length,
    decoded: counts.decoded,
    acknowledged: counts.acknowledged,
    acknowledgedBefore: counts.known,
    filtered: counts.filtered,
    ...(!isOnly && { unrouted: counts.unrouted }),
    rejected: counts.stored - parked,
    ...(pipeline.park !== undefined && { parked }),
    returned: counts.unresolved + left,
    requests: sent.requests,
    retries: sent.retries,
    ms: clock.now() - outcome.started,
    checkpoint: counts.checkpoint,
    // Another route may hold the shard.
    ...(!isOnly && { ownCheckpoint: counts.lowest }),
    stopped: sent.stop?.why,
    code: sent.stop?.failure?.code,
  });
  reportHeld(runtime, outcome);
}

/** What was stored: messages that are parked are no rejects. */
function storedKinds({ reasons }: Pick<RouteSettlement, 'reasons'>): {
  readonly parked: number;
  readonly rejects: readonly [Reason, number][];
} {
  const rejects = [...reasons].filter(([reason]) => reason !== 'parked');
  return { parked: reasons.get('parked') ?? 0, rejects };
}

function reportHeld(
  { log }: Pick<ForwardRuntime, 'log'>,
  { pipeline, received, invocation, sent, held }: InvocationOutcome,
): void {
  if (held === undefined) return;
  log.warn('a record that fails alone holds its shard', {
    event: 'record-held',
    pipeline: pipeline.pipeline,
    stream: streamNameOf(received.streamArn),
    shardId: received.shardId,
    invocationId: invocation.invocationId,
    sequenceNumber: held.message.sequenceNumber,
    subSequenceNumber: held.message.subSequenceNumber,
    stretches: held.stretches,
    failing: sent.failing.length,
    next: HELD_NEXT,
  });
}

/**
 * Reports an invocation that forwarded nothing: everything comes again. It has the same log event and metrics as
 * others.
 */
export function reportReturned(
  { metrics, log }: Pick<ForwardRuntime, 'metrics' | 'log'>,
  { received, invocation, pipeline, messages, why, failure }: Returned,
): void {
  metrics.count('RecordsReceived', messages);
  metrics.count('RecordsReturned', messages);
  metrics.flush({ pipeline });
  const { records, shardId, streamArn } = received;
  const sequenceNumbers = records.map(({ kinesis }) => kinesis.sequenceNumber);
  log[failure === undefined ? 'warn' : 'error']('nothing was forwarded', {
    event: 'batch-ended',
    pipeline,
    stream: streamNameOf(streamArn),
    shardId,
    invocationId: invocation.invocationId,
    firstSequenceNumber: sequenceNumbers[0],
    lastSequenceNumber: sequenceNumbers.at(-1),
    records: records.length,
    acknowledged: 0,
    filtered: 0,
    rejected: 0,
    returned: messages,
    checkpoint: lowest(sequenceNumbers),
    stopped: why,
    code: failure?.code,
    reason: failure?.what,
    next: failure?.next,
    status: failure?.status,
    requestId: failure?.requestId,
  });
}

export interface Returned {
  readonly received: Received;
  readonly invocation: { readonly invocationId: string };
  /** The pipeline's name, or the stream's where the pipeline is unknown. */
  readonly pipeline: string;
  readonly messages: number;
  readonly why: string;
  readonly failure?: Failure;
}
