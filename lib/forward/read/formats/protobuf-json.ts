// Reads one protobuf message and writes it as JSON, by protobuf's own mapping. protobufjs does both, within bounds.
// protobuf.dev: "ProtoJSON Format".
import protobuf from 'protobufjs';
import protojson from 'protobufjs/ext/protojson.js';
import type { ProtobufType } from '../../../schemas/protobuf.ts';
import { shortest } from './avro-json.ts';

/** Why a message cannot be read or written. */
export class ProtobufProblem extends Error {
  readonly kind: 'not-protobuf' | 'too-large';
  constructor(kind: ProtobufProblem['kind'], text: string) {
    super(text);
    this.kind = kind;
  }
}

/** What may be read of one message: bytes, and values with tags of their own. */
export interface ProtobufBounds {
  readonly most: number;
  readonly values: number;
}

/** Two bytes are an empty message, and one is a long: each takes fifty in memory. So they are counted as they are read. */
class Counting extends protobuf.BufferReader {
  private left: number;
  constructor(bytes: Buffer, values: number) {
    super(bytes);
    this.left = values;
    this.discardUnknown = true;
  }
  override tag(): number {
    this.count(1);
    return super.tag();
  }
  /** What is no UTF-8 is refused in proto2 as well: replaced characters would be another text. */
  override string(): string {
    return this.stringVerify();
  }
  override float(): number {
    return shortest(super.float());
  }
  override floats(array: number[] = []): number[] {
    const from = array.length;
    super.floats(array);
    for (let at = from; at < array.length; at++) array[at] = shortest(array[at] as number);
    return array;
  }
  override int64(): protobuf.Long {
    this.count(1);
    return super.int64();
  }
  override uint64(): protobuf.Long {
    this.count(1);
    return super.uint64();
  }
  override sint64(): protobuf.Long {
    this.count(1);
    return super.sint64();
  }
  override fixed64(): protobuf.Long {
    this.count(1);
    return super.fixed64();
  }
  override sfixed64(): protobuf.Long {
    this.count(1);
    return super.sfixed64();
  }
  private count(values: number): void {
    this.left -= values;
    if (this.left < 0) throw new ProtobufProblem('too-large', 'it holds too many values');
  }
}

/**
 * The message as JSON: names as the schema's JSON names, enums by name, 64-bit integers as text, bytes in base64.
 * @throws ProtobufProblem
 */
export function protobufJson(bytes: Buffer, type: ProtobufType, { most, values }: ProtobufBounds): string {
  if (bytes.length > most) throw new ProtobufProblem('too-large', `it has more than ${most} bytes`);
  try {
    const json = JSON.stringify(
      protojson.toJson(type, type.decode(new Counting(bytes, values) as protobuf.Reader)),
    );
    if (json.length <= most) return json;
  } catch (error) {
    if (error instanceof ProtobufProblem) throw error;
    // Its texts quote values, and a verdict's text may reach a log.
    throw new ProtobufProblem('not-protobuf', `it is no message of the type ${type.fullName.slice(1)}`);
  }
  throw new ProtobufProblem('too-large', `as JSON it has more than ${most} characters`);
}
