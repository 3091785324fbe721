// Writes one Avro datum as JSON, straight from its bytes. Neither avsc nor Apache's library bounds what a few bytes may
// become: an array of nulls needs none for its items (AVRO-4301). Here each item costs its text.
import { isUtf8 } from 'node:buffer';
import type { AvroLogical, AvroNode } from '../../../schemas/avro.ts';
import { dateOf, durationOf, instantOf, timeOf } from './moments.ts';

/** How the branch of a union is written: as it is, or `{"name": value}` as in Avro's own JSON. */
export type Unions = 'plain' | 'tagged';

/** What may be written of one datum. */
export interface AvroBounds {
  /** Units of the JSON text. */
  readonly most: number;
  readonly depth: number;
}

/** A number of so many bytes: three times what the precision of a schema allows. */
const MAX_DECIMAL_BYTES = 1_250;

/** Why a datum cannot be written. */
export class AvroProblem extends Error {
  readonly kind: 'not-avro' | 'too-large' | 'too-deep' | 'too-many-messages' | 'aggregate-too-large';
  constructor(kind: AvroProblem['kind'], text: string) {
    super(text);
    this.kind = kind;
  }
}

const bad = (text: string) => new AvroProblem('not-avro', text);

/** Where in the bytes the next value begins, and what was written so far. */
interface Walk extends AvroBounds {
  readonly bytes: Buffer;
  readonly unions: Unions;
  at: number;
  text: string;
}

/**
 * The datum that begins at `at`, as JSON, and where it ends.
 * @throws AvroProblem
 */
export function avroJson(
  bytes: Buffer,
  node: AvroNode,
  bounds: AvroBounds,
  unions: Unions = 'plain',
  at = 0,
): { json: string; end: number } {
  const walk: Walk = { ...bounds, bytes, unions, at, text: '' };
  writeValue(walk, node, 0);
  if (walk.text.length > walk.most) throw tooLong(walk);
  return { json: walk.text, end: walk.at };
}

function tooLong({ most }: Walk): AvroProblem {
  return new AvroProblem('too-large', `as JSON it has more than ${most} characters`);
}

function writeValue(walk: Walk, node: AvroNode, depth: number): void {
  if (walk.text.length > walk.most) throw tooLong(walk);
  if (node.logical !== undefined) {
    writeLogical(walk, node, node.logical);
    return;
  }
  switch (node.kind) {
    case 'null':
      walk.text += 'null';
      return;
    case 'boolean':
      walk.text += boolean(walk) ? 'true' : 'false';
      return;
    case 'int':
      walk.text += int(walk);
      return;
    case 'long':
      walk.text += long(walk);
      return;
    case 'float':
      walk.text += numberText(shortest(takeBytes(walk, 4).readFloatLE()));
      return;
    case 'double':
      walk.text += numberText(takeBytes(walk, 8).readDoubleLE());
      return;
    case 'bytes':
      walk.text += `"${takeBytes(walk, length(walk)).toString('base64')}"`;
      return;
    case 'fixed':
      walk.text += `"${takeBytes(walk, node.size).toString('base64')}"`;
      return;
    case 'string':
      walk.text += JSON.stringify(readString(walk));
      return;
    case 'enum':
      walk.text += at(node.symbols, int(walk), 'a symbol');
      return;
    default:
      if (depth >= walk.depth)
        throw new AvroProblem('too-deep', `it is nested deeper than ${walk.depth} levels`);
      writeNested(walk, node, depth + 1);
  }
}

function writeNested(
  walk: Walk,
  node: Extract<AvroNode, { kind: 'record' | 'array' | 'map' | 'union' }>,
  depth: number,
): void {
  if (node.kind === 'union') {
    const index = int(walk);
    const branch = at(node.branches, index, 'a branch of a union');
    const tagged = walk.unions === 'tagged' && branch.kind !== 'null';
    if (tagged) walk.text += `{${node.names[index]}:`;
    writeValue(walk, branch, depth);
    if (tagged) walk.text += '}';
    return;
  }
  if (node.kind === 'record') {
    let before = '{';
    for (const { name, node: field } of node.fields) {
      walk.text += `${before}${name}:`;
      writeValue(walk, field, depth);
      before = ',';
    }
    walk.text += before === '{' ? '{}' : '}';
    return;
  }
  const isMap = node.kind === 'map';
  const item = isMap ? node.values : node.items;
  walk.text += isMap ? '{' : '[';
  let before = '';
  for (let left = block(walk); left > 0n; left = block(walk)) {
    for (; left > 0n; left--) {
      walk.text += before;
      if (isMap) walk.text += `${JSON.stringify(readString(walk))}:`;
      writeValue(walk, item, depth);
      before = ',';
    }
  }
  walk.text += isMap ? '}' : ']';
}

/** How many items a block has. A negative count is followed by the size of the block in bytes. */
function block(walk: Walk): bigint {
  const count = long(walk);
  if (count >= 0n) return count;
  if (long(walk) < 0n) throw bad('a block of a negative size');
  return -count;
}

function at<T>(all: readonly T[], index: number, what: string): T {
  const one = all[index];
  if (one === undefined) throw bad(`it names ${what} that the schema does not have`);
  return one;
}

function takeBytes(walk: Walk, size: number): Buffer {
  const end = walk.at + size;
  if (end > walk.bytes.length) throw bad('it ends within a value');
  const taken = walk.bytes.subarray(walk.at, end);
  walk.at = end;
  return taken;
}

function boolean(walk: Walk): boolean {
  const byte = takeBytes(walk, 1)[0];
  if (byte !== 0 && byte !== 1) throw bad('a boolean that is neither 0 nor 1');
  return byte === 1;
}

function length(walk: Walk): number {
  const size = long(walk);
  if (size < 0n || size > BigInt(walk.bytes.length)) throw bad('a length that is not there');
  return Number(size);
}

function readString(walk: Walk): string {
  const bytes = takeBytes(walk, length(walk));
  if (!isUtf8(bytes)) throw bad('a string that is not UTF-8');
  return bytes.toString('utf8');
}

function int(walk: Walk): number {
  const value = long(walk);
  if (value < -0x80000000n || value > 0x7fffffffn) throw bad('an int of more than 32 bits');
  return Number(value);
}

/** Zigzag, seven bits a byte, the lowest first. Avro specification, "Binary Encoding". */
function long(walk: Walk): bigint {
  let raw = 0;
  // What fits 28 bits needs no BigInt on its way.
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = next(walk);
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt((raw >>> 1) ^ -(raw & 1));
  }
  let wide = BigInt(raw);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = next(walk);
    wide |= BigInt(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (wide >> 64n !== 0n) break;
    return (wide >> 1n) ^ -(wide & 1n);
  }
  throw bad('a number of more than 64 bits');
}

function next(walk: Walk): number {
  const byte = walk.bytes[walk.at++];
  if (byte === undefined) throw bad('it ends within a value');
  return byte;
}

/** JSON has no text for what is no number. Avro's own JSON, and protobuf's, have these. */
export function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** The number with the fewest digits that is this float: 0.1, and not 0.10000000149011612. */
export function shortest(float: number): number {
  // Neither digits nor a comparison tell a zero from its negative.
  if (float === 0) return float;
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(float.toPrecision(digits));
    if (Math.fround(candidate) === float) return candidate;
  }
  return Number.isFinite(float) ? Number(float.toPrecision(9)) : float;
}

function writeLogical(walk: Walk, node: AvroNode, logical: AvroLogical): void {
  if (logical.name === 'decimal') {
    walk.text += decimal(payload(walk, node), logical.scale);
    return;
  }
  const text = momentText(walk, node, logical.name);
  if (text === undefined) throw bad(`a ${logical.name} outside the years 1 to 9999`);
  walk.text += JSON.stringify(text);
}

function momentText(walk: Walk, node: AvroNode, name: Exclude<AvroLogical['name'], 'decimal'>) {
  switch (name) {
    case 'uuid':
      return node.kind === 'string' ? readString(walk) : uuidOf(payload(walk, node));
    case 'duration':
      return durationOf(payload(walk, node));
    case 'date':
      return dateOf(long(walk));
    case 'time-millis':
      return timeOf(long(walk), 3) ?? badTime();
    case 'time-micros':
      return timeOf(long(walk), 6) ?? badTime();
    case 'timestamp-millis':
      return instantOf(long(walk), 3, 'Z');
    case 'timestamp-micros':
      return instantOf(long(walk), 6, 'Z');
    case 'timestamp-nanos':
      return instantOf(long(walk), 9, 'Z');
    case 'local-timestamp-millis':
      return instantOf(long(walk), 3, '');
    case 'local-timestamp-micros':
      return instantOf(long(walk), 6, '');
    case 'local-timestamp-nanos':
      return instantOf(long(walk), 9, '');
  }
}

function badTime(): never {
  throw bad('a time outside the day');
}

function payload(walk: Walk, node: AvroNode): Buffer {
  return takeBytes(walk, node.kind === 'fixed' ? node.size : length(walk));
}

export function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Two's complement, the highest byte first, as a JSON number with all its digits. */
function decimal(bytes: Buffer, scale: number): string {
  if (bytes.length > MAX_DECIMAL_BYTES)
    throw new AvroProblem('too-large', `a decimal of more than ${MAX_DECIMAL_BYTES} bytes`);
  if (bytes.length === 0) throw bad('a decimal without bytes');
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
