// Import of pipelines that Penstock has made: also what AEP does not see is known, so that the next plan changes nothing at all.
import { describe, expect, it } from 'vitest';
import type { Imported } from '../../lib/import/import.ts';
import {
  inletManifest,
  KINESIS,
  keep,
  pulledManifest,
  reportOf,
  richManifest,
  SECRETS,
  sandboxOf,
  type World,
} from '../provision/cases.ts';
import { world } from '../support/provisioning.ts';
import { imports } from './hands.ts';

/** All that Penstock does before the inlet. */
const BEFORE_INLET = {
  records: {
    where: [{ field: '/kind', equals: 'order' }],
    redact: [{ field: '/card', action: 'drop' }],
    select: '/payload',
  },
  format: { kind: 'json-lines' },
  compression: 'gzip',
  unrouted: 'keep',
  order: 'strict',
  onOutage: 'park',
  parkAfterSeconds: 600,
  rate: { messagesPerSecond: 10 },
  startAt: 'earliest',
  fanOut: true,
};

const inlet = (more: object) =>
  inletManifest({ source: { kind: 'inlet', stream: 'customers', data: 'raw', ...more } });

async function applied(own: World, manifest: object): Promise<string> {
  const { cause, status, document } = await own.run({ manifest });
  expect(cause ?? status).toBe('SUCCEEDED');
  return String(document.resources.flow?.id);
}

/** Asks for the flow alone: nobody tells what AEP does not. */
async function importsOwn(own: World, flow: string): Promise<Imported> {
  const [imported] = (await imports(own, { flow })).imported;
  if (imported === undefined) throw new Error('nothing was imported');
  return imported;
}

/** What the next plan would do at all: also to what is published, and to the trigger. */
async function changesOf(own: World, manifest: unknown): Promise<string[]> {
  const { cause, status, document } = await own.run({ manifest, mode: 'plan' });
  expect(cause ?? status).toBe('SUCCEEDED');
  return document.plan
    .filter(({ action }) => action !== 'keep' && action !== 'none')
    .map(({ resource, action, reason }) => `${resource}: ${action} (${reason})`);
}

describe('15 import: a pipeline that this stage has applied is imported whole', () => {
  it.each(Object.entries(BEFORE_INLET))('with source.%s', async (name, value) => {
    const own = world();
    const more = { [name]: value, ...(name === 'parkAfterSeconds' && { onOutage: 'park' }) };
    const flow = await applied(own, inlet(more));
    const found = await importsOwn(own, flow);
    expect(found).toMatchObject({ complete: true, findings: [] });
    expect(found.manifest).toMatchObject({ name: 'people', source: { stream: 'customers', ...more } });
    expect(await changesOf(own, found.manifest)).toEqual([]);
  });

  it.each([
    ['of own field groups, identities and Profile', richManifest(), undefined],
    ['of a source that AEP reads, with the name of its secret', pulledManifest(KINESIS), SECRETS.kinesis],
  ])('%s', async (_, manifest, secret) => {
    const own = world();
    if (secret !== undefined) keep(own, secret);
    const found = await importsOwn(own, await applied(own, manifest));
    expect(found.findings.filter(({ effect }) => effect !== 'kept')).toEqual([]);
    expect(await changesOf(own, found.manifest)).toEqual([]);
  });

  it('also where a token was refused since, which did nothing', async () => {
    const own = world();
    const manifest = inlet({ records: BEFORE_INLET.records });
    const { document } = await own.run({ manifest, mode: 'plan' });
    const flow = await applied(own, manifest);
    expect((await own.run({ manifest, token: document.token })).status).toBe('FAILED');
    expect(await importsOwn(own, flow)).toMatchObject({ complete: true, findings: [] });
  });

  it('and what was changed in AEP since is as AEP has it', async () => {
    const own = world();
    const flow = await applied(own, inlet({ records: BEFORE_INLET.records }));
    const { connections } = sandboxOf(own);
    for (const { body } of connections.values())
      Object.assign((body.auth as { params: object }).params, { authenticationRequired: false });
    const { manifest } = await importsOwn(own, flow);
    expect(manifest?.source).toMatchObject({
      authenticationRequired: false,
      records: BEFORE_INLET.records,
    });
  });
});

describe('15 import: of a pipeline that this stage does not know, all that is lost is named', () => {
  const missing = (found: Imported) => {
    expect(found.complete).toBe(false);
    const [one, ...others] = found.findings.filter(({ effect }) => effect === 'missing');
    expect(others).toEqual([]);
    expect(one?.path).toBe('source.records');
    for (const name of Object.keys(BEFORE_INLET)) expect(one?.reason).toContain(name);
    expect(found.manifest?.source).not.toHaveProperty('records');
  };

  it('applied by another stage', async () => {
    const own = world();
    const flow = await applied(own, inlet({ records: BEFORE_INLET.records }));
    Object.assign(own.runtime.ledger, { read: async () => undefined });
    missing(await importsOwn(own, flow));
  });

  it('with a tag on a flow that its pipeline does not have', async () => {
    const own = world();
    const flow = await applied(own, inlet({ records: BEFORE_INLET.records }));
    const { read } = own.runtime.ledger;
    const other = { ids: { flow: 'another' }, old: [], sandbox: 'dev1' };
    Object.assign(own.runtime.ledger, {
      read: async (name: string) => ({ ...(await read(name)), known: other }),
    });
    missing(await importsOwn(own, flow));
  });

  it('with a flow that an execution has made beside the one in force, and could not finish', async () => {
    const own = world();
    const first = await applied(own, inlet({ records: BEFORE_INLET.records }));
    const mapping = [{ source: 'first', destination: '_id' }];
    const path = '/data/foundation/flowservice/flows/*';
    const onEnter = ({ state }: { readonly state: string }) => {
      if (state !== 'verify' || own.platform.faults.list().length > 0) return;
      own.platform.faults.add({ kind: 'refuse', status: 503, method: 'GET', path, times: 100 });
    };
    const manifest = { ...inlet({ order: 'strict' }), mapping };
    expect((await own.run({ manifest }, { onEnter })).status).toBe('FAILED');
    own.platform.faults.clear();
    const made = (await reportOf(own)).resources.find(({ resource }) => resource === 'flow');
    expect([made?.done, made?.id === first]).toEqual(['created', false]);
    missing(await importsOwn(own, String(made?.id)));
  });

  it.each([
    ['on which an execution works', { owner: 'an execution' }],
    ['whose last execution failed', { report: { outcome: 'Penstock.Failed', execution: { endedAt: '' } } }],
    ['of which no report is kept', { report: undefined }],
  ])('%s', async (_, told) => {
    const own = world();
    const flow = await applied(own, inlet({ records: BEFORE_INLET.records }));
    const { read } = own.runtime.ledger;
    Object.assign(own.runtime.ledger, {
      read: async (name: string) => ({ ...(await read(name)), ...told }),
    });
    missing(await importsOwn(own, flow));
  });
});
