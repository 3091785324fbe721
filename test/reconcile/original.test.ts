import { gzipSync } from 'node:zlib';
import avsc from 'avsc';
import protobufjs from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { recordId } from '../../lib/forward/read/record-id.ts';
import type { StreamRecord } from '../../lib/runtime.ts';
import { sendBatch, WARM_UP } from '../local/aep/support.ts';
import { fakeRegistry, idOf as schemaId, withHeader } from '../support/glue.ts';
import { aggregate } from '../support/kpl.ts';
import { type Reconciling, reconciling, xdmMessage } from '../support/reconciling.ts';
import { document, entry, redriveWorld } from '../support/redriving.ts';

// A flow that maps: what AEP refuses is not what the producer wrote, and sent again it would be mapped twice.

const SHARD = 'shardId-000000000001';
const at = (index: number) =>
  (49590338271490256608559692538361571095921575989136588898n + BigInt(index)).toString();
const idOf = (index: number, subSequenceNumber?: number) =>
  recordId({
    stream: 'customers',
    shardId: SHARD,
    sequenceNumber: at(index),
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
  });
/** What the producer wrote, numbers, spaces and all. */
const written = (index: number, more = '') =>
  `{"n": ${index}.0, "firstName":"Ana", "last":{"name":"Reis ${index}"},"gender":"Female!"${more}}`;

const MANIFEST_MAPPING = [
  { source: '_id', destination: '_id' },
  { source: 'firstName', destination: 'person.name.firstName' },
  { source: 'last.name', destination: 'person.name.lastName' },
  { expression: 'lower(gender)', destination: 'person.gender' },
];
const MAPPINGS = MANIFEST_MAPPING.map(({ source, expression, destination }) => ({
  sourceType: source === undefined ? 'EXPRESSION' : 'ATTRIBUTE',
  source: source ?? expression,
  destination,
}));

/** What the forwarder makes of a record: with the _id that it derives, or any other, or none. */
async function send(own: Reconciling, records: readonly { text: string; _id?: string }[]): Promise<void> {
  own.with_.clock.advance(WARM_UP);
  const sent = records.map(({ text, _id }) => ({
    ...(_id !== undefined && { _id }),
    ...(JSON.parse(text) as object),
  }));
  expect((await sendBatch(own.with_, own.made, sent)).status).toBe(207);
  own.with_.clock.advance(1_000);
}
const derived = (...indexes: number[]) =>
  indexes.map((index) => ({ text: written(index), _id: idOf(index) }));

/** `arrived`: in ms before now, by the clock of AEP and of Kinesis alike. */
const inStream = (
  own: Reconciling,
  index: number,
  data: string | Uint8Array = written(index),
  arrived = 0,
): StreamRecord => ({
  sequenceNumber: at(index),
  partitionKey: `key-${index}`,
  data: Buffer.from(data),
  arrivedAt: (own.runtime.clock.now() - arrived) / 1_000,
});

const DERIVES = { derive: ['_id'] };
const world = async (
  records: object = DERIVES,
  mapping: unknown = MANIFEST_MAPPING,
  pipeline: Parameters<typeof reconciling>[1] = { dataType: 'raw', mappings: MAPPINGS },
) => {
  const own = await reconciling({}, pipeline);
  const published = { ...own.published, records };
  own.secrets.set('penstock/dev/streams/customers', JSON.stringify(published));
  const manifest = { source: { kind: 'inlet', stream: 'customers' }, mapping };
  own.ledger.items.set('customers', {
    ...own.ledger.items.get('customers'),
    manifest: { S: JSON.stringify(manifest) },
  });
  return own;
};

const stored = (own: Reconciling) =>
  [...own.store.documents.values()].flatMap(({ shardId, entries }) =>
    entries.map(({ data, ...entry }) => ({
      ...entry,
      shardId,
      record: Buffer.from(data, 'base64').toString(),
    })),
  );
const joined = (own: Reconciling) =>
  stored(own)
    .filter(({ processed }) => processed === undefined)
    .map(({ record }) => record);

describe('behind a refused row', () => {
  it('the record is read from the stream, byte for byte, with its partition key', async () => {
    const own = await world();
    await send(own, [...derived(3, 1), { text: written(8), _id: 'their-own' }]);
    own.stream.byShard.set(
      SHARD,
      [1, 2, 3].map((n) => inStream(own, n)),
    );
    expect(await own.run()).toMatchObject({ stored: 3, complete: true });
    const [third, first, other] = stored(own);
    const arrivedAt = own.stream.byShard.get(SHARD)?.[0]?.arrivedAt;
    expect(third).toMatchObject({ record: written(3), partitionKey: 'key-3', arrivedAt });
    expect(first).toMatchObject({ record: written(1), partitionKey: 'key-1', sequenceNumber: at(1) });
    expect(first).not.toHaveProperty('processed');
    expect(first).not.toHaveProperty('asReceived');
    // No record of the stream is like it: what AEP has of it is to be looked at, and no more.
    expect(other).toMatchObject({ processed: true, asReceived: true, shardId: 'unknown' });
    expect(other).not.toHaveProperty('partitionKey');
    expect(JSON.parse(other?.record ?? '')).toEqual({
      _id: 'their-own',
      person: { gender: 'female!', name: { firstName: 'Ana', lastName: 'Reis 8' } },
    });
    expect(own.stream.reads[0]).toBe(at(1));
  });

  it('it is the one that is meant among those of an aggregate', async () => {
    const own = await world();
    await send(
      own,
      [1, 7].map((sub) => ({ text: written(sub), _id: idOf(1, sub) })),
    );
    const parts = [0, 1, 2].map((n) => ({ key: `own-${n}`, data: Buffer.from(written(n)) }));
    own.stream.byShard.set(SHARD, [inStream(own, 1, aggregate(parts))]);
    await own.run();
    expect(stored(own)).toMatchObject([
      { record: written(1), partitionKey: 'own-1', subSequenceNumber: 1 },
      { processed: true, subSequenceNumber: 7 },
    ]);
  });

  it('14 B: it is the one that is meant among the pieces of a record, and is stored as a piece', async () => {
    const own = await world();
    const records = { ...DERIVES, redact: [{ field: '/secret', action: 'drop' }] };
    const publish = (more: object) =>
      own.secrets.set('penstock/dev/streams/customers', JSON.stringify({ ...own.published, ...more }));
    publish({ records: DERIVES, format: { kind: 'json-lines' }, compression: 'gzip' });
    const lines = gzipSync([0, 1, 2].map((n) => written(n, ',"secret":1')).join('\n'));
    own.stream.byShard.set(SHARD, [inStream(own, 1, lines)]);
    await send(own, [{ text: written(1), _id: idOf(1, 1) }]);
    await own.run();
    expect(stored(own)).toMatchObject([
      { record: written(1, ',"secret":1'), subSequenceNumber: 1, partitionKey: 'key-1', piece: true },
    ]);
    publish({ records, format: { kind: 'json-lines' }, compression: 'gzip' });
    await send(own, [{ text: written(2), _id: idOf(1, 2) }]);
    await own.run();
    expect(stored(own)[1]).toMatchObject({ subSequenceNumber: 2, piece: true, redacted: true });
    expect(stored(own)[1]?.record).not.toContain('secret');
  });

  it('it stays what AEP had where the stream does not have it any more', async () => {
    const own = await world();
    await send(own, derived(1, 2));
    own.stream.byShard.set(SHARD, [inStream(own, 2)]);
    await own.run();
    expect(stored(own)).toMatchObject([{ processed: true, sequenceNumber: at(1) }, { record: written(2) }]);
  });

  it('no more than a few reads are made of the stream', async () => {
    const own = await world();
    const indexes = Array.from({ length: 20 }, (_, index) => index * 1_000);
    await send(own, derived(...indexes));
    const old = 86_400_000;
    own.stream.byShard.set(
      SHARD,
      indexes.flatMap((index) =>
        Array.from({ length: 200 }, (_, n) => inStream(own, index + n, written(index + n), old)),
      ),
    );
    await own.run();
    expect(own.stream.reads.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((n) => at(n * 1_000)));
    expect(joined(own)).toHaveLength(5);
    expect(own.stream.reads.length).toBeLessThan(8);
  });

  it('what of the pipeline is a part of a record is known by all of that part', async () => {
    const records = { select: '/payload/after', derive: ['_id', 'timestamp'] };
    const own = await world(records, undefined, { dataType: 'xdm' });
    own.with_.clock.advance(WARM_UP);
    const part = { person: { gender: 'female!', name: { firstName: 'Ana' } } };
    const message = xdmMessage(own, { timestamp: '2026-01-01T00:00:00.000Z', _id: idOf(1), ...part });
    expect((await sendBatch(own.with_, own.made, [message])).status).toBe(207);
    own.with_.clock.advance(1_000);
    const whole = `{"payload": {"op":"c", "after":${JSON.stringify(part)}}}`;
    own.stream.byShard.set(SHARD, [inStream(own, 1, whole)]);
    await own.run();
    expect(joined(own)).toEqual([whole]);
  });
});

describe('14 B: a row whose _id and time were derived from fields', () => {
  const DERIVE = {
    derive: [
      { member: '_id', from: '/key' },
      { member: 'timestamp', from: '/at', as: 'epoch-millis' },
    ],
  };
  const keyed = (index: number) =>
    `{"key":"k-${index}","at":${1_767_225_600_000 + index},"gender":"Female!","firstName":"Ana"}`;
  const asSent = (index: number) => ({
    text: keyed(index),
    _id: `k-${index}`,
    timestamp: new Date(1_767_225_600_000 + index).toISOString(),
  });

  it('leads to the one record with that field, where all else of it is the same', async () => {
    const own = await world(DERIVE, [
      { source: '_id', destination: '_id' },
      { source: 'firstName', destination: 'person.name.firstName' },
    ]);
    await send(own, [asSent(2)]);
    own.stream.byShard.set(
      SHARD,
      [1, 2, 3].map((n) => inStream(own, n, keyed(n))),
    );
    await own.run();
    expect(joined(own)).toEqual([keyed(2)]);
  });

  it('leads to it in a flow without a mapping, too', async () => {
    const own = await world({ ...DERIVE, select: '/part' }, undefined, { dataType: 'xdm' });
    own.with_.clock.advance(WARM_UP);
    const part = { person: { gender: 'female!', name: { firstName: 'Ana' } } };
    const { _id, timestamp } = asSent(2);
    const message = xdmMessage(own, { _id, timestamp, ...part });
    expect((await sendBatch(own.with_, own.made, [message])).status).toBe(207);
    own.with_.clock.advance(1_000);
    const whole = (n: number) => `{"part":${JSON.stringify(part)},${keyed(n).slice(1)}`;
    own.stream.byShard.set(
      SHARD,
      [1, 2, 3].map((n) => inStream(own, n, whole(n))),
    );
    await own.run();
    expect(joined(own)).toEqual([whole(2)]);
  });
});

describe('A 8: a row whose shard is gone', () => {
  it('keeps none of its neighbours from their records, and is said with its shard', async () => {
    const own = await world();
    const honest = Array.from({ length: 60 }, (_, n) => n);
    const gone = recordId({ stream: 'customers', shardId: 'shardId-000000000000', sequenceNumber: '12' });
    await send(own, [{ text: written(99), _id: gone }, ...derived(...honest)]);
    own.stream.byShard.set(
      SHARD,
      honest.map((n) => inStream(own, n)),
    );
    expect(await own.run()).toMatchObject({ stored: 61, complete: true });
    expect(joined(own).sort()).toEqual(honest.map((n) => written(n)).sort());
    expect(own.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { pipeline: 'customers', shardId: 'shardId-000000000000', rows: 1, code: 'AWS_REFUSED' } },
    ]);
  });

  it('does so also where there are more of them than reads', async () => {
    const own = await world();
    const gone = Array.from({ length: 40 }, (_, n) => ({
      text: written(500 + n),
      _id: recordId({ stream: 'customers', shardId: `shardId-${n}`, sequenceNumber: '12' }),
    }));
    await send(own, [...gone, ...derived(1, 2)]);
    // Longer ago than it would be looked for by its content.
    own.stream.byShard.set(
      SHARD,
      [1, 2].map((n) => inStream(own, n, written(n), 86_400_000)),
    );
    await own.run();
    expect(joined(own).sort()).toEqual([written(1), written(2)]);
    // Each costs a call; there is an end to it.
    expect(own.lines.filter(({ level }) => level === 'warn')).toHaveLength(20);
  });
});

describe('A 8: an _id that a producer wrote and that looks like a derived one', () => {
  const forged = written(7).replace('{', `{"_id":"${idOf(1)}",`);

  it('brings no other record in the place of its own', async () => {
    const own = await world();
    await send(own, [{ text: forged }]);
    // The record at that place is somebody else's; its own is gone.
    own.stream.byShard.set(SHARD, [inStream(own, 1)]);
    await own.run();
    expect(stored(own)).toMatchObject([{ processed: true, sequenceNumber: at(1) }]);
    expect(stored(own)[0]?.record).toContain('Reis 7');
  });

  it('is no obstacle where its own is still there, and none to the record it names', async () => {
    const own = await world();
    await send(own, [{ text: forged }, ...derived(1)]);
    own.stream.byShard.set(SHARD, [inStream(own, 1), inStream(own, 7, forged)]);
    await own.run();
    expect(joined(own).sort()).toEqual([forged, written(1)].sort());
  });

  it.each([
    ['nothing that is mapped as it is', [{ expression: 'lower(gender)', destination: 'person.gender' }]],
    ['its _id alone', [{ source: '_id', destination: '_id' }]],
    ['no mapping that is known', undefined],
  ])('says nothing by itself: with %s no record is taken for its own', async (_, mapping) => {
    const own = await world(DERIVES, mapping ?? 'damaged');
    await send(own, derived(1));
    own.stream.byShard.set(SHARD, [inStream(own, 1)]);
    await own.run();
    expect(stored(own)).toMatchObject([{ processed: true, sequenceNumber: at(1) }]);
  });
});

describe('A 2: a record that was written without a partition key', () => {
  it('is joined to its row by place and by content, and sent again where the pipeline redacts', async () => {
    const rules = { redact: [{ field: '/firstName', action: 'drop' }] };
    const own = await world({ ...DERIVES, ...rules });
    const { firstName: _, ...sent } = JSON.parse(written(1)) as Record<string, unknown>;
    await send(own, [{ text: JSON.stringify(sent), _id: idOf(1) }]);
    own.stream.byShard.set(SHARD, [{ ...inStream(own, 1), partitionKey: undefined }]);
    expect(await own.run()).toMatchObject({ stored: 1, complete: true });
    const [kept] = stored(own);
    expect(kept).toMatchObject({ redacted: true, sequenceNumber: at(1) });
    expect(kept).not.toHaveProperty('partitionKey');
    expect(kept).not.toHaveProperty('asReceived');
    const again = redriveWorld({ published: { records: rules as never } });
    for (const [key, document] of own.store.documents) again.s3.objects.set(key, JSON.stringify(document));
    expect(await again.run({ source: 'rejected' })).toMatchObject({ delivered: 1, withheld: 0 });
  });

  it('is told from a row of 0.1.0 when it is sent again', async () => {
    const own = await world();
    await send(own, derived(1));
    own.stream.byShard.set(SHARD, [{ ...inStream(own, 1), partitionKey: undefined }]);
    await own.run();
    expect(joined(own)).toEqual([written(1)]);
    const redact = [{ field: '/firstName', action: 'drop' as const }];
    const again = redriveWorld({ published: { records: { redact } } });
    for (const [key, document] of own.store.documents) again.s3.objects.set(key, JSON.stringify(document));
    expect(await again.run({ source: 'rejected' })).toMatchObject({ delivered: 1, withheld: 0 });
  });
});

describe('C 3: a row that names no place', () => {
  const HOUR = 3_600_000;

  it('is joined by its content, where the stream still has the record', async () => {
    const own = await world({});
    await send(own, [{ text: written(2) }, { text: written(40) }, { text: written(41), _id: 'own-41' }]);
    own.stream.byShard.set(
      SHARD,
      Array.from({ length: 45 }, (_, n) =>
        inStream(own, n, n === 41 ? written(41, ',"_id":"own-41"') : written(n)),
      ),
    );
    own.stream.byShard.set('shardId-000000000002', []);
    expect(await own.run()).toMatchObject({ stored: 3, complete: true });
    expect(joined(own).sort()).toEqual([written(2), written(40), written(41, ',"_id":"own-41"')].sort());
    expect(stored(own)[0]).toMatchObject({ shardId: 'unknown', partitionKey: 'key-2' });
  });

  it('can be sent again then, as the record that it was', async () => {
    const own = await world({});
    await send(own, [{ text: written(2) }]);
    own.stream.byShard.set(SHARD, [inStream(own, 2)]);
    await own.run();
    const again = redriveWorld();
    for (const [key, kept] of own.store.documents) again.s3.objects.set(key, JSON.stringify(kept));
    expect(await again.run({ source: 'rejected' })).toMatchObject({
      delivered: 1,
      withheld: 0,
      complete: true,
    });
    expect(again.inlet.acknowledged).toEqual([written(2)]);
  });

  it.each([
    [
      'two records that differ are like it',
      (own: Reconciling) => [inStream(own, 1, written(2, ',"x":1')), inStream(own, 2)],
    ],
    ['a field that is mapped differs', (own: Reconciling) => [inStream(own, 2, written(3))]],
    [
      'a field that is mapped is missing',
      (own: Reconciling) => [inStream(own, 2, written(2).replace('firstName', 'first'))],
    ],
    ['it came after the batch was done', (own: Reconciling) => [inStream(own, 2, written(2), -2 * HOUR)]],
    ['it came long before', (own: Reconciling) => [inStream(own, 2, written(2), 30 * HOUR)]],
    ['the stream has none', () => []],
    [
      'there is more to look through than may be read',
      (own: Reconciling) => Array.from({ length: 700 }, (_, n) => inStream(own, n)),
    ],
  ])('stays what AEP had where %s', async (_, records) => {
    const own = await world({});
    await send(own, [{ text: written(2) }]);
    own.stream.byShard.set(SHARD, records(own));
    await own.run();
    expect(stored(own)).toMatchObject([{ processed: true, shardId: 'unknown' }]);
  });

  it('14 A 3: is not taken for one that is alike and is for another route of the stream', async () => {
    const own = await world({ where: [{ field: '/kind', equals: 'ours' }] });
    await send(own, [{ text: written(2) }]);
    const records = ['theirs', 'ours'].map((kind, n) => inStream(own, n, written(2, `,"kind":"${kind}"`)));
    own.stream.byShard.set(SHARD, records);
    await own.run();
    expect(joined(own)).toEqual([written(2, ',"kind":"ours"')]);
  });

  it('is of either of two records that are the same in every byte', async () => {
    const own = await world({});
    await send(own, [{ text: written(2) }, { text: written(2) }]);
    own.stream.byShard.set(SHARD, [inStream(own, 1, written(2)), inStream(own, 2)]);
    await own.run();
    expect(joined(own)).toEqual([written(2), written(2)]);
  });

  it('is not looked for again and again in a stream that has lost all of that time', async () => {
    const own = await world({});
    for (let batch = 0; batch < 6; batch++) {
      await send(own, [{ text: written(batch) }]);
      own.with_.clock.advance(24 * HOUR);
    }
    own.stream.byShard.set(SHARD, [inStream(own, 99)]);
    expect(await own.run()).toMatchObject({ batches: 6, stored: 6, complete: true });
    expect(own.stream.reads).toHaveLength(1);
  });
});

describe('what AEP had in place of the record', () => {
  it('is not sent again by redrive, and stays', async () => {
    const own = redriveWorld();
    const processed = entry(1, '{"_id":"mapped"}', { reason: 'refused-later', processed: true });
    await own.store(document([processed, entry(2, '{}', { reason: 'refused-later' })]));
    const answer = await own.run({ stream: 'customers', source: 'rejected' });
    expect(answer).toMatchObject({ delivered: 1, withheld: 1, complete: false });
    expect([...own.documents().values()].flatMap(({ entries }) => entries)).toEqual([processed]);
  });
});

describe('a stream that cannot be read', () => {
  const refusing = (own: Reconciling, code: 'AWS_UNAVAILABLE' | 'AWS_REFUSED') => {
    own.stream.pages = () => {
      throw new Failure(code, 'no');
    };
  };

  it('for now is waited for', async () => {
    const own = await world();
    await send(own, derived(1));
    own.stream.byShard.set(SHARD, [inStream(own, 1)]);
    const { pages } = own.stream;
    refusing(own, 'AWS_UNAVAILABLE');
    await expect(own.run()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    own.stream.pages = pages;
    expect(await own.run()).toMatchObject({ stored: 1 });
    expect(stored(own)).toMatchObject([{ record: written(1) }]);
  });

  it('ever leaves what AEP had, and says so', async () => {
    const own = await world();
    await send(own, derived(1));
    refusing(own, 'AWS_REFUSED');
    expect(await own.run()).toMatchObject({ stored: 1, complete: true });
    expect(stored(own)).toMatchObject([{ processed: true }]);
    expect(own.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { code: 'AWS_REFUSED' } },
    ]);
  });
});

describe("issue 14 B: a record whose schema is in Glue's Schema Registry", () => {
  /** The second has an `_id` of its own, so nothing but its content leads to it. */
  const written = (index: 1 | 2) => ({
    ...(index === 2 && { _id: 'their-own' }),
    firstName: 'Ana',
    last: { name: `Reis ${index}` },
    gender: 'Female!',
  });
  const last = { type: 'record', name: 'Last', fields: [{ name: 'name', type: 'string' }] };
  const avro = (index: 1 | 2) => ({
    type: 'record',
    name: 'R',
    fields: Object.keys(written(index)).map((name) => ({ name, type: name === 'last' ? last : 'string' })),
  });
  const protobuf =
    'syntax = "proto3"; message R { string firstName = 1; Last last = 2; string gender = 3; optional string own_id = 4 [json_name = "_id"]; message Last { string name = 1; } }';
  const FORMATS = {
    avro: {
      registered: (index: 1 | 2) => ({ dataFormat: 'AVRO', definition: JSON.stringify(avro(index)) }),
      bytes: (index: 1 | 2) => avsc.Type.forSchema(avro(index) as avsc.Schema).toBuffer(written(index)),
    },
    protobuf: {
      registered: () => ({ dataFormat: 'PROTOBUF', definition: protobuf }),
      // The index of the message is before it.
      bytes(index: 1 | 2) {
        const type = protobufjs.parse(protobuf, { keepCase: true }).root.lookupType('R');
        const { _id: own_id, ...rest } = written(index);
        return Buffer.from([0, ...type.encode({ ...rest, own_id }).finish()]);
      },
    },
  };
  const INDEXES = [1, 2] as const;

  /** A row by its place and one by its content, both refused later, and the records behind them. */
  async function refused(kind: keyof typeof FORMATS) {
    const own = await world();
    const published = { ...own.published, records: DERIVES, format: { kind, schemaIn: 'glue' } };
    own.secrets.set('penstock/dev/streams/customers', JSON.stringify(published));
    const { registered, bytes } = FORMATS[kind];
    const registry = fakeRegistry(
      Object.fromEntries(INDEXES.map((index) => [schemaId(index), registered(index)])),
    );
    Object.assign(own.runtime, { schemas: registry });
    await send(
      own,
      INDEXES.map((index) => ({ _id: idOf(index, 0), text: JSON.stringify(written(index)) })),
    );
    const records = INDEXES.map((index) => inStream(own, index, withHeader(schemaId(index), bytes(index))));
    own.stream.byShard.set(SHARD, records);
    return { own, registry };
  }

  it.each(['avro', 'protobuf'] as const)('is found and read: %s', async (kind) => {
    const { own, registry } = await refused(kind);
    expect(await own.run()).toMatchObject({ stored: 2, complete: true });
    expect(stored(own)).toMatchObject([
      { sequenceNumber: at(1), partitionKey: 'key-1', piece: true },
      { partitionKey: 'key-2', piece: true },
    ]);
    expect(joined(own).map((text) => JSON.parse(text))).toEqual([written(1), written(2)]);
    expect(registry.asked).toEqual([schemaId(1), schemaId(2)]);
  });

  it('is waited for while the registry is away', async () => {
    const { own, registry } = await refused('avro');
    registry.away = new Failure('AWS_UNAVAILABLE', 'no');
    await expect(own.run()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(stored(own)).toEqual([]);
    registry.away = undefined;
    expect(await own.run()).toMatchObject({ stored: 2, complete: true });
    expect(joined(own)).toHaveLength(2);
  });

  it.each([
    ['the registry refuses to answer', 'AWS_REFUSED', new Failure('AWS_REFUSED', 'no')],
    ['the deployment does not ask it', 'SETTINGS_INVALID', undefined],
  ] as const)('stays unread where %s: the row is kept as AEP has it, and the log says why', async (...of) => {
    const [, code, away] = of;
    const { own, registry } = await refused('avro');
    if (away === undefined) Object.assign(own.runtime, { schemas: undefined });
    registry.away = away;
    expect(await own.run()).toMatchObject({ stored: 2, complete: true });
    expect(stored(own)).toMatchObject([{ processed: true }, { processed: true }]);
    const warnings = own.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ fields }) => fields.code)).toEqual([code, code]);
  });
});
