// What holds for whatever a producer puts into a stream: properties of decoder and transform, to be tried as often as wanted.
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { createFramer } from '../../lib/forward/frame/frame.ts';
import { decode, fromBase64 } from '../../lib/forward/read/decode.ts';
import type { KinesisRecord } from '../../lib/forward/read/event.ts';
import { subRecords } from '../../lib/forward/read/kpl.ts';
import { MAX_UNPACKED_BYTES, unpack } from '../../lib/forward/read/unpack.ts';
import { createTransform } from '../../lib/forward/transform/transform.ts';
import { STREAM_ARN } from '../support/forwarding.ts';
import { aggregate, field, number, sealed, varint } from '../support/kpl.ts';
import { pipelineWith } from '../support/transforming.ts';
import { each, ensure, type Property } from './property.ts';

const bytes = fc.uint8Array({ maxLength: 1_000, size: 'max' }).map((array) => Buffer.from(array));
const small = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));

/** The bytes with some of them changed, cut off or added. */
export function damaged(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  return fc.tuple(whole, changes, fc.option(fc.nat()), small).map(([original, spots, cut, tail]) => {
    const copy = Buffer.from(original);
    for (const [at, value] of spots) if (copy.length > 0) copy[at % copy.length] = value;
    return Buffer.concat([cut === null ? copy : copy.subarray(0, cut % (copy.length + 1)), tail]);
  });
}

const subs = fc.array(fc.record({ key: fc.string({ maxLength: 5 }), data: small }), { maxLength: 20 });
/** Protobuf of any sense or none: fields, numbers and lengths as nobody would write them. */
const protobuf = fc
  .array(
    fc.oneof(
      fc.tuple(fc.nat(20), small).map(([tag, data]) => field(tag, data)),
      fc.tuple(fc.nat(20), fc.bigInt({ min: 0n, max: 2n ** 70n })).map(([tag, value]) => number(tag, value)),
      fc.bigInt({ min: 0n, max: 2n ** 70n }).map((length) => Buffer.concat([varint(0x1a), varint(length)])),
      small,
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));
const aggregates = fc.oneof(
  subs.map(aggregate),
  damaged(subs.map(aggregate)),
  damaged(subs.map((records) => aggregate(records).subarray(4, -16))).map(sealed),
  protobuf.map(sealed),
  bytes.map(sealed),
);

const contents = fc.oneof(
  bytes,
  fc.json().map((text) => Buffer.from(text)),
);
const gzips = contents.map((content) => gzipSync(content));
const zlibs = fc
  .tuple(contents, fc.integer({ min: -1, max: 9 }))
  .map(([content, level]) => deflateSync(content, { level }));
const zstds = contents.map((content) => zstdCompressSync(content));
/** What unpacks to just as much as may be, to a byte more, and to very much more. */
const bombs = fc.constantFrom(
  ...[MAX_UNPACKED_BYTES, MAX_UNPACKED_BYTES + 1, 40 * 1024 * 1024]
    .map((length) => Buffer.alloc(length))
    .flatMap((zeros) => [gzipSync(zeros), deflateSync(zeros), zstdCompressSync(zeros)]),
);
/** A frame's header and blocks as RFC 8878 has them, each of any value. */
const frames = fc
  .tuple(small, fc.array(fc.tuple(fc.nat(0xffffff), small), { maxLength: 4 }))
  .map(([head, blocks]) =>
    Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
      head.subarray(0, 14),
      ...blocks.flatMap(([size, block]) => [Buffer.from([size & 255, (size >> 8) & 255, size >> 16]), block]),
    ]),
  );
const packed = fc.oneof(
  { weight: 5, arbitrary: fc.oneof(gzips, zlibs, zstds, frames) },
  { weight: 5, arbitrary: damaged(fc.oneof(gzips, zlibs, zstds, frames)) },
  { weight: 2, arbitrary: bytes },
  { weight: 1, arbitrary: bombs },
);

const records = fc.oneof(contents, packed, aggregates);
const base64 = fc.oneof(
  { weight: 4, arbitrary: records.map((data) => data.toString('base64')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'AQgwZz059+/-_=\n é'), maxLength: 12 }) },
);

const compression = fc.constantFrom('none', 'gzip', 'zlib', 'zstd', 'auto' as const);
const pointer = fc
  .array(fc.constantFrom('a', '0', '1', '*', '', '__proto__', 'length'), { minLength: 1, maxLength: 3 })
  .map((steps) => `/${steps.join('/')}`);
const condition = fc.oneof(
  fc.record({ field: pointer, exists: fc.boolean() }),
  fc.record({ field: pointer, notEquals: fc.constant('x') }),
  fc.record({ field: pointer, notOneOf: fc.constant([1, null]) }),
  fc.record({ field: pointer, matches: fc.constantFrom('', '(a*)*$', '^.{0,3}$') }),
  fc.record({ field: pointer, greaterThan: fc.constantFrom<number | string>(0, '2026-01-01') }),
  fc.record({ field: pointer, lessThan: fc.constantFrom<number | string>(0, '2026-01-01T00:00:00Z') }),
);
const options = fc.record(
  {
    where: fc.array(
      fc.oneof(condition, fc.record({ any: fc.array(condition, { minLength: 1, maxLength: 2 }) })),
      {
        minLength: 1,
        maxLength: 2,
      },
    ),
    passOver: fc.array(condition, { minLength: 1, maxLength: 2 }),
    deletions: fc.record({
      where: fc.array(condition, { minLength: 1, maxLength: 2 }),
      are: fc.constantFrom('kept', 'dropped'),
    }),
    redact: fc.array(fc.record({ field: pointer, action: fc.constantFrom('drop', 'mask', 'hash') }), {
      minLength: 1,
      maxLength: 3,
    }),
    select: pointer,
    derive: fc.array(
      fc.oneof(
        fc.constantFrom('_id', 'timestamp'),
        fc.record({ member: fc.constant('_id'), from: pointer }),
        fc.record({
          member: fc.constant('timestamp'),
          from: pointer,
          as: fc.constantFrom('iso', 'epoch-seconds', 'epoch-nanos'),
        }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    operations: fc.constantFrom(
      { data: 'merge' },
      { field: '/a', values: { x: { data: 'delete' } } },
      { field: ['/a', '/0'], values: { true: { data: 'merge' } } },
    ),
  },
  { requiredKeys: [] },
);

function recordOf(data: string): KinesisRecord {
  return {
    eventSourceARN: STREAM_ARN,
    kinesis: { sequenceNumber: '7', partitionKey: 'parent', data, approximateArrivalTimestamp: 1.5 },
  };
}

/** By name. None of the work may throw, hang, or make more of a record than its bounds say. */
export const TRIGGER: Readonly<Record<string, Property>> = {
  'base64 is taken exactly where it is canonical': each(base64, (text) => {
    const canonical = Buffer.from(text, 'base64').toString('base64') === text;
    ensure(
      fromBase64(text)?.toString('base64') === (canonical ? text : undefined),
      'not as the round trip has it',
    );
  }),

  'aggregates are read whole or not at all, within the bytes that they have': each(aggregates, (whole) => {
    const parts = subRecords(whole);
    if (typeof parts === 'string') return;
    const held = parts.reduce((sum, part) => sum + part.bytes.length, 0);
    ensure(held <= whole.length, 'the sub-records have more bytes than the aggregate');
  }),

  'an aggregate comes apart into what went into it': each(subs, (records) => {
    const parts = subRecords(aggregate(records));
    ensure(Array.isArray(parts) && parts.length === records.length, 'not as many');
    for (const [at, { key, data }] of records.entries()) {
      const part = (parts as Exclude<typeof parts, string>)[at];
      ensure(part?.partitionKey === key && part.bytes.equals(data), `the sub-record ${at} is another`);
    }
  }),

  'gzip, zlib and zstd are unpacked whole and within bounds, or rejected': each(
    fc.tuple(packed, compression),
    ([data, looked]) => {
      const result = unpack(data, looked);
      if ('kind' in result)
        ensure(/^(not-|.*-too-large$)/.test(result.reason), `rejected as ${result.reason}`);
      else ensure(result === data || result.length <= MAX_UNPACKED_BYTES, 'more than the bound');
    },
  ),

  'what was packed is what is unpacked, and with a tail it is not': each(
    fc.tuple(contents, small),
    ([content, tail]) => {
      for (const whole of [gzipSync(content), deflateSync(content), zstdCompressSync(content)]) {
        ensure(content.equals(unpack(whole, 'auto') as Buffer), 'not what was packed');
        if (tail.length > 0)
          ensure('kind' in unpack(Buffer.concat([whole, tail]), 'auto'), 'the tail was lost');
      }
    },
  ),

  'any data at all ends as messages, each decoded or rejected': each(
    fc.tuple(base64, compression),
    ([data, looked]) => {
      let unpacked = 0;
      for (const part of decode(recordOf(data), { compression: looked })) {
        if ('payload' in part) unpacked += part.payload.length;
        else ensure(part.verdict.kind === 'rejected', 'a verdict that the decoder cannot know');
      }
      ensure(unpacked <= 70 * 1024 * 1024, 'more than a record may unpack to');
    },
  ),

  'any record under any options is framed, filtered or rejected': each(
    fc.tuple(base64, compression, options),
    ([data, looked, records]) => {
      const pipeline = pipelineWith(records, { compression: looked });
      const [shape, framer] = [createTransform(pipeline), createFramer(pipeline, 'shardId-0')];
      for (const part of decode(recordOf(data), { compression: looked })) {
        const transformed = shape === undefined ? part : shape(part);
        const result = 'payload' in transformed ? framer.frame(transformed) : transformed;
        if ('verdict' in result) {
          const { message, verdict } = result;
          const bare = verdict.kind === 'rejected' && records.redact !== undefined;
          ensure(!bare || message.redacted !== undefined || message.bytes.length === 0, 'kept as it came');
        } else JSON.parse(Buffer.from(framer.body([result])).toString());
      }
    },
  ),
};
