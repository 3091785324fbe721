// Decodes records one by one, frames them for each route, and stops before they need too much memory or time.
import { setImmediate as turn } from 'node:timers/promises';
import { type Failure, isFailure } from '../../failure.ts';
import { type DecodedPart, decode, partitionKeysOf, readyToDecode } from '../read/decode.ts';
import type { Decoding } from '../read/decoding.ts';
import type { KinesisRecord } from '../read/event.ts';
import type { Message } from '../read/message.ts';
import { DELIVERED, FILTERED, type Settled } from '../verdict.ts';
import type { Direct } from './direct.ts';
import type { Framed } from './framed.ts';
import { type RouteOutcome, type Unrouted, unroutedOnce } from './outcome.ts';
import type { Takers } from './takers.ts';
import { LEFT_OUT, type Way } from './way.ts';

/**
 * An event has 6 MB, but compression and aggregation can make it a thousand times larger. Records beyond this limit
 * stay in the stream for the next invocation.
 */
const MAX_HELD_BYTES = 96 * 1024 * 1024;
/**
 * The same where a format takes messages out of records. The largest record needs up to 290 MiB more while it is taken
 * apart: measured, of the 512 MB that the function has.
 */
const MAX_HELD_BEFORE_EXPANDED = 32 * 1024 * 1024;
/** What a message costs besides its bytes, roughly. */
const MESSAGE_OVERHEAD = 256;

/** Node's zlib frees what it could not unpack between two turns of the event loop. Replies are read in them, too. */
const MESSAGES_PER_TURN = 500;

/** What happens to the records of a stream on their way to requests. */
export interface StreamStages {
  readonly decoding: Decoding;
  /**
   * Decodes all records at once, where at least one route takes ordinary records by the short way. It needs no more
   * memory than the records have.
   */
  readonly direct?: Direct | undefined;
  /** Tells which of several routes take a record, where none of them does more with it. */
  readonly takers?: Takers | undefined;
  /** One for each route, in their order. */
  readonly ways: readonly Way[];
  /** What becomes of a message that no route takes. */
  readonly unrouted: Unrouted;
  /** Why a record cannot be decoded yet: it stays in the stream. */
  readonly onUnready?: ((failure: Failure) => void) | undefined;
}

/** The same for a stream of one route. */
export type Stages = Omit<StreamStages, 'ways' | 'unrouted' | 'takers'> & Way;

/** The memory and the time that the records of one event may take, all together. */
export interface Room {
  isLeft(): boolean;
  /** The same without a look at the clock, for records that go the short way: their work is done already. */
  fits(): boolean;
  take(bytes: number): void;
}

/** What may be held of an event before another of its records is prepared. */
export function mostHeld({ expander }: Decoding): number {
  return expander === undefined ? MAX_HELD_BYTES : MAX_HELD_BEFORE_EXPANDED;
}

export function createRoom(hasTime: () => boolean, maxHeldBytes = MAX_HELD_BYTES): Room {
  let held = 0;
  return {
    // At least one record is always prepared: otherwise Lambda would repeat the same batch without progress.
    isLeft: () => held === 0 || (held <= maxHeldBytes && hasTime()),
    fits: () => held <= maxHeldBytes,
    take: (bytes) => {
      held += bytes;
    },
  };
}

/** What was prepared for one route. */
export interface RoutePrepared {
  readonly framed: Framed[];
  /** Messages that are not sent: rejected, filtered, or acknowledged before. */
  readonly settled: Settled[];
  /** How many messages its conditions leave out, as far as they went the short way. */
  leftOut: number;
  /** Those of the settled that AEP acknowledged before. */
  known: number;
  /** One of those, ready to be sent once more. */
  witness: Framed | undefined;
}

/** Messages that went the short way, and which routes leave them out: a bit for each. */
export interface LeftOut<Of = Message> {
  readonly messages: Of[];
  readonly by: number[];
}

/** What is the same for all routes. */
interface LookedThrough {
  /** Messages in the records, counted as the decoder gives them. */
  readonly decoded: number;
  /** Sequence numbers of the records that were not prepared. */
  readonly left: readonly string[];
}

export type Prepared = Readonly<RoutePrepared> & LookedThrough;

export interface StreamPrepared extends LookedThrough {
  readonly leftOut: LeftOut<Pick<Message, 'sequenceNumber'>>;
  /** In the order of the routes. */
  readonly routes: readonly RoutePrepared[];
}

/** Prepares records for the only route of their stream. */
export async function prepare(
  records: readonly KinesisRecord[],
  stages: Stages,
  room: Room,
): Promise<Prepared> {
  const { decoding, direct, onUnready, ...way } = stages;
  const { routes, leftOut, ...looked } = await prepareAll(
    records,
    { decoding, direct, onUnready, ways: [way], unrouted: { kind: 'count' } },
    room,
  );
  const route = routes[0] as RoutePrepared;
  const filtered = leftOut.messages.map((message) => ({ message, verdict: FILTERED }));
  return { ...route, settled: [...route.settled, ...filtered], leftOut: 0, ...looked };
}

/** Decodes each record once, and prepares it for every route. */
export async function prepareAll(
  records: readonly KinesisRecord[],
  stages: StreamStages,
  room: Room,
): Promise<Omit<StreamPrepared, 'leftOut'> & { readonly leftOut: LeftOut }> {
  const { decoding, direct, ways, unrouted } = stages;
  const routes = ways.map(
    (): RoutePrepared => ({
      framed: [],
      settled: [],
      leftOut: 0,
      known: 0,
      witness: undefined,
    }),
  );
  const outcomes: (RouteOutcome | undefined)[] = ways.map(() => undefined);
  const leftOut: LeftOut = { messages: [], by: [] };
  let [decoded, looked] = [0, 0];
  // What waits for its schema, and the keys whose later records may not pass it.
  const unready: string[] = [];
  const held = new Set<string>();
  const mayWait = decoding.expander?.ready !== undefined;
  const directly = room.isLeft() ? (direct?.(records) ?? []) : [];
  for (const record of records) {
    const ordinary = directly[looked];
    const isShort = ordinary !== undefined && goShort(ordinary, ways, outcomes);
    if (!(isShort ? room.fits() : room.isLeft())) break;
    looked++;
    if (isShort) {
      decoded++;
      unroutedOnce(outcomes, ordinary.message, undefined, ways, unrouted);
      placeOrdinary(ordinary, outcomes, routes, room);
      leaveOut(ordinary.message, outcomes, routes, leftOut);
      continue;
    }
    if (mayWait) {
      const keys = partitionKeysOf(record);
      if (keys.some((key) => held.has(key)) || !(await isReady(record, stages))) {
        for (const key of keys) held.add(key);
        unready.push(record.kinesis.sequenceNumber);
        continue;
      }
    }
    for (const part of decode(record, decoding)) {
      if (++decoded % MESSAGES_PER_TURN === 0) await turn();
      for (const [index, way] of ways.entries())
        if (ordinary === undefined || outcomes[index] === undefined) outcomes[index] = wayOutcome(part, way);
      unroutedOnce(outcomes, part.message, part, ways, unrouted);
      placeDecoded(outcomes, routes, room);
      if (ordinary !== undefined) leaveOut(part.message, outcomes, routes, leftOut);
    }
    outcomes.fill(undefined);
  }
  const left = [...unready, ...records.slice(looked).map(({ kinesis }) => kinesis.sequenceNumber)];
  return { routes, leftOut, decoded, left };
}

/** Whether all is there that the record's format needs. A failure leaves it in the stream, and those of other keys go on. */
async function isReady(
  record: KinesisRecord,
  { decoding, onUnready }: Pick<StreamStages, 'decoding' | 'onUnready'>,
): Promise<boolean> {
  try {
    const waiting = readyToDecode(record, decoding);
    if (waiting !== undefined) await waiting;
    return true;
  } catch (error) {
    if (!isFailure(error)) throw error;
    onUnready?.(error);
    return false;
  }
}

/** Whether all routes take, or leave, the record by the short way. The others are left open. */
function goShort(ordinary: Framed, ways: readonly Way[], outcomes: (RouteOutcome | undefined)[]): boolean {
  let all = true;
  for (let index = 0; index < ways.length; index++) {
    const { short, isKnown, isWitness } = ways[index] as Way;
    const own = short?.(ordinary);
    if (own === undefined) all = false;
    outcomes[index] =
      own === undefined || own === LEFT_OUT || !isKnown(own.message)
        ? own
        : { message: own.message, again: isWitness?.(own.message) === true ? own : undefined };
  }
  return all;
}

function wayOutcome(part: DecodedPart, { isFor, isKnown, isWitness, ...stages }: Way): RouteOutcome {
  const { message } = part;
  if (isFor?.(message) === false) return { message, verdict: FILTERED };
  if (!isKnown(message)) return shapedAndFramed(part, stages);
  const again = isWitness?.(message) === true ? shapedAndFramed(part, stages) : undefined;
  return { message, again: again === undefined || 'verdict' in again ? undefined : again };
}

function shapedAndFramed(
  part: DecodedPart,
  { transform, frame }: Pick<Way, 'transform' | 'frame'>,
): Framed | Settled {
  const transformed = transform === undefined ? part : transform(part);
  return 'payload' in transformed ? frame(transformed) : transformed;
}

/** Its bytes lie in the memory that all routes share, unless a route has put its frame around them. */
function placeOrdinary(
  ordinary: Framed,
  outcomes: readonly (RouteOutcome | undefined)[],
  routes: readonly RoutePrepared[],
  room: Room,
): void {
  let isHeld = false;
  for (let index = 0; index < routes.length; index++) {
    const outcome = outcomes[index] as RouteOutcome;
    if (outcome === LEFT_OUT) continue;
    putInto(routes[index] as RoutePrepared, outcome);
    if (outcome !== ordinary && 'slab' in outcome) room.take(outcome.size);
    isHeld ||= !('again' in outcome);
  }
  if (isHeld) room.take(ordinary.size + overheadOf(ordinary.message));
}

function placeDecoded(
  outcomes: readonly (RouteOutcome | undefined)[],
  routes: readonly RoutePrepared[],
  room: Room,
): void {
  let held: Message | undefined;
  for (let index = 0; index < routes.length; index++) {
    const outcome = outcomes[index] as RouteOutcome;
    if (outcome === LEFT_OUT) continue;
    putInto(routes[index] as RoutePrepared, outcome);
    if ('again' in outcome) continue;
    const { message } = outcome;
    if (message !== held) room.take(message.bytes.length + overheadOf(message));
    held = message;
    if ('slab' in outcome) room.take(outcome.size);
  }
}

function leaveOut(
  message: Message,
  outcomes: readonly (RouteOutcome | undefined)[],
  routes: readonly RoutePrepared[],
  leftOut: LeftOut,
): void {
  let by = 0;
  for (let index = 0; index < routes.length; index++) {
    if (outcomes[index] !== LEFT_OUT) continue;
    by |= 1 << index;
    (routes[index] as RoutePrepared).leftOut++;
  }
  if (by === 0) return;
  leftOut.messages.push(message);
  leftOut.by.push(by);
}

function putInto(route: RoutePrepared, outcome: Exclude<RouteOutcome, typeof LEFT_OUT>): void {
  if ('slab' in outcome) route.framed.push(outcome);
  else if ('verdict' in outcome) route.settled.push(outcome);
  else {
    route.known++;
    route.settled.push({ message: outcome.message, verdict: DELIVERED });
    if (outcome.again !== undefined) route.witness = outcome.again;
  }
}

function overheadOf({ partitionKey }: Message): number {
  return MESSAGE_OVERHEAD + (partitionKey?.length ?? 0);
}
