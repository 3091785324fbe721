// Records that name their schema in Glue's Schema Registry, through the whole forwarder.
import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../lib/failure.ts';
import {
  AWAY_KEPT_MS,
  MAX_SCHEMAS,
  UNKNOWN_KEPT_MS,
} from '../../../../lib/forward/read/formats/by-schema.ts';
import type { PublishedPipeline } from '../../../../lib/published.ts';
import { seq, world } from '../../../support/forwarding.ts';
import { fakeRegistry, idOf, withHeader } from '../../../support/glue.ts';
import { aggregate } from '../../../support/kpl.ts';
import { document, entry, redriveWorld } from '../../../support/redriving.ts';

const ALL_SETTLED = { batchItemFailures: [] };
const SCHEMA = { type: 'record', name: 'R', fields: [{ name: 'n', type: 'int' }] } as const;
const REGISTERED = { dataFormat: 'AVRO', definition: JSON.stringify(SCHEMA) };
const type = avsc.Type.forSchema(SCHEMA as unknown as avsc.Schema);
const record = (id: number, n: number, compression?: 'zlib') =>
  withHeader(idOf(id), type.toBuffer({ n }), compression);

const GLUE: Partial<PublishedPipeline> = { format: { kind: 'avro', schemaIn: 'glue' } };
const AWAY = new Failure('AWS_UNAVAILABLE', 'reading the schema version: TimeoutError: no answer');

function glueWorld(published = GLUE) {
  const schemas = fakeRegistry({ [idOf(1)]: REGISTERED, [idOf(2)]: REGISTERED });
  return { ...world({ published, schemas }), registry: schemas };
}

describe("14 B: avro by Glue Schema Registry's header", () => {
  it('an id is resolved when first seen, and cached; zlib is unpacked', async () => {
    const { run, inlet, registry } = glueWorld();
    expect(await run([record(1, 1), record(1, 2, 'zlib'), record(2, 3)])).toEqual(ALL_SETTLED);
    expect(await run([{ data: record(1, 4), seq: seq(9) }])).toEqual(ALL_SETTLED);
    expect(inlet.acknowledged).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
    expect(registry.asked).toEqual([idOf(1), idOf(2)]);
  });

  it('the registry out of reach is a retry that the log names; others go on, and none of its key passes it', async () => {
    const { run, inlet, registry, lines, clock, store } = glueWorld();
    await run([record(1, 0)]);
    registry.away = AWAY;
    const batch = [
      { data: record(1, 1), key: 'a', seq: seq(1) },
      { data: record(2, 2), key: 'b', seq: seq(2) },
      { data: record(1, 3), key: 'b', seq: seq(3) },
      { data: record(1, 4), key: 'c', seq: seq(4) },
      { data: record(2, 5), key: 'd', seq: seq(5) },
    ];
    expect(await run(batch)).toEqual({ batchItemFailures: [{ itemIdentifier: seq(2) }] });
    expect(inlet.acknowledged).toEqual(['{"n":0}', '{"n":1}', '{"n":4}']);
    expect(store.documents).toEqual([]);
    const said = lines.flatMap(({ fields }) => fields.code ?? []);
    expect(said).toEqual(['AWS_UNAVAILABLE']);
    // The failure was asked for once: the other record of that schema did not wait for it again.
    expect(registry.asked).toEqual([idOf(1), idOf(2)]);

    registry.away = undefined;
    await clock.sleep(AWAY_KEPT_MS);
    expect(await run(batch.slice(1))).toEqual(ALL_SETTLED);
    expect(inlet.acknowledged.slice(3)).toEqual(['{"n":2}', '{"n":3}', '{"n":5}']);
  });

  it('a role that may not ask is a retry as well: nothing is rejected', async () => {
    const { run, registry, store, lines } = glueWorld();
    registry.away = new Failure('AWS_REFUSED', 'reading the schema version: AccessDeniedException: no');
    expect(await run([record(1, 1)])).toEqual({ batchItemFailures: [{ itemIdentifier: seq(0) }] });
    expect(store.documents).toEqual([]);
    expect(lines.map(({ fields }) => fields.code)).toContain('AWS_REFUSED');
  });

  it('an id that does not exist is a reject with the packed bytes, and is asked for again after a while', async () => {
    const { run, inlet, registry, store, reasons, clock } = glueWorld();
    const stranger = record(7, 1);
    expect(await run([stranger, record(1, 2), stranger])).toEqual(ALL_SETTLED);
    expect(reasons()).toEqual(['unknown-schema', 'unknown-schema']);
    const [entry] = store.documents[0]?.entries ?? [];
    expect(entry?.data).toBe(stranger.toString('base64'));
    expect(entry).not.toHaveProperty('piece');
    expect(inlet.acknowledged).toEqual(['{"n":2}']);
    expect(registry.asked).toEqual([idOf(7), idOf(1)]);

    registry.schemas.set(idOf(7), REGISTERED);
    await clock.sleep(UNKNOWN_KEPT_MS);
    await run([{ data: stranger, seq: seq(5) }]);
    expect(inlet.acknowledged).toEqual(['{"n":2}', '{"n":1}']);
  });

  it.each([
    ['no header', Buffer.from('{"n":1}'), 'unknown-schema'],
    ['a header cut off', record(1, 1).subarray(0, 17), 'unknown-schema'],
    ['another version of the header', Buffer.from([4, ...record(1, 1).subarray(1)]), 'unknown-schema'],
    ['a compression that there is not', Buffer.from([3, 1, ...record(1, 1).subarray(2)]), 'unknown-schema'],
    ['no zlib', withHeader(idOf(1), Buffer.from('x')).fill(5, 1, 2), 'not-avro'],
    ['a bomb', withHeader(idOf(1), Buffer.alloc(3_000_000), 'zlib'), 'too-large'],
    ['nothing behind the header', withHeader(idOf(1), Buffer.alloc(0)), 'not-avro'],
  ])('%s is one reject, and the rest goes on', async (_, bytes, reason) => {
    const { run, inlet, reasons } = glueWorld();
    expect(await run([bytes, record(1, 2)])).toEqual(ALL_SETTLED);
    expect(reasons()).toEqual([reason]);
    expect(inlet.acknowledged).toEqual(['{"n":2}']);
  });

  it('a schema of another format, or one that is none, is a reject', async () => {
    const { run, registry, reasons } = glueWorld();
    registry.schemas.set(idOf(3), { dataFormat: 'JSON', definition: '{}' });
    registry.schemas.set(idOf(4), { dataFormat: 'AVRO', definition: '{' });
    expect(await run([record(3, 1), record(4, 1)])).toEqual(ALL_SETTLED);
    expect(reasons()).toEqual(['unknown-schema', 'unknown-schema']);
  });

  it('what is cached is bounded', async () => {
    const { run, registry, inlet } = glueWorld();
    const ids = Array.from({ length: MAX_SCHEMAS + 1 }, (_, at) => at + 1);
    for (const id of ids) registry.schemas.set(idOf(id), REGISTERED);
    await run(ids.map((id) => record(id, id)));
    expect(registry.asked).toHaveLength(ids.length);
    await run([
      { data: record(ids.length, 0), seq: seq(9_000) },
      { data: record(1, 0), seq: seq(9_001) },
    ]);
    expect(registry.asked.slice(ids.length)).toEqual([idOf(1)]);
    expect(inlet.acknowledged).toHaveLength(ids.length + 2);
  });

  it('the sub-records of an aggregate wait for all of their schemas together', async () => {
    const { run, registry, inlet } = glueWorld();
    const packed = aggregate([
      { key: 'a', data: record(1, 1) },
      { key: 'b', data: record(2, 2) },
    ]);
    registry.away = AWAY;
    expect(await run([packed])).toEqual({ batchItemFailures: [{ itemIdentifier: seq(0) }] });
    expect(inlet.acknowledged).toEqual([]);
  });
});

describe("14 B: protobuf by Glue Schema Registry's header", () => {
  it('the index before the message names its type, also where it was packed with the message', async () => {
    const published: Partial<PublishedPipeline> = { format: { kind: 'protobuf', schemaIn: 'glue' } };
    const { run, registry, inlet, reasons } = glueWorld(published);
    const definition = 'syntax = "proto3"; message Z { int32 z = 1; } message A { int32 a = 1; }';
    registry.schemas.set(idOf(9), { dataFormat: 'PROTOBUF', definition });
    const message = (index: number) => Buffer.from([index, 8, 5]);
    await run([
      withHeader(idOf(9), message(0)),
      withHeader(idOf(9), message(1), 'zlib'),
      withHeader(idOf(9), message(2)),
      withHeader(idOf(1), message(0)),
    ]);
    expect(inlet.acknowledged).toEqual(['{"a":5}', '{"z":5}']);
    expect(reasons()).toEqual(['unknown-schema', 'unknown-schema']);
  });
});

describe('14 B: a schema of the manifest', () => {
  it('is read with the first record, and kept', async () => {
    const published: Partial<PublishedPipeline> = {
      format: { kind: 'avro', schema: JSON.stringify(SCHEMA) },
    };
    const { run, inlet, reasons } = world({ published });
    await run([type.toBuffer({ n: 1 }), Buffer.from('{"n":1}')]);
    await run([{ data: type.toBuffer({ n: 2 }), seq: seq(9) }]);
    expect(inlet.acknowledged).toEqual(['{"n":1}', '{"n":2}']);
    expect(reasons()).toEqual(['not-avro']);
  });

  it('that is none leaves the records in the stream: the manifest is at fault, not they', async () => {
    const { run, store, lines } = world({ published: { format: { kind: 'avro', schema: '{' } } });
    expect(await run([Buffer.from([0])])).toEqual({ batchItemFailures: [{ itemIdentifier: seq(0) }] });
    expect(store.documents).toEqual([]);
    expect(lines.map(({ fields }) => fields.code)).toContain('MANIFEST_INVALID');
  });
});

describe('14 B: redrive of records that name their schema', () => {
  it('reads them by the schema that the registry has now; while it is away they stay where they are', async () => {
    const schemas = fakeRegistry({ [idOf(1)]: REGISTERED });
    const own = redriveWorld({ published: GLUE, schemas });
    const stranger = { reason: 'unknown-schema', data: record(7, 5).toString('base64') } as const;
    const key = await own.store(document([entry(1, '', stranger)]));
    schemas.away = AWAY;
    await expect(own.run({ source: 'rejected' })).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(own.documents().get(key)?.entries).toMatchObject([stranger]);
    expect(own.inlet.acknowledged).toEqual([]);

    schemas.away = undefined;
    await own.clock.sleep(AWAY_KEPT_MS);
    expect(await own.run({ source: 'rejected' })).toMatchObject({ rejectedAgain: 1 });
    schemas.schemas.set(idOf(7), REGISTERED);
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 1 });
    expect(own.inlet.acknowledged).toEqual(['{"n":5}']);
  });
});
