import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemSpan, memberSpan } from '../../../lib/forward/json/json.ts';
import { type Decoded, decode, fromBase64 } from '../../../lib/forward/read/decode.ts';
import { isAggregate, subRecords } from '../../../lib/forward/read/kpl.ts';
import { processorSeconds } from '../../support/effort.ts';
import { STREAM_ARN, seq } from '../../support/forwarding.ts';
import { aggregate, sealed } from '../../support/kpl.ts';

const record = (data: string) => ({
  eventSourceARN: STREAM_ARN,
  kinesis: { sequenceNumber: seq(0), partitionKey: 'parent', data, approximateArrivalTimestamp: 1.5 },
});

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

describe('fromBase64', () => {
  it('takes exactly what the round trip gives back', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'AQgwZz059+/-_=\n é'), maxLength: 12 });
    const nearly = fc.tuple(bytes, fc.nat(30), letters).map(([value, at, noise]) => {
      const text = value.toString('base64');
      return text.slice(0, at) + noise.slice(0, 1) + text.slice(at + 1);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          letters,
          nearly,
          bytes.map((value) => value.toString('base64')),
        ),
        (text) => {
          const canonical = Buffer.from(text, 'base64').toString('base64') === text;
          expect(fromBase64(text)?.toString('base64')).toBe(canonical ? text : undefined);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it.each(['\u{64f2f}\u{1c32b}', 'QUJ\u0144', '\u0141UJD'])(
    'takes no letter for the one whose byte it ends with: %j',
    (text) => {
      expect(Buffer.from(text, 'base64')).toHaveLength(3);
      expect(fromBase64(text)).toBeUndefined();
    },
  );
});

describe('aggregates', () => {
  const parts = fc.array(fc.record({ key: fc.string({ minLength: 1, maxLength: 5 }), data: bytes }), {
    maxLength: 30,
  });

  it('come apart into what went in, under the identity of the parent', () => {
    fc.assert(
      fc.property(parts, (records) => {
        const decoded = [
          ...decode(record(aggregate(records).toString('base64')), { compression: 'none' }),
        ] as Decoded[];
        expect(
          decoded.map(({ message, payload }) => [
            message.partitionKey,
            payload.toString('hex'),
            message.subSequenceNumber,
          ]),
        ).toEqual(records.map(({ key, data }, at) => [key, Buffer.from(data).toString('hex'), at]));
        for (const { message } of decoded)
          expect(message).toMatchObject({ sequenceNumber: seq(0), arrivedAt: 1.5 });
      }),
    );
  });

  it('with any bit wrong are no aggregates', () => {
    fc.assert(
      fc.property(parts, fc.nat(), fc.nat(7), (records, at, bit) => {
        const whole = aggregate(records);
        const index = at % whole.length;
        whole[index] = (whole[index] as number) ^ (1 << bit);
        expect(isAggregate(whole)).toBe(false);
        const decoded = [...decode(record(whole.toString('base64')), { compression: 'none' })];
        expect(decoded).toMatchObject([{ payload: whole }]);
      }),
      { numRuns: 500 },
    );
  });

  it('of very many that cannot be unpacked are given up, before they take the memory', () => {
    const cut = gzipSync('{"a":1}').subarray(0, -3);
    const records = Array.from({ length: 5_000 }, () => ({ key: 'k', data: cut }));
    const reasons = [...decode(record(aggregate(records).toString('base64')), { compression: 'gzip' })].map(
      (part) => ('verdict' in part && part.verdict.kind === 'rejected' ? part.verdict.reason : 'decoded'),
    );
    expect(reasons.indexOf('aggregate-too-large')).toBe(4_097);
    expect(reasons).toHaveLength(5_000);
    expect(new Set(reasons)).toEqual(new Set(['not-gzip', 'aggregate-too-large']));
  });

  it('of any content whatever are read whole or not at all, without a throw', () => {
    const damaged = fc
      .tuple(parts, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
      .map(([records, changes]) => {
        const body = Buffer.from(aggregate(records).subarray(4, -16));
        for (const [at, value] of changes) if (body.length > 0) body[at % body.length] = value;
        return body;
      });
    fc.assert(
      fc.property(fc.oneof(bytes, damaged), (body) => {
        const result = subRecords(sealed(body));
        expect(typeof result === 'string' || Array.isArray(result)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('memberSpan', () => {
  const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 });
  const name = fc.constantFrom('"body"', '"b\\u006fdy"', '"bod\\"y"', '""', '"}"', '"header"');
  const value = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.constantFrom('"]}\\"{"', '{"body":[1,{"body":2}]}', '1e400'),
  );
  const member = fc.tuple(space, name, space, space, value, space);

  it('finds the bytes of the member that the parser takes', () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), space, (members, before) => {
        const text = `${before}{${members.map(([a, key, b, c, json, d]) => `${a}${key}${b}:${c}${json}${d}`).join(',') || before}}${before}`;
        const wanted = members.findLast(([, key]) => JSON.parse(key) === 'body')?.[4];
        const json = Buffer.from(text);
        const span = memberSpan(json, 'body');
        expect(span && json.toString('utf8', span.start, span.end)).toBe(wanted?.trim());
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes work in proportion to the length', async () => {
    const many = Buffer.from(`{${'"a":1,'.repeat(150_000)}"body":{"x":1}}`);
    const cost = await processorSeconds(() => {
      expect(memberSpan(many, 'body')).toEqual({ start: many.length - 8, end: many.length - 1 });
    });
    expect(cost).toBeLessThan(1.5);
  });
});

describe('itemSpan', () => {
  it('finds the bytes of each item, and nothing beyond the last', () => {
    const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 });
    const value = fc.oneof(fc.json({ maxDepth: 3 }), fc.constantFrom('"]}\\",["', '[1,[2,3]]', '1e400'));
    const items = fc.array(fc.tuple(space, value, space), { maxLength: 5 });
    fc.assert(
      fc.property(items, space, fc.nat(6), (parts, before, index) => {
        const text = `${before}[${parts.map((part) => part.join('')).join(',') || before}]${before}`;
        const json = Buffer.from(text);
        const span = itemSpan(json, index);
        expect(span && json.toString('utf8', span.start, span.end)).toBe(parts[index]?.[1].trim());
      }),
      { numRuns: 1_000 },
    );
  });
});
