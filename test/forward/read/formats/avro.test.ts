// The format avro. Samples after the Avro specification 1.12 ("Binary Encoding", "Object Container Files", "Logical
// Types"); whole files are written by avsc, which knows nothing of our reader.
import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { avroReader } from '../../../../lib/forward/read/formats/avro.ts';
import { AvroProblem, avroJson } from '../../../../lib/forward/read/formats/avro-json.ts';
import { type AvroNode, avroSchema } from '../../../../lib/schemas/avro.ts';

const BOUNDS = { messages: 1_000, bytes: 10_000_000 };

function nodeOf(schema: unknown): AvroNode {
  const read = avroSchema(schema);
  if ('problem' in read) throw new Error(read.problem);
  return read.node;
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const jsonOf = (schema: unknown, bytes: Buffer, unions: 'plain' | 'tagged' = 'plain') => {
  const { json, end } = avroJson(bytes, nodeOf(schema), { most: 1_000_000, depth: 100 }, unions);
  expect(end).toBe(bytes.length);
  return json;
};
const problemOf = (schema: unknown, bytes: Buffer, bounds = { most: 1_000_000, depth: 100 }) => {
  try {
    return avroJson(bytes, nodeOf(schema), bounds).json;
  } catch (error) {
    if (error instanceof AvroProblem) return error.kind;
    throw error;
  }
};

describe('14 B avro: the samples of the specification', () => {
  it.each([
    ['long', '00', '0'],
    ['long', '01', '-1'],
    ['long', '02', '1'],
    ['long', '03', '-2'],
    ['long', '04', '2'],
    ['int', '7f', '-64'],
    ['int', '8001', '64'],
    ['string', '06 66 6f 6f', '"foo"'],
    [
      {
        type: 'record',
        name: 'test',
        fields: [
          { name: 'a', type: 'long' },
          { name: 'b', type: 'string' },
        ],
      },
      '36 06 66 6f 6f',
      '{"a":27,"b":"foo"}',
    ],
    [{ type: 'array', items: 'long' }, '04 06 36 00', '[3,27]'],
    [{ type: 'array', items: 'long' }, '03 04 06 36 00', '[3,27]'],
    [{ type: 'enum', name: 'Foo', symbols: ['A', 'B', 'C', 'D'] }, '06', '"D"'],
    [['null', 'string'], '00', 'null'],
    [['null', 'string'], '02 02 61', '"a"'],
    ['null', '', 'null'],
    ['boolean', '01', 'true'],
  ])('%j from %s is %s', (schema, bytes, json) => {
    expect(jsonOf(schema, hex(bytes))).toBe(json);
  });
});

describe('14 B avro: values in JSON', () => {
  it('longs beyond 2^53 keep their digits', () => {
    expect(jsonOf('long', hex('feffffffffffffffff01'))).toBe('9223372036854775807');
    expect(jsonOf('long', hex('ffffffffffffffffff01'))).toBe('-9223372036854775808');
  });

  it('bytes and fixed are base64, a float has the fewest digits that are it', () => {
    expect(jsonOf('bytes', hex('04 fffe'))).toBe('"//4="');
    expect(jsonOf({ type: 'fixed', name: 'F', size: 3 }, hex('010203'))).toBe('"AQID"');
    expect(jsonOf('float', hex('cdcccc3d'))).toBe('0.1');
    expect(jsonOf('float', hex('0000807f'))).toBe('"Infinity"');
    expect(jsonOf('float', hex('00000080'))).toBe('-0.0');
    expect(jsonOf('double', hex('000000000000f87f'))).toBe('"NaN"');
    expect(jsonOf('double', hex('9a9999999999b93f'))).toBe('0.1');
  });

  it.each([
    [{ type: 'int', logicalType: 'date' }, 20_785, '"2026-11-28"'],
    [{ type: 'int', logicalType: 'date' }, -1, '"1969-12-31"'],
    [{ type: 'int', logicalType: 'time-millis' }, 73_805_006, '"20:30:05.006"'],
    [{ type: 'long', logicalType: 'time-micros' }, 1, '"00:00:00.000001"'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, 1_795_896_000_123, '"2026-11-28T20:00:00.123Z"'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, -1, '"1969-12-31T23:59:59.999Z"'],
    [
      { type: 'long', logicalType: 'timestamp-micros' },
      1_795_896_000_123_456,
      '"2026-11-28T20:00:00.123456Z"',
    ],
    [{ type: 'long', logicalType: 'timestamp-micros' }, 1_795_896_000_123_000, '"2026-11-28T20:00:00.123Z"'],
    [{ type: 'long', logicalType: 'local-timestamp-millis' }, 0, '"1970-01-01T00:00:00.000"'],
    [{ type: 'long', logicalType: 'unheard-of' }, 5, '5'],
    [{ type: 'int', logicalType: 'timestamp-millis' }, 5, '5'],
  ])('%j of %i is %s', (schema, value, json) => {
    const plain = avsc.Type.forSchema(schema.type as avsc.Schema);
    expect(jsonOf(schema, plain.toBuffer(value))).toBe(json);
  });

  it('a decimal is a number with all its digits', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 4 };
    const bytes = (value: Buffer) => avsc.Type.forSchema('bytes').toBuffer(value);
    expect(jsonOf(decimal, bytes(hex('3039')))).toBe('1.2345');
    expect(jsonOf(decimal, bytes(hex('ffff')))).toBe('-0.0001');
    expect(jsonOf(decimal, bytes(hex('018ee90ff6c373e0ee4e3f0ad2')))).toBe('12345678901234567890123456.7890');
    const fixed = { type: 'fixed', name: 'D', size: 2, logicalType: 'decimal', precision: 4, scale: 2 };
    expect(jsonOf(fixed, hex('fff6'))).toBe('-0.10');
  });

  it('a uuid is its text, of a string and of 16 bytes, and a duration is ISO', () => {
    const text = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63';
    const string = { type: 'string', logicalType: 'uuid' };
    expect(jsonOf(string, avsc.Type.forSchema('string').toBuffer(text))).toBe(`"${text}"`);
    const fixed = { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' };
    expect(jsonOf(fixed, hex(text.replaceAll('-', '')))).toBe(`"${text}"`);
    const duration = { type: 'fixed', name: 'P', size: 12, logicalType: 'duration' };
    expect(jsonOf(duration, hex('01000000 02000000 a40b0000'))).toBe('"P1M2DT2.980S"');
  });

  it('a union is its value alone, or with its name where that is asked for', () => {
    const union = ['null', 'string', { type: 'record', name: 'a.R', fields: [{ name: 'x', type: 'int' }] }];
    expect(jsonOf(union, hex('04 02'))).toBe('{"x":1}');
    expect(jsonOf(union, hex('04 02'), 'tagged')).toBe('{"a.R":{"x":1}}');
    expect(jsonOf(union, hex('02 02 61'), 'tagged')).toBe('{"string":"a"}');
    expect(jsonOf(union, hex('00'), 'tagged')).toBe('null');
  });

  it('names, namespaces and references are found, and a type may hold itself', () => {
    const tree = {
      type: 'record',
      name: 'Node',
      namespace: 'shop',
      fields: [
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'next', type: ['null', 'shop.Node'], default: 'no null, as older libraries let pass' },
      ],
    };
    expect(jsonOf(tree, hex('00 02 02 00'))).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","next":{"at":"1970-01-01T00:00:00.001Z","next":null}}',
    );
  });
});

describe('14 B avro: bad input is a clear reject', () => {
  it.each([
    ['it ends within a number', 'long', '80'],
    ['a number of eleven bytes', 'long', 'ffffffffffffffffffff01'],
    ['a number of more than 64 bits', 'long', 'ffffffffffffffffff03'],
    ['an int of more than 32 bits', 'int', '8080808020'],
    ['a length beyond the end', 'string', '80 01 61'],
    ['a negative length', 'bytes', '01'],
    ['no UTF-8', 'string', '02 ff'],
    ['a boolean of 2', 'boolean', '02'],
    ['a branch that is not there', ['null', 'string'], '04'],
    ['a symbol that is not there', { type: 'enum', name: 'E', symbols: ['A'] }, '02'],
    ['a year beyond 9999', { type: 'long', logicalType: 'timestamp-millis' }, 'feffffffffffffffff01'],
    ['a double cut off', 'double', '00'],
  ])('%s', (_, schema, bytes) => {
    expect(problemOf(schema, hex(bytes))).toBe('not-avro');
  });

  it('what costs nothing to write is bounded by what it becomes: arrays of nulls, and of empty records', () => {
    // 200,000,000 nulls, and as many records without fields, in six bytes.
    const bomb = Buffer.concat([avsc.Type.forSchema('long').toBuffer(200_000_000), hex('00')]);
    expect(problemOf({ type: 'array', items: 'null' }, bomb)).toBe('too-large');
    const empty = { type: 'record', name: 'E', fields: [] };
    expect(problemOf({ type: 'array', items: empty }, bomb)).toBe('too-large');
    expect(
      problemOf({ type: 'array', items: { type: 'array', items: 'null' } }, hex('feffffffffffffffff01')),
    ).toBe('not-avro');
  });

  it('a list within a list is taken to a depth', () => {
    const list = { type: 'record', name: 'L', fields: [{ name: 'l', type: ['null', 'L'] }] };
    expect(problemOf(list, Buffer.alloc(100_000, 2))).toBe('too-deep');
  });

  it('a decimal of too many bytes is refused before it is calculated', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 0 };
    const bytes = avsc.Type.forSchema('bytes').toBuffer(Buffer.alloc(100_000, 1));
    expect(problemOf(decimal, bytes)).toBe('too-large');
  });

  it('bytes behind the value say that the schema is another one', () => {
    const reader = avroReader({ kind: 'avro', schema: '"string"' });
    if ('problem' in reader) throw new Error(reader.problem);
    expect(reader.expand(hex('02 61 00'), BOUNDS)).toMatchObject({ reason: 'not-avro' });
  });

  it.each([
    ['{"type":"record","name":"R","fields":[{"name":"a","type":"Unknown"}]}', /Unknown/],
    ['{"type":', /JSON/],
    ['{"type":"record","name":"not a name","fields":[]}', /name/],
    ['{"type":"bytes","logicalType":"decimal","precision":100000,"scale":2}', /100000 digits/],
    ['["string","string"]', /./],
  ])('%s is no schema', (schema, problem) => {
    expect(avroSchema(schema)).toMatchObject({ problem: expect.stringMatching(problem) });
  });
});

const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'] },
  ],
} as const;
const ORDERS = [
  { id: 1, note: null },
  { id: 2, note: 'grüße' },
  { id: 3, note: null },
];

function container(codec: string, change: (bytes: Buffer) => Buffer = (bytes) => bytes): Promise<Buffer> {
  const codecs = {
    deflate: (data: Buffer, done: (error: null, packed: Buffer) => void) => done(null, deflateRawSync(data)),
    zstandard: (data: Buffer, done: (error: null, packed: Buffer) => void) =>
      done(null, zstdCompressSync(data)),
    snappy: (data: Buffer, done: (error: null, packed: Buffer) => void) => done(null, data),
  };
  const encoder = new avsc.streams.BlockEncoder(avsc.Type.forSchema(ORDER as unknown as avsc.Schema), {
    codec,
    codecs: { null: codecs.snappy, ...codecs } as never,
    blockSize: 8,
  });
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    encoder.on('data', (part: Buffer) => parts.push(part));
    encoder.on('error', reject);
    encoder.on('end', () => resolve(change(Buffer.concat(parts))));
    for (const order of ORDERS) encoder.write(order);
    encoder.end();
  });
}

function expandContainer(bytes: Buffer, bounds = BOUNDS) {
  const reader = avroReader({ kind: 'avro', schemaIn: 'container' });
  if ('problem' in reader) throw new Error(reader.problem);
  const pieces = reader.expand(bytes, bounds);
  return 'kind' in pieces ? pieces.reason : pieces.map(String);
}

describe('14 B avro: an object container file is several messages', () => {
  it.each(['null', 'deflate', 'zstandard'])('packed by %s', async (codec) => {
    expect(expandContainer(await container(codec))).toEqual([
      '{"id":1,"note":null}',
      '{"id":2,"note":"grüße"}',
      '{"id":3,"note":null}',
    ]);
  });

  it('damage anywhere is one reject: nothing of the file is sent', async () => {
    const whole = await container('deflate');
    expect(expandContainer(whole.subarray(0, -1))).toBe('not-avro');
    expect(expandContainer(Buffer.concat([whole, Buffer.from([0])]))).toBe('not-avro');
    expect(expandContainer(Buffer.from('{"id":1}'))).toBe('not-avro');
    expect(expandContainer(await container('snappy'))).toBe('not-avro');
    const broken = Buffer.from(whole);
    broken[broken.length - 1] = (broken.at(-1) as number) ^ 1;
    expect(expandContainer(broken)).toBe('not-avro');
  });

  it('holds to the bounds of a record', async () => {
    const whole = await container('deflate');
    expect(expandContainer(whole, { ...BOUNDS, messages: 2 })).toBe('too-many-messages');
    expect(expandContainer(whole, { ...BOUNDS, bytes: 50 })).toBe('aggregate-too-large');
  });
});
