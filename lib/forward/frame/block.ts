// The shortest way: the ordinary records of a group become the body of one request, with no object for any of them.
import { isUtf8 } from 'node:buffer';
import { MAX_DEPTH } from '../json/check.ts';
import { textMemory } from '../json/json-check.ts';
import { isWholeBase64, wholeBase64Bytes } from '../read/decode.ts';
import type { KinesisRecord } from '../read/event.ts';
import { older } from '../read/message.ts';
import { CLOSING, MAX_REQUEST_BYTES, OPENING, REQUEST_OVERHEAD } from './body.ts';
import { RecordMessage } from './direct.ts';
import type { Frame, Framed } from './framed.ts';

/**
 * The messages of one request. Their objects are made when somebody asks for them.
 * It has no getters: V8 would keep each such object, and all records with it, until its next full collection.
 */
export interface Block {
  /** How many messages it has. */
  readonly length: number;
  /** The body of its request: a part of `memory`. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes that its messages add to a request. */
  readonly size: number;
  readonly memory: Buffer;
  /** Whether a message of it was asked for. */
  isOpened(): boolean;
  /** Its messages: the same objects each time. */
  messages(): readonly Framed[];
  /** The last of them. */
  last(): Framed;
  /** When the first of its messages arrived, in seconds since the epoch, as far as Kinesis said it. */
  readonly oldestArrival: number | undefined;
}

/**
 * Makes one request of all the records.
 * @param memory for the body: at least `MAX_REQUEST_BYTES`
 * @returns `undefined` if anything about one of them is unusual, or if they do not fit into one request. Then a longer
 * way knows why, and the memory was not touched
 */
export type WriteBlock = (
  records: readonly KinesisRecord[],
  memory: () => Buffer,
  mostMessages: number,
) => Block | undefined;

const COMMA = 0x2c;
/** Records that are decoded before they are checked: their bytes are still in the processor's cache then. */
const CHECKED_TOGETHER = 64;

export function createBlockWriter({ before, after }: Frame): WriteBlock {
  const between = after.length + 1 + before.length;

  return (records, memory, mostMessages) => {
    const { bytes, start, ends, checkEach } = textMemory();
    if (records.length > Math.min(mostMessages, ends.length) || !haveRoom(records, between)) return undefined;
    bytes.set(OPENING, start);
    const first = start + OPENING.length + before.length;
    let [at, checked] = [start + OPENING.length, 0];
    let oldest: number | undefined;
    for (let index = 0; index < records.length; index++) {
      const { kinesis } = records[index] as KinesisRecord;
      const data = kinesis.data as string;
      oldest = older(oldest, kinesis.approximateArrivalTimestamp);
      at = put(bytes, at, before);
      const written = bytes.write(data, at, 'base64');
      if (!isWholeBase64(data, written)) return undefined;
      ends[index] = at + written;
      at = put(bytes, at + written, after);
      bytes[at++] = COMMA;
      const upTo = index + 1;
      if (upTo < records.length && upTo - checked < CHECKED_TOGETHER) continue;
      if (checkEach(first, checked, upTo, between, MAX_DEPTH) < upTo) return undefined;
      checked = upTo;
    }
    // Between messages there is ASCII, so bad UTF-8 in one cannot merge with its neighbour.
    if (!isUtf8(bytes.subarray(start, at))) return undefined;
    // In the place of the last comma.
    const end = put(bytes, at - 1, CLOSING);
    const own = memory();
    const length = bytes.copy(own, 0, start, end);
    return blockOf(records, own, length, { around: before.length + after.length, oldest });
  };
}

/** Whether one request takes them, framed, by the length of their base64. */
function haveRoom(records: readonly KinesisRecord[], between: number): boolean {
  let size = REQUEST_OVERHEAD + records.length * between;
  for (let index = 0; index < records.length; index++) {
    const { data } = (records[index] as KinesisRecord).kinesis;
    if (typeof data !== 'string') return false;
    size += data.length * 0.75;
  }
  return records.length > 0 && size <= MAX_REQUEST_BYTES;
}

export function put(to: Buffer, at: number, bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) to[at + index] = bytes[index] as number;
  return at + bytes.length;
}

/** What is told of a block by whoever wrote it. */
interface BlockFacts {
  /** Bytes of the frame of each message. */
  readonly around: number;
  /** Its `oldestArrival`, found while the records are in the processor's cache. */
  readonly oldest: number | undefined;
}

export function blockOf(
  records: readonly KinesisRecord[],
  memory: Buffer,
  bytes: number,
  { around, oldest }: BlockFacts,
): Block {
  const body = memory.subarray(0, bytes) as Buffer<ArrayBuffer>;
  let [all, lastOne] = [undefined as readonly Framed[] | undefined, undefined as Framed | undefined];
  const framed = (index: number, end: number): Framed => {
    const { kinesis } = records[index] as KinesisRecord;
    const data = kinesis.data as string;
    const start = end - around - wholeBase64Bytes(data);
    return { message: new RecordMessage(kinesis, data), slab: memory, start, end, size: end - start + 1 };
  };
  const last = () => {
    lastOne ??= framed(records.length - 1, bytes - CLOSING.length);
    return lastOne;
  };
  const made = (): readonly Framed[] => {
    const others: Framed[] = [];
    let end = OPENING.length - 1;
    for (let index = 0; index < records.length - 1; index++) {
      end += 1 + around + wholeBase64Bytes((records[index] as KinesisRecord).kinesis.data as string);
      others.push(framed(index, end));
    }
    return [...others, last()];
  };
  return {
    length: records.length,
    body,
    size: bytes - REQUEST_OVERHEAD + 1,
    memory,
    isOpened: () => lastOne !== undefined,
    messages() {
      all ??= made();
      return all;
    },
    last,
    oldestArrival: oldest,
  };
}
