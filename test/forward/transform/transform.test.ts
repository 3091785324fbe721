import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createConditions, lookedAt } from '../../../lib/conditions.ts';
import { MAX_REQUEST_BYTES } from '../../../lib/forward/frame/body.ts';
import { createFramer } from '../../../lib/forward/frame/frame.ts';
import { decode } from '../../../lib/forward/read/decode.ts';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import { createRedactor } from '../../../lib/forward/transform/redact.ts';
import { createTransform } from '../../../lib/forward/transform/transform.ts';
import { processorSeconds } from '../../support/effort.ts';
import { ALL_SETTLED, kinesisEvent, PUBLISHED, seq, world } from '../../support/forwarding.ts';
import { aggregate } from '../../support/kpl.ts';
import { kept, pipelineWith, transforming } from '../../support/transforming.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const sent = (outcomes: readonly { sent?: string }[]) => outcomes.map((outcome) => outcome.sent);
const verdicts = (outcomes: readonly { verdict?: string }[]) => outcomes.map((outcome) => outcome.verdict);

describe('a pipeline that asks for nothing', () => {
  it.each([undefined, {}, { derive: ['_id'] }, { operations: { data: 'merge' } }])(
    'has no transform: %j',
    (records) => {
      expect(createTransform(pipelineWith(records))).toBeUndefined();
    },
  );
});

describe('where', () => {
  const cases: [string, unknown, unknown, boolean][] = [
    ['equals: the same', { equals: 'x' }, 'x', true],
    ['equals: another', { equals: 'x' }, 'X', false],
    ['equals: a number is no text', { equals: '1' }, 1, false],
    ['equals: nothing', { equals: 'x' }, undefined, false],
    ['equals: null', { equals: null }, null, true],
    ['equals: null is not nothing', { equals: null }, undefined, false],
    ['equals: a number by its value', { equals: 1000 }, 1e3, true],
    ['notEquals: another', { notEquals: 'x' }, 'y', true],
    ['notEquals: the same', { notEquals: 'x' }, 'x', false],
    ['notEquals: nothing', { notEquals: 'x' }, undefined, true],
    ['notEquals: an object', { notEquals: 'x' }, {}, true],
    ['oneOf: one', { oneOf: ['x', 2, true, null] }, 2, true],
    ['oneOf: none', { oneOf: ['x', 2] }, '2', false],
    ['oneOf: nothing', { oneOf: ['x'] }, undefined, false],
    ['exists: there', { exists: true }, 'x', true],
    ['exists: null is there', { exists: true }, null, true],
    ['exists: not there', { exists: true }, undefined, false],
    ['absent: not there', { exists: false }, undefined, true],
    ['absent: there', { exists: false }, false, false],
    ['14 B: notOneOf: another', { notOneOf: ['x', 2] }, 'y', true],
    ['14 B: notOneOf: one of them', { notOneOf: ['x', 2] }, 2, false],
    ['14 B: notOneOf: nothing', { notOneOf: ['x', null] }, undefined, true],
    ['14 B: notOneOf: null', { notOneOf: ['x', null] }, null, false],
    ['14 B: matches: somewhere in the text', { matches: 'der\\.' }, 'order.placed', true],
    ['14 B: matches: nowhere in the text', { matches: '^der' }, 'order.placed', false],
    ['14 B: matches: a number is no text', { matches: '1' }, 1, false],
    ['14 B: matches: nothing', { matches: '' }, undefined, false],
    ['14 B: matches: null', { matches: '' }, null, false],
    ['14 B: greaterThan: above', { greaterThan: 10 }, 10.5, true],
    ['14 B: greaterThan: the same', { greaterThan: 10 }, 10, false],
    ['14 B: greaterThan: below', { greaterThan: -1 }, -1.5, false],
    ['14 B: greaterThan: a text is no number', { greaterThan: 1 }, '2', false],
    ['14 B: greaterThan: nothing', { greaterThan: -1 }, undefined, false],
    ['14 B: greaterThan: null', { greaterThan: -1 }, null, false],
    ['14 B: lessThan: below', { lessThan: 0 }, -0.1, true],
    ['14 B: lessThan: zero is zero', { lessThan: 0 }, 0, false],
    [
      '14 B: greaterThan: later',
      { greaterThan: '2026-01-01T00:00:00Z' },
      '2026-01-01T00:00:00.000001Z',
      true,
    ],
    [
      '14 B: greaterThan: the same in another zone',
      { greaterThan: '2026-01-01' },
      '2026-01-01T02:00+02:00',
      false,
    ],
    [
      '14 B: greaterThan: the same with more zeros',
      { greaterThan: '2026-01-01' },
      '2026-01-01T00:00:00.00Z',
      false,
    ],
    ['14 B: lessThan: earlier', { lessThan: '2026-01-01' }, '2025-12-31T23:59:59.999999999Z', true],
    ['14 B: lessThan: no time', { lessThan: '2026-01-01' }, 'yesterday', false],
    ['14 B: lessThan: no day of the calendar', { lessThan: '2026-03-09' }, '2026-02-30T00:00:00Z', false],
    ['14 B: lessThan: a time without a zone', { lessThan: '2026-03-09' }, '2026-01-01T00:00:00', false],
    ['14 B: lessThan: a number is no time', { lessThan: '2026-01-01' }, 5, false],
  ];

  it.each(cases)('%s', (_, test, value, passes) => {
    const record = JSON.stringify({ id: 1, field: value });
    const [outcome] = transforming({ where: [{ field: '/field', ...(test as object) }] })(record);
    expect(outcome).toMatchObject(passes ? { sent: record } : { verdict: 'filtered' });
  });

  it('wants all conditions met', () => {
    const where = [
      { field: '/type', equals: 'order' },
      { field: '/lines/0/sku', exists: true },
    ];
    const records = [
      '{"type":"order","lines":[{"sku":1}]}',
      '{"type":"order","lines":[]}',
      '{"lines":[{"sku":1}]}',
    ];
    expect(verdicts(transforming({ where })(...records))).toEqual([undefined, 'filtered', 'filtered']);
  });

  it.each([
    ['/a~1b/m~0n', '{"a/b":{"m~n":1}}'],
    ['/list/1', '{"list":[0,1]}'],
    ['/~01', '{"~1":1}'],
    ['/', '{"":1}'],
    ['/__proto__/x', '{"__proto__":{"x":1}}'],
    ['/*', '{"*":1}'],
  ])('finds %s in %s', (field, record) => {
    expect(sent(transforming({ where: [{ field, equals: 1 }] })(record))).toEqual([record]);
  });

  it.each([
    '/constructor',
    '/toString/name',
    '/list/length',
    '/list/-',
    '/list/01',
    '/text/0',
    '/text/length',
  ])('finds nothing at %s', (field) => {
    const record = '{"list":[0,1],"text":"abc"}';
    expect(sent(transforming({ where: [{ field, exists: false }] })(record))).toEqual([record]);
  });

  it.each([
    ['9007199254740991', '9007199254740991.4', true],
    ['9007199254740991', '9007199254740991.0', false],
    ['9007199254740991', '9007199254740991000e-3', false],
    ['9007199254740991', '0.90071992547409910000000000000000000000000001e16', true],
    ['0.1', '0.1000000000000000055', true],
    ['0.1', '0.0999999999999999999999', false],
    ['0', '1e-400', true],
    ['0', '-1e-400', false],
    ['0', '-0.0e7', false],
    ['-5', '-4.9999999999999999999999', true],
    ['-5', '-5.00000000000000000001', false],
    ['1', '1e400', true],
    ['1', '-1e400', false],
  ])('14 B: compares numbers with all their digits: above %s is %s: %j', (limit, number, above) => {
    const record = `{"a":[{"n":${number}}],"n":"n"}`;
    const greaterThan = Number(limit);
    const [outcome] = transforming({ where: [{ field: '/a/0/n', greaterThan }] })(record);
    expect(outcome?.sent === record).toBe(above);
    const [other] = transforming({ where: [{ field: '/a/*/n', greaterThan }] })(record);
    expect([other?.sent, other?.verdict]).toEqual([outcome?.sent, outcome?.verdict]);
  });

  it('14 B: an equal number in each of many items costs one look at the digits', async () => {
    const record = `[${'5,'.repeat(300_000)}5]`;
    const conditions = createConditions([{ field: '/*', greaterThan: 5 }]);
    const looked = lookedAt(JSON.parse(record), Buffer.from(record));
    expect(await processorSeconds(() => void conditions(looked))).toBeLessThan(10);
    expect(conditions(looked)).toBe(false);
  });

  it.each<[object, string, boolean]>([
    [{ field: '/items/*/sku', equals: 2 }, '{"items":[{"sku":1},{"sku":2}]}', true],
    [{ field: '/items/*/sku', equals: 3 }, '{"items":[{"sku":1},{"sku":2}]}', false],
    [{ field: '/items/*', equals: 'b' }, '{"items":["a","b"]}', true],
    // Some item has to meet it, so one that is another is enough.
    [{ field: '/items/*/sku', notEquals: 1 }, '{"items":[{"sku":1},{"sku":2}]}', true],
    [{ field: '/items/*/sku', notEquals: 1 }, '{"items":[{"sku":1}]}', false],
    [{ field: '/items/*/sku', exists: false }, '{"items":[{"sku":1},{}]}', true],
    [{ field: '/items/*/sku', exists: false }, '{"items":[{"sku":1}]}', false],
    // Where there is no item, the field is absent.
    [{ field: '/items/*/sku', exists: false }, '{"items":[]}', true],
    [{ field: '/items/*/sku', exists: true }, '{"items":[]}', false],
    [{ field: '/items/*/sku', notOneOf: [1] }, '{}', true],
    [{ field: '/items/*/sku', equals: 1 }, '{"items":{"sku":1}}', false],
    [{ field: '/items/*/tags/*', matches: '^vip' }, '{"items":[{"tags":[]},{"tags":["x","vip-1"]}]}', true],
    [{ field: '/items/*/tags/*', matches: '^vip' }, '{"items":[{"tags":[]},{"tags":["x"]}]}', false],
    [{ field: '/*/*', equals: 1 }, '{"*":{"*":1}}', true],
    [{ field: '/*/0/*', greaterThan: 1 }, '[[[1]],[[1,1.1]]]', true],
  ])('14 B: of the items of an array some one meets it: %j in %s: %j', (condition, record, wanted) => {
    const [outcome] = transforming({ where: [condition] })(record);
    expect(outcome?.verdict).toBe(
      wanted ? (record.startsWith('[') ? 'not-an-object' : undefined) : 'filtered',
    );
  });

  it('14 B: of `any` one has to hold, and beside it all the others', () => {
    const where = [
      {
        any: [
          { field: '/type', equals: 'order' },
          { field: '/total', greaterThan: 100 },
        ],
      },
      { field: '/test', exists: false },
    ];
    const records = ['{"type":"order"}', '{"total":101}', '{"total":100}', '{"type":"order","test":1}', '{}'];
    expect(verdicts(transforming({ where })(...records))).toEqual([
      undefined,
      undefined,
      'filtered',
      'filtered',
      'filtered',
    ]);
  });

  it('takes no number for another that lies next to it', () => {
    const outcomes = transforming({ where: [{ field: '/n', equals: 9007199254740991 }] })(
      '{"n":9007199254740991}',
      '{"n":9007199254740993}',
      '{"n":9007199254740992}',
    );
    expect(verdicts(outcomes)).toEqual([undefined, 'filtered', 'filtered']);
  });

  it.each([
    ['nothing', ''],
    ['no data', { data: null }],
    ['a byte order mark', '\uFEFF'],
    ['an empty archive', gzipSync('')],
  ])('A 7: passes over an empty record (a tombstone) where a field is asked for: %s', (_, record) => {
    const one = (test: object) =>
      transforming({ where: [{ field: '/op', ...test }] }, { compression: 'gzip' })(record as string);
    expect(verdicts(one({ exists: true }))).toEqual(['filtered']);
    expect(verdicts(one({ oneOf: ['c', 'd'] }))).toEqual(['filtered']);
    // It has no field, and that is all that is asked: it is wanted, and cannot be sent.
    expect(verdicts(one({ exists: false }))).toEqual(['empty']);
    expect(verdicts(one({ notEquals: 'c' }))).toEqual(['empty']);
    expect(verdicts(transforming({}, { compression: 'gzip' })(record as string))).toEqual(['empty']);
  });

  it('rejects what cannot be looked into, as it came', () => {
    const records = ['no', Buffer.from('ff', 'hex'), '\uFEFF', `{"a":${'['.repeat(600)}${']'.repeat(600)}}`];
    const outcomes = transforming({ where: [{ field: '/a', exists: false }] })(...records);
    expect(verdicts(outcomes)).toEqual(['not-json', 'not-utf8', 'empty', 'too-deep']);
    expect(outcomes.map(({ entry }) => entry?.data)).toEqual(
      records.map((record) => Buffer.from(record).toString('base64')),
    );
  });
});

describe('select', () => {
  it.each([
    ['/detail', '{"detail": { "n":9007199254740993 , "n":1e400 } }', '{ "n":9007199254740993 , "n":1e400 }'],
    ['/a/1/b', '{"a":[{"b":{"x":0}}, {"b" : {"x":1E+2}}]}', '{"x":1E+2}'],
    ['/0', '[ {"a":-0} ]', '{"a":-0}'],
    ['/a~1b', ' {"a\\u002fb":{"x":"}"}}', '{"x":"}"}'],
    ['/d', '{"d":{"x":1},"d":{"x":2}}', '{"x":2}'],
    ['/payload/after', '\uFEFF{"schema":{},"payload":{"before":null,"after":{"id":1}}}', '{"id":1}'],
  ])('takes the bytes at %s out of %s', (select, record, part) => {
    expect(sent(transforming({ select })(record))).toEqual([part]);
  });

  it.each([
    ['{"other":1}', 'nothing-selected'],
    ['{"detail":{}}', 'nothing-selected'],
    ['{"detail":[{"x":1}]}', 'nothing-selected'],
    ['{"detail":{"a":1}}', 'not-an-object'],
    ['{"detail":{"a":null}}', 'not-an-object'],
    ['{"detail":{"a":{"header":{"flowId":"x"},"body":{}}}}', 'envelope'],
    ['{"detail":{"a":{}}', 'not-json'],
    ['{"detail":{"a":{}}},{"detail":{"a":{}}}', 'not-json'],
  ])('rejects %s: %s, and keeps the record whole', (record, reason) => {
    const [outcome] = transforming({ select: '/detail/a' })(record);
    expect(outcome?.verdict).toBe(reason);
    expect(kept(outcome?.entry)).toBe(record);
  });

  it.each([
    ['{"before":{"id":1},"after":{"id":2}}', '{"id":2}'],
    ['{"before":{ "id":1.0 },"after":null}', '{ "id":1.0 }'],
    ['{"before":{"id":1}}', '{"id":1}'],
    ['{"before":{"id":1},"after":"text"}', '{"id":1}'],
    ['{"before":{"id":1},"after":[{"id":2}]}', '{"id":1}'],
    ['{"before":{"id":1},"after":{}}', '{}'],
    ['{"before":{"id":1},"\\u0061fter":{"id":2},"after":null}', '{"id":1}'],
    ['{"deep":[{"id":3}],"before":null,"after":7}', '{"id":3}'],
  ])('A 7: of several takes the first that is an object: of %s %s', (record, part) => {
    expect(sent(transforming({ select: ['/after', '/before', '/deep/0'] })(record))).toEqual([part]);
  });

  it.each([
    '{"after":null}',
    '{"after":null,"before":null}',
    '{"after":[],"before":"{}"}',
    '[]',
    '{}',
    'null',
    '7',
  ])('A 7: rejects what has none of them: %s, and keeps it whole', (record) => {
    const [outcome] = transforming({ select: ['/after', '/before'] })(record);
    expect(outcome).toMatchObject({
      verdict: 'nothing-selected',
      entry: { message: 'it has no object at /after or /before' },
    });
    expect(kept(outcome?.entry)).toBe(record);
  });

  it('A 7: what is hidden in one part is hidden in that which is sent in its place', () => {
    const records = {
      select: ['/after', '/before'],
      redact: [
        { field: '/after/mail', action: 'mask' },
        { field: '/before/name', action: 'drop' },
        { field: '/beforehand', action: 'drop' },
      ],
    };
    const row = '{"id":1,"mail":"ana@example.com","name":"Ana"}';
    const outcomes = transforming(records)(
      `{"before":${row},"after":null}`,
      `{"before":null,"after":${row}}`,
    );
    expect(sent(outcomes)).toEqual(Array(2).fill('{"id":1,"mail":"***"}'));
    const xdm = transforming(records, { data: 'xdm' })(
      `{"before":{"header":{},"body":{"xdmEntity":${row}}},"after":null}`,
    );
    expect(sent(xdm)[0]).toMatch(/"xdmEntity":\{"id":1,"mail":"\*\*\*"\}\}\}$/);
  });

  it('lets a large record pass whose part fits', () => {
    const record = `{"filler":"${'x'.repeat(3_000_000)}","part":{"a":1}}`;
    expect(sent(transforming({ select: '/part' })(record))).toEqual(['{"a":1}']);
    expect(verdicts(transforming({})(record))).toEqual(['too-large']);
    const [outcome] = transforming({ select: '/other' })(
      record.replace('"part"', `"other":{"b":"${'y'.repeat(MAX_REQUEST_BYTES)}"},"part"`),
    );
    expect(outcome?.verdict).toBe('too-large');
  });

  it('holds no more memory than the part', () => {
    const packed = gzipSync(`{"filler":"${'x'.repeat(1_500_000)}","part":{"a":1}}`);
    const outcomes = transforming(
      { select: '/part' },
      { compression: 'gzip' },
    )(...Array<Buffer>(20).fill(packed));
    expect(outcomes.map(({ sent }) => sent)).toEqual(Array(20).fill('{"a":1}'));
    const held = new Set(outcomes.map(({ framed }) => framed?.slab.buffer));
    expect([...held].reduce((sum, memory) => sum + (memory?.byteLength ?? 0), 0)).toBeLessThan(600_000);
  });

  it('agrees with the parser on what is where, and sends those very bytes', () => {
    const step = fc.constantFrom('a', 'b', '0', '1', '');
    const number = fc.constantFrom('1E+2', '9007199254740993', '-0', '1.10', '1e400');
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        number,
        fc.array(tie('tree'), { maxLength: 3 }).map((items) => `[ ${items.join(' ,')} ]`),
        fc
          .array(fc.tuple(step, tie('tree')), { maxLength: 4 })
          .map((members) => `{${members.map(([name, value]) => `"${name}" : ${value}`).join(', ')}}`),
      ),
    }));
    const steps = fc.array(step, { maxLength: 4 }).map((further) => ['a', ...further]);
    fc.assert(
      fc.property(tree, steps, (text, path) => {
        const [outcome] = transforming({ select: `/${path.join('/')}` })(`{"a":${text}}`);
        let value: unknown = JSON.parse(`{"a":${text}}`);
        for (const name of path) value = isOwn(value, name) ? value[name] : undefined;
        if (value === undefined) expect(outcome?.verdict).toBe('nothing-selected');
        else if (typeof value !== 'object' || Array.isArray(value))
          expect(outcome?.verdict).toBe('not-an-object');
        else {
          expect(JSON.parse(outcome?.sent ?? '')).toEqual(value);
          expect(text).toContain(outcome?.sent);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function isOwn(value: unknown, name: string): value is Record<string, unknown> {
  if (Array.isArray(value)) return /^\d+$/.test(name) && Object.hasOwn(value, name);
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
}

describe('redact', () => {
  const RECORD = `{"id":9007199254740993,"who":{"email":"ana.reis@example.com","age":41.50,"none":null},"items":[{"note":"n0","n":1E+2},{"n":-0},{"note":{"deep":[1.0]}}],"flag":true}`;

  const redacted = (...redact: object[]) => sent(transforming({ redact })(RECORD))[0];

  it.each<[string, object[], string]>([
    [
      'drop of a member',
      [{ field: '/who/email', action: 'drop' }],
      RECORD.replace('"email":"ana.reis@example.com",', ''),
    ],
    ['drop of an item', [{ field: '/items/1', action: 'drop' }], RECORD.replace('{"n":-0}', 'null')],
    [
      'mask',
      [{ field: '/who', action: 'mask' }],
      '{"id":9007199254740993,"who":"***","items":[{"note":"n0","n":1E+2},{"n":-0},{"note":{"deep":[1.0]}}],"flag":true}',
    ],
    [
      'all items of an array',
      [{ field: '/items/*/note', action: 'mask' }],
      RECORD.replace('"n0"', '"***"').replace('{"deep":[1.0]}', '"***"'),
    ],
    [
      'hash of text',
      [{ field: '/who/email', action: 'hash' }],
      RECORD.replace('ana.reis@example.com', sha256('ana.reis@example.com')),
    ],
    [
      'hash with a salt',
      [{ field: '/who/email', action: 'hash', salt: 's' }],
      RECORD.replace('ana.reis@example.com', sha256('sana.reis@example.com')),
    ],
    [
      'hash of a number, by its digits',
      [{ field: '/who/age', action: 'hash' }],
      RECORD.replace('41.50', `"${sha256('41.50')}"`),
    ],
    [
      'hash of a number beyond 2^53',
      [{ field: '/id', action: 'hash' }],
      RECORD.replace('9007199254740993', `"${sha256('9007199254740993')}"`),
    ],
    ['hash of true', [{ field: '/flag', action: 'hash' }], RECORD.replace('true', `"${sha256('true')}"`)],
    [
      'hash of an object, as JSON',
      [{ field: '/items/2/note', action: 'hash' }],
      RECORD.replace('{"deep":[1.0]}', `"${sha256('{"deep":[1.0]}')}"`),
    ],
    ['hash of null, which stays', [{ field: '/who/none', action: 'hash' }], RECORD],
    [
      'nothing there',
      [
        { field: '/who/email/x', action: 'drop' },
        { field: '/items/7', action: 'mask' },
        { field: '/id/rawJSON', action: 'mask' },
        { field: '/items/length', action: 'mask' },
        { field: '/who/*', action: 'mask' },
      ],
      RECORD,
    ],
    [
      'several',
      [
        { field: '/who', action: 'drop' },
        { field: '/items', action: 'drop' },
        { field: '/flag', action: 'mask' },
      ],
      '{"id":9007199254740993,"flag":"***"}',
    ],
  ])('%s', (_, rules, wanted) => {
    expect(redacted(...rules)).toBe(wanted);
  });

  it('takes every member of a name that stands there twice', () => {
    const record =
      '{"email":"ana.reis@example.com","\\u0065mail":"ana.reis@example.com","__proto__":{"email":"ana"}}';
    const rules = [
      { field: '/email', action: 'drop' },
      { field: '/__proto__/email', action: 'mask' },
    ];
    expect(sent(transforming({ redact: rules })(record))).toEqual(['{"__proto__":{"email":"***"}}']);
  });

  it('keeps the digits of every number, and everything that it does not name', () => {
    const digits = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.stringMatching(/^(0|[1-9]\d{0,30})$/),
        fc.stringMatching(/^(\.\d{1,20})?$/),
        fc.stringMatching(/^([eE][+-]?\d{1,4})?$/),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(digits, { maxLength: 8 }), fc.json({ maxDepth: 3 }), (numbers, other) => {
        const record = `{"n":[${numbers.join(',')}],"secret":1,"o":${JSON.stringify(JSON.parse(other))}}`;
        const [text] = sent(transforming({ redact: [{ field: '/secret', action: 'mask' }] })(record));
        expect(text).toBe(record.replace('"secret":1', '"secret":"***"'));
      }),
      { numRuns: 500 },
    );
  });

  const rules = {
    redact: [
      { field: '/email', action: 'hash' },
      { field: '/name', action: 'drop' },
    ],
  };
  const PERSON = '{"email":"ana.reis@example.com","name":"Ana Reis","n":1.0}';
  const HIDDEN = `{"email":"${sha256('ana.reis@example.com')}","n":1.0}`;

  it('is what the store keeps of a reject too, with its key hashed', () => {
    const select = '/part';
    const [outcome] = transforming({ ...rules, select })({ data: PERSON, key: 'ana.reis@example.com' });
    expect(outcome?.verdict).toBe('nothing-selected');
    expect(kept(outcome?.entry)).toBe(HIDDEN);
    expect(outcome?.entry).toMatchObject({ redacted: true, partitionKey: sha256('ana.reis@example.com') });
    expect(JSON.stringify(outcome)).not.toMatch(/ana/i);
  });

  it('is what is kept of a record that AEP would follow, and of one that is too large', () => {
    const envelope = '{"header":{"flowId":"x"},"body":{},"name":"Ana Reis"}';
    const large = `{"name":"Ana Reis","x":"${'x'.repeat(MAX_REQUEST_BYTES)}"}`;
    const outcomes = transforming(rules)(envelope, large);
    expect(verdicts(outcomes)).toEqual(['envelope', 'too-large']);
    expect(kept(outcomes[0]?.entry)).toBe('{"header":{"flowId":"x"},"body":{}}');
    expect(kept(outcomes[1]?.entry)).toMatch(/^\{"x":"x+"\}$/);
  });

  it('lets a record through that is small enough without what is dropped', () => {
    const large = `{"name":"${'x'.repeat(MAX_REQUEST_BYTES)}","n":1}`;
    expect(sent(transforming(rules)(large))).toEqual(['{"n":1}']);
  });

  it.each<[string, Parameters<ReturnType<typeof transforming>>[0], string]>([
    ['nothing', '', 'empty'],
    ['not JSON', 'ana.reis@example.com', 'not-json'],
    ['two messages', `${PERSON},${PERSON}`, 'not-json'],
    ['text', '"ana.reis@example.com"', 'not-an-object'],
    ['a list', `[${PERSON}]`, 'not-an-object'],
    ['not UTF-8', Buffer.concat([Buffer.from('ana'), Buffer.from([0xff])]), 'not-utf8'],
    ['too deep', `{"name":"ana","a":${'['.repeat(600)}${']'.repeat(600)}}`, 'too-deep'],
    ['cut gzip', gzipSync(PERSON).subarray(0, -1), 'not-gzip'],
    ['a bomb', gzipSync(Buffer.alloc(3_000_000)), 'gzip-too-large'],
  ])('withholds what cannot be redacted: %s', (_, data, reason) => {
    const bytes = Buffer.from(data as string);
    const [outcome] = transforming(rules, { compression: 'gzip' })({ data: bytes, key: 'ana' });
    expect(outcome?.verdict).toBe(reason);
    expect(outcome?.entry).toEqual({
      reason,
      message: outcome?.entry?.message,
      sequenceNumber: seq(0),
      partitionKey: sha256('ana'),
      arrivedAt: 1_770_000_000.5,
      data: '',
      withheld: true,
      length: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    expect(outcome?.entry?.message).not.toMatch(/ana/i);
  });

  it('withholds what is no base64, a damaged aggregate, and one bad sub-record alone', () => {
    const parts = [PERSON, 'Ana Reis'].map((text) => ({ key: 'Ana', data: Buffer.from(text) }));
    const [notBase64] = transforming(rules)({ base64: 'Ana Reis!' });
    expect(notBase64?.entry).toMatchObject({ reason: 'not-base64', withheld: true, data: '', length: 9 });
    const [good, bad] = transforming(rules)(aggregate(parts));
    expect(good?.sent).toBe(HIDDEN);
    expect(bad?.entry).toMatchObject({ reason: 'not-json', subSequenceNumber: 1, withheld: true, data: '' });
  });

  it('lets nothing through that it names, to AEP or to the store, whatever else is asked for or broken', () => {
    const CANARY = 'ana.reis@example.com';
    const redact = [
      { field: '/who', action: 'hash' },
      { field: '/list/*/who', action: 'drop' },
      { field: '/deep/0/who', action: 'mask' },
    ];
    const item = fc.constantFrom({ who: CANARY }, { who: { email: [CANARY] } }, { n: 1 }, 7, null);
    const record = fc.record(
      {
        who: fc.constant(CANARY),
        list: fc.array(item, { maxLength: 3 }),
        deep: fc.tuple(item),
        op: fc.constantFrom('x', 'y'),
      },
      { requiredKeys: ['list', 'deep', 'op'] },
    );
    const others = fc.record(
      {
        where: fc.constantFrom([{ field: '/who', exists: true }], [{ field: '/op', notEquals: 'z' }]),
        select: fc.constantFrom('/list/0', '/deep/0', '/who', '/nothing'),
        operations: fc.constant({ field: '/op', values: { x: { data: 'merge' } } }),
        derive: fc.constant(['_id']),
      },
      { requiredKeys: [] },
    );
    const damage = fc.constantFrom('', '', '', '}', ',{}', '{"who":"', '\u0000');
    let [whole, stored] = [0, 0];
    fc.assert(
      fc.property(record, others, damage, (value, options, tail) => {
        const data = JSON.stringify(value) + tail;
        const outcomes = transforming({ ...options, redact })({ data, key: CANARY });
        const seen = outcomes.map(({ sent, verdict, entry }) => [sent, verdict, entry, kept(entry)]);
        expect(JSON.stringify(seen)).not.toContain(CANARY);
        if (outcomes[0]?.sent !== undefined) whole++;
        if (outcomes[0]?.entry !== undefined) stored++;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(whole, stored)).toBeGreaterThan(20);
  });

  it('goes well with conditions on what it hides', () => {
    const where = [
      { field: '/email', exists: true },
      { field: '/name', equals: 'Ana Reis' },
    ];
    expect(sent(transforming({ ...rules, where })(PERSON))).toEqual([HIDDEN]);
  });

  it('is done once: what was stored redacted is neither judged nor hidden again', () => {
    const where = [{ field: '/name', equals: 'Ana Reis' }];
    const pipeline = pipelineWith({ ...rules, where });
    const [record] = kinesisEvent([HIDDEN]).Records as unknown as KinesisRecord[];
    const [part] = decode(record as KinesisRecord, { compression: 'none' });
    if (part === undefined || !('payload' in part)) throw new Error('it was decoded');
    const redacted = createRedactor(pipeline)?.applied ?? [];
    const again = createTransform(pipeline)?.({ ...part, message: { ...part.message, redacted } });
    expect(again && 'payload' in again ? again.payload.toString() : again).toBe(HIDDEN);
  });

  it('sends a select of what is left, in an XDM envelope as well', () => {
    const record = '{"person":{"_id":"1","ssn":"078-05-1120","n":1E2}}';
    const redact = [{ field: '/person/ssn', action: 'drop' }];
    const [text] = sent(transforming({ redact, select: '/person' }, { data: 'xdm' })(record));
    expect(text?.endsWith('"xdmEntity":{"_id":"1","n":1E2}}}')).toBe(true);
  });
});

describe('operations', () => {
  const header = (operations: object) =>
    JSON.stringify({
      flowId: PUBLISHED.flowId,
      imsOrgId: PUBLISHED.organizationId,
      datasetId: PUBLISHED.datasetId,
      operations,
    });
  const TABLE = {
    operations: {
      field: '/op',
      values: {
        D: { data: 'delete' },
        U: { data: 'merge', identity: 'create', identityDatasetId: '69a1' },
        1: { data: 'create' },
        true: { data: 'create' },
      },
    },
  };

  it('one for all records stands in a header of ours, the record in the body', () => {
    const records = ['{"n":9007199254740993}', '{"header":{"title":"x"},"body":{}}'];
    expect(sent(transforming({ operations: { data: 'merge' } })(...records))).toEqual(
      records.map((record) => `{"header":${header({ data: 'merge' })},"body":${record}}`),
    );
  });

  it('is chosen by what a field says', () => {
    const { D, U } = TABLE.operations.values;
    expect(
      sent(transforming(TABLE)('{"op":"D","n":1}', '{"op":"U","n":2}', '{"op":1}', '{"op":true}')),
    ).toEqual([
      `{"header":${header(D)},"body":{"op":"D","n":1}}`,
      `{"header":${header(U)},"body":{"op":"U","n":2}}`,
      `{"header":${header({ data: 'create' })},"body":{"op":1}}`,
      `{"header":${header({ data: 'create' })},"body":{"op":true}}`,
    ]);
  });

  it.each(['{"op":"X"}', '{"n":1}', '{"op":null}', '{"op":["D"]}', '{"op":"toString"}', '{"op":"d"}', '[]'])(
    'is not guessed: %s is rejected and kept',
    (record) => {
      const [outcome] = transforming(TABLE)(record);
      expect(outcome?.verdict).toBe('no-operation');
      expect(kept(outcome?.entry)).toBe(record);
    },
  );

  it('is chosen by the whole record where a part is sent', () => {
    expect(sent(transforming({ ...TABLE, select: '/after' })('{"op":"D","after":{"id":1}}'))).toEqual([
      `{"header":${header({ data: 'delete' })},"body":{"id":1}}`,
    ]);
  });

  it('is ours to choose: a producer’s own instructions are rejected', () => {
    const records = [
      '{"op":"D","header":{"operations":{"data":"delete"}},"body":{}}',
      '{"op":"U","header":{"flowId":"x"},"body":{}}',
    ];
    expect(verdicts(transforming(TABLE)(...records))).toEqual(['envelope', 'envelope']);
  });

  it('counts for the size of a request, to the byte', () => {
    const pipeline = pipelineWith(TABLE);
    const framer = createFramer(pipeline);
    const message = { sequenceNumber: '1', partitionKey: 'k', arrivedAt: undefined, bytes: Buffer.alloc(0) };
    const frame = (length: number, operation: string) =>
      framer.frame({ message, payload: Buffer.from(`{"a":"${'x'.repeat(length)}"}`), operation });
    const framed = [frame(1, 'D'), frame(20, 'U'), frame(300, 'D')].flatMap((one) =>
      'slab' in one ? [one] : [],
    );
    const body = framer.body(framed);
    expect(body.length).toBe(
      framed.reduce((sum, { size }) => sum + size, '{"messages":['.length + ']}'.length - 1),
    );
    expect(JSON.parse(Buffer.from(body).toString()).messages).toHaveLength(3);
    // A comma is counted for each message.
    const around = `{"messages":[{"header":${header(TABLE.operations.values.U)},"body":{"a":""}}]},`;
    const longest = MAX_REQUEST_BYTES - around.length;
    expect(frame(longest, 'U')).toHaveProperty('slab');
    expect(frame(longest + 1, 'U')).toMatchObject({ verdict: { reason: 'too-large' } });
  });

  it('without one that was chosen, the framer does not go on', () => {
    const framer = createFramer(pipelineWith(TABLE));
    const message = { sequenceNumber: '1', partitionKey: 'k', arrivedAt: undefined, bytes: Buffer.alloc(0) };
    expect(() => framer.frame({ message, payload: Buffer.from('{}') })).toThrow(RangeError);
  });
});

describe('options that leave the bytes alone', () => {
  it('derive, operations and conditions are no reason to touch a record', async () => {
    const w = world({ published: { compression: 'auto' } });
    const records = ['{"a":1.0}', gzipSync('{"b":1E2}')];
    expect(JSON.stringify(await w.run(records))).toBe(ALL_SETTLED);
    const where = [{ field: '/x', exists: false }];
    expect(sent(transforming({ where }, { compression: 'auto' })(...records))).toEqual(w.inlet.acknowledged);
  });
});
