import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REQUEST_BYTES } from '../../../lib/forward/frame/body.ts';
import { createFramer } from '../../../lib/forward/frame/frame.ts';
import { coordinatesIn } from '../../../lib/forward/read/record-id.ts';
import { SHARD_ID, seq } from '../../support/forwarding.ts';
import { aggregate } from '../../support/kpl.ts';
import { pipelineWith, transforming } from '../../support/transforming.ts';

const ID = `"_id":"customers:${SHARD_ID}:${seq(0)}"`;
const TIMESTAMP = '"timestamp":"2026-02-02T02:40:00.500Z"';
const BOTH = { derive: ['_id', 'timestamp'] };

const derived = (derive: string[], record: string) => transforming({ derive })(record)[0]?.sent;

describe('what is derived', () => {
  it.each([
    ['{"a":1}', `{${ID},"a":1}`],
    ['{}', `{${ID}}`],
    [' \n{ \t} ', ` \n{${ID} \t} `],
    [' { "a" : 9007199254740993 }', ` {${ID}, "a" : 9007199254740993 }`],
    ['\uFEFF{"a":1}', `{${ID},"a":1}`],
    ['{"a":{"_id":"x"}}', `{${ID},"a":{"_id":"x"}}`],
    ['{"x_id":1,"t":"_id\\":"}', `{${ID},"x_id":1,"t":"_id\\":"}`],
    ['{"\\u0061":1}', `{${ID},"\\u0061":1}`],
  ])('an _id that is missing: %s', (record, wanted) => {
    expect(derived(['_id'], record)).toBe(wanted);
  });

  it.each([
    '{"_id":"own"}',
    '{"a":1,"_id":null}',
    '{"_id":""}',
    '{"\\u005fid":1}',
    '{"_\\u0069d" : {} }',
    '{"_id":1,"_id":2}',
  ])('never what is there, whatever it is: %s', (record) => {
    expect(derived(['_id'], record)).toBe(record);
  });

  it('a timestamp from the arrival, to the millisecond', () => {
    expect(derived(['timestamp'], '{"a":1}')).toBe(`{${TIMESTAMP},"a":1}`);
    expect(derived(['timestamp'], '{"timestamp":0}')).toBe('{"timestamp":0}');
  });

  it.each([
    ['{"a":1}', `{${ID},${TIMESTAMP},"a":1}`],
    ['{"_id":"x"}', `{${TIMESTAMP},"_id":"x"}`],
    ['{"timestamp":"x"}', `{${ID},"timestamp":"x"}`],
    ['{}', `{${ID},${TIMESTAMP}}`],
  ])('both, where both are asked for: %s', (record, wanted) => {
    expect(derived(BOTH.derive, record)).toBe(wanted);
  });

  it('is put into the entity of a whole XDM message', () => {
    const record = '{"header":{"_id":1},"body":{"xdmEntity": {"a":1E2} }}';
    const [outcome] = transforming({ derive: ['_id'] }, { data: 'xdm' })(record);
    expect(outcome?.sent?.endsWith(`"xdmEntity":{${ID},"a":1E2}}}`)).toBe(true);
  });

  it('is put into the part that is selected, and into the body beside operations', () => {
    const [selected] = transforming({ derive: ['_id'], select: '/a' })('{"_id":"outer","a":{"b":1}}');
    expect(selected?.sent).toBe(`{${ID},"b":1}`);
    const [operated] = transforming({ derive: ['_id'], operations: { data: 'merge' } })('{"b":1}');
    expect(operated?.sent?.endsWith(`"body":{${ID},"b":1}}`)).toBe(true);
  });

  it('tells the sub-records of an aggregate apart', () => {
    const parts = ['{"a":0}', '{"a":1}'].map((text) => ({ key: 'k', data: Buffer.from(text) }));
    const ids = transforming({ derive: ['_id'] })(aggregate(parts)).map(
      ({ sent }) => JSON.parse(sent ?? '')._id,
    );
    expect(ids.map(coordinatesIn)).toEqual(
      [0, 1].map((subSequenceNumber) => ({
        stream: 'customers',
        shardId: SHARD_ID,
        sequenceNumber: seq(0),
        subSequenceNumber,
      })),
    );
  });

  it('is the same however often the record comes, and another for every record', () => {
    const take = transforming(BOTH);
    const once = take('{"a":1}', '{"a":1}').map(({ sent }) => sent);
    expect(take('{"a":1}', '{"a":1}').map(({ sent }) => sent)).toEqual(once);
    expect(new Set(once).size).toBe(2);
  });

  it.each([undefined, Number.NaN, 1e300, -1e300])(
    'no timestamp is made up from an arrival of %s',
    (arrivedAt) => {
      const { frame } = createFramer(pipelineWith({ derive: ['timestamp'] }), SHARD_ID);
      const message = { sequenceNumber: '1', partitionKey: 'k', arrivedAt, bytes: Buffer.alloc(0) };
      const framed = frame({ message, payload: Buffer.from('{"a":1}') });
      expect('slab' in framed && framed.slab.toString('utf8', framed.start, framed.end)).toBe('{"a":1}');
    },
  );

  it('counts for the size', () => {
    // A comma is counted for each message.
    const fits = MAX_REQUEST_BYTES - 1 - `{"messages":[{${ID},"a":""}]}`.length;
    const [passes, fails] = [fits, fits + 1].map(
      (n) => transforming({ derive: ['_id'] })(`{"a":"${'x'.repeat(n)}"}`)[0],
    );
    expect(passes?.framed?.size).toBe(MAX_REQUEST_BYTES - '{"messages":['.length - ']}'.length);
    expect(fails?.verdict).toBe('too-large');
  });

  it('is not guessed without a shard', () => {
    expect(() => createFramer(pipelineWith({ derive: ['_id'] }))).toThrow(RangeError);
    expect(createFramer(pipelineWith({ derive: ['timestamp'] }))).toBeDefined();
  });

  it('alters no byte of any object, and leaves JSON that says the same', () => {
    const name = fc.constantFrom('"_id"', '"timestamp"', '"\\u005fid"', '"a"', '"__proto__"', '"a_id"');
    const value = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.constantFrom('1E+2', '9007199254740993', '"{_id\\":"'),
    );
    const space = fc.constantFrom('', ' ', '\n\t');
    const member = fc
      .tuple(space, name, space, value)
      .map(([a, key, b, json]) => `${a}${key}${b}:${b}${json}${a}`);
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 5 }),
        space,
        fc.subarray(BOTH.derive, { minLength: 1 }),
        (members, around, derive) => {
          const record = `${around}{${members.join(',') || around}}${around}`;
          const text = derived(derive, record) ?? '';
          const own = JSON.parse(record) as Record<string, unknown>;
          const missing = derive.filter((one) => !Object.hasOwn(own, one));
          const at = record.indexOf('{') + 1;
          const rest = record.slice(at);
          expect(text.startsWith(record.slice(0, at))).toBe(true);
          expect(text.endsWith(rest)).toBe(true);
          const inserted = text.slice(at, text.length - rest.length);
          expect(inserted.replace(/,$/, '')).toBe(
            missing.map((one) => (one === '_id' ? ID : TIMESTAMP)).join(','),
          );
          const { _id, timestamp, ...others } = JSON.parse(text);
          expect(Object.keys({ ...own, ...JSON.parse(text) }).sort()).toEqual(
            [...Object.keys(own), ...missing].sort(),
          );
          expect(Object.keys(others).every((one) => Object.hasOwn(own, one))).toBe(true);
          if (!missing.includes('_id')) expect(_id).toEqual(own._id);
          if (!missing.includes('timestamp')) expect(timestamp).toEqual(own.timestamp);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('14 B: what is derived from a field of the record', () => {
  const id = (from = '/eventId') => ({ member: '_id', from });
  const time = (as: string, from = '/event/time') => ({ member: 'timestamp', from, as });
  const sentBy = (derive: unknown[], record: string, more: object = {}) =>
    transforming({ derive, ...more })(record)[0]?.sent;

  it.each([
    ['"e-1"', '"e-1"'],
    ['"a\\u00e9\\n"', '"aé\\n"'],
    ['7', '"7"'],
    ['-0', '"-0"'],
    ['12345678901234567890123', '"12345678901234567890123"'],
  ])('an _id: of %s %s', (value, wanted) => {
    const record = `{"eventId":${value},"n":1}`;
    expect(sentBy([id()], record)).toBe(`{"_id":${wanted},"eventId":${value},"n":1}`);
  });

  it.each(['""', 'null', 'true', '1.0', '1e3', '{}', '["e"]'])(
    'no _id of %s: it stays away, or the next one for it is taken',
    (value) => {
      const record = `{"eventId":${value},"other":5}`;
      expect(sentBy([id()], record)).toBe(record);
      expect(sentBy([id(), id('/other'), '_id'], record)).toBe(`{"_id":"5",${record.slice(1)}`);
      expect(sentBy([id(), id('/none'), '_id'], record)).toBe(`{${ID},${record.slice(1)}`);
    },
  );

  it.each([
    ['iso', '"2026-01-31T12:00:00Z"', '2026-01-31T12:00:00.000Z'],
    ['iso', '"2026-01-31T12:00:00.123999+02:00"', '2026-01-31T10:00:00.123Z'],
    ['iso', '"2026-01-31T12:00-0130"', '2026-01-31T13:30:00.000Z'],
    ['iso', '"1969-12-31T23:59:59.999Z"', '1969-12-31T23:59:59.999Z'],
    ['iso', '"2026-01-31"', '2026-01-31T00:00:00.000Z'],
    ['epoch-seconds', '1767225600', '2026-01-01T00:00:00.000Z'],
    ['epoch-seconds', '1767225600.123', '2026-01-01T00:00:00.123Z'],
    ['epoch-seconds', '"1767225600.9"', '2026-01-01T00:00:00.900Z'],
    ['epoch-seconds', '1.7672256E9', '2026-01-01T00:00:00.000Z'],
    ['epoch-seconds', '0', '1970-01-01T00:00:00.000Z'],
    ['epoch-millis', '1767225600123', '2026-01-01T00:00:00.123Z'],
    ['epoch-millis', '-1', '1969-12-31T23:59:59.999Z'],
    ['epoch-micros', '1767225600123999', '2026-01-01T00:00:00.123Z'],
    ['epoch-nanos', '"1767225600123456789"', '2026-01-01T00:00:00.123Z'],
    // The nearest number that JavaScript has is the next millisecond.
    ['epoch-nanos', '1769860800123999999', '2026-01-31T12:00:00.123Z'],
    ['epoch-micros', '1769860800123999.9', '2026-01-31T12:00:00.123Z'],
    ['epoch-seconds', '1769860800.1239999', '2026-01-31T12:00:00.123Z'],
    ['epoch-seconds', '-0.0001', '1969-12-31T23:59:59.999Z'],
    ['epoch-seconds', '-1.5e0', '1969-12-31T23:59:58.500Z'],
    ['epoch-nanos', '1', '1970-01-01T00:00:00.000Z'],
    ['epoch-nanos', '-1', '1969-12-31T23:59:59.999Z'],
    ['epoch-millis', '-0.0e7', '1970-01-01T00:00:00.000Z'],
  ])('a timestamp, as %s: of %s %s', (as, value, wanted) => {
    const record = `{"event":{"time":${value}}}`;
    expect(sentBy([time(as)], record)).toBe(`{"timestamp":"${wanted}",${record.slice(1)}`);
  });

  it.each([
    ['iso', '"2026-01-31T12:00:00"'],
    ['iso', '"2026-02-30T12:00:00Z"'],
    ['iso', '"today"'],
    ['iso', '1767225600'],
    // Milliseconds taken for seconds are no time of this age of the world.
    ['epoch-seconds', '1767225600123'],
    ['epoch-millis', '"2026-01-31"'],
    ['epoch-millis', '""'],
    ['epoch-millis', '1e400'],
    ['epoch-millis', 'null'],
    ['epoch-millis', '{}'],
  ])(
    'no timestamp, as %s, of %s: it stays away, or the arrival is taken where that is asked for',
    (as, value) => {
      const record = `{"event":{"time":${value}}}`;
      expect(sentBy([time(as)], record)).toBe(record);
      expect(sentBy([time(as), 'timestamp'], record)).toBe(`{${TIMESTAMP},${record.slice(1)}`);
    },
  );

  it('from around the part that is sent, and never over what the part has', () => {
    const both = [id('/id'), time('iso', '/time')];
    const around = '"id":"e","time":"2026-01-31T12:00:00Z"';
    expect(sentBy(both, `{${around},"detail":{"a":1}}`, { select: '/detail' })).toBe(
      '{"_id":"e","timestamp":"2026-01-31T12:00:00.000Z","a":1}',
    );
    expect(sentBy(both, `{${around},"detail":{"_id":"own"}}`, { select: '/detail' })).toBe(
      '{"timestamp":"2026-01-31T12:00:00.000Z","_id":"own"}',
    );
  });

  it('shows nothing that is hidden: of a hashed field the hash is derived', () => {
    const redact = [{ field: '/mail', action: 'hash' }];
    const [outcome] = transforming({ derive: [id('/mail')], redact })('{"mail":"ana@example.com"}');
    const { _id, mail } = JSON.parse(outcome?.sent ?? '');
    expect(_id).toBe(mail);
    expect(_id).toMatch(/^[0-9a-f]{64}$/);
  });
});
