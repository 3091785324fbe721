// What holds for whatever bytes are read by whatever schema: avro, its container files, protobuf, and Glue's header.
import { deflateRawSync } from 'node:zlib';
import avsc from 'avsc';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { avroReader } from '../../lib/forward/read/formats/avro.ts';
import { createSchemas } from '../../lib/forward/read/formats/by-schema.ts';
import type { Piece } from '../../lib/forward/read/formats/expander.ts';
import { protobufReader } from '../../lib/forward/read/formats/protobuf.ts';
import type { SchemaReader } from '../../lib/forward/read/formats/schema-reader.ts';
import { MAX_UNPACKED_BYTES } from '../../lib/forward/read/unpack.ts';
import type { Rejected } from '../../lib/forward/verdict.ts';
import { fakeRegistry, idOf, withHeader } from '../support/glue.ts';
import { each, ensure, type Property } from './property.ts';

const BOUNDS = { messages: 1_000, bytes: 8 * 1024 * 1024 };

function readerOf(reader: SchemaReader) {
  if ('problem' in reader) throw new Error(reader.problem);
  return (bytes: Buffer) => reader.expand(bytes, BOUNDS);
}

/** Whatever can be in a schema, with what costs no byte, and what holds itself. */
const AVRO = {
  type: 'record',
  name: 'R',
  fields: [
    { name: 'n', type: ['null', 'int', 'string', 'R'] },
    { name: 'l', type: { type: 'array', items: ['null', 'long', 'R'] } },
    { name: 'z', type: { type: 'array', items: 'null' } },
    { name: 'e', type: { type: 'array', items: { type: 'record', name: 'Empty', fields: [] } } },
    { name: 'm', type: { type: 'map', values: 'double' } },
    { name: 'd', type: { type: 'bytes', logicalType: 'decimal', precision: 40, scale: 5 } },
    { name: 't', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'y', type: { type: 'int', logicalType: 'date' } },
    { name: 'f', type: { type: 'fixed', name: 'F', size: 3 } },
    { name: 's', type: { type: 'enum', name: 'S', symbols: ['A', 'B'] } },
    { name: 'b', type: 'boolean' },
    { name: 'x', type: 'float' },
  ],
} as const;
const avroType = avsc.Type.forSchema(AVRO as unknown as avsc.Schema, { wrapUnions: true });
const avro = readerOf(avroReader({ kind: 'avro', schema: JSON.stringify(AVRO) }));
const container = readerOf(avroReader({ kind: 'avro', schemaIn: 'container' }));

const PROTO = `syntax = "proto3";
  import "google/protobuf/timestamp.proto";
  import "google/protobuf/any.proto";
  import "google/protobuf/struct.proto";
  message M {
    M m = 1; repeated M r = 2; int32 i = 3; sint64 s = 4; string t = 5; bytes b = 6; repeated uint64 p = 7;
    map<string, M> map = 8; google.protobuf.Timestamp at = 9; google.protobuf.Any any = 10;
    google.protobuf.Value value = 11; double d = 12; E e = 13; oneof o { float f = 14; bool g = 15; }
    repeated Empty empty = 16;
  }
  message Empty {}
  enum E { A = 0; B = 1; }`;
const proto = readerOf(protobufReader({ kind: 'protobuf', schema: PROTO, message: 'M' }));
const protoType = protobuf
  .parse(PROTO.replace(/import [^;]*;|google\.protobuf\.\w+ \w+ = \d+;/g, ''), new protobuf.Root(), {
    keepCase: true,
  })
  .root.lookupType('M');

const noise = fc.uint8Array({ maxLength: 400, size: 'max' }).map((array) => Buffer.from(array));
const small = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));

/** The bytes with some of them changed, cut off or added. */
function damaged(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  return fc.tuple(whole, changes, fc.option(fc.nat()), small).map(([original, spots, cut, tail]) => {
    const copy = Buffer.from(original);
    for (const [at, value] of spots) if (copy.length > 0) copy[at % copy.length] = value;
    return Buffer.concat([cut === null ? copy : copy.subarray(0, cut % (copy.length + 1)), tail]);
  });
}

const int = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const datum = fc
  .record({
    n: fc.oneof(
      fc.constant(null),
      fc.record({ int }),
      fc.record({ string: fc.string({ unit: 'grapheme' }) }),
    ),
    // Beyond 2^52 avsc itself writes another number; the samples of the test of avro have those.
    l: fc.array(
      fc.oneof(fc.constant(null), fc.record({ long: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }) })),
      { maxLength: 5 },
    ),
    z: fc.array(fc.constant(null), { maxLength: 5 }),
    e: fc.array(fc.constant({}), { maxLength: 3 }),
    m: fc.dictionary(fc.string(), fc.double(), { maxKeys: 4 }),
    d: small.filter((bytes) => bytes.length > 0),
    t: fc.integer({ min: 0, max: 2 ** 51 }),
    y: fc.integer({ min: 0, max: 2_900_000 }),
    f: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    s: fc.constantFrom('A', 'B'),
    b: fc.boolean(),
    x: fc.float({ noNaN: true }),
  })
  .map((value) => ({ value, bytes: avroType.toBuffer(value) }));

const message = fc
  .record(
    {
      i: int,
      s: fc.maxSafeInteger(),
      t: fc.string({ unit: 'grapheme' }),
      b: small,
      p: fc.array(fc.nat(), { maxLength: 9 }),
      d: fc.double(),
      e: fc.nat(3),
      r: fc.array(fc.record({ i: int }), { maxLength: 4 }),
      map: fc.dictionary(fc.string(), fc.record({ i: int }), { maxKeys: 3 }),
    },
    { requiredKeys: [] },
  )
  .map((value) => ({ value, bytes: Buffer.from(protoType.encode(protoType.fromObject(value)).finish()) }));

const REASON =
  /^(not-(avro|protobuf)|unknown-schema|too-large|too-deep|too-many-messages|aggregate-too-large)$/;

/** Whatever it was, it is JSON within the bounds, or one reject for a reason that is known. */
function sound(result: readonly Piece[] | Rejected): void {
  if ('kind' in result) {
    ensure(REASON.test(result.reason), `rejected as ${result.reason}`);
    return;
  }
  for (const piece of result) {
    ensure(Buffer.isBuffer(piece), 'a piece with a verdict');
    const json = String(piece);
    ensure(json.length <= MAX_UNPACKED_BYTES, 'more than the bound');
    JSON.parse(json);
  }
}

function only(result: readonly Piece[] | Rejected): Record<string, unknown> {
  if ('kind' in result) throw new Error(`rejected as ${result.reason}: ${result.text}`);
  ensure(result.length === 1, 'not one message');
  return JSON.parse(String(result[0])) as Record<string, unknown>;
}

const zigzag = (value: number) => avsc.Type.forSchema('long').toBuffer(value);

/** A file of one block, of this content and count, with or without a header that is right. */
const files = fc
  .tuple(
    fc.oneof(
      datum.map(({ bytes }) => bytes),
      noise,
    ),
    fc.nat(3),
    fc.constantFrom('null', 'deflate', 'odd'),
  )
  .map(([content, count, codec]) => {
    const header = avsc.Type.forSchema({ type: 'map', values: 'bytes' }).toBuffer({
      'avro.schema': Buffer.from(JSON.stringify(AVRO)),
      'avro.codec': Buffer.from(codec),
    });
    const sync = Buffer.alloc(16, 7);
    const packed = codec === 'deflate' ? deflateRawSync(content) : content;
    return Buffer.concat([
      Buffer.from('Obj\x01'),
      header,
      sync,
      zigzag(count),
      zigzag(packed.length),
      packed,
      sync,
    ]);
  });

const registry = fakeRegistry({
  [idOf(1)]: { dataFormat: 'AVRO', definition: JSON.stringify(AVRO) },
  [idOf(2)]: { dataFormat: 'PROTOBUF', definition: PROTO },
});
const schemas = createSchemas({ now: () => 0 }, registry);
const headed = fc
  .tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.oneof(
      noise,
      datum.map(({ bytes }) => bytes),
    ),
    fc.boolean(),
  )
  .map(([id, body, packed]) => withHeader(idOf(id), body, packed ? 'zlib' : 'none'));

export const SCHEMAS: Readonly<Record<string, Property>> = {
  'any bytes are an avro datum, or one reject': each(
    fc.oneof(noise, damaged(datum.map(({ bytes }) => bytes))),
    (bytes) => sound(avro(bytes)),
  ),

  'what avsc writes is read as it was': each(datum, ({ value, bytes }) => {
    const read = only(avro(bytes));
    ensure(read.b === value.b && read.s === value.s, 'another boolean or symbol');
    ensure(read.f === value.f.toString('base64'), 'other bytes');
    ensure((read.z as unknown[]).length === value.z.length, 'another number of nulls');
    const longs = value.l.map((one) => (one === null ? null : one.long));
    ensure(JSON.stringify(read.l) === JSON.stringify(longs), 'other longs');
    ensure(Object.is(Math.fround(Number(read.x)), Math.fround(value.x)), 'another float');
    const own = value.n === null ? null : 'int' in value.n ? value.n.int : value.n.string;
    ensure(read.n === own, 'another value of the union');
  }),

  'any bytes are an avro file, or one reject': each(fc.oneof(noise, files, damaged(files)), (bytes) =>
    sound(container(bytes)),
  ),

  'any bytes are a protobuf message, or one reject': each(
    fc.oneof(noise, damaged(message.map(({ bytes }) => bytes))),
    (bytes) => sound(proto(bytes)),
  ),

  'what protobufjs writes is read as it was': each(message, ({ value, bytes }) => {
    const read = only(proto(bytes));
    ensure((read.i ?? 0) === (value.i ?? 0), 'another int32');
    ensure((read.s ?? '0') === String(value.s ?? 0), 'another sint64');
    ensure((read.t ?? '') === (value.t ?? ''), 'another string');
    ensure((read.b ?? '') === (value.b ?? Buffer.alloc(0)).toString('base64'), 'other bytes');
    ensure(JSON.stringify(read.p ?? []) === JSON.stringify((value.p ?? []).map(String)), 'other numbers');
  }),

  "any bytes behind Glue's header are read by its schema, or one reject": each(
    fc.tuple(fc.oneof(noise, headed, damaged(headed)), fc.constantFrom('avro' as const, 'protobuf' as const)),
    async ([bytes, kind]) => {
      const expander = schemas.expander({ kind, schemaIn: 'glue' });
      await expander.ready?.(bytes);
      sound(expander.expand(bytes, BOUNDS));
    },
  ),
};
