// Issue 15: an event names the sandbox that its sender has in mind, and whoever asks learns its name and its type.
import { describe, expect, it } from 'vitest';
import { sandboxOfPipeline } from '../lib/doctor/sandbox.ts';
import {
  byHand,
  inletManifest,
  KINESIS,
  keep,
  position,
  pulledManifest,
  reportOf,
  SECRETS,
  sandboxOf,
  sent,
} from './provision/cases.ts';
import { surroundings } from './support/doctoring.ts';
import { world } from './support/provisioning.ts';
import { reconciling } from './support/reconciling.ts';
import { document, entry, redriveWorld } from './support/redriving.ts';

const PRODUCTION = { sandboxes: [{ name: 'prod', type: 'production', isDefault: true }] } as const;
const inProduction = inletManifest({ sandbox: 'prod' });

describe('issue 15: a production sandbox needs its name', () => {
  it.each([
    ['prod', 'production'],
    ['dev1', 'development'],
  ])('the plan tells that %s is of the type %s', async (sandbox, type) => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest({ sandbox }), mode: 'plan' });
    expect(document.report?.sandbox).toEqual({ name: sandbox, type });
  });

  it('the plan tells no type that the technical account may not see', async () => {
    const own = world();
    const away = {
      kind: 'refuse',
      method: 'GET',
      path: '/data/foundation/sandbox-management/',
      status: 403,
    } as const;
    own.platform.faults.add({ ...away, times: 9 });
    const { document } = await own.run({ manifest: inletManifest(), mode: 'plan' });
    expect(document.report?.sandbox).toEqual({ name: 'dev1' });
  });

  it('status tells it of a pipeline, for what is not planned', async () => {
    const { runtime } = await surroundings(inProduction, undefined, PRODUCTION);
    expect(await sandboxOfPipeline({ pipeline: 'people', sandbox: true }, runtime)).toEqual({
      pipeline: 'people',
      sandbox: { name: 'prod', type: 'production' },
    });
    await expect(sandboxOfPipeline({ pipeline: 'peopel', sandbox: true }, runtime)).rejects.toThrow(/people/);
  });

  it.each(['apply', 'retire', 'plan'])('%s with the name of another sandbox is refused', async (mode) => {
    const own = world(PRODUCTION);
    expect((await own.run({ manifest: inProduction, sandbox: 'prod' })).status).toBe('SUCCEEDED');
    const from = position(own);
    const run = await own.run({ manifest: inProduction, sandbox: 'dev1', mode });
    expect([run.status, run.states.includes('plan'), sent(own, from)]).toEqual(['FAILED', false, []]);
    expect(run.cause).toMatch(/^WRONG_SANDBOX: .*found "dev1", and the pipeline people is in "prod"/);
    expect((await own.run({ manifest: inProduction, sandbox: 'prod', mode })).status).toBe('SUCCEEDED');
  });

  it('redrive with the name of another sandbox is refused, and its own goes on with the request', async () => {
    const own = redriveWorld();
    await own.store(document([entry(1, '{}'), entry(2, '{}')]));
    const event = { stream: 'customers', source: 'rejected', limit: 1, continue: false };
    await expect(own.run({ ...event, sandbox: 'other' })).rejects.toMatchObject({ code: 'WRONG_SANDBOX' });
    expect(own.documents().size).toBe(1);
    const answer = await own.run({ ...event, sandbox: 'dev1' });
    expect(answer).toMatchObject({ delivered: 1, next: { sandbox: 'dev1' } });
  });

  it('reconcile with the name of another sandbox is refused', async () => {
    const own = await reconciling();
    await expect(own.run({ event: { sandbox: 'other' } })).rejects.toMatchObject({ code: 'WRONG_SANDBOX' });
    expect(await own.run({ event: { sandbox: 'dev1' } })).toMatchObject({ pipelines: 1 });
  });
});

describe('issue 15: the result of a plan as data', () => {
  it('nothing to do is a field', async () => {
    const own = world();
    const asked = { manifest: inletManifest(), mode: 'plan' };
    expect((await own.run(asked)).document.report?.toDo).toBe(true);
    await own.run({ manifest: inletManifest() });
    expect((await own.run(asked)).document.report?.toDo).toBe(false);
    const changed = { manifest: inletManifest({ description: 'of the shop' }), mode: 'plan' };
    expect((await own.run(changed)).document.report?.toDo).toBe(false);
  });

  it('a second one of ours that is not needed is something to do', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const box = sandboxOf(own);
    const [first] = box.mappingSets.values();
    const [source] = box.sourceConnections.values();
    if (first === undefined || source === undefined) throw new Error('nothing was made');
    box.sourceConnections.put('another', { ...source, id: 'another', createdAt: source.createdAt + 1 });
    const { report } = (await own.run({ manifest: inletManifest(), mode: 'plan' })).document;
    expect(report).toMatchObject({ toDo: true, old: [{ resource: 'source-connection', id: 'another' }] });
    expect(report?.summary).toContain('source-connection another');
    expect(report?.next).toEqual(['Start it without "mode": "plan" to do this.']);
  });

  it('what AEP cannot undo is a field of its resource', async () => {
    const own = world();
    const manifest = inletManifest({
      schema: {
        class: 'profile',
        fieldGroups: ['profile-person-details', 'profile-personal-details'],
        identities: [{ path: 'personalEmail.address', namespace: 'Email', primary: true }],
        profile: true,
      },
    });
    const { report } = (await own.run({ manifest, mode: 'plan' })).document;
    const irreversible = report?.resources.filter((one) => one.irreversible !== undefined);
    expect(irreversible?.map(({ resource }) => resource)).toEqual(['profile']);
  });

  it('what is read twice is a field: where AEP reads again what the old flow has read', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    await own.run({ manifest: pulledManifest(KINESIS) });
    const mapping = [{ source: 'id', destination: '_id' }];
    const { report } = (await own.run({ manifest: pulledManifest(KINESIS, { mapping }), mode: 'plan' }))
      .document;
    const twice = report?.resources.filter((one) => one.readTwice === true);
    expect(twice?.map(({ resource, planned }) => [resource, planned])).toEqual([['flow', 'replace']]);
  });

  it('what is ingested twice is a field: where AEP reads the stream of the forwarder by itself', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    const stream = 'customers';
    await own.run({ manifest: pulledManifest({ ...KINESIS, stream }, { name: 'others' }) });
    const { report } = (await own.run({ manifest: inletManifest(), mode: 'plan' })).document;
    const twice = report?.resources.filter((one) => one.readTwice === true);
    expect(twice?.map(({ resource }) => resource)).toEqual(['publish']);
  });

  it('the report of every run names the sandbox', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    expect((await reportOf(own)).sandbox).toEqual({ name: 'dev1' });
    expect(await byHand(own).sandboxes.visible()).toContainEqual(expect.objectContaining({ name: 'dev1' }));
  });
});
