// From a Kinesis record to messages: base64, aggregation, compression.
import type { PublishedPipeline } from '../../published.ts';
import { type Reason, type Rejected, rejected, type Settled } from '../verdict.ts';
import type { KinesisRecord } from './event.ts';
import { isAggregate, type SubRecord, subRecords } from './kpl.ts';
import type { Message } from './message.ts';
import { unpack } from './unpack.ts';

/** A message with its bytes, which are unpacked where the pipeline says so. */
export interface Decoded {
  readonly message: Message;
  readonly payload: Buffer;
  /** The operation of this message, where a field of the record names it: a key of `records.operations.values`. */
  readonly operation?: string;
}

/**
 * The most bytes that the sub-records of one record may unpack to together. No honest producer packs a thousandfold.
 */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/**
 * The memory that Node holds for a record that could not be unpacked, until the next turn of the event loop. Measured
 * on 24.21.
 */
const FAILED_BYTES = 16 * 1024;

/**
 * The messages of one record, each decoded or rejected. They come one by one, so that the memory of one is freed
 * before the next is unpacked.
 * An empty aggregate gives none. An aggregate within an aggregate is not taken apart.
 */
export function decode(
  record: KinesisRecord,
  compression: PublishedPipeline['compression'],
): Iterable<Decoded | Settled<Rejected>> {
  const { data } = record.kinesis;
  if (data === undefined || data === null || data === '') return [reject(record, '', 'empty', 'no data')];
  const bytes = fromBase64(data);
  if (bytes === undefined) {
    return [reject(record, data, 'not-base64', "not base64; kept as the text of the event's data field")];
  }
  if (!isAggregate(bytes)) return [decodedRecord(messageOf(record, bytes), bytes, compression)];
  const parts = subRecords(bytes);
  if (typeof parts === 'string') return [reject(record, bytes, 'bad-aggregate', parts)];
  return decodeParts(record, parts, compression);
}

function* decodeParts(
  record: KinesisRecord,
  parts: readonly SubRecord[],
  compression: PublishedPipeline['compression'],
): Generator<Decoded | Settled<Rejected>> {
  let unpacked = 0;
  for (const [subSequenceNumber, part] of parts.entries()) {
    const message = { ...messageOf(record, part.bytes), subSequenceNumber, partitionKey: part.partitionKey };
    if (unpacked > MAX_RECORD_BYTES) {
      const text = `the record's messages unpack to more than ${MAX_RECORD_BYTES} bytes together`;
      yield { message, verdict: rejected('aggregate-too-large', text) };
      continue;
    }
    const result = decodedRecord(message, part.bytes, compression);
    unpacked += 'payload' in result ? result.payload.length : FAILED_BYTES;
    yield result;
  }
}

function decodedRecord(
  message: Message,
  bytes: Buffer,
  compression: PublishedPipeline['compression'],
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
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (decoded !== (text.length / 4) * 3 - padding) return false;
  if (text.includes('-') || text.includes('_') || WIDE.test(text)) return false;
  if (padding === 0) return true;
  const last = LETTERS.indexOf(text.charAt(text.length - padding - 1));
  const stray = last & (padding === 1 ? 0b11 : 0b1111);
  return stray === 0;
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
