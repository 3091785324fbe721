// Decodes the records of an event once and sends them on every route: the first requests are under way while the next
// records are prepared.
import type { ContainerState, SpareMemory } from './container.ts';
import type { Block } from './frame/block.ts';
import { RecordMessage } from './frame/direct.ts';
import type { Framed } from './frame/framed.ts';
import {
  createRoom,
  mostHeld,
  prepareAll,
  type Room,
  type RoutePrepared,
  type StreamPrepared,
  type StreamStages,
} from './frame/prepare.ts';
import { createRouteBlocks, type Shared } from './frame/route-blocks.ts';
import type { BatchMarks } from './marks.ts';
import { isPlain } from './read/decoding.ts';
import type { KinesisRecord, Received } from './read/event.ts';
import { batch, LANE_BYTES, recordGroups } from './send/batch.ts';
import type { Sent } from './send/run.ts';
import type { LeftOutCount } from './settle.ts';
import type { RouteTurn } from './turn.ts';
import { DELIVERED, isParked, type Settled, TAKEN_BY_NONE } from './verdict.ts';

/** What became of the messages on one route. */
export interface RouteEnd {
  readonly sent: Sent;
  /** Every message that was prepared, with its verdict, but those of `sent.whole`. */
  readonly settled: readonly Settled[];
  /** Messages that its conditions leave out, besides those. */
  readonly leftOut: LeftOutCount;
  /** Messages that AEP acknowledged in an earlier invocation. */
  readonly known: number;
  readonly isParked: boolean;
}

export interface StreamEnd extends Pick<StreamPrepared, 'decoded' | 'left'> {
  /** In the order of the routes. */
  readonly routes: readonly RouteEnd[];
}

/** Prepares and sends, and waits for every route. */
export async function prepareAndSend(
  received: Received,
  turns: readonly RouteTurn[],
  options: {
    readonly stages: StreamStages;
    readonly marks: BatchMarks;
    readonly remainingMs: () => number;
    readonly container: Pick<ContainerState, 'inTurn' | 'spare'>;
  },
): Promise<StreamEnd> {
  const { stages, marks, remainingMs, container } = options;
  const { inTurn, spare } = container;
  // Half of the time is for preparing, half for sending. Records that were not prepared come again.
  const enough = remainingMs() / 2;
  const room = createRoom(() => remainingMs() > enough, mostHeld(stages.decoding));
  // Of several events at a time, each would hold the others' requests and answers back, and all would be late.
  const [preparing] = await Promise.allSettled([
    inTurn(() => prepareGroups(received, turns, stages, { room, spare })),
  ]);
  const ends = await Promise.allSettled(
    turns.map(async ({ route, sending, parking }, index): Promise<RouteEnd> => {
      // Requests under way are waited for, even if preparing failed.
      const sent = await sending.end();
      if (preparing.status === 'rejected') throw preparing.reason;
      const parts = preparing.value.map(({ routes }) => routes[index] as RoutePrepared);
      const known = parts.reduce((sum, part) => sum + part.known, 0);
      const all = [...parts.flatMap((part) => part.settled), ...sent.settled];
      const settled = await parking.judge({ settled: all, sent, known });
      if (sent.stop !== undefined) marks.trouble();
      marks.ended(route, () => withWhole({ settled, sent }));
      return {
        sent,
        settled,
        leftOut: leftOutOf(preparing.value, index),
        known,
        isParked: settled !== all && settled.some(isParked),
      };
    }),
  );
  if (preparing.status === 'rejected') throw preparing.reason;
  return {
    decoded: preparing.value.reduce((sum, { decoded }) => sum + decoded, 0),
    left: preparing.value.flatMap(({ left }) => left),
    routes: ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    }),
  };
}

/** With the messages of blocks that were taken whole: these have no object each until somebody asks for it. */
export function withWhole({ settled, sent }: Pick<RouteEnd, 'settled' | 'sent'>): readonly Settled[] {
  if (sent.whole.length === 0) return settled;
  const taken = sent.whole.flatMap((block) =>
    block.messages().map(({ message }) => ({ message, verdict: DELIVERED })),
  );
  return [...settled, ...taken];
}

function leftOutOf(parts: readonly StreamPrepared[], route: number): LeftOutCount {
  return {
    count: parts.reduce((sum, { routes }) => sum + (routes[route]?.leftOut ?? 0), 0),
    below(checkpoint) {
      const value = BigInt(checkpoint);
      const isBelow = ({ by, messages }: StreamPrepared['leftOut'], at: number) =>
        ((by[at] ?? 0) & (1 << route)) !== 0 && BigInt(messages[at]?.sequenceNumber ?? 0) < value;
      return parts.reduce(
        (sum, { leftOut }) => sum + leftOut.messages.filter((_, at) => isBelow(leftOut, at)).length,
        0,
      );
    },
  };
}

async function prepareGroups(
  { records }: Received,
  turns: readonly RouteTurn[],
  stages: StreamStages,
  { room, spare }: { readonly room: Room; readonly spare: SpareMemory },
): Promise<StreamPrepared[]> {
  const [only] = turns.length === 1 ? turns : [];
  const blocks = isPlain(stages.decoding) ? only?.blocks : undefined;
  const shared = sharedBlocks(turns, stages, spare);
  const groups = recordGroups(records, isPlain(stages.decoding), only?.framer.frameBytes);
  const lanes = turns.map((turn) => laneOfRoute(turn, { groups: groups.length, isOnly: turns.length === 1 }));
  const parts: StreamPrepared[] = [];
  for (const [at, group] of groups.entries()) {
    const isLast = at === groups.length - 1;
    const block = blocks !== undefined && room.isLeft() ? blocks(group) : undefined;
    if (block !== undefined) {
      only?.sending.add([block]);
      room.take(block.body.length);
      parts.push(preparedAsBlock(block));
    } else {
      const byBlocks = shared !== undefined && room.isLeft() ? shared.add(group, room) : undefined;
      const part = byBlocks ?? (await prepareAll(group, stages, room));
      for (const [index, prepared] of part.routes.entries()) lanes[index]?.(prepared, isLast);
      parts.push(part);
    }
    shared?.send(isLast);
    // Lets the requests that were started leave.
    await new Promise(setImmediate);
  }
  return parts;
}

/** Requests of several routes, made of groups; `undefined` where a route looks at messages one by one. */
function sharedBlocks(turns: readonly RouteTurn[], { takers, unrouted }: StreamStages, spare: SpareMemory) {
  const routes = turns.flatMap(({ shared }) => shared ?? []);
  if (takers === undefined || routes.length < turns.length) return undefined;
  const blocks = createRouteBlocks(routes, takers, spare.take, unrouted.kind === 'keep');
  return {
    add(group: readonly KinesisRecord[], room: Room): StreamPrepared | undefined {
      const added = blocks.add(group);
      if (added === undefined) return undefined;
      // At least one, so that the clock is looked at before the next group.
      room.take(Math.max(1, added.bytes));
      return preparedForAll(group, added);
    },
    send(isLast: boolean): void {
      for (const [route, { sending }] of turns.entries()) {
        const block = blocks.take(route, isLast ? 0 : LANE_BYTES);
        if (block !== undefined) sending.add([block]);
      }
      if (isLast) for (const memory of blocks.unused()) spare.giveBack(memory);
    },
  };
}

/** The messages are on their way, or wait for others. Those that no route takes are counted by the first. */
function preparedForAll(
  group: readonly KinesisRecord[],
  { leftOut, unrouted, left }: Shared,
): StreamPrepared {
  const byNone = unrouted.map(({ kinesis }) => ({
    message: new RecordMessage(kinesis, kinesis.data ?? ''),
    verdict: TAKEN_BY_NONE,
  }));
  return {
    routes: left.map((messages, route) => {
      const settled = route === 0 ? byNone : [];
      return { framed: [], settled, leftOut: messages - settled.length, known: 0, witness: undefined };
    }),
    leftOut,
    decoded: group.length,
    left: [],
  };
}

/** All messages of the group are on their way already. */
function preparedAsBlock({ length }: Block): StreamPrepared {
  const none = { framed: [], settled: [], leftOut: 0, known: 0, witness: undefined };
  return { routes: [none], leftOut: { messages: [], by: [] }, decoded: length, left: [] };
}

/**
 * Adds a route's messages to what is sent. Each group is a lane. One of several routes takes only a part of a group, so
 * its groups are put together. That keeps the order: all records of a partition key are in one group.
 */
function laneOfRoute(
  { sending, batching }: RouteTurn,
  { groups, isOnly }: { readonly groups: number; readonly isOnly: boolean },
): (prepared: RoutePrepared, isLast: boolean) => void {
  const options = { ...batching, ...(groups > 1 && { lanes: 1 }) };
  let waiting: Framed[] = [];
  let bytes = 0;
  return ({ framed, witness, known }, isLast) => {
    if (witness !== undefined) sending.witness(witness);
    if (known > 0) sending.tookBefore();
    if (isOnly) {
      for (const lane of batch(framed, options)) sending.add(lane);
      return;
    }
    for (const one of framed) {
      waiting.push(one);
      bytes += one.size;
    }
    if (!isLast && bytes < LANE_BYTES) return;
    for (const lane of batch(waiting, options)) sending.add(lane);
    [waiting, bytes] = [[], 0];
  };
}
