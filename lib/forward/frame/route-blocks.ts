// The shortest way of a stream of several routes: each ordinary record goes into the requests of all routes that take it.
import { isUtf8 } from 'node:buffer';
import { MAX_DEPTH } from '../json/check.ts';
import { type TextMemory, textMemory } from '../json/json-check.ts';
import { isWholeBase64 } from '../read/decode.ts';
import type { KinesisRecord } from '../read/event.ts';
import { type Message, older } from '../read/message.ts';
import { type Block, blockOf, put } from './block.ts';
import { CLOSING, MAX_REQUEST_BYTES, OPENING } from './body.ts';
import type { Frame } from './framed.ts';
import type { LeftOut } from './prepare.ts';
import type { Takers } from './takers.ts';

/** A route that does nothing with a record but choose it, and put its frame around it. */
export interface BlockRoute {
  readonly frame: Frame;
  readonly mostMessages: number;
}

/** What became of a group. */
export interface Shared {
  /** The routes that leave each record out. A record that none takes is left out by all but the first. */
  readonly leftOut: LeftOut<Pick<Message, 'sequenceNumber'>>;
  /** Those that no route takes. */
  readonly unrouted: readonly KinesisRecord[];
  /** How many of the records each route's own conditions leave out. Not what is missing in its request: that would hide a loss. */
  readonly left: readonly number[];
  /** What the messages add to the requests. */
  readonly bytes: number;
}

export interface RouteBlocks {
  /**
   * Adds the records to the requests that are being filled.
   * @returns `undefined` if anything about one of them is unusual, or if they do not fit. Then none was added, and a
   * longer way knows why
   */
  add(records: readonly KinesisRecord[]): Shared | undefined;
  /**
   * The request of the route, if it has at least so many bytes, or no room for another group like the last one. Its next
   * messages go into another.
   */
  take(route: number, leastBytes: number): Block | undefined;
  /** Memory in which no message is. */
  unused(): Buffer[];
}

/** A request that is being filled. */
interface Filling {
  readonly memory: Buffer;
  readonly records: KinesisRecord[];
  /** When the first of them arrived. */
  oldest: number | undefined;
  /** Where the next message begins: behind a comma, or behind the opening. */
  at: number;
  /** How far it was filled before the last group. */
  before: FilledTo;
}

const COMMA = 0x2c;

/**
 * @param takers tells for all of the routes which of them take a record, by its bytes
 * @param memory for a request: at least `MAX_REQUEST_BYTES`
 * @param keepsUnrouted whether a record that no route takes is unusual
 */
export function createRouteBlocks(
  routes: readonly BlockRoute[],
  takers: Takers,
  memory: () => Buffer,
  keepsUnrouted: boolean,
): RouteBlocks {
  const filling: (Filling | undefined)[] = routes.map(() => undefined);
  const everyone = 2 ** routes.length - 1;

  const fillingOf = (route: number): Filling => {
    const own = filling[route] ?? started(memory());
    filling[route] = own;
    return own;
  };
  const addTo = (route: number, record: KinesisRecord, text: TextMemory, length: number): boolean => {
    const { frame, mostMessages } = routes[route] as BlockRoute;
    const own = fillingOf(route);
    const end = own.at + frame.before.length + length + frame.after.length;
    if (end + CLOSING.length > MAX_REQUEST_BYTES || own.records.length === mostMessages) return false;
    const from = put(own.memory, own.at, frame.before);
    text.bytes.copy(own.memory, from, text.start, text.start + length);
    put(own.memory, from + length, frame.after);
    own.memory[end] = COMMA;
    own.at = end + 1;
    own.records.push(record);
    own.oldest = older(own.oldest, record.kinesis.approximateArrivalTimestamp);
    return true;
  };
  /** The routes that take the record; `undefined` if it is unusual, or does not fit. */
  const addOne = (record: KinesisRecord, text: TextMemory, left: number[]): number | undefined => {
    const { data } = record.kinesis;
    if (typeof data !== 'string' || data.length * 0.75 > MAX_REQUEST_BYTES) return undefined;
    const length = text.bytes.write(data, text.start, 'base64');
    if (!isWholeBase64(data, length) || text.checkFirst(length, MAX_DEPTH) !== 'object') return undefined;
    const taking = takers.of(text.bytes, text.start);
    if (taking === 0 && (keepsUnrouted || !isUtf8(text.bytes.subarray(text.start, text.start + length))))
      return undefined;
    for (let route = 0; taking !== undefined && route < routes.length; route++)
      if ((taking & (1 << route)) === 0) left[route] = (left[route] ?? 0) + 1;
      else if (!addTo(route, record, text, length)) return undefined;
    return taking;
  };
  const addAll = (records: readonly KinesisRecord[], before: readonly FilledTo[]): Shared | undefined => {
    const text = textMemory();
    const leftOut: Shared['leftOut'] = { messages: [], by: [] };
    const unrouted: KinesisRecord[] = [];
    const left = routes.map(() => 0);
    for (let index = 0; index < records.length; index++) {
      const record = records[index] as KinesisRecord;
      const taking = addOne(record, text, left);
      if (taking === undefined) return undefined;
      if (taking === 0) unrouted.push(record);
      // The first route counts what none takes.
      leftOut.messages.push(record.kinesis);
      leftOut.by.push(everyone & ~(taking === 0 ? 1 : taking));
    }
    // Between messages there is ASCII, so bad UTF-8 in one cannot merge with its neighbour.
    let bytes = 0;
    for (const [route, own] of filling.entries()) {
      const { at } = before[route] ?? EMPTY;
      if (own === undefined) continue;
      if (!isUtf8(own.memory.subarray(at, own.at))) return undefined;
      bytes += own.at - at;
    }
    return { leftOut, unrouted, left, bytes };
  };

  return {
    add(records) {
      const before = filling.map(filledTo);
      const added = addAll(records, before);
      for (const [route, to] of before.entries()) {
        const own = filling[route];
        if (own === undefined) continue;
        if (added === undefined) goBack(own, to);
        else own.before = to;
      }
      return added;
    },
    take(route, leastBytes) {
      const own = filling[route];
      const { frame, mostMessages } = routes[route] as BlockRoute;
      if (own === undefined || own.records.length === 0) return undefined;
      if (own.at - OPENING.length < leastBytes && fitsAgain(own, mostMessages)) return undefined;
      filling[route] = undefined;
      const { before, after } = frame;
      // In the place of the last comma.
      const end = put(own.memory, own.at - 1, CLOSING);
      const { records, memory, oldest } = own;
      return blockOf(records, memory, end, { around: before.length + after.length, oldest });
    },
    unused: () => filling.flatMap((own) => (own?.records.length === 0 ? own.memory : [])),
  };
}

/** Whether another group like the last one would fit. */
function fitsAgain({ at, records, before }: Filling, mostMessages: number): boolean {
  const fits = 2 * at - before.at + CLOSING.length <= MAX_REQUEST_BYTES;
  return fits && 2 * records.length - before.count <= mostMessages;
}

function started(memory: Buffer): Filling {
  return { memory, records: [], at: put(memory, 0, OPENING), oldest: undefined, before: EMPTY };
}

/** How far a request was filled. */
interface FilledTo {
  readonly at: number;
  readonly count: number;
  readonly oldest: number | undefined;
}

const EMPTY: FilledTo = { at: OPENING.length, count: 0, oldest: undefined };

function filledTo(own: Filling | undefined): FilledTo {
  return own === undefined ? EMPTY : { at: own.at, count: own.records.length, oldest: own.oldest };
}

function goBack(own: Filling, { at, count, oldest }: FilledTo): void {
  own.at = at;
  own.oldest = oldest;
  own.records.length = count;
}
