import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createDeadLetters, type S3 } from '../lib/aws/dead-letters.ts';
import { createLedger } from '../lib/aws/ledger.ts';
import { createSecrets } from '../lib/aws/secrets.ts';
import {
  MAX_IN_LEDGER_BYTES,
  MAX_OBJECT_BYTES,
  MAX_RECORDS_BYTES,
  MAX_SECRET_BYTES,
  MAX_WRITTEN_BYTES,
} from '../lib/bounds.ts';
import { noted, readOnFailure } from '../lib/forward/read/on-failure.ts';
import { parseManifest } from '../lib/manifest.ts';
import type { Pipeline } from '../lib/pipeline.ts';
import { jsonBytes } from '../lib/provision/clip.ts';
import { fittingDocument, withReport } from '../lib/provision/steps/fit.ts';
import { createHider } from '../lib/reconcile/hide.ts';
import type { DeadLetterDocument } from '../lib/runtime.ts';
import { inletManifest, PUBLISHED } from './provision/cases.ts';
import { PUBLISHED as PUBLISHED_PIPELINE, STREAM_ARN } from './support/forwarding.ts';
import { aggregate } from './support/kpl.ts';
import { itemBytes, LARGEST_ITEM, memoryLedger } from './support/ledger.ts';
import { world } from './support/provisioning.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  redriveWorld,
  streamRecord,
} from './support/redriving.ts';
import { memoryS3 } from './support/s3.ts';

// A 3: every document that is kept has a bound in bytes, which is reached here: what is larger is refused in so many words, or
// cut where that is no loss. Reconcile's progress: test/aws/progress.test.ts. The report: test/provision/limits.test.ts.

const at = '2026-01-01T00:00:00.000Z';
/** A value whose JSON has so many bytes. */
const json = (bytes: number) => '字'.repeat(Math.floor((bytes - 2) / 3)) + 'x'.repeat((bytes - 2) % 3);

describe('A 3: the item of a pipeline in the ledger', () => {
  it('takes the largest of everything at once, the lease besides', async () => {
    const own = memoryLedger('t');
    const owner = `arn:aws:states:eu-west-1:123456789012:execution:penstock-dev-provision:${'x'.repeat(80)}`;
    await own.ledger.takeFencingToken('p'.repeat(64), owner);
    const item = { owner: { S: owner }, since: { S: at } };
    own.items.set('p'.repeat(64), { ...own.items.get('p'.repeat(64)), ...item });
    const { manifest, known, report, succeeded } = MAX_IN_LEDGER_BYTES;
    const entry = {
      manifest: json(manifest),
      known: json(known) as never,
      report: json(report),
      succeeded: json(succeeded) as never,
      updatedAt: at,
    };
    expect(await own.ledger.write('p'.repeat(64), owner, entry)).toBe(true);
    const bytes = itemBytes(own.items.get('p'.repeat(64)) ?? {});
    expect(bytes).toBeGreaterThan(manifest + known + report + succeeded);
    expect(bytes).toBeLessThan(LARGEST_ITEM * 0.7);
  });

  it.each(['manifest', 'known', 'report', 'succeeded'] as const)(
    'refuses a %s that is too large, and keeps what is there',
    async (name) => {
      const own = memoryLedger('t');
      await own.ledger.write('people', 'me', { manifest: 1, updatedAt: at });
      const before = structuredClone(own.items);
      const most = MAX_IN_LEDGER_BYTES[name];
      const write = own.ledger.write('people', 'me', { [name]: json(most + 1), updatedAt: at });
      await expect(write).rejects.toMatchObject({
        code: 'TOO_LARGE',
        retryable: false,
        what: `the ${name} of the pipeline people has ${most + 1} bytes; at most ${most} are kept`,
      });
      expect(own.items).toEqual(before);
    },
  );

  it('asks for no size of its own where DynamoDB has no table', async () => {
    await expect(
      createLedger(undefined, async () => ({})).write('p', 'me', { updatedAt: at }),
    ).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    });
  });
});

describe('A 3: the document between two states', () => {
  const trail = Array.from({ length: 17 }, (_, n) => ({
    step: `step-${n}`,
    ms: 1,
    calls: 30,
    changes: Array.from({ length: 30 }, () => ({ call: 'c'.repeat(200), requestId: 'r'.repeat(100) })),
  }));
  const done = async () => (await world().run({ manifest: inletManifest() })).document as Pipeline;

  it('tells fewer of the calls it made, the first ones first, and still how many they were', async () => {
    const large = { ...(await done()), trail, warnings: [json(100_000)] };
    expect(jsonBytes(large)).toBeGreaterThan(262_144);
    const fit = fittingDocument(large);
    expect(jsonBytes(fit)).toBeLessThanOrEqual(220_000);
    expect(fit.trail.map(({ calls }) => calls)).toEqual(trail.map(({ calls }) => calls));
    expect(fit.trail.at(0)?.changes).toEqual([]);
    expect(fit.trail.at(-1)).toEqual(trail.at(-1));
    expect({ ...fit, trail }).toEqual(large);
  });

  it('is as it was where it fits, and is refused with its size where nothing helps', async () => {
    const document = await done();
    expect(fittingDocument(document)).toBe(document);
    expect(() => fittingDocument({ ...document, trail, left: [json(220_000)] })).toThrow(
      /^TOO_LARGE: the document of this execution has \d{6} bytes; at most 220000 go from state to state/,
    );
  });

  it('has room for its report at the end, whatever it is', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest() });
    const differences = Array.from({ length: 60 }, () => ({
      field: 'f',
      found: json(150),
      wanted: json(150),
    }));
    const planned = { resource: 'schema', action: 'update', name: 'n', reason: 'r', differences } as const;
    const large = { ...(document as Pipeline), trail, plan: [planned, planned], warnings: [json(150_000)] };
    const report = { ...(document.report as NonNullable<Pipeline['report']>), warnings: [json(60_000)] };
    const last = withReport(large, report);
    expect(jsonBytes(last)).toBeLessThanOrEqual(262_144);
    expect(last.report).toBe(report);
  });
});

describe('A 3: a secret', () => {
  it.each(['create', 'put'] as const)('that is too large is refused before it is sent: %s', async (how) => {
    const sent: unknown[] = [];
    const client = { send: async (command: unknown) => void sent.push(command) };
    const secrets = createSecrets(client as never);
    await expect(
      secrets[how]('penstock/dev/streams/a', json(MAX_SECRET_BYTES + 3), 'd'),
    ).rejects.toMatchObject({
      code: 'TOO_LARGE',
      what: `the secret penstock/dev/streams/a has ${MAX_SECRET_BYTES + 1} bytes; at most ${MAX_SECRET_BYTES} are kept`,
    });
    expect(sent).toEqual([]);
    await secrets[how]('penstock/dev/streams/a', json(MAX_SECRET_BYTES + 2), 'd');
    expect(sent).toHaveLength(1);
  });

  /** Rules whose JSON has about so many bytes. */
  const records = (bytes: number) => {
    const rule = (n: number) => ({
      field: `/${String(n).padStart(3, '0')}${'字'.repeat(260)}`,
      action: 'mask',
    });
    const one = jsonBytes(rule(0)) + 1;
    return { redact: Array.from({ length: Math.floor(bytes / one) }, (_, n) => rule(n)) };
  };
  const withRecords = (bytes: number) =>
    inletManifest({ source: { kind: 'inlet', stream: 'customers', data: 'raw', records: records(bytes) } });

  it('of a pipeline holds the largest records that a manifest may ask for', async () => {
    const own = world();
    const { status, cause } = await own.run({ manifest: withRecords(MAX_RECORDS_BYTES) });
    expect(cause ?? status).toBe('SUCCEEDED');
    const bytes = Buffer.byteLength(own.secrets.values.get(PUBLISHED) ?? '');
    expect(bytes).toBeGreaterThan(MAX_RECORDS_BYTES * 0.95);
    // The longest names there can be would add as much again as is left.
    expect(bytes).toBeLessThan(MAX_SECRET_BYTES - 4_000);
  });

  it('is not what a manifest fails by after everything was made: larger ones are refused', () => {
    expect(() => parseManifest(withRecords(MAX_RECORDS_BYTES + 1_500))).toThrow(
      /source\.records: has 6\d{4} bytes as JSON; at most 60000 are published/,
    );
  });
});

describe("A 3: Lambda's document of what it gave up", () => {
  it('with all that can be noted in it is still one that is read', () => {
    // As many messages as an event can bring: 6 MB of the smallest there are.
    const parts = Array.from({ length: 100_000 }, () => ({ key: 'k', data: Buffer.from('{}') }));
    const data = aggregate(parts).toString('latin1');
    const records = Array.from({ length: Math.floor(6_000_000 / ((data.length * 4) / 3)) }, () => data);
    const text = onFailureDocument({ records: [], payload: 'object' });
    const whole = JSON.parse(text) as { payload: { Records: object[] }; KinesisBatchInfo: object };
    const template = JSON.parse(onFailureDocument({ records: ['{}'], payload: 'object' })) as typeof whole;
    const [record] = template.payload.Records as [{ kinesis: object }];
    const base64 = Buffer.from(data, 'latin1').toString('base64');
    whole.payload.Records = records.map(() => ({ ...record, kinesis: { ...record.kinesis, data: base64 } }));
    const read = readOnFailure({ ...whole, KinesisBatchInfo: template.KinesisBatchInfo });
    if (read === 'damaged') throw new Error('damaged');
    const done = parts.map((_, n) => n);
    const bytes = Buffer.byteLength(read.with((read.records ?? []).map((one) => noted(one, { done }))));
    expect(bytes).toBeGreaterThan(7_000_000);
    expect(bytes).toBeLessThan(MAX_OBJECT_BYTES / 4);
  });

  it.each([
    ['more records than a batch has', 10_001, '{}'],
    ['more bytes than fit the memory', 9, `{"a":"${'x'.repeat(8 * 1024 * 1024)}"}`],
  ])(
    'that points to %s is passed over, and the stream is not read into the memory',
    async (_, count, data) => {
      const own = redriveWorld();
      for (let n = 0; n < count; n++) own.stream.records.push(streamRecord(n, data));
      const batch = { shardId: 'shardId-000000000002', batchSize: count, streamArn: STREAM_ARN };
      const [first, last] = [own.stream.records[0], own.stream.records.at(-1)];
      const ends = { startSequenceNumber: first?.sequenceNumber, endSequenceNumber: last?.sequenceNumber };
      const more = { KinesisBatchInfo: { ...batch, ...ends } };
      own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: ['{}'], payload: 'none', more }));
      const before = structuredClone([...own.s3.objects]);
      expect(await own.run({ source: 'on-failure' })).toMatchObject({
        skipped: { 'too-large': 1 },
        delivered: 0,
        complete: false,
      });
      expect([...own.s3.objects]).toEqual(before);
    },
  );
});

describe('A 3: an object of the dead-letter store', () => {
  const megabyte = (n: number) => entry(n, `{"n":${n},"a":"${'x'.repeat(750_000)}"}`);

  it('is divided where an invocation has more to keep than is read as a whole, and every entry is there', async () => {
    const own = redriveWorld();
    const entries = Array.from({ length: 40 }, (_, n) => megabyte(n));
    const { key, entries: count } = await createDeadLetters('s3://bucket', async () => own.s3.client).put(
      document(entries),
    );
    expect(count).toBe(40);
    const texts = [...own.s3.objects];
    expect(texts.map(([name]) => name)).toEqual([
      key,
      key.replace('json', '1.json'),
      key.replace('json', '2.json'),
    ]);
    for (const [, text] of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_WRITTEN_BYTES);
    const kept = texts.flatMap(([, text]) => (JSON.parse(text) as DeadLetterDocument).entries);
    expect(kept).toEqual(entries);
    expect(await own.runAll({ source: 'rejected' })).toMatchObject({
      delivered: 40,
      skipped: {},
      complete: true,
    });
  });

  it('holds the largest record of a stream', async () => {
    const s3 = memoryS3();
    const store = createDeadLetters('s3://bucket', async () => s3.client);
    const record = entry(1, 'x'.repeat(10 * 1024 * 1024));
    await store.put(document([record, entry(2, '{}')]));
    const sizes = [...s3.objects.values()].map((text) => Buffer.byteLength(text));
    expect(Math.max(...sizes)).toBeLessThan(MAX_WRITTEN_BYTES);
  });

  it('of what AEP refused later holds what its records unpack to, as far as it is still read as a whole', () => {
    const redact = [{ field: '/a', action: 'mask' as const }];
    const hider = createHider({ ...PUBLISHED_PIPELINE, compression: 'gzip', records: { redact } });
    const packed = gzipSync(`{"a":1,"b":"${'x'.repeat(900_000)}"}`).toString('base64');
    const rows = Array.from({ length: 500 }, (_, n) =>
      hider?.hide({ shardId: 's', mapped: false, joined: true, entry: { ...entry(n, ''), data: packed } }),
    );
    const bytes = jsonBytes(rows.map((row) => row?.entry));
    expect(bytes).toBeGreaterThan(MAX_OBJECT_BYTES / 2);
    expect(bytes).toBeLessThan(MAX_OBJECT_BYTES);
    expect(rows.at(0)?.entry).toMatchObject({ redacted: true });
    expect(rows.at(-1)?.entry).toMatchObject({ withheld: true, data: '' });
  });

  it('in a folder is not read where it has more, whatever it was when it was listed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    try {
      await using file = await open(join(folder, 'large.json'), 'w');
      // No byte of it is on the disk.
      await file.truncate(MAX_OBJECT_BYTES + 1);
      const read = createDeadLetters(pathToFileURL(folder).href).read('large.json');
      await expect(read).rejects.toMatchObject({
        code: 'TOO_LARGE',
        what: `the object large.json has ${MAX_OBJECT_BYTES + 1} bytes; at most ${MAX_OBJECT_BYTES} are read`,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('in a bucket neither, and its bytes are not waited for', async () => {
    let destroyed = false;
    const Body = {
      destroy: () => (destroyed = true),
      transformToString: () => Promise.reject(new Error('read')),
    };
    const client = {
      send: async (command: unknown) => {
        expect(command).toBeInstanceOf(GetObjectCommand);
        return { Body, ETag: 'e', ContentLength: MAX_OBJECT_BYTES + 1 };
      },
    };
    const store = createDeadLetters('s3://bucket', async () => client as unknown as S3);
    await expect(store.read('large.json')).rejects.toMatchObject({ code: 'TOO_LARGE', retryable: false });
    expect(destroyed).toBe(true);
  });
});
