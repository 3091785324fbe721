// From a Kinesis record to messages: base64, aggregation, compression.
import type { PublishedPipeline } from '../published.ts';
import type { KinesisRecord } from './event.ts';
import { gunzip, looksLikeGzip } from './gzip.ts';
import { isAggregate, subRecords } from './kpl.ts';
import type { Message } from './message.ts';
import { type Reason, type Rejected, rejected, type Settled } from './verdict.ts';

/** A message and what it holds: its bytes, unpacked where the pipeline says so. */
export interface Decoded {
  readonly message: Message;
  readonly payload: Buffer;
}

/**
 * The messages of one record, each decoded or rejected. None for an aggregate of nothing. An aggregate within an
 * aggregate is not taken apart.
 */
export function decode(
  record: KinesisRecord,
  compression: PublishedPipeline['compression'],
): (Decoded | Settled<Rejected>)[] {
  const { data } = record.kinesis;
  if (data === undefined || data === null || data === '') return [reject(record, '', 'empty', 'no data')];
  const bytes = fromBase64(data);
  if (bytes === undefined) {
    return [reject(record, data, 'not-base64', "not base64; kept as the text of the event's data field")];
  }
  if (!isAggregate(bytes)) return [unpack(messageOf(record, bytes), bytes, compression)];
  const parts = subRecords(bytes);
  if (typeof parts === 'string') return [reject(record, bytes, 'bad-aggregate', parts)];
  return parts.map((part, subSequenceNumber) =>
    unpack(
      { ...messageOf(record, part.bytes), subSequenceNumber, partitionKey: part.partitionKey },
      part.bytes,
      compression,
    ),
  );
}

function unpack(
  message: Message,
  bytes: Buffer,
  compression: PublishedPipeline['compression'],
): Decoded | Settled<Rejected> {
  if (compression !== 'gzip' || !looksLikeGzip(bytes)) return { message, payload: bytes };
  const payload = gunzip(bytes);
  return Buffer.isBuffer(payload) ? { message, payload } : { message, verdict: payload };
}

/**
 * The bytes in `text`, where it is canonical base64. Node's decoder never fails: it passes over what it does not know,
 * which makes the result shorter, and takes the URL-safe alphabet and stray last bits, which are looked for here.
 */
export function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || text.includes('-') || text.includes('_')) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== (text.length / 4) * 3 - padding) return undefined;
  const tail = bytes.length % 3;
  const canonical = tail === 0 || text.endsWith(bytes.toString('base64', bytes.length - tail));
  return canonical ? bytes : undefined;
}

function messageOf({ kinesis }: KinesisRecord, bytes: Uint8Array): Message {
  return {
    sequenceNumber: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivedAt: kinesis.approximateArrivalTimestamp,
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
