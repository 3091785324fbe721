import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { manifestJsonSchema, parseManifest } from '../lib/manifest.ts';

const MAPPING = [
  { source: 'id', destination: '_id' },
  { source: 'email', destination: 'workEmail.address' },
];

function manifest(records: unknown, data: 'raw' | 'xdm' = 'raw') {
  return {
    version: 1,
    name: 'orders',
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'orders', data, ...(records !== undefined && { records }) },
    // What operations need; whatever else is said of records does without.
    schema: {
      class: 'profile',
      fieldGroups: ['profile-work-details'],
      identities: [{ path: 'workEmail.address', namespace: 'Email', primary: true }],
      profile: true,
    },
    dataset: { profile: true, upsert: true },
    ...(data === 'raw' && { mapping: MAPPING }),
  };
}

const field = '/customer/email';

const RIGHT: [string, unknown, ('raw' | 'xdm')?][] = [
  ['nothing at all', {}],
  [
    'every condition',
    {
      where: [
        { field: '/type', equals: 'order' },
        { field: '/n', notEquals: 0 },
        { field: '/b', oneOf: [true, null, 'x', -1.5] },
        { field, exists: false },
        { field, notOneOf: ['x', 1] },
        { field, matches: '^a+@example\\.com$' },
        { field: '/items/*/price', greaterThan: 10.5 },
        { field: '/at', lessThan: '2026-01-31T12:00:00.123456+02:00' },
        {
          any: [
            { field, exists: false },
            { field, equals: 'x' },
          ],
        },
      ],
    },
  ],
  [
    'every redaction',
    {
      redact: [
        { field, action: 'drop' },
        { field: '/items/*/note', action: 'mask' },
        { field: '/phone', action: 'hash' },
        { field: '/name', action: 'hash', salt: 'acme' },
      ],
    },
  ],
  ['a part', { select: '/payload/after' }],
  ['parts to fall back to', { select: ['/payload/after', '/payload/before'] }],
  ['a part whose name has signs in it', { select: '/a~1b/m~0n//0' }],
  ['ids and times', { derive: ['_id', 'timestamp'] }, 'xdm'],
  [
    'ids and times from fields',
    {
      derive: [
        { member: '_id', from: '/id' },
        { member: '_id', from: '/mail' },
        '_id',
        { member: 'timestamp', from: '/at', as: 'epoch-millis' },
        'timestamp',
      ],
      redact: [{ field: '/mail', action: 'hash' }],
    },
  ],
  ['an operation', { operations: { data: 'merge' } }],
  [
    'an operation with identities',
    {
      operations: { data: 'create', identity: 'create', identityDatasetId: '69a1f3c27be5a40c1d2e3f40' },
    },
  ],
  [
    'a table of operations',
    {
      operations: {
        field: '/op',
        values: { I: { data: 'create' }, U: { data: 'merge' }, D: { data: 'delete' } },
      },
      redact: [
        { field: '/opposite', action: 'drop' },
        { field: '/op/*', action: 'drop' },
      ],
    },
  ],
];

/** What is wrong, and what the message must say of it. */
const MISTAKES: [string, unknown, string, ('raw' | 'xdm')?][] = [
  ['no object', [], 'source.records: expected object; found []'],
  [
    'unknown',
    { filter: [] },
    'source.records: unknown "filter"; allowed: where, passOver, deletions, redact, select, derive, operations',
  ],
  [
    'no pointer',
    { select: 'detail' },
    'source.records.select: expected a JSON Pointer such as /customer/email',
  ],
  [
    'a number',
    { select: 7 },
    'source.records.select: expected a JSON Pointer such as /customer/email, or a list of 1 to 10 of them; found 7',
  ],
  ['no part', { select: [] }, 'source.records.select: '],
  ['too many parts', { select: Array.from({ length: 11 }, (_, n) => `/${n}`) }, 'source.records.select: '],
  ['a part that is none', { select: ['/after', 'before'] }, 'source.records.select'],
  [
    'a part twice',
    { select: ['/after', '/before', '/after'] },
    'source.records.select.2: expected each part once; found "/after"',
  ],
  ['the whole record', { select: '' }, 'source.records.select: expected a JSON Pointer'],
  ['a bad escape', { select: '/a~2' }, 'source.records.select: expected a JSON Pointer'],
  ['too long a pointer', { select: `/${'a'.repeat(500)}` }, 'source.records.select: '],
  ['no condition', { where: [] }, 'source.records.where: '],
  [
    'a condition of nothing',
    { where: [{ field }] },
    'source.records.where.0: expected {"field"} with one of "equals"',
  ],
  [
    'two tests in one',
    { where: [{ field, equals: 1, exists: true }] },
    'source.records.where.0: expected {"field"} with one of',
  ],
  [
    'an unknown test',
    { where: [{ field, contains: 'x' }] },
    'source.records.where.0: expected {"field"} with one of',
  ],
  [
    'an expression that may take for ever',
    { where: [{ field, matches: '(a)\\1' }] },
    'source.records.where.0.matches: expected no back reference; found "(a)\\\\1"',
  ],
  [
    'no expression',
    { where: [{ field, matches: '(' }] },
    'source.records.where.0.matches: expected a regular expression; found "("',
  ],
  [
    'a limit that is no time',
    { where: [{ field, greaterThan: '2026-02-30' }] },
    'source.records.where.0.greaterThan: expected a number within ±2^53, or a time such as 2026-01-31T12:00:00Z; found "2026-02-30"',
  ],
  [
    'a limit that no one can tell',
    { where: [{ field, lessThan: 2 ** 53 }] },
    'source.records.where.0.lessThan: expected a number within ±2^53, or a time',
  ],
  ['any of none', { where: [{ any: [] }] }, 'source.records.where.0.any: '],
  [
    'any within any',
    { where: [{ any: [{ any: [{ field, exists: true }] }] }] },
    'source.records.where.0.any.0: expected {"field"} with one of "equals"',
  ],
  [
    'a pointer in a condition',
    { where: [{ field: 'type', equals: 'x' }] },
    'source.records.where.0.field: expected a JSON Pointer',
  ],
  [
    'a list to equal',
    { where: [{ field, equals: ['a'] }] },
    'source.records.where.0.equals: expected text, a number within ±2^53, true, false or null; found ["a"]',
  ],
  [
    'a number that no one can tell',
    { where: [{ field, oneOf: [2 ** 53] }] },
    'source.records.where.0.oneOf.0: expected text, a number within',
  ],
  ['one of none', { where: [{ field, oneOf: [] }] }, 'source.records.where.0.oneOf: '],
  [
    'exists in words',
    { where: [{ field, exists: 'yes' }] },
    'source.records.where.0.exists: expected boolean; found "yes"',
  ],
  [
    'an unknown action',
    { redact: [{ field, action: 'encrypt' }] },
    'source.records.redact.0.action: expected "drop", "mask" or "hash"; found "encrypt"',
  ],
  [
    'no action',
    { redact: [{ field }] },
    'source.records.redact.0.action: expected "drop", "mask" or "hash"; found nothing',
  ],
  [
    'salt for a mask',
    { redact: [{ field, action: 'mask', salt: 'x' }] },
    'source.records.redact.0: unknown "salt"; allowed: field, action',
  ],
  [
    'a field hidden twice',
    {
      redact: [
        { field, action: 'mask' },
        { field, action: 'drop' },
      ],
    },
    'source.records.redact.1.field: expected each field once; found "/customer/email"',
  ],
  [
    'an unknown member',
    { derive: ['id'] },
    'source.records.derive.0: expected "_id", "timestamp", {"member": "_id", "from"} or {"member": "timestamp", "from", "as"}; found "id"',
  ],
  [
    'a time in no form',
    { derive: [{ member: 'timestamp', from: '/at', as: 'unix' }] },
    'source.records.derive.0.as: expected one of "iso"|"epoch-seconds"|"epoch-millis"|"epoch-micros"|"epoch-nanos"; found "unix"',
  ],
  [
    'an id in a form',
    { derive: [{ member: '_id', from: '/id', as: 'iso' }] },
    'source.records.derive.0: unknown "as"; allowed: member, from',
  ],
  [
    'one field twice',
    {
      derive: [
        { member: '_id', from: '/id' },
        { member: '_id', from: '/id' },
      ],
    },
    'source.records.derive.1: expected each member once, or from another field; found {',
  ],
  [
    'what is never asked',
    { derive: ['_id', { member: '_id', from: '/id' }] },
    'source.records.derive.1: is never used: "_id" before it has a value for every record; found {',
  ],
  [
    'an id that is masked',
    { derive: [{ member: '_id', from: '/a/id' }], redact: [{ field: '/a/id', action: 'mask' }] },
    'source.records.derive.0.from: is hidden by redact (/a/id); found "/a/id"',
  ],
  [
    'a time that is hashed in the other part',
    {
      select: ['/after', '/before'],
      derive: [{ member: 'timestamp', from: '/before/at', as: 'iso' }],
      redact: [{ field: '/after/at', action: 'hash' }],
    },
    'source.records.derive.0.from: is hidden by redact (/before/at); found "/before/at"',
  ],
  [
    'a member twice',
    { derive: ['_id', '_id'] },
    'source.records.derive.1: expected each member once, or from another field; found "_id"',
  ],
  [
    'operations of XDM',
    { operations: { data: 'merge' } },
    'source.records.operations: not allowed, because source.data is "xdm"',
    'xdm',
  ],
  [
    'an unknown operation',
    { operations: { data: 'upsert' } },
    'source.records.operations.data: expected one of "create"|"merge"|"delete"; found "upsert"',
  ],
  [
    'an operation neither nor',
    { operations: 'merge' },
    'source.records.operations: expected {"data"} of one operation for all records, or {"field", "values"}',
  ],
  [
    'an empty table',
    { operations: { field: '/op', values: {} } },
    'source.records.operations.values: expected at least one value',
  ],
  [
    'a bad operation in a table',
    { operations: { field: '/op', values: { D: { data: 'remove' } } } },
    'source.records.operations.values.D.data: expected one of',
  ],
  [
    'the choosing field hidden',
    {
      operations: { field: '/meta/op', values: { D: { data: 'delete' } } },
      redact: [{ field: '/meta/op', action: 'hash' }],
    },
    'source.records.redact.0.field: hides the field that operations are chosen by',
  ],
  [
    'what holds it hidden',
    {
      operations: { field: '/meta/op', values: { D: { data: 'delete' } } },
      redact: [{ field: '/meta', action: 'drop' }],
    },
    'source.records.redact.0.field: hides the field',
  ],
  [
    'what may hold it hidden',
    {
      operations: { field: '/events/0/op', values: { D: { data: 'delete' } } },
      redact: [{ field: '/events/*', action: 'drop' }],
    },
    'source.records.redact.0.field: hides the field',
  ],
];

describe('source.records', () => {
  it.each(RIGHT)('may say %s, and is kept as it is written', (_, records, data) => {
    expect(parseManifest(manifest(records, data)).source).toMatchObject({ records });
  });

  it('adds nothing where it is left out', () => {
    expect(parseManifest(manifest(undefined)).source).not.toHaveProperty('records');
    expect(Object.keys((parseManifest(manifest({})).source as { records?: object }).records ?? {})).toEqual(
      [],
    );
  });

  it.each(MISTAKES)('names path, finding and what is allowed: %s', (_, records, said, data) => {
    expect(() => parseManifest(manifest(records, data), 'my.json')).toThrow(said);
  });

  it('is for inlets alone', () => {
    const { source: _, ...rest } = manifest({});
    const pulled = {
      kind: 'kinesis',
      stream: 'orders',
      region: 'eu-west-1',
      data: 'raw',
      credentials: 'a',
      records: {},
    };
    expect(() => parseManifest({ ...rest, source: pulled })).toThrow('source: unknown "records"');
  });

  it.each(['none', 'gzip', 'zlib', 'zstd', 'auto'])('knows the compression %s', (compression) => {
    const { source, ...rest } = manifest(undefined);
    expect(parseManifest({ ...rest, source: { ...source, compression } }).source).toMatchObject({
      compression,
    });
    expect(() => parseManifest({ ...rest, source: { ...source, compression: 'snappy' } })).toThrow(
      'source.compression: expected one of "none"|"gzip"|"zlib"|"zstd"|"auto"; found "snappy"',
    );
  });
});

describe('the published JSON Schema', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(manifestJsonSchema());

  it.each(RIGHT)('takes %s', (_, records, data) => {
    expect([validate(manifest(records, data)), validate.errors]).toEqual([true, null]);
  });

  it.each([
    'no pointer',
    'unknown',
    'an unknown action',
    'a condition of nothing',
    'an unknown member',
    'salt for a mask',
  ])('refuses %s', (name) => {
    const [, records] = MISTAKES.find(([mistake]) => mistake === name) ?? [];
    expect(records).toBeDefined();
    expect(validate(manifest(records))).toBe(false);
  });

  it('says what each option is for', () => {
    const text = JSON.stringify(manifestJsonSchema());
    for (const said of [
      'Which records are sent',
      'JSON Pointer of the part',
      'from the place in the stream',
      'Not a secret',
    ])
      expect(text).toContain(said);
  });
});
