// The Kinesis Producer Library's aggregated records, taken apart with explicit bounds.
// Format: magic, protobuf `AggregatedRecord`, MD5 of it. awslabs/amazon-kinesis-producer, aggregation-format.md.
import { createHash } from 'node:crypto';

const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);
const MD5_BYTES = 16;
/** Far beyond what a producer puts into one record, and small enough for the memory. */
const MAX_SUB_RECORDS = 100_000;
/** Kinesis takes 256 characters, of 4 bytes at most. Each message keeps its key. */
const MAX_KEY_BYTES = 1_024;

export interface SubRecord {
  readonly partitionKey: string;
  readonly bytes: Buffer;
}

class BadAggregate extends Error {}

/** Whether `bytes` are an aggregate: the magic must be there, and the checksum must be right. */
export function isAggregate(bytes: Buffer): boolean {
  // The first byte is compared first, because most records are no aggregates and `compare` leaves JavaScript.
  if (bytes[0] !== MAGIC[0] || bytes.length < MAGIC.length + MD5_BYTES) return false;
  if (bytes.compare(MAGIC, 0, 4, 0, 4) !== 0) return false;
  const sum = createHash('md5').update(bytes.subarray(MAGIC.length, -MD5_BYTES)).digest();
  return sum.equals(bytes.subarray(-MD5_BYTES));
}

/** The sub-records of an aggregate, in order; a sentence if it is damaged. It gives all of them or none. */
export function subRecords(aggregate: Buffer): SubRecord[] | string {
  try {
    return readAggregate(aggregate.subarray(MAGIC.length, -MD5_BYTES));
  } catch (error) {
    if (error instanceof BadAggregate) return error.message;
    throw error;
  }
}

function readAggregate(body: Buffer): SubRecord[] {
  const keys: string[] = [];
  const records: Buffer[] = [];
  eachField(body, (field, value) => {
    if (field === 1) keys.push(partitionKeyIn(chunk(value)));
    if (field === 3) records.push(chunk(value));
    if (keys.length > MAX_SUB_RECORDS || records.length > MAX_SUB_RECORDS) {
      throw new BadAggregate(`more than ${MAX_SUB_RECORDS} sub-records`);
    }
  });
  return records.map((record) => readRecord(record, keys));
}

function partitionKeyIn(bytes: Buffer): string {
  if (bytes.length > MAX_KEY_BYTES) throw new BadAggregate('a partition key is too long');
  return bytes.toString('utf8');
}

function readRecord(record: Buffer, keys: readonly string[]): SubRecord {
  let keyIndex: number | undefined;
  let bytes: Buffer | undefined;
  eachField(record, (field, value) => {
    if (field === 1) keyIndex = number(value);
    if (field === 3) bytes = chunk(value);
  });
  const partitionKey = keyIndex === undefined ? undefined : keys[keyIndex];
  if (partitionKey === undefined) throw new BadAggregate('a partition key index is out of range');
  if (bytes === undefined) throw new BadAggregate('a sub-record has no data');
  return { partitionKey, bytes };
}

/** Calls `visit` for each field of a protobuf message. Fixed-width fields are skipped: the format has none. */
function eachField(bytes: Buffer, visit: (field: number, value: number | Buffer) => void): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      // Lengths and indices are far smaller. A double would silently round a number above 2^53.
      if (byte === undefined || scale > 2 ** 42) throw new BadAggregate('a number is cut or too large');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (length > bytes.length - at) throw new BadAggregate('a length goes beyond the end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag % 8;
    if (wireType === 0) visit(Math.floor(tag / 8), varint());
    else if (wireType === 2) visit(Math.floor(tag / 8), take(varint()));
    else if (wireType === 1) take(8);
    else if (wireType === 5) take(4);
    else throw new BadAggregate('an unknown wire type');
  }
}

function chunk(value: number | Buffer): Buffer {
  if (typeof value === 'number') throw new BadAggregate('a number stands where bytes belong');
  return value;
}

function number(value: number | Buffer): number {
  if (typeof value !== 'number') throw new BadAggregate('bytes stand where a number belongs');
  return value;
}
