// The format protobuf. Samples after protobuf.dev: "Encoding" and "ProtoJSON Format"; index of a message after
// awslabs/aws-glue-schema-registry, `MessageIndexFinder`.
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decode, readyToDecode } from '../../../../lib/forward/read/decode.ts';
import { createDecoding } from '../../../../lib/forward/read/decoding.ts';
import type { KinesisRecord } from '../../../../lib/forward/read/event.ts';
import { protobufReader } from '../../../../lib/forward/read/formats/protobuf.ts';
import { protobufSchema } from '../../../../lib/schemas/protobuf.ts';

const BOUNDS = { messages: 1_000, bytes: 10_000_000 };
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function expandBy(schema: string | string[], message: string) {
  const reader = protobufReader({ kind: 'protobuf', schema, message });
  if ('problem' in reader) throw new Error(reader.problem);
  return (bytes: Buffer) => {
    const pieces = reader.expand(bytes, BOUNDS);
    return 'kind' in pieces ? pieces.reason : pieces.map(String).join('\n');
  };
}

/** The message as bytes, by protobufjs. */
function bytesOf(schema: string, message: string, value: object): Buffer {
  const found = protobufSchema([schema], message);
  if ('problem' in found) throw new Error(found.problem);
  return Buffer.from(found.type.encode(found.type.fromObject(value)).finish());
}

const GUIDE = `
  syntax = "proto3";
  message Test1 { int32 a = 1; }
  message Test2 { string b = 2; }
  message Test3 { Test1 c = 3; }
  message Test4 { string d = 4; repeated int32 e = 5; }
  message Test5 { repeated int32 f = 6; }
  message Test6 { map<string, int32> g = 7; }
  message Signed { sint32 s = 1; sint64 t = 2; }`;

describe('14 B protobuf: the samples of the encoding guide', () => {
  it.each([
    ['Test1', '08 96 01', '{"a":150}'],
    ['Test2', '12 07 74 65 73 74 69 6e 67', '{"b":"testing"}'],
    ['Test3', '1a 03 08 96 01', '{"c":{"a":150}}'],
    ['Test4', '22 05 68 65 6c 6c 6f 28 01 28 02 28 03', '{"d":"hello","e":[1,2,3]}'],
    ['Test5', '32 06 03 8e 02 9e a7 05', '{"f":[3,270,86942]}'],
    ['Test5', '30 03 30 8e 02', '{"f":[3,270]}'],
    ['Test6', '3a 05 0a 01 6b 10 02', '{"g":{"k":2}}'],
    ['Test1', '08 01 08 02', '{"a":2}'],
    ['Test1', '', '{}'],
    // A field that the schema does not have is of a later version.
    ['Test1', '08 96 01 7a 01 61', '{"a":150}'],
    ['Signed', '08 03 10 fe ff ff ff ff ff ff ff ff 01', '{"s":-2,"t":"9223372036854775807"}'],
  ])('%s from %s is %s', (message, bytes, json) => {
    expect(expandBy(GUIDE, message)(hex(bytes))).toBe(json);
  });
});

const SHOP = `
  syntax = "proto3";
  package shop;
  import "google/protobuf/timestamp.proto";
  import "google/protobuf/duration.proto";
  import "google/protobuf/wrappers.proto";
  import "google/protobuf/struct.proto";
  message Order {
    enum State { UNKNOWN = 0; PAID = 1; }
    uint64 order_id = 1;
    string customer = 2 [json_name = "who"];
    State state = 3;
    bytes token = 4;
    google.protobuf.Timestamp ordered_at = 5;
    google.protobuf.Duration took = 6;
    google.protobuf.Int64Value points = 7;
    google.protobuf.Struct extra = 8;
    float weight = 9;
    double ratio = 10;
    oneof way { string post = 11; string shop = 12; }
    map<int64, string> notes = 13;
    optional int32 present = 14;
    repeated float sizes = 15;
  }`;

describe("14 B protobuf: JSON as protobuf's own mapping says", () => {
  const expand = expandBy(SHOP, 'shop.Order');
  const written = (value: object) => JSON.parse(expand(bytesOf(SHOP, 'shop.Order', value))) as unknown;

  it("names are the schema's JSON names, 64 bits are text with all digits, enums by name, bytes base64", () => {
    const value = {
      order_id: '18446744073709551615',
      customer: 'a',
      state: 1,
      token: Buffer.from('fffe', 'hex'),
    };
    expect(written(value)).toEqual({
      orderId: '18446744073709551615',
      who: 'a',
      state: 'PAID',
      token: '//4=',
    });
    expect(written({ state: 7 })).toEqual({ state: 7 });
  });

  it('well-known types have their own texts', () => {
    expect(
      written({
        ordered_at: { seconds: 1_795_896_000, nanos: 123_000_000 },
        took: { seconds: 1, nanos: 340_012_000 },
        points: { value: '9007199254740993' },
        extra: { fields: { a: { listValue: { values: [{ numberValue: 1 }, { nullValue: 0 }] } } } },
      }),
    ).toEqual({
      orderedAt: '2026-11-28T20:00:00.123Z',
      took: '1.340012s',
      points: '9007199254740993',
      extra: { a: [1, null] },
    });
  });

  it('a float has the fewest digits that are it, and what is no number is a text', () => {
    expect(written({ weight: 0.1, ratio: Number.NaN, sizes: [1.1, 2] })).toEqual({
      weight: 0.1,
      ratio: 'NaN',
      sizes: [1.1, 2],
    });
  });

  it('a oneof, a map with long keys, and a zero that is there', () => {
    const value = { shop: 's', notes: { '5': 'five' }, present: 0 };
    expect(written(value)).toEqual({ shop: 's', notes: { '5': 'five' }, present: 0 });
  });

  it('several files of one schema know each other', () => {
    const order = 'syntax = "proto3"; package a; import "b.proto"; message Order { b.Item item = 1; }';
    const item = 'syntax = "proto3"; package b; message Item { int32 n = 1; }';
    expect(expandBy([order, item], 'a.Order')(hex('0a 02 08 05'))).toBe('{"item":{"n":5}}');
  });
});

describe('14 B protobuf: bad input is a clear reject', () => {
  it.each([
    ['it ends within a value', 'Test1', '08'],
    ['a length beyond the end', 'Test2', '12 ff 01 61'],
    ['an end without its group', 'Test1', '0c'],
    ['field 0', 'Test1', '00'],
    ['no UTF-8', 'Test2', '12 01 ff'],
    ['a number of more than ten bytes', 'Test1', '08 ff ff ff ff ff ff ff ff ff ff ff 01'],
  ])('%s', (_, message, bytes) => {
    expect(expandBy(GUIDE, message)(hex(bytes))).toBe('not-protobuf');
  });

  it('a message within itself is taken to a depth, without the stack', () => {
    const tree = 'syntax = "proto3"; message T { T t = 1; }';
    let bytes = Buffer.alloc(0);
    for (let depth = 0; depth < 2_000; depth++) {
      const size: number[] = [];
      for (let left = bytes.length; ; left >>>= 7) {
        size.push(left > 127 ? (left & 127) | 128 : left);
        if (left <= 127) break;
      }
      bytes = Buffer.concat([Buffer.from([10, ...size]), bytes]);
    }
    expect(expandBy(tree, 'T')(bytes)).toBe('not-protobuf');
    // Groups that no field has are skipped, and nested as well.
    expect(expandBy(tree, 'T')(Buffer.alloc(1_000_000, 0x1b))).toBe('not-protobuf');
  });

  it('a million empty messages, or longs, are refused as they are counted', () => {
    const list = 'syntax = "proto3"; message E {} message L { repeated E e = 1; repeated int64 n = 2; }';
    expect(expandBy(list, 'L')(Buffer.alloc(1_200_000, hex('0a00')))).toBe('too-large');
    const packed = Buffer.concat([hex('12 80 89 7a'), Buffer.alloc(2_000_000)]);
    expect(expandBy(list, 'L')(packed)).toBe('too-large');
    expect(expandBy(list, 'L')(Buffer.alloc(3_000_000))).toBe('too-large');
  });

  it.each([
    ['a message that is not there', GUIDE, 'shop.Order', /Test1/],
    ['no schema', 'message {', 'A', /./],
    ['a type that is not there', 'syntax = "proto3"; message A { B b = 1; }', 'A', /B/],
  ])('%s', (_, schema, message, problem) => {
    expect(protobufSchema([schema], message)).toMatchObject({ problem: expect.stringMatching(problem) });
  });
});

describe("14 B protobuf: Glue's index of a message", () => {
  const nested = `syntax = "proto3";
    message B { int32 b = 1; message C { int32 c = 1; } message A { int32 a = 1; message D { int32 d = 1; } } }`;

  it.each([
    [0, '{"b":1}'],
    [1, '{"a":1}'],
    [2, '{"d":1}'],
    [3, '{"c":1}'],
    [4, 'unknown-schema'],
  ])('%i in the sample of MessageIndexFinder', (index, json) => {
    const reader = protobufReader(
      { kind: 'protobuf', schemaIn: 'glue' },
      { dataFormat: 'PROTOBUF', definition: nested },
    );
    if ('problem' in reader) throw new Error(reader.problem);
    const pieces = reader.expand(Buffer.from([index, 8, 1]), BOUNDS);
    expect('kind' in pieces ? pieces.reason : pieces.map(String).join()).toBe(json);
  });

  it("a map's entries are a message as well, and none to send", () => {
    const maps = `syntax = "proto3"; message A { map<string, int32> my_notes = 1; } message B { int32 b = 1; }`;
    const names = [0, 1, 2].map((index) => protobufSchema([maps], index));
    expect(names.map((one) => ('type' in one ? one.type.name : 'none'))).toEqual(['A', 'none', 'B']);
  });
});

describe('14 B protobuf beside compression', () => {
  const schema = 'syntax = "proto3"; message Test1 { int32 a = 1; bytes b = 2; }';
  const format = { kind: 'protobuf', schema, message: 'Test1' } as const;

  async function read(bytes: Buffer, compression: 'zlib' | 'auto') {
    const decoding = createDecoding({ compression, format });
    const kinesis = { sequenceNumber: '1', data: bytes.toString('base64') };
    const record = { kinesis } as unknown as KinesisRecord;
    await readyToDecode(record, decoding);
    return [...decode(record, decoding)].map((part) =>
      'payload' in part ? part.payload.toString() : 'reason' in part.verdict && part.verdict.reason,
    );
  }

  it.each(['zlib', 'auto'] as const)(
    'a message that is not packed and begins like zlib is read with %s',
    async (compression) => {
      // 08 1d is the field 1 with 29, and has the check of RFC 1950 §2.2 as well. The second field is no UTF-8.
      expect(await read(hex('08 1d 12 01 ff'), compression)).toEqual(['{"a":29,"b":"/w=="}']);
      expect(await read(deflateSync(hex('08 1d 12 01 ff')), compression)).toEqual(['{"a":29,"b":"/w=="}']);
    },
  );

  it('packed data that is damaged, and no message either, is rejected as what it looks like', async () => {
    expect(await read(deflateSync(hex('08 1d 12 01 ff')).subarray(0, -2), 'auto')).toEqual(['not-zlib']);
  });
});
