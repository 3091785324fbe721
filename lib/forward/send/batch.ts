// Splits records into groups, messages into lanes, and each lane into requests that the inlet takes. Pure.
import type { Block } from '../frame/block.ts';
import { MAX_REQUEST_BYTES, REQUEST_OVERHEAD } from '../frame/body.ts';
import type { Framed } from '../frame/framed.ts';
import type { KinesisRecord } from '../read/event.ts';

/** The messages of one request, in order. */
export type MessageBatch = readonly Framed[];
/** The same, or a block of them. */
export type SentBatch = MessageBatch | Block;
/** Requests that are sent one after the other. */
export type Lane = readonly SentBatch[];

export function isBlock(batch: SentBatch): batch is Block {
  return 'body' in batch;
}

export function framedIn(batch: SentBatch): MessageBatch {
  return isBlock(batch) ? batch.messages() : batch;
}

/** More requests at once would gain little: an event has 6 MB, which is five or six requests. */
export const MAX_LANES = 8;
/**
 * With one lane for so many bytes, a whole event takes one round trip. The first request leaves while the rest is
 * prepared.
 */
export const LANE_BYTES = 600_000;

/**
 * The answer has an entry for each message, with text of any length. With 4 KB each, an answer for this many can
 * still be read.
 */
export const MAX_MESSAGES = 2_000;

/** Keys do not spread evenly: so much of a request's messages is aimed at, so that a group fits into one. */
const GROUP_SHARE = 0.8;

/** The beginning of a KPL aggregate in base64: its magic, as far as it fills whole characters. */
const AGGREGATE = '84maw';

/**
 * Groups of records that are prepared one after the other and sent side by side. All records of a partition key are
 * in one group, in the order given. Those without a key are in any. There is one group where a record can hold
 * messages of other keys, or more than it seems.
 * @param isPlain whether each record is one message of its own size, unless it is an aggregate
 * @param frameBytes of the frame around each message
 */
export function recordGroups(
  records: readonly KinesisRecord[],
  isPlain: boolean,
  frameBytes = 0,
): (readonly KinesisRecord[])[] {
  if (!isPlain) return [records];
  const numbers = new Uint32Array(records.length);
  let characters = 0;
  for (let at = 0; at < records.length; at++) {
    const { data, partitionKey } = (records[at] as KinesisRecord).kinesis;
    if (data?.startsWith(AGGREGATE)) return [records];
    characters += data?.length ?? 0;
    numbers[at] = keyNumberOf(partitionKey ?? undefined, at);
  }
  const share = records.length > MAX_MESSAGES ? GROUP_SHARE : 1;
  const groups = lanesOf(characters * 0.75 + frameBytes * records.length, records.length / share);
  if (groups <= 1) return [records];
  const sorted: KinesisRecord[][] = Array.from({ length: groups }, () => []);
  for (let at = 0; at < records.length; at++)
    sorted[(numbers[at] as number) % groups]?.push(records[at] as KinesisRecord);
  return sorted.filter((group) => group.length > 0);
}

export interface BatchOptions {
  /** Bytes of a request, its overhead included. */
  readonly maxBytes?: number;
  readonly maxMessages?: number;
  /** By default as many as the size needs. */
  readonly lanes?: number;
  /** Whether a partition key's messages keep their order even if some have to be sent again. */
  readonly strict?: boolean;
}

/**
 * Splits messages into so many lanes: by default as many as the size needs, at most `MAX_LANES`. A partition key's
 * messages are all in one lane and in the order given. So lanes run side by side, and each key keeps its order.
 * Messages without a key have no order.
 */
export function batch(messages: readonly Framed[], options: BatchOptions = {}): (readonly MessageBatch[])[] {
  const { maxBytes = MAX_REQUEST_BYTES, lanes = lanesFor(messages, maxBytes), strict = false } = options;
  const most = { bytes: maxBytes - REQUEST_OVERHEAD, messages: options.maxMessages ?? MAX_MESSAGES };
  const fill = strict ? fillStrictly : fillInOrder;
  if (lanes <= 1) return messages.length === 0 ? [] : [fill(messages, most)];
  const sorted: Framed[][] = Array.from({ length: lanes }, () => []);
  for (const [at, framed] of messages.entries())
    sorted[laneOf(framed.message.partitionKey, lanes, at)]?.push(framed);
  return sorted.filter((lane) => lane.length > 0).map((lane) => fill(lane, most));
}

/** What one request takes. */
interface Most {
  readonly bytes: number;
  readonly messages: number;
}

function lanesFor(messages: readonly Framed[], maxBytes: number): number {
  const size = messages.reduce((sum, framed) => sum + framed.size, 0);
  return lanesOf(size, messages.length, Math.min(LANE_BYTES, maxBytes - REQUEST_OVERHEAD));
}

function lanesOf(bytes: number, messages: number, laneBytes = LANE_BYTES): number {
  return Math.min(MAX_LANES, Math.max(Math.ceil(bytes / laneBytes), Math.ceil(messages / MAX_MESSAGES)));
}

/** A message that alone is larger gets a request of its own; `frame` rejects any that is too large. */
function fillInOrder(messages: readonly Framed[], most: Most): Framed[][] {
  const batches: Framed[][] = [];
  let current: Framed[] = [];
  let size = 0;
  for (const framed of messages) {
    if (current.length === most.messages || (size + framed.size > most.bytes && current.length > 0)) {
      batches.push(current);
      current = [];
      size = 0;
    }
    current.push(framed);
    size += framed.size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/**
 * A request never has a partition key twice. One of its messages may have to be sent again, and the next must not be
 * taken before it.
 * A message goes into the first request with room behind that of its key's last message. One without a key goes into
 * the first with room.
 */
function fillStrictly(messages: readonly Framed[], most: Most): Framed[][] {
  const batches: { messages: Framed[]; size: number }[] = [];
  const next = new Map<string | undefined, number>();
  for (const framed of messages) {
    const { partitionKey } = framed.message;
    let at = next.get(partitionKey) ?? 0;
    for (let open = batches[at]; open !== undefined && !hasRoom(open, framed, most); open = batches[at]) at++;
    next.set(partitionKey, partitionKey === undefined ? at : at + 1);
    const open = batches[at];
    if (open === undefined) batches.push({ messages: [framed], size: framed.size });
    else {
      open.messages.push(framed);
      open.size += framed.size;
    }
  }
  return batches.map((batch) => batch.messages);
}

function hasRoom(batch: { messages: Framed[]; size: number }, { size }: Framed, most: Most): boolean {
  return batch.messages.length < most.messages && batch.size + size <= most.bytes;
}

/** @param at index of the message: messages without a key take turns */
export function laneOf(partitionKey: string | undefined, lanes: number, at: number): number {
  return keyNumberOf(partitionKey, at) % lanes;
}

/** FNV-1a: cheap, and spreads keys that differ in their last character. */
function keyNumberOf(partitionKey: string | undefined, at: number): number {
  if (partitionKey === undefined) return at;
  let hash = 0x811c9dc5;
  for (let index = 0; index < partitionKey.length; index++) {
    hash = Math.imul(hash ^ partitionKey.charCodeAt(index), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}
