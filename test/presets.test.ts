import { describe, expect, it } from 'vitest';
import { parseManifest } from '../lib/manifest.ts';
import { presetManifest, rulesOf } from './support/presets.ts';

const EVENT = {
  derive: [
    { member: '_id', from: '/id' },
    { member: 'timestamp', from: '/time', as: 'iso' },
  ],
};
const DMS = {
  where: [{ field: '/metadata/operation', oneOf: ['load', 'insert', 'update', 'delete'] }],
  passOver: [{ field: '/metadata/record-type', equals: 'control' }],
  select: ['/data', '/before-image'],
};
const MERGES = { load: { data: 'merge' }, insert: { data: 'merge' }, update: { data: 'merge' } };
const kept = (are: string) => ({
  deletions: { where: [{ field: '/metadata/operation', oneOf: ['delete'] }], are },
});

describe('14 B: a format stands for rules that a manifest sees', () => {
  it.each<[unknown, boolean, object]>([
    ['eventbridge', true, { ...EVENT, select: '/detail' }],
    ['cloudevents', false, { ...EVENT, select: '/data' }],
    ['dms', false, { ...DMS, ...kept('kept') }],
    [{ kind: 'dms', deletes: 'drop' }, false, { ...DMS, ...kept('dropped') }],
    ['dms', true, { ...DMS, ...kept('kept'), operations: { field: '/metadata/operation', values: MERGES } }],
    [
      { kind: 'dms', deletes: 'apply' },
      true,
      {
        ...DMS,
        operations: { field: '/metadata/operation', values: { ...MERGES, delete: { data: 'delete' } } },
      },
    ],
    [
      { kind: 'debezium', deletes: 'apply' },
      true,
      {
        where: [
          {
            any: ['/payload/op', '/op'].map((field) => ({ field, oneOf: ['c', 'r', 'u', 'd', 't'] })),
          },
        ],
        passOver: [
          ...['/payload/op', '/op'].map((field) => ({
            any: [
              { field, exists: false },
              { field, equals: 'm' },
            ],
          })),
          {
            any: ['/payload', ''].flatMap((at) => [
              { field: `${at}/ts_ms`, exists: true },
              { field: `${at}/ddl`, exists: true },
              { field: `${at}/status`, oneOf: ['BEGIN', 'END'] },
            ]),
          },
        ],
        // A truncated table tells no row, so nothing can be applied.
        deletions: {
          where: [{ any: ['/payload/op', '/op'].map((field) => ({ field, oneOf: ['t'] })) }],
          are: 'kept',
        },
        operations: {
          field: ['/payload/op', '/op'],
          values: {
            c: { data: 'merge' },
            r: { data: 'merge' },
            u: { data: 'merge' },
            d: { data: 'delete' },
          },
        },
        select: ['/payload/after', '/after', '/payload/before', '/before'],
      },
    ],
    [
      { kind: 'dynamodb' },
      false,
      {
        where: [{ field: '/eventName', oneOf: ['INSERT', 'MODIFY', 'REMOVE'] }],
        deletions: { where: [{ field: '/eventName', oneOf: ['REMOVE'] }], are: 'kept' },
        select: ['/dynamodb/NewImage', '/dynamodb/OldImage', '/dynamodb/Keys'],
      },
    ],
  ])('%j with upsert %j', (format, upsert, records) => {
    expect(rulesOf({ format }, upsert)).toEqual(records);
  });

  it('stands for none where it is about messages alone', () => {
    for (const format of ['json', 'json-lines', 'json-array', 'cloudwatch-logs'])
      expect(rulesOf({ format })).toBeUndefined();
  });

  it('is overridden member by member', () => {
    const where = [{ field: '/metadata/table-name', equals: 'customers' }];
    expect(rulesOf({ format: 'dms', records: { where } }, false)).toEqual({
      ...DMS,
      ...kept('kept'),
      where,
    });
    const select = '/payload';
    expect(rulesOf({ format: 'eventbridge', records: { select, derive: ['_id'] } })).toEqual({
      select,
      derive: ['_id'],
    });
  });

  it('is the same when the manifest is read again, as each step of an execution does', () => {
    const once = presetManifest({ format: { kind: 'debezium', deletes: 'apply' } });
    expect(parseManifest(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  it('has no operation for an entity of XDM', () => {
    const { mapping: _, ...rest } = presetManifest({ format: 'dms' });
    const read = parseManifest({ ...rest, source: { ...rest.source, records: undefined, data: 'xdm' } });
    expect(read.source).toMatchObject({ records: { ...DMS, ...kept('kept') } });
    expect(read.source).not.toHaveProperty('records.operations');
  });
});

describe('14 B: a manifest whose deletions cannot be applied is refused, and told what to set', () => {
  const format = { kind: 'debezium', deletes: 'apply' };

  it('outside of an upsert dataset', () => {
    expect(() => presetManifest({ format }, false)).toThrow(
      'source.format.deletes: expected "keep" or "drop"; "apply" needs dataset.profile and dataset.upsert true, because a deletion is applied to Profile alone; found "apply"',
    );
  });

  it('for data that is not mapped', () => {
    const { mapping: _, ...rest } = presetManifest({ format: 'dms' });
    const source = { ...rest.source, records: undefined, data: 'xdm', format };
    expect(() => parseManifest({ ...rest, source })).toThrow(
      '"apply" needs source.data "raw", because a deletion is an operation of Data Prep',
    );
  });

  it('where nothing identifies the profile', () => {
    const manifest = presetManifest({ format });
    expect(() => parseManifest({ ...manifest, mapping: [{ source: 'id', destination: '_id' }] })).toThrow(
      'is the primary identity, and no mapping leads to it; expected one, because source.records.operations.values.c.data is "merge"',
    );
  });

  it.each([
    ['debezum', 'source.format: expected "json", '],
    [{ kind: 'debezium', deletes: 'ignore' }, 'source.format.deletes: expected one of "apply"|"keep"|"drop"'],
    [{ kind: 'eventbridge', deletes: 'keep' }, 'source.format: unknown "deletes"'],
  ])('where it is misspelt: %j', (wrong, said) => {
    expect(() => presetManifest({ format: wrong })).toThrow(said);
  });
});
