import { describe, expect, it } from 'vitest';
import { createForward } from '../../../lib/forward/forward.ts';
import type { DeadLetterDocument } from '../../../lib/runtime.ts';
import { inletManifest } from '../../provision/cases.ts';
import { kinesisEvent, type RecordInput } from '../../support/forwarding.ts';
import { memoryMarks } from '../../support/marks.ts';
import { world } from '../../support/provisioning.ts';

// A database's changes as Debezium tells them, from the manifest to what the simulated platform takes: what is there no more is deleted.

const row = (id: number, email: string) => `{"id":"${id}","email":"${email}","balance":10.50}`;
/** Debezium: "Change events", with `schema` and `payload` as its JSON converter writes them by default. */
const change = (op: string, before: string | null, after: string | null): string =>
  `{"schema":{"type":"struct","name":"shop.customers.Envelope"},"payload":{"before":${before},"after":${after},"source":{"connector":"postgresql","table":"customers","ts_ms":1767225600000},"op":"${op}","ts_ms":1767225600001}}`;

const STREAM: readonly RecordInput[] = [
  change('r', null, row(1, 'ana@example.com')),
  change('c', null, row(2, 'rui@example.com')),
  change('u', row(2, 'rui@example.com'), row(2, 'rui.reis@example.com')),
  change('d', row(1, 'ana@example.com'), null),
  // Behind each deletion a tombstone: empty, or as a converter writes nothing.
  { data: '', key: '1' },
  { data: 'null', key: '1' },
  // A transaction's end, and a heartbeat: no changes of a row.
  '{"status":"END","id":"571:53195829","event_count":2,"ts_ms":1767225600002}',
  '{"schema":{"type":"struct"},"payload":{"ts_ms":1767225600003}}',
  // What a deletion looks like whose table tells nothing of what was there: nobody can say who is to be deleted.
  change('d', null, null),
];

const RECORDS = {
  where: [{ field: '/payload/op', oneOf: ['r', 'c', 'u', 'd'] }],
  operations: {
    field: '/payload/op',
    values: { r: { data: 'merge' }, c: { data: 'merge' }, u: { data: 'merge' }, d: { data: 'delete' } },
  },
  select: ['/payload/after', '/payload/before'],
};

/** `source`: how the records are read. */
const MANIFEST = (source: object) =>
  inletManifest({
    source: { kind: 'inlet', stream: 'customers', data: 'raw', ...source },
    schema: {
      class: 'profile',
      fieldGroups: ['profile-work-details'],
      identities: [{ path: 'workEmail.address', namespace: 'Email', primary: true }],
      profile: true,
    },
    dataset: { profile: true, upsert: true },
    allowIrreversible: true,
    mapping: [
      { source: 'id', destination: '_id' },
      { source: 'email', destination: 'workEmail.address' },
    ],
  });

/** As the inlet takes it. */
interface Batch {
  readonly messages: readonly { readonly header: { readonly operations: object }; readonly body: object }[];
}

async function carried(source: object, stream = STREAM) {
  const own = world();
  const { status, cause } = await own.run({ manifest: MANIFEST(source) });
  expect(cause ?? status).toBe('SUCCEEDED');
  const documents: DeadLetterDocument[] = [];
  const counted: Record<string, number> = {};
  const sent: string[] = [];
  const forward = createForward({
    ...own.runtime,
    marks: memoryMarks(),
    fetch: (url, init) => {
      if (url.includes('/collection/'))
        for (const { header, body } of (JSON.parse(Buffer.from(init.body as Uint8Array).toString()) as Batch)
          .messages)
          sent.push(JSON.stringify([header.operations, body]));
      return own.runtime.fetch(url, init);
    },
    deadLetters: {
      put: async (document) => {
        documents.push(document);
        return { key: 'k', entries: document.entries.length };
      },
    },
    metrics: {
      count: (name, value) => {
        counted[name] = (counted[name] ?? 0) + value;
      },
      measure: () => undefined,
      flush: () => undefined,
    },
  });
  const remaining = { remainingMs: () => 60_000, invocationId: 'i' };
  expect(await forward(kinesisEvent(stream), remaining)).toEqual({ batchItemFailures: [] });
  await own.platform.idle();
  return { own, counted, sent, entries: documents.flatMap(({ entries }) => entries) };
}

describe('A 7: a change stream in the shape of Debezium', () => {
  it('is applied operation by operation, a deletion by what was there before, and all of it is accounted for', async () => {
    const { own, counted, entries, sent } = await carried({ records: RECORDS });
    const of = (data: string, text: string) => JSON.stringify([{ data }, JSON.parse(text)]);
    expect(sent).toEqual([
      of('merge', row(1, 'ana@example.com')),
      of('merge', row(2, 'rui@example.com')),
      of('merge', row(2, 'rui.reis@example.com')),
      of('delete', row(1, 'ana@example.com')),
    ]);
    // The platform took them for Profile, and for nothing else.
    expect(own.platform.state.counts).toMatchObject({ profileOnly: 4, refused: 0, lost: 0 });
    expect(counted).toMatchObject({ RecordsReceived: 9, RecordsAcknowledged: 4, RecordsFiltered: 4 });
    expect(entries).toMatchObject([
      { reason: 'nothing-selected', message: 'it has no object at /payload/after or /payload/before' },
    ]);
  });

  it('with one part alone lost its deletions, as it does still for whoever asks for that', async () => {
    const { entries } = await carried({ records: { ...RECORDS, select: '/payload/after' } });
    expect(entries.map(({ reason }) => reason)).toEqual(['not-an-object', 'not-an-object']);
  });
});

/** Inserts, an update and a deletion, with what each tool writes besides. */
const BY_NAME: Readonly<Record<string, readonly RecordInput[]>> = {
  debezium: STREAM.slice(0, 8),
  dms: [
    '{"control":{},"metadata":{"record-type":"control","operation":"create-table"}}',
    ...[
      ['load', row(1, 'ana@example.com')],
      ['insert', row(2, 'rui@example.com')],
      ['update', row(2, 'rui.reis@example.com')],
      ['delete', row(1, 'ana@example.com')],
    ].map(
      ([operation, data]) => `{"data":${data},"metadata":{"record-type":"data","operation":"${operation}"}}`,
    ),
    '{"control":{},"metadata":{"record-type":"control","operation":"drop-table"}}',
  ],
  dynamodb: [
    ...[
      ['INSERT', 'NewImage', 1, 'ana@example.com'],
      ['INSERT', 'NewImage', 2, 'rui@example.com'],
      ['MODIFY', 'NewImage', 2, 'rui.reis@example.com'],
      ['REMOVE', 'OldImage', 1, 'ana@example.com'],
    ].map(
      ([name, image, id, email]) =>
        `{"eventName":"${name}","tableName":"customers","dynamodb":{"Keys":{"id":{"S":"${id}"}},"${image}":{"id":{"S":"${id}"},"email":{"S":"${email}"},"balance":{"N":"10.50"}}}}`,
    ),
  ],
};

describe.each(Object.entries(BY_NAME))('14 B: a change stream by its name: %s', (kind, stream) => {
  const others = stream.length - 4;
  const of = (data: string, text: string) => JSON.stringify([{ data }, JSON.parse(text)]);
  const written = [
    of('merge', row(1, 'ana@example.com')),
    of('merge', row(2, 'rui@example.com')),
    of('merge', row(2, 'rui.reis@example.com')),
  ];

  it('ends in merges in Profile, and its deletion is a dead letter until somebody asks for more', async () => {
    const { own, sent, entries, counted } = await carried({ format: kind }, stream);
    expect(sent).toEqual(written);
    expect(own.platform.state.counts).toMatchObject({ profileOnly: 3, refused: 0, lost: 0 });
    expect(entries).toMatchObject([{ reason: 'deletion' }]);
    expect(counted).toMatchObject({ RecordsReceived: stream.length, RecordsAcknowledged: 3 });
    expect(counted.RecordsFiltered ?? 0).toBe(others);
  });

  it('ends in a deletion in Profile where that is asked for', async () => {
    const { own, sent, entries } = await carried({ format: { kind, deletes: 'apply' } }, stream);
    expect(sent).toEqual([...written, of('delete', row(1, 'ana@example.com'))]);
    expect(own.platform.state.counts).toMatchObject({ profileOnly: 4, refused: 0, lost: 0 });
    expect(entries).toEqual([]);
  });
});
