// What holds for whatever stands in a record of a format: properties to be tried as often as wanted.
import { isDeepStrictEqual } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { PublishedFormat } from '../../lib/formats.ts';
import { type DecodedPart, decode, MAX_PIECES, MAX_RECORD_BYTES } from '../../lib/forward/read/decode.ts';
import { createDecoding } from '../../lib/forward/read/decoding.ts';
import type { KinesisRecord } from '../../lib/forward/read/event.ts';
import { STREAM_ARN } from '../support/forwarding.ts';
import { aggregate } from '../support/kpl.ts';
import { damaged } from './decoding.ts';
import { each, ensure, type Property } from './property.ts';

const pointer = fc
  .array(fc.constantFrom('a', 'b', '0', '', '__proto__', 'n~0~1'), { minLength: 1, maxLength: 2 })
  .map((steps) => `/${steps.join('/')}`);
const lists = fc.oneof(
  fc.constant({}),
  fc.record({ items: pointer }),
  fc.record({
    items: pointer,
    envelope: fc.uniqueArray(pointer, { minLength: 1, maxLength: 3, selector: lastOf }),
  }),
);
const columns = fc.oneof(
  fc.constant('snowplow-enriched' as const),
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c', '__proto__', '"'), { minLength: 1 }),
  fc.constant([
    { name: 'n', type: 'number' as const },
    { name: 'j', type: 'json' as const },
    { name: 'b', type: 'boolean' as const },
  ]),
);
const tables = fc.oneof(fc.record({ columns, header: fc.boolean() }), fc.constant({ header: true }));

const formats = fc.oneof(
  fc
    .tuple(fc.constantFrom('json-lines', 'json-array', 'json-sequence' as const), lists)
    .map(([kind, options]) => ({ kind, ...options })),
  fc.constantFrom(
    { kind: 'cloudwatch-logs' as const },
    { kind: 'cloudwatch-logs' as const, message: 'json' as const },
  ),
  fc.tuple(fc.constantFrom('csv', 'tsv' as const), tables).map(([kind, options]) => ({ kind, ...options })),
) as fc.Arbitrary<PublishedFormat>;

function lastOf(one: string): string {
  return one.slice(one.lastIndexOf('/'));
}

const json = fc.json({ maxDepth: 3 });
const objects = fc
  .dictionary(fc.constantFrom('a', 'b', '0', 'id', '__proto__', 'é"'), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 4,
  })
  .map((value) => JSON.stringify(value));
/** Between texts: what separates them in one format or another. */
const separators = fc.constantFrom('', '\n', '\r\n', '\x1e', '\n\x1e', ',', '\t', ' ', '"', '\ufeff');
const logs = fc
  .tuple(fc.constantFrom('DATA_MESSAGE', 'CONTROL_MESSAGE', 'x'), fc.array(objects, { maxLength: 4 }))
  .map(([type, events]) => `{"messageType":"${type}","owner":"1","logEvents":[${events.join(',')}]}`);
const cells = fc.string({
  unit: fc.constantFrom('a', '1', '"', ',', '\t', '\n', '\r', ' ', 'é', '{', '}'),
  maxLength: 6,
});
const rows = fc
  .array(fc.array(cells, { minLength: 1, maxLength: 4 }), { maxLength: 6 })
  .map((all) => all.map((row) => row.join(',')).join('\n'));
const texts = fc.oneof(
  fc
    .array(fc.tuple(fc.oneof(objects, json, cells), separators), { maxLength: 8 })
    .map((all) => all.flat().join('')),
  fc.array(objects, { maxLength: 5 }).map((all) => `[${all.join(',')}]`),
  fc.array(objects, { maxLength: 4 }).map((all) => `{"b":[${all.join(',')}],"a":{"b":[${all.join(' , ')}]}}`),
  fc.array(logs, { minLength: 1, maxLength: 3 }).map((all) => all.join('\n')),
  rows,
);
const plain = texts.map((text) => Buffer.from(text));
const contents = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 2, arbitrary: damaged(plain) });
const records = fc.oneof(
  { weight: 4, arbitrary: contents },
  { weight: 1, arbitrary: contents.map((bytes) => gzipSync(bytes)) },
  { weight: 1, arbitrary: contents.map((bytes) => deflateSync(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .array(contents, { maxLength: 4 })
      .map((all) => aggregate(all.map((data) => ({ key: 'k', data })))),
  },
);
const compression = fc.constantFrom('none', 'gzip', 'zlib', 'auto' as const);

function partsOf(bytes: Buffer, format: PublishedFormat, looked: 'none' | 'gzip' | 'zlib' | 'auto' = 'none') {
  const data = bytes.toString('base64');
  const record: KinesisRecord = {
    eventSourceARN: STREAM_ARN,
    kinesis: { sequenceNumber: '7', partitionKey: 'parent', data, approximateArrivalTimestamp: 1.5 },
  };
  return [...decode(record, createDecoding({ compression: looked, format }))];
}

const textOf = (part: DecodedPart) => ('payload' in part ? part.payload.toString() : part.verdict.kind);
const valuesOf = (parts: readonly DecodedPart[]) => parts.map((part) => JSON.parse(textOf(part)) as unknown);

/** By name. */
export const FORMATS: Readonly<Record<string, Property>> = {
  'any record in any format ends as messages with places of their own, within bounds': each(
    fc.tuple(records, formats, compression),
    ([bytes, format, looked]) => {
      const parts = partsOf(bytes, format, looked);
      const places = parts.map(({ message }) => message.subSequenceNumber);
      const isWhole = places.length === 1 && places[0] === undefined;
      ensure(isWhole || places.every((place, at) => place === at), `the places are ${places.join()}`);
      ensure(parts.length <= MAX_PIECES, 'more messages than a record may hold');
      let held = 0;
      for (const part of parts) {
        if ('payload' in part) ensure(part.message.piece === true, 'a message is not marked as taken out');
        else ensure(part.message.piece === undefined, 'what could not be taken out is marked as a message');
        held += part.message.bytes.length;
      }
      ensure(held <= MAX_RECORD_BYTES, 'more bytes than a record may have');
    },
  ),

  'a reject of a format is a record of that format by itself, and is rejected again': each(
    fc.tuple(contents, formats),
    ([bytes, format]) => {
      for (const part of partsOf(bytes, format)) {
        if ('payload' in part || part.verdict.kind !== 'rejected') continue;
        const again = partsOf(Buffer.from(part.message.bytes), format);
        const kinds = again.map((one) => ('payload' in one ? 'message' : one.verdict.kind));
        ensure(kinds.length <= 1 && !kinds.includes('message'), `it became ${kinds.join()}`);
      }
    },
  ),

  'each line of json-lines becomes what it becomes alone, whatever stands beside it': each(
    fc.array(damaged(fc.oneof(objects, json, cells).map((text) => Buffer.from(text))), { maxLength: 8 }),
    (all) => {
      const lines = all.map((line) => Buffer.from(line.filter((byte) => byte !== 0x0a)));
      const format = { kind: 'json-lines' as const };
      const isEmpty = (part: DecodedPart) =>
        'verdict' in part && part.message.subSequenceNumber === undefined;
      const alone = lines.flatMap((line) =>
        partsOf(line, format)
          .filter((part) => !isEmpty(part))
          .map(textOf),
      );
      const together = partsOf(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])), format);
      // A mark at the beginning of the record is left off, but not at that of a line.
      const clean = (text: string) => text.replaceAll('\ufeff', '');
      const got = together.filter((part) => !isEmpty(part)).map(textOf);
      ensure(isDeepStrictEqual(got.map(clean), alone.map(clean)), 'a line has changed its neighbours');
    },
  ),

  'objects come out of a list, of texts in a row and of lines as they went in': each(
    fc.array(objects, { minLength: 1, maxLength: 8 }),
    (all) => {
      const same = (text: string, kind: 'json-array' | 'json-lines' | 'json-sequence') =>
        ensure(isDeepStrictEqual(partsOf(Buffer.from(text), { kind }).map(textOf), all), `not by ${kind}`);
      same(`[${all.join(' ,\n')}]`, 'json-array');
      same(all.join('\n'), 'json-lines');
      same(all.join(''), 'json-sequence');
      same(all.map((one) => `\x1e${one}\n`).join(''), 'json-sequence');
    },
  ),

  'a message gets the fields around its list, and keeps its own': each(
    fc.tuple(fc.jsonValue({ maxDepth: 2 }), fc.array(objects, { maxLength: 6 })),
    ([around, all]) => {
      const text = `{"id":${JSON.stringify(around)},"list":[${all.join(',')}]}`;
      const format = { kind: 'json-array' as const, items: '/list', envelope: ['/id', '/none'] };
      const wanted = all.map((one) => ({
        ...JSON.parse(`{"id":${JSON.stringify(around)}}`),
        ...JSON.parse(one),
      }));
      ensure(isDeepStrictEqual(valuesOf(partsOf(Buffer.from(text), format)), wanted), 'not these fields');
    },
  ),

  'log events come out with what surrounds them, and their JSON is opened': each(
    fc.array(fc.oneof(json, cells), { maxLength: 6 }),
    (all) => {
      const events = all.map((message, at) => ({ id: String(at), timestamp: at, message }));
      const document = {
        messageType: 'DATA_MESSAGE',
        owner: '1',
        logGroup: 'g',
        logStream: 's',
        logEvents: events,
      };
      const parts = partsOf(gzipSync(JSON.stringify(document)), { kind: 'cloudwatch-logs', message: 'json' });
      const wanted = events.map((event) => {
        let message: unknown = event.message;
        try {
          const value: unknown = JSON.parse(event.message);
          if (typeof value === 'object' && value !== null && !Array.isArray(value)) message = value;
        } catch {
          // It stays a text.
        }
        return { owner: '1', logGroup: 'g', logStream: 's', ...event, message };
      });
      ensure(isDeepStrictEqual(valuesOf(parts), wanted), 'not these events');
    },
  ),

  'rows of csv and tsv come out with the values that went in': each(
    fc.array(fc.tuple(cells, cells, cells), { minLength: 1, maxLength: 6 }),
    (all) => {
      const names = ['a', 'b', '__proto__'];
      const csv = all
        .map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
        .join('\r\n');
      const isSame = (parts: readonly DecodedPart[], wanted: readonly (readonly string[])[]) =>
        parts.length === wanted.length &&
        parts.every(
          (part, at) =>
            textOf(part) ===
            `{${names.flatMap((name, n) => memberOf(name, wanted[at]?.[n] ?? '')).join(',')}}`,
        );
      const memberOf = (name: string, value: string) =>
        value === '' && isTabbed ? [] : [`${JSON.stringify(name)}:${JSON.stringify(value)}`];
      let isTabbed = false;
      ensure(isSame(partsOf(Buffer.from(csv), { kind: 'csv', columns: names }), all), 'not by csv');
      isTabbed = true;
      const tabbed = all.map((row) => row.map((cell) => cell.replaceAll(/[\t\r\n]/g, '')));
      const tsv = `${tabbed.map((row) => row.join('\t')).join('\n')}\n`;
      ensure(isSame(partsOf(Buffer.from(tsv), { kind: 'tsv', columns: names }), tabbed), 'not by tsv');
    },
  ),
};
