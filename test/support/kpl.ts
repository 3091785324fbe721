// Makes aggregated records the way the Kinesis Producer Library does; written from the format's description alone.
import { createHash } from 'node:crypto';

export interface SubRecordInput {
  readonly key: string;
  readonly data: Uint8Array;
}

export const MAGIC = Buffer.from('f3899ac2', 'hex');

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A length-delimited field. */
export function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function number(fieldNumber: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(fieldNumber << 3), varint(value)]);
}

/** Magic, body, checksum. */
export function sealed(body: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, body, createHash('md5').update(body).digest()]);
}

export function aggregate(records: readonly SubRecordInput[]): Buffer {
  const keys = [...new Set(records.map(({ key }) => key))];
  const body = [
    ...keys.map((key) => field(1, Buffer.from(key))),
    ...records.map(({ key, data }) =>
      field(3, Buffer.concat([number(1, keys.indexOf(key)), field(3, data)])),
    ),
  ];
  return sealed(Buffer.concat(body));
}
