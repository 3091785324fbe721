import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFramer, MAX_REQUEST_BYTES } from '../../../lib/forward/frame/frame.ts';
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
