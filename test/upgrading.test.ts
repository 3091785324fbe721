import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recordId } from '../lib/forward/read/record-id.ts';
import { executionName } from '../lib/hook/start.ts';
import { parseManifest } from '../lib/manifest.ts';
import { fromVersion1, Pipeline, Report } from '../lib/pipeline.ts';
import { knownOf, readKnown } from '../lib/provision/known.ts';
import { type PublishedPipeline, readStream } from '../lib/published.ts';
import { readOld, readSoFar } from '../lib/reconcile/progress.ts';
import type { DeadLetterDocument, LedgerRecord } from '../lib/runtime.ts';
import { settingsFrom } from '../lib/settings.ts';
import { inletManifest, markByNameAlone, PUBLISHED } from './provision/cases.ts';
import { world as forwarding, SHARD_ID, seq } from './support/forwarding.ts';
import { held } from './support/graph.ts';
import { acknowledgeBut, fakeInlet } from './support/inlet.ts';
import { memoryLedger } from './support/ledger.ts';
import { world } from './support/provisioning.ts';
import { document, ON_FAILURE_KEY, redriveWorld, streamRecord } from './support/redriving.ts';
import { memoryRoutes } from './support/routes.ts';

// B 7: what a new version does with what the one before has left. The fixtures were written by the code of 0.1.0 itself.

const left = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`stored/0.1.0/${name}.json`, import.meta.url), 'utf8')) as T;

const TABLE = 'penstock-dev-pipelines';
type Item = Record<string, { S: string }>;

async function ledgerOf(item: object): Promise<LedgerRecord | undefined> {
  const { ledger, items } = memoryLedger(TABLE);
  items.set('people', structuredClone(item) as never);
  return ledger.read('people');
}

describe('B 7: what 0.1.0 left is understood', () => {
  it.each(left<{ state: string; document: { trail?: unknown } }[]>('states'))(
    'the document of a running execution, at the state $state',
    ({ document: one }) => {
      const { intake, ...rest } = one as { readonly intake?: object };
      // What was called `intake` is the trigger now.
      const words = JSON.stringify(rest).replaceAll('"resource":"intake"', '"resource":"trigger"');
      const now = { ...(JSON.parse(words) as object), ...(intake && { trigger: intake }), version: 2 };
      expect(Pipeline.parse(fromVersion1(one))).toMatchObject(now);
    },
  );

  it('the ledger: its manifest is in force, its ids are where to look first, its report is told', async () => {
    const record = await ledgerOf(left('ledger'));
    const manifest = parseManifest(record?.manifest);
    expect(manifest).toMatchObject({ name: 'people', mapping: inletManifest().mapping });
    const { hints, old } = readKnown(record?.known);
    expect(Object.keys(hints)).toEqual(['schema', 'base-connection', 'dataset']);
    expect(old.map(({ resource }) => resource)).toEqual([
      'flow',
      'target-connection',
      'mapping',
      'source-connection',
    ]);
    expect(Report.parse(record?.report)).toEqual(record?.report);
    expect(record?.report).toMatchObject({ outcome: 'Penstock.RolledBack' });
  });

  it('the ledger: what is written next stands in the same item', async () => {
    const { ledger, items } = memoryLedger(TABLE);
    items.set('people', left('ledger'));
    const known = { ids: { flow: 'another' }, old: [] };
    expect(await ledger.write('people', 'arn', { known, updatedAt: '2026-11-28T00:00:00.000Z' })).toBe(true);
    expect(await ledger.read('people')).toMatchObject({ known, manifest: { name: 'people' } });
    expect(items.get('people')).toMatchObject({ version: { N: '1' } });
  });

  it('a published pipeline: the forwarder sends by it', async () => {
    const published = left<PublishedPipeline>('published');
    const own = forwarding({
      published: { ...published, inletUrl: 'https://dcs.adobedc.net/collection/0123456789abcdef' },
    });
    await own.run(['{"n":1}']);
    expect(own.inlet.acknowledged).toEqual(['{"n":1}']);
    expect(own.inlet.requests[0]?.headers['x-adobe-flow-id']).toBe(published.flowId);
  });

  it('a batch in flight: its records get the ids that they were sent under before', () => {
    const place = { stream: 'customers', shardId: SHARD_ID, sequenceNumber: seq(3) };
    const names = left<Record<'id' | 'plain', string>>('names');
    expect(recordId(place)).toBe(names.plain);
    expect(recordId({ ...place, subSequenceNumber: 2 })).toBe(names.id);
  });

  it('a delivery of a hook: repeated it finds the execution that it has started', () => {
    const delivery = { sender: 'github', id: 'd-1', digest: 'x' };
    expect(executionName('people', delivery)).toBe(left<{ execution: string }>('names').execution);
  });

  it('rejected records are sent again', async () => {
    const own = redriveWorld();
    await own.store(left<DeadLetterDocument>('rejected'));
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      delivered: 1,
      rejectedAgain: 1,
      skipped: {},
    });
    expect(own.inlet.acknowledged).toEqual(['{"n":1,"v":"bad"}']);
  });

  it('records that were redacted by rules nobody knows stay where rules are in force, and none of their bytes leaves', async () => {
    const redact = [{ field: '/mail', action: 'hash' as const, salt: 's' }];
    const own = redriveWorld({ published: { records: { redact } } });
    const key = await own.store(left<DeadLetterDocument>('rejected-redacted'));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 0, withheld: 2, skipped: {} });
    expect(own.documents().get(key)?.entries).toHaveLength(2);
  });

  it('rows that AEP refused later are sent again as they are, and stay where rules are in force', async () => {
    const one = { ...document([]), ...left<DeadLetterDocument>('refused-later') };
    const stored = { ...one, streamArn: document([]).streamArn };
    const own = redriveWorld();
    await own.store(stored);
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 1 });
    const ruled = redriveWorld({ published: { records: { redact: [{ field: '/_id', action: 'mask' }] } } });
    await ruled.store(stored);
    expect(await ruled.run({ source: 'rejected' })).toMatchObject({ delivered: 0, withheld: 1 });
  });

  it('a document of Lambda’s, half of whose record was done: the other half alone is sent', async () => {
    const own = redriveWorld();
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(left('on-failure-noted')));
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ complete: true, delivered: 1 });
    expect(own.inlet.acknowledged).toEqual(['{"n":"later"}']);
    expect(own.s3.objects.size).toBe(0);
  });

  it('14 A 3: what such a document says is done is done for every route that the stream has now', async () => {
    const own = redriveWorld({ others: { orders: {} } });
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(left('on-failure-noted')));
    for (const pipeline of ['customers', 'orders'])
      expect(await own.run({ source: 'on-failure', pipeline })).toMatchObject({
        complete: true,
        delivered: 1,
      });
    expect([own.sentBy('customers'), own.sentBy('orders')]).toEqual([['{"n":"later"}'], ['{"n":"later"}']]);
    expect(own.s3.objects.size).toBe(0);
  });

  it('a run of redrive that has called itself goes on', async () => {
    const own = redriveWorld();
    for (let index = 0; index < 40; index++) own.stream.records.push(streamRecord(index, `{"n":${index}}`));
    expect(await own.run(left('redrive-next'))).toMatchObject({ complete: true, delivered: 40 });
  });

  it('how far reconcile has come', () => {
    const old = readOld(JSON.stringify(left('progress')));
    expect(old).toMatchObject({ complete: 1770973501000, flows: ['f7449e67-8a8f-40ad-89fb-3cbf27cfa3e0'] });
    expect([...(old?.marks ?? [])]).toMatchObject([['2026-02-13', [expect.any(String)]]]);
  });
});

describe('B 7: an execution that was running while the new version came', () => {
  it('ends as it would have, whatever made the first half of it', async () => {
    for (const at of ['schema', 'mapping', 'flow', 'verify', 'publish']) {
      const own = world();
      let aged = 0;
      const onEnter = ({ state }: { readonly state: string }) => {
        if (state !== at) return;
        aged++;
        markByNameAlone(own, 'build-42');
      };
      const { status } = await own.run({ manifest: inletManifest() }, { name: 'build-42', onEnter });
      expect([at, status, aged]).toEqual([at, 'SUCCEEDED', 1]);
      own.mutations();
      expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
      expect(own.mutations()).toEqual([]);
    }
  });

  it.each(['Lambda.ResourceNotFoundException', 'Lambda.AWSLambdaException'])(
    'is kept where the function of a state has another name now, and goes on when it is started again: %s',
    async (error) => {
      const own = world();
      const first = await own.run({ manifest: inletManifest() }, { fail: { trigger: error } });
      expect(first.error).toBe('Penstock.Resumable');
      own.mutations();
      expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
      expect(own.mutations().filter((call) => call.startsWith('POST'))).toEqual([]);
    },
  );

  it('knows what 0.1.0 had removed and left, which only its texts say', () => {
    const undone = left<{ document: { removed: readonly string[] } }[]>('states').find(
      ({ document: { removed } }) => removed.length > 0,
    )?.document;
    const more = {
      removed: [...(undone?.removed ?? []), 'published pipeline', 'intake'],
      left: ['schema s-1 (in use)'],
    };
    const pipeline = Pipeline.parse(fromVersion1({ ...undone, ...more }));
    expect(pipeline.fates.map(({ resource, became }) => `${resource} ${became}`)).toEqual([
      'flow removed',
      'target-connection removed',
      'mapping removed',
      'source-connection removed',
      'publish removed',
      'trigger removed',
      'schema left',
    ]);
    expect(Object.keys(knownOf(pipeline)?.ids ?? {})).not.toContain('flow');
  });

  it('is undone where it fails: what its document says it made is its own, whatever the ownership tag', async () => {
    const own = world();
    const before = held(own);
    const { error, cause } = await own.run(
      { manifest: inletManifest() },
      {
        name: 'build-42',
        fail: { verify: 'PermanentFailure' },
        onEnter: ({ state }) => state === 'verify' && markByNameAlone(own, 'build-42'),
      },
    );
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toMatch(/Undone: flow \S+, target-connection .*, schema \S+\.$/);
    expect(held(own)).toEqual(before);
  });
});

describe('B 7: what a newer version has left is refused, and nothing is written over it', () => {
  const newer = (what: object) => ({ ...what, version: 99 });
  const code = 'NEWER_VERSION';

  it('the document of a running execution', async () => {
    const [{ document: one } = { document: {} }] = left<{ document: object }[]>('states');
    const own = world();
    await expect(own.steps.flow?.(newer(one))).rejects.toMatchObject({ code });
    await expect(own.steps.rollback?.(newer(one))).rejects.toMatchObject({ code });
    expect(own.mutations()).toEqual([]);
  });

  it('the ledger', async () => {
    const item = { ...left<Item>('ledger'), version: { N: '2' } };
    await expect(ledgerOf(item)).rejects.toMatchObject({ code, retryable: false });
    const { ledger, items } = memoryLedger(TABLE);
    items.set('people', item as never);
    expect(await ledger.write('people', 'arn', { known: {} as never, updatedAt: 'now' })).toBe(false);
    expect(items.get('people')).toEqual(item);
  });

  it('a published pipeline: nothing is sent, and no execution changes it', async () => {
    const own = forwarding({ published: { version: 2 } as never });
    await expect(own.run(['{"n":1}'])).rejects.toMatchObject({ code });
    expect(own.inlet.requests).toEqual([]);

    const provisioning = world();
    await provisioning.run({ manifest: inletManifest() });
    const secret = JSON.stringify(newer(JSON.parse(provisioning.secrets.values.get(PUBLISHED) ?? '')));
    provisioning.secrets.rewrite(PUBLISHED, secret);
    provisioning.mutations();
    const changed = inletManifest({ mapping: [{ expression: 'upper(id)', destination: '_id' }] });
    const { status, cause } = await provisioning.run({ manifest: changed });
    expect(status).toBe('FAILED');
    expect(cause).toContain('NEWER_VERSION: ');
    expect(cause).toContain('docs/upgrade.md');
    expect(provisioning.mutations()).toEqual([]);
    expect(provisioning.secrets.values.get(PUBLISHED)).toBe(secret);
  });

  it('of a published pipeline no word but its version is told', async () => {
    const secrets = { get: async () => '{"version":3,"inletUrl":"https://canary"}' } as never;
    await expect(
      readStream({ secrets, routes: memoryRoutes(), settings: settingsFrom({}) }, 'arn:x:stream/customers'),
    ).rejects.toThrow(
      /^NEWER_VERSION: the published pipeline \S+ has version 3, and this release knows 1 \| Next: Deploy the version that wrote it/,
    );
  });

  it('a document of the dead-letter store is passed over, and said to be', async () => {
    const own = redriveWorld();
    own.s3.objects.set(
      'rejected/customers/2026/01/30/one.json',
      JSON.stringify(newer(left<DeadLetterDocument>('rejected'))),
    );
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      delivered: 0,
      skipped: { 'wrong-version': 1 },
    });
    expect(own.s3.objects.size).toBe(1);
    expect(own.inlet.requests).toEqual([]);
  });

  it('how far reconcile has come', () => {
    expect(() => readSoFar({ version: 3 })).toThrow(expect.objectContaining({ code }));
  });
});

it('B 7: a reject that is refused anew by the new version keeps what 0.1.0 knew of it', async () => {
  const inlet = fakeInlet(acknowledgeBut(() => ({ statusCode: 400, message: 'still no' })));
  const own = redriveWorld({ inlet });
  const before = left<DeadLetterDocument>('rejected');
  const key = await own.store(before);
  await own.run({ source: 'rejected' });
  const after = own.documents().get(key);
  expect(after).toMatchObject({ version: 1, storedAt: before.storedAt, invocationId: before.invocationId });
  expect(after?.entries.map(({ data, partitionKey }) => [data, partitionKey])).toEqual(
    before.entries.map(({ data, partitionKey }) => [data, partitionKey]),
  );
});
