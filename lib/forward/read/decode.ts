// From a Kinesis record to messages: base64, aggregation, compression, format.
import { type Filtered, type Reason, type Rejected, rejected, type Settled } from '../verdict.ts';
import type { Decoding } from './decoding.ts';
import type { KinesisRecord } from './event.ts';
import type { Expander } from './formats/expander.ts';
import { isAggregate, type SubRecord, subRecords } from './kpl.ts';
import type { Message } from './message.ts';
import { stillPacked, unpack } from './unpack.ts';

/** A message with its bytes, which are unpacked where the pipeline says so. */
export interface Decoded {
  readonly message: Message;
  readonly payload: Buffer;
  /** The operation of this message, where a field of the record names it: a key of `records.operations.values`. */
  readonly operation?: string;
  /** What `records.derive` takes from fields of the record, one for each of its entries. */
  readonly fields?: readonly (string | undefined)[];
}

/**
 * The most bytes that one record may unpack to, its sub-records and their messages together. No honest producer packs
 * a thousandfold.
 */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/**
 * The most messages that formats may take out of one record. Far more than a producer puts into one, and few enough
 * for the memory.
 */
export const MAX_PIECES = 100_000;
/**
 * The memory that Node holds for a record that could not be unpacked, until the next turn of the event loop. Measured
 * on 24.21.
 */
const FAILED_BYTES = 16 * 1024;

/** A message as it leaves the decoder. Filtered is what a format passes over. */
export type DecodedPart = Decoded | Settled<Rejected | Filtered>;

/**
 * The messages of one record, each decoded or rejected. They come one by one, so that the memory of one is freed
 * before the next is unpacked.
 * An empty aggregate gives none. An aggregate within an aggregate is not taken apart.
 */
export function decode(record: KinesisRecord, decoding: Decoding): Iterable<DecodedPart> {
  const packed = partsIn(record);
  if ('verdict' in packed) return [packed];
  if (packed.parts !== undefined) return decodeParts(record, packed.parts, decoding);
  const message = messageOf(record, packed.bytes);
  if (decoding.expander === undefined) return [decodedRecord(message, packed.bytes, decoding)];
  return expanded(message, decoding, decoding.expander, { messages: 0, bytes: 0 });
}

/** Fetches what the format needs to know of a record before it is decoded; `undefined` if there is nothing. */
export function readyToDecode(record: KinesisRecord, decoding: Decoding): Promise<void> | undefined {
  const { expander } = decoding;
  if (expander?.ready === undefined) return undefined;
  const packed = partsIn(record);
  if ('verdict' in packed) return undefined;
  const waits = (packed.parts ?? [packed]).flatMap(({ bytes }) => {
    const content = unpack(bytes, decoding.compression, MAX_RECORD_BYTES);
    const looked = 'kind' in content ? bytes : content;
    return expander.ready?.(looked) ?? [];
  });
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
}

/** The record's partition key and those of its sub-records: the order of each is kept. */
export function partitionKeysOf(record: KinesisRecord): readonly string[] {
  const packed = partsIn(record);
  const parts = 'verdict' in packed ? [] : (packed.parts ?? []);
  return [record.kinesis.partitionKey ?? [], parts.map(({ partitionKey }) => partitionKey)].flat();
}

/** The bytes of a record, and its sub-records if it is an aggregate. */
function partsIn(
  record: KinesisRecord,
): Settled<Rejected> | { readonly bytes: Buffer; readonly parts?: readonly SubRecord[] } {
  const { data } = record.kinesis;
  if (data === undefined || data === null || data === '') return reject(record, '', 'empty', 'no data');
  const bytes = fromBase64(data);
  if (bytes === undefined) {
    return reject(record, data, 'not-base64', "not base64; kept as the text of the event's data field");
  }
  if (!isAggregate(bytes)) return { bytes };
  const parts = subRecords(bytes);
  return typeof parts === 'string' ? reject(record, bytes, 'bad-aggregate', parts) : { bytes, parts };
}

/** What was taken out of a record so far: messages, which are its places as well, and their bytes. */
interface Taken {
  messages: number;
  bytes: number;
}

function* decodeParts(
  record: KinesisRecord,
  parts: readonly SubRecord[],
  decoding: Decoding,
): Generator<DecodedPart> {
  const taken: Taken = { messages: 0, bytes: 0 };
  for (const part of parts) {
    const own = { ...messageOf(record, part.bytes), partitionKey: part.partitionKey };
    if (decoding.expander !== undefined && taken.bytes <= MAX_RECORD_BYTES) {
      yield* expanded(own, decoding, decoding.expander, taken, true);
      continue;
    }
    const message = { ...own, subSequenceNumber: taken.messages++ };
    if (taken.bytes > MAX_RECORD_BYTES) {
      const text = `the record's messages unpack to more than ${MAX_RECORD_BYTES} bytes together`;
      yield { message, verdict: rejected('aggregate-too-large', text) };
      continue;
    }
    const result = decodedRecord(message, part.bytes, decoding);
    taken.bytes += 'payload' in result ? result.payload.length : FAILED_BYTES;
    yield result;
  }
}

/**
 * The messages that a format takes out of a record or sub-record. Their place is the running number in the record.
 * What cannot be taken apart is one reject with the packed bytes, and takes a place only among others.
 */
function* expanded(
  message: Message,
  { compression }: Decoding,
  expander: Expander,
  taken: Taken,
  isPart = false,
): Generator<DecodedPart> {
  const bytes = packedBytes(message);
  const content = unpack(bytes, compression, MAX_RECORD_BYTES);
  const bounds = {
    messages: Math.max(0, MAX_PIECES - taken.messages),
    bytes: Math.max(0, MAX_RECORD_BYTES - taken.bytes),
  };
  /** Two bytes tell zlib, and one protobuf message in sixty has them: `08 1d` is a number 29. */
  const asItIs = (packed: Buffer, damage: Rejected) => {
    if (expander.isBinary !== true || damage.reason !== 'not-zlib') return damage;
    const found = expander.expand(packed, bounds);
    return 'kind' in found ? damage : found;
  };
  /** Packed bytes would be torn to pieces at their line feeds, and no piece could ever be read again. */
  const read = (found: Buffer) =>
    (expander.isBinary === true ? undefined : stillPacked(found)) ?? expander.expand(found, bounds);
  const pieces = 'kind' in content ? asItIs(bytes, content) : read(content);
  if ('kind' in pieces) {
    taken.bytes += 'kind' in content ? FAILED_BYTES : content.length;
    const whole = isPart ? { ...message, subSequenceNumber: taken.messages++ } : message;
    yield { message: whole, verdict: pieces };
    return;
  }
  for (const piece of pieces) {
    const place = { ...message, subSequenceNumber: taken.messages++ };
    const own = Buffer.isBuffer(piece) ? piece : piece.bytes;
    taken.bytes += own.length;
    yield Buffer.isBuffer(piece)
      ? { message: { ...place, bytes: piece, piece: true }, payload: piece }
      : { message: { ...place, bytes: own }, verdict: piece.verdict };
  }
}

function packedBytes({ bytes }: Message): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decodedRecord(
  message: Message,
  bytes: Buffer,
  { compression }: Decoding,
): Decoded | Settled<Rejected> {
  const payload = unpack(bytes, compression);
  return 'kind' in payload ? { message, verdict: payload } : { message, payload };
}

/** Ordered by the six bits that each letter stands for. RFC 4648 §4. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A separate test, because it is immediate for strings with one byte a character. */
const WIDE = /[\u0100-\uffff]/;

/** The bytes in `text`, if it is canonical base64. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return isWholeBase64(text, bytes.length) ? bytes : undefined;
}

/**
 * Whether `text`, of which Node decoded so many bytes, is canonical base64 and nothing else. Node's decoder never
 * fails. It skips unknown characters, which makes the result shorter. It also accepts the URL-safe alphabet,
 * characters whose lower byte is a letter, and stray last bits.
 */
export function isWholeBase64(text: string, decoded: number): boolean {
  if (decoded !== wholeBase64Bytes(text)) return false;
  if (text.includes('-') || text.includes('_') || WIDE.test(text)) return false;
  const padding = paddingOf(text);
  if (padding === 0) return true;
  const last = LETTERS.indexOf(text.charAt(text.length - padding - 1));
  const stray = last & (padding === 1 ? 0b11 : 0b1111);
  return stray === 0;
}

/** How many bytes canonical base64 stands for. */
export function wholeBase64Bytes(text: string): number {
  return (text.length / 4) * 3 - paddingOf(text);
}

function paddingOf(text: string): number {
  return text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
}

/** The record as one message with these bytes. */
export function messageOf({ kinesis }: KinesisRecord, bytes: Uint8Array): Message {
  return {
    sequenceNumber: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey ?? undefined,
    arrivedAt: kinesis.approximateArrivalTimestamp ?? undefined,
    bytes,
  };
}

function reject(
  record: KinesisRecord,
  data: string | Buffer,
  reason: Reason,
  text: string,
): Settled<Rejected> {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  return { message: messageOf(record, bytes), verdict: rejected(reason, text) };
}
