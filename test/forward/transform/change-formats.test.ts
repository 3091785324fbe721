// Change streams and event formats by their presets: samples in the form of each tool's public documentation, written anew.
import { describe, expect, it } from 'vitest';
import type { InletSource } from '../../../lib/manifest.ts';
import { PRESETS } from '../../fuzz/presets.ts';
import { runs } from '../../support/depth.ts';
import { presetManifest, throughPreset } from '../../support/presets.ts';
import { transforming } from '../../support/transforming.ts';

const row = (id: number, more = '') => `{"id":${id},"email":"a${id}@example.org","balance":10.50${more}}`;

/** Debezium's tutorial, "Viewing change events": an event with the schemas of the JSON converter, and without. */
const debezium = (op: string, before: string | null, after: string | null, schemas: boolean): string => {
  const event = `{"before":${before},"after":${after},"source":{"version":"3.0.0.Final","connector":"mysql","name":"dbserver1","ts_ms":1767225600000,"snapshot":"false","db":"inventory","table":"customers","server_id":223344,"file":"mysql-bin.000003","pos":484,"row":0},"op":"${op}","ts_ms":1767225600486,"transaction":null}`;
  return schemas
    ? `{"schema":{"type":"struct","fields":[{"field":"after"},{"field":"op"}],"optional":false,"name":"dbserver1.inventory.customers.Envelope"},"payload":${event}}`
    : event;
};

const DEBEZIUM_OTHERS: [string, string | { data: string }][] = [
  ['a tombstone', { data: '' }],
  ['a tombstone as JSON', 'null'],
  ['a tombstone with schemas', '{"schema":null,"payload":null}'],
  ['a heartbeat', '{"ts_ms":1767225600003}'],
  ['a heartbeat with schemas', '{"schema":{"type":"struct"},"payload":{"ts_ms":1767225600003}}'],
  [
    'a change of the schema',
    '{"source":{"connector":"mysql","table":"customers"},"ts_ms":1767225600000,"databaseName":"inventory","schemaName":null,"ddl":"ALTER TABLE customers ADD phone VARCHAR(20)","tableChanges":[{"type":"ALTER","id":"\\"inventory\\".\\"customers\\""}]}',
  ],
  [
    'the end of a transaction',
    '{"status":"END","id":"571:53195829","ts_ms":1767225600002,"event_count":2,"data_collections":[{"data_collection":"s1.a","event_count":2}]}',
  ],
  [
    'a message of the log',
    '{"source":{"connector":"postgresql","name":"dbserver1"},"op":"m","ts_ms":1767225600004,"message":{"prefix":"foo","content":"YmFy"}}',
  ],
];

describe.each([
  ['with schemas', true],
  ['without schemas', false],
])('14 B: debezium %s', (_, schemas) => {
  const change = (op: string, before: string | null, after: string | null) =>
    debezium(op, before, after, schemas);

  it('sends the row with the operation; what is deleted is kept, or applied, or dropped, as asked', () => {
    const stream = [
      change('r', null, row(1)),
      change('c', null, row(2)),
      change('u', row(2), row(2, ',"note":"x"')),
      change('d', row(1), null),
      change('t', null, null),
    ];
    const written = [`merge ${row(1)}`, `merge ${row(2)}`, `merge ${row(2, ',"note":"x"')}`];
    const format = (deletes?: string) => ({ format: { kind: 'debezium', ...(deletes && { deletes }) } });
    expect(throughPreset(format())(...stream)).toEqual([...written, 'deletion', 'deletion']);
    expect(throughPreset(format('keep'))(...stream)).toEqual([...written, 'deletion', 'deletion']);
    expect(throughPreset(format('drop'))(...stream)).toEqual([...written, 'filtered', 'filtered']);
    expect(throughPreset(format('apply'))(...stream)).toEqual([...written, `delete ${row(1)}`, 'deletion']);
    // Without Profile a row is a record after the other, with no operation.
    expect(throughPreset(format(), false)(...stream)).toEqual([
      ...written.map((one) => one.replace('merge ', '')),
      'deletion',
      'deletion',
    ]);
  });

  it.each(DEBEZIUM_OTHERS)('passes over %s', (_name, record) => {
    expect(throughPreset({ format: 'debezium' })(record)).toEqual(['filtered']);
  });

  it('says so where a deletion to be applied tells no row', () => {
    const format = { kind: 'debezium', deletes: 'apply' };
    expect(throughPreset({ format })(change('d', null, null))).toEqual(['nothing-selected']);
  });

  it('keeps a deletion redacted, and a redrive by the same rules keeps it again', () => {
    const records = {
      redact: [
        { field: '/payload/after/email', action: 'mask' },
        { field: '/after/email', action: 'mask' },
      ],
    };
    const { source } = presetManifest({ format: 'debezium', records });
    const take = transforming((source as InletSource).records);
    const [outcome] = take(change('d', row(1), null));
    expect(outcome?.verdict).toBe('deletion');
    const stored = Buffer.from(outcome?.entry?.data ?? '', 'base64').toString();
    expect(stored).toContain('"email":"***"');
    expect(stored).not.toContain('a1@example.org');
    expect(take(stored)[0]?.verdict).toBe('deletion');
  });
});

/** AWS: "Using Amazon Kinesis Data Streams as a target for AWS Database Migration Service". */
const dms = (operation: string, data: string, more = '') =>
  `{"data":${data},${more}"metadata":{"timestamp":"2026-01-01T10:00:00.509179Z","record-type":"data","operation":"${operation}","partition-key-type":"schema-table","schema-name":"shop","table-name":"customers","transaction-id":87978110091475}}`;

describe('14 B: dms', () => {
  const format = (deletes?: string) => ({ format: { kind: 'dms', ...(deletes && { deletes }) } });
  const stream = [
    '{"control":{},"metadata":{"timestamp":"2026-01-01T09:59:59.000000Z","record-type":"control","operation":"create-table","partition-key-type":"task-id","schema-name":"","table-name":"awsdms_apply_exceptions"}}',
    '{"control":{"table-def":{"columns":{"id":{"type":"INT32","nullable":false}},"primary-key":["id"]}},"metadata":{"record-type":"control","operation":"rename-table","schema-name":"shop","table-name":"customers"}}',
    dms('load', row(1)),
    dms('insert', row(2)),
    dms('update', row(2, ',"note":"x"'), `"before-image":${row(2)},`),
    dms('delete', row(1)),
  ];
  const written = [`merge ${row(1)}`, `merge ${row(2)}`, `merge ${row(2, ',"note":"x"')}`];

  it('sends the row with the operation, and passes over control records', () => {
    const control = ['filtered', 'filtered'];
    expect(throughPreset(format())(...stream)).toEqual([...control, ...written, 'deletion']);
    expect(throughPreset(format('drop'))(...stream)).toEqual([...control, ...written, 'filtered']);
    expect(throughPreset(format('apply'))(...stream)).toEqual([...control, ...written, `delete ${row(1)}`]);
  });

  it('takes the row before, where a deletion tells nothing else', () => {
    const deleted = dms('delete', 'null', `"before-image":${row(1)},`);
    expect(throughPreset(format('apply'))(deleted)).toEqual([`delete ${row(1)}`]);
  });
});

/** AWS: "EventBridge event structure"; the fields of an instance's change of state. */
describe('14 B: eventbridge', () => {
  const event = (detail: string, more = '') =>
    `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"111122223333","time":"2026-12-22T18:43:48Z","region":"us-west-1","resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],"detail":${detail}${more}}`;
  const ID = '"_id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","timestamp":"2026-12-22T18:43:48.000Z"';

  it('sends the detail with the id and the time of the event', () => {
    expect(
      throughPreset({ format: 'eventbridge' })(
        event('{ "instance-id":" i-1","state":"terminated","n":1.0 }'),
      ),
    ).toEqual([`{${ID}, "instance-id":" i-1","state":"terminated","n":1.0 }`]);
  });

  it('leaves what the detail has itself, and rejects one that is no object', () => {
    expect(throughPreset({ format: 'eventbridge' })(event('{"_id":"own"}'), event('"text"'), '{}')).toEqual([
      '{"timestamp":"2026-12-22T18:43:48.000Z","_id":"own"}',
      'not-an-object',
      'nothing-selected',
    ]);
  });

  it('is filtered by its own fields, which pointers lead to', () => {
    const records = { where: [{ field: '/detail-type', equals: 'Order placed' }] };
    expect(throughPreset({ format: 'eventbridge', records })(event('{}'))).toEqual(['filtered']);
  });
});

describe('14 B: any change and any event', () => {
  it.each(Object.entries(PRESETS))('%s', async (_, property) => {
    await property(runs(1_500), 14);
  });
});
