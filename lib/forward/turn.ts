// One route in one invocation: its way from messages to requests, with its own inlet, memory and metrics.
import { isFailure } from '../failure.ts';
import { type PublishedRoute, streamNameOf } from '../published.ts';
import type { Metrics } from '../runtime.ts';
import type { ContainerState, SpareMemory } from './container.ts';
import type { Block } from './frame/block.ts';
import { createFramer, type Framer } from './frame/frame.ts';
import type { BlockRoute } from './frame/route-blocks.ts';
import type { Way } from './frame/way.ts';
import type { Invocation } from './invocation.ts';
import type { BatchMarks } from './marks.ts';
import type { Recalled } from './memory.ts';
import { type Parking, parkingOf } from './park.ts';
import type { KinesisRecord, Received } from './read/event.ts';
import { keyOf, type Message } from './read/message.ts';
import { measureRequest } from './report.ts';
import { type BatchOptions, MAX_MESSAGES } from './send/batch.ts';
import { SETTLE_RESERVE_MS } from './send/classes.ts';
import { type Sending, startSending, stoppedSending } from './send/send.ts';
import { createSender } from './send/sender.ts';
import type { Standing } from './send/standing.ts';
import type { ShardStore } from './shard-store.ts';
import { createTransform } from './transform/transform.ts';

export interface RouteTurn {
  readonly route: PublishedRoute;
  readonly framer: Framer;
  readonly way: Way;
  /** Makes a request of a group of records at once; `undefined` if they have to be looked at one by one. */
  readonly blocks: ((records: readonly KinesisRecord[]) => Block | undefined) | undefined;
  /** The same for one of several routes, as far as its conditions allow it; `undefined` if it looks at messages one by one. */
  readonly shared: BlockRoute | undefined;
  readonly batching: BatchOptions;
  readonly sending: Sending;
  readonly standing: Standing;
  readonly parking: Parking;
  readonly metrics: Metrics;
}

/** What all routes of an invocation share. */
export interface TurnOptions {
  readonly received: Received;
  readonly invocation: Invocation;
  readonly container: ContainerState;
  readonly marks: BatchMarks;
  /** What is kept of the shard. Absent: nothing was read. */
  readonly store?: ShardStore | undefined;
  /** Whether the stream has no other route. */
  readonly isOnly: boolean;
}

/** @throws Failure `INLET_NOT_ALLOWED` for the only route of a stream; one of several stands still by itself */
export function startTurn(route: PublishedRoute, options: TurnOptions): RouteTurn {
  const { received, container, marks, store, isOnly } = options;
  const { runtime, memory, inletOf } = container;
  const framer = createFramer(route, received.shardId);
  const { limits, standing } = inletOf(route);
  const known = memory.recall(memoryKey(received, route));
  const isMarked = marks.isKnown(route);
  const isWitness = witnessesOf(known, standing, { received, marks, route, isMarked });
  const parking = parkingOf(route, received, runtime, store);
  const metrics = isOnly ? runtime.metrics : metricsOfRoute(runtime.metrics);
  const { from } = route;
  const transform = createTransform(route);
  // A request larger than a second's rate might need more time than there is.
  const maxMessages = Math.min(MAX_MESSAGES, route.rate?.messagesPerSecond ?? MAX_MESSAGES);
  // Whatever is looked up for single messages needs an object for each.
  const isAllAlike =
    route.order !== 'strict' &&
    route.park === undefined &&
    from === undefined &&
    known.isEmpty &&
    isMarked === undefined;
  const { only } = framer;
  return {
    route,
    framer,
    standing,
    parking,
    metrics,
    sending: parking.isQueue
      ? stoppedSending(undefined)
      : sendingOf(route, { ...options, framer, limits, standing, metrics }),
    batching: {
      strict: route.order === 'strict',
      maxMessages,
    },
    blocks:
      isAllAlike && isOnly && transform === undefined
        ? blocksOf(framer, container.spare, maxMessages)
        : undefined,
    shared: isAllAlike && !isOnly && only ? { frame: only, mostMessages: maxMessages } : undefined,
    way: {
      transform,
      frame: framer.frame,
      isFor: from === undefined ? undefined : (message) => hasArrivedSince(from, message),
      chooses: route.records?.where !== undefined,
      isKnown:
        isMarked === undefined
          ? (message) => known.has(message)
          : (message) => known.has(message) || isMarked(message),
      isWitness,
    },
  };
}

function blocksOf({ block }: Framer, { take }: SpareMemory, maxMessages: number): RouteTurn['blocks'] {
  if (block === undefined) return undefined;
  let isUnusual = false;
  return (records) => {
    // What is unusual seldom comes alone, and each try costs.
    const made = isUnusual ? undefined : block(records, take, maxMessages);
    isUnusual = made === undefined;
    return made;
  };
}

/** A message without a time of arrival is taken: a copy is better than a loss. */
export function hasArrivedSince(from: number, { arrivedAt }: Message): boolean {
  return arrivedAt === undefined || arrivedAt * 1_000 >= from;
}

export function memoryKey(
  { streamArn, shardId }: Received,
  { pipeline, datasetId }: Pick<PublishedRoute, 'pipeline' | 'datasetId'>,
) {
  return { streamArn, shardId, pipeline, datasetId };
}

function sendingOf(
  route: PublishedRoute,
  options: TurnOptions &
    Pick<Parameters<typeof createSender>[0], 'framer' | 'limits' | 'standing'> & {
      readonly metrics: Metrics;
    },
): Sending {
  const { received, invocation, container, marks, isOnly, metrics, framer, limits, standing } = options;
  const { runtime, sessions } = container;
  try {
    const sender = createSender({
      runtime,
      sessions: sessions(route.credentials),
      limits,
      standing,
      pipeline: route,
      framer,
      budgetMs: () => invocation.remainingMs() - SETTLE_RESERVE_MS,
      about: {
        pipeline: route.pipeline,
        stream: streamNameOf(received.streamArn),
        shardId: received.shardId,
        invocationId: invocation.invocationId,
      },
      onReply: (messages, reply, times) => {
        if (reply.kind === 'failed' || reply.acknowledged < messages.length) marks.trouble();
        measureRequest(metrics, messages, reply, times);
      },
    });
    return startSending(sender);
  } catch (error) {
    if (isOnly || !isFailure(error)) throw error;
    marks.trouble();
    return stoppedSending({ why: 'set-up', failure: error, fault: true });
  }
}

/**
 * Which messages show whether the inlet takes anything, when they are sent once more: the one of the shard that AEP took
 * last. Memory has it by its key, and is asked if a message of the event has failed alone before. A mark of another
 * container knows only which were taken. What that one had learned of refused messages is lost with it.
 * Of several the last one counts, because an earlier one would overwrite newer data.
 */
function witnessesOf(
  known: Recalled,
  standing: Standing,
  {
    received,
    marks,
    route,
    isMarked,
  }: Pick<TurnOptions, 'received' | 'marks'> & {
    readonly route: PublishedRoute;
    readonly isMarked: ((message: Message) => boolean) | undefined;
  },
): (message: Message) => boolean {
  const { latest } = known;
  if (isMarked !== undefined && marks.hasLatest(route, latest))
    return (message) => keyOf(message) === latest || isMarked(message);
  if (latest === undefined || !standing.suspects(sequenceNumbersOf(received.records))) return () => false;
  return (message) => keyOf(message) === latest;
}

/** One by one, because mostly nobody asks for them. */
function* sequenceNumbersOf(records: Received['records']): Generator<string> {
  for (const { kinesis } of records) yield kinesis.sequenceNumber;
}

/** What a route counts, kept apart from what the others count at the same time. */
function metricsOfRoute(metrics: Metrics): Metrics {
  const counted: ((to: Metrics) => void)[] = [];
  return {
    count: (...one) => void counted.push((to) => to.count(...one)),
    measure: (...one) => void counted.push((to) => to.measure(...one)),
    flush(dimensions) {
      for (const count of counted.splice(0)) count(metrics);
      metrics.flush(dimensions);
    },
  };
}
