import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { createReconcile } from '../../lib/reconcile/reconcile.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { type Reconciling, reconciling, STREAM_ARN } from '../support/reconciling.ts';

// The schedule has what is parked sent again: of exactly those pipelines that have something.

/** Another pipeline of another stream, of the same organization. */
function addPipeline({ ledger, secrets, published }: Reconciling, name: string): void {
  const manifest = JSON.stringify({ source: { kind: 'inlet', stream: name } });
  ledger.items.set(name, { pipeline: { S: name }, manifest: { S: manifest } });
  const streamArn = published.streamArn.replace(/[^/]+$/, name);
  secrets.set(`penstock/dev/streams/${name}`, JSON.stringify({ ...published, pipeline: name, streamArn }));
}

const requestOf = (pipeline: string, streamArn = STREAM_ARN) => ({
  name: 'penstock-dev-redrive',
  event: { stream: streamArn, pipeline, source: 'parked' },
});

describe('14 A 3: reconcile starts redrive', () => {
  it('of each pipeline that has something parked, and of no other', async () => {
    const own = await reconciling();
    for (const name of ['orders', 'returns']) addPipeline(own, name);
    expect(await own.run()).toMatchObject({ pipelines: 3, parked: 0 });
    expect(own.started).toEqual([]);
    own.store.parked.set('customers', ['parked/customers/2026/01/01/a.json']);
    own.store.parked.set('returns', ['parked/returns/2026/01/01/a.json', 'parked/returns/2026/01/01/b.json']);
    expect(await own.run()).toMatchObject({ pipelines: 3, parked: 2, complete: true });
    expect(own.started).toEqual([
      requestOf('customers'),
      requestOf('returns', STREAM_ARN.replace(/[^/]+$/, 'returns')),
    ]);
  });

  it('where an outage is left without documents: a redrive was killed before it could end it', async () => {
    const own = await reconciling();
    const secret = 'penstock/dev/streams/customers';
    const publish = (more: object) => own.secrets.set(secret, JSON.stringify({ ...own.published, ...more }));
    const shard = { stream: 'customers', shardId: 'shardId-000000000007' };
    own.stream.byShard.set('shardId-000000000001', []);
    own.stream.byShard.set(shard.shardId, []);
    publish({ park: { afterSeconds: 900 } });
    expect(await own.run()).toMatchObject({ parked: 0 });
    // It is not parked yet, or it is another's.
    await own.marks.outage(shard, 'customers', { since: 1 });
    await own.marks.outage(shard, 'orders', { since: 1, parkedSince: 2 });
    expect(await own.run()).toMatchObject({ parked: 0 });
    await own.marks.outage(shard, 'customers', { since: 1, parkedSince: 2 });
    expect(await own.run()).toMatchObject({ parked: 1, complete: true });
    expect(own.started).toEqual([requestOf('customers')]);
    // A route that holds heeds no outage.
    publish({});
    expect(await own.run()).toMatchObject({ parked: 0 });
  });

  it('of the pipeline that is asked for by hand', async () => {
    const own = await reconciling();
    addPipeline(own, 'orders');
    for (const name of ['customers', 'orders']) own.store.parked.set(name, [`parked/${name}/a.json`]);
    expect(await own.run({ event: { pipeline: 'customers' } })).toMatchObject({ pipelines: 1, parked: 1 });
    expect(own.started).toEqual([requestOf('customers')]);
  });

  it('also where AEP does not answer, and reads what AEP refused where redrive does not start', async () => {
    const own = await reconciling();
    own.store.parked.set('customers', ['parked/customers/a.json']);
    const away = () => Promise.reject(new Error('connect ECONNREFUSED'));
    await expect(own.run({ fetch: away })).rejects.toMatchObject({ code: 'AEP_UNREACHABLE' });
    expect(own.started).toEqual([requestOf('customers')]);
    const start = () => Promise.reject(new Failure('AWS_UNAVAILABLE', 'starting the next invocation'));
    const reconcile = createReconcile({ ...own.runtime, functions: { start } });
    own.lines.length = 0;
    await expect(reconcile({}, { remainingMs: () => 600_000 })).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
    });
    expect(own.lines.map(({ fields }) => fields.event)).toContain('reconciled');
  });

  it('says so where it is not told which function that is', async () => {
    const own = await reconciling();
    const { imsUrl, platformUrl } = own.runtime.settings;
    const settings = { ...settingsFrom({}), imsUrl, platformUrl };
    const reconcile = createReconcile({ ...own.runtime, settings });
    const invocation = { remainingMs: () => 600_000 };
    expect(await reconcile({}, invocation)).toMatchObject({ parked: 0, complete: true });
    own.store.parked.set('customers', ['parked/customers/a.json']);
    await expect(reconcile({}, invocation)).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
  });
});
