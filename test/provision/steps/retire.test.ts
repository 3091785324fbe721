// Retiring a pipeline: what goes, in which order, what stays, and what comes back.
import { describe, expect, it } from 'vitest';
import { DRAIN_SECONDS } from '../../../lib/waits.ts';
import type { Call } from '../../support/chaos.ts';
import { type RunOptions, STREAM_ARN, world } from '../../support/provisioning.ts';
import {
  actions,
  among,
  byHand,
  changes,
  groupManifest,
  holdings,
  inletManifest,
  KINESIS,
  keep,
  ONE_OF_EACH,
  PUBLISHED,
  position,
  pulledManifest,
  reportOf,
  richManifest,
  SECRETS,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

const DATA_STAYS = { schemas: 1, dataSets: 1 };
const UPPER = [{ expression: 'upper(id)', destination: '_id' }];

/** Retires it and writes down every change with its time; ids left out. */
async function retired(own: World, manifest: object, more: { deleteData?: boolean } & RunOptions = {}) {
  const { deleteData = false, ...options } = more;
  const moments: { what: string; at: number }[] = [];
  const intercept = async <T>(call: Call, proceed: () => Promise<T>) => {
    if (call.change && !/^(ledger|dynamodb)/.test(call.label))
      moments.push({ what: word(call.label), at: own.time.now });
    return proceed();
  };
  const from = position(own);
  const result = await own.run({ manifest, mode: 'retire', deleteData }, { intercept, ...options });
  return { ...result, moments, order: moments.map(({ what }) => what), from };
}

function word(label: string): string {
  const [method = '', path = ''] = label.split(' ');
  const kind = Object.entries(SERVICES).find(([, base]) => path.startsWith(base))?.[0];
  return kind === undefined ? method : `${method} ${kind}`;
}

async function started(manifest: object, own = world()) {
  keep(own, SECRETS.kinesis);
  const made = await own.run({ manifest });
  expect(made.cause ?? made.status).toBe('SUCCEEDED');
  return { own, made };
}

/** A record on its way into the dataset. */
async function landed(own: World): Promise<void> {
  const { inletUrl, flowId } = JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as Record<
    string,
    string
  >;
  const answer = await own.runtime.fetch(inletUrl ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-adobe-flow-id': flowId ?? '' },
    body: '{"id": "1", "first": "Ana"}',
    redirect: 'manual',
    signal: new AbortController().signal,
  });
  expect(answer.status).toBe(200);
  await own.platform.idle();
}

const OPEN = inletManifest({
  source: { kind: 'inlet', stream: 'customers', data: 'raw', authenticationRequired: false },
});

describe('retiring', () => {
  it('takes nothing in any more, waits, and takes away in order; the data stays', async () => {
    const { own } = await started(inletManifest());
    const { status, order, moments, document } = await retired(own, inletManifest());
    expect(status).toBe('SUCCEEDED');
    expect(order).toEqual([
      'routes.write',
      'triggers.switchOff',
      'triggers.remove',
      'routes.remove',
      'secrets.remove',
      'DELETE flows',
      'DELETE targets',
      'DELETE mappingSets',
      'DELETE sources',
      'DELETE connections',
    ]);
    const [, off, removed] = moments;
    expect((removed?.at ?? 0) - (off?.at ?? 0)).toBeGreaterThanOrEqual(DRAIN_SECONDS * 1_000);
    expect(holdings(own)).toEqual(DATA_STAYS);
    expect(own.triggers.all.size).toBe(0);
    expect(own.secrets.values.has(PUBLISHED)).toBe(false);
    expect(actions(document)).toMatchObject({
      schema: 'keep',
      dataset: 'keep',
      'base-connection': 'remove',
      flow: 'remove',
      publish: 'remove',
      trigger: 'remove',
    });
    expect((await own.runtime.ledger.read('people'))?.manifest).toBeUndefined();
  });

  it('stops a flow that AEP reads with, waits, and takes it away', async () => {
    const { own } = await started(pulledManifest(KINESIS));
    const { status, from, moments } = await retired(own, pulledManifest(KINESIS));
    expect(status).toBe('SUCCEEDED');
    expect(changes(own, from)).toEqual([
      'POST flows disable',
      'DELETE flows',
      'DELETE targets',
      'DELETE mappingSets',
      'DELETE sources',
      'DELETE connections',
    ]);
    expect((moments[1]?.at ?? 0) - (moments[0]?.at ?? 0)).toBeGreaterThanOrEqual(DRAIN_SECONDS * 1_000);
    expect(holdings(own)).toEqual(DATA_STAYS);
    expect(own.secrets.values.has('teams/streaming/source')).toBe(true);
  });

  it('waits as long as it is told to', async () => {
    const { own } = await started(inletManifest());
    const before = own.time.now;
    await own.run({ manifest: inletManifest(), mode: 'retire', drainSeconds: 5 });
    expect(own.time.now - before).toBeLessThan(60_000);
  });

  it('with the data takes the dataset, though it holds batches, then all that described it', async () => {
    const { own } = await started(OPEN);
    await landed(own);
    expect(sandboxOf(own).batches.size).toBe(1);
    const { status, order } = await retired(own, OPEN, { deleteData: true });
    expect(status).toBe('SUCCEEDED');
    const data = ['DELETE flows', 'DELETE targets', 'DELETE dataSets', 'DELETE schemas'];
    expect(among(order, ...data)).toEqual(data);
    expect(holdings(own)).toEqual({});
  });

  it('with the data takes identities and own field groups, too', async () => {
    const manifest = richManifest({ dataset: { name: 'Members' } });
    const schema = { ...(manifest.schema as object), profile: false };
    const { own } = await started({ ...manifest, schema });
    const { status, order } = await retired(own, { ...manifest, schema }, { deleteData: true });
    expect(status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({});
    const data = ['DELETE dataSets', 'DELETE schemas', 'DELETE fieldGroups', 'DELETE fieldGroups'];
    expect(among(order, ...data)).toEqual(data);
    expect(order.indexOf('DELETE dataSets')).toBeGreaterThan(order.indexOf('DELETE targets'));
  });

  it('with the data leaves a schema in Profile, whole, and says so', async () => {
    const { own } = await started(richManifest());
    const descriptors = sandboxOf(own).descriptors.values();
    const { status, document } = await retired(own, richManifest(), { deleteData: true });
    expect(status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({ schemas: 1, fieldGroups: 2, descriptors: 2 });
    expect(sandboxOf(own).descriptors.values()).toEqual(descriptors);
    const report = await reportOf(own, 'members');
    const said = JSON.stringify([report.summary, report.resources]);
    expect(said).toContain(document.resources.schema?.id);
    expect(said).toMatch(/Profile|union/);
    const schema = report.resources.find(({ resource }) => resource === 'schema');
    expect(['left', 'kept']).toContain(schema?.done);
  });

  it.each([
    ['the pipeline', {}],
    ['the pipeline and its data', { deleteData: true }],
  ])('%s twice: the second time there is nothing to do', async (_, more) => {
    for (const manifest of [inletManifest(), pulledManifest(KINESIS), richManifest()]) {
      const { own } = await started(manifest);
      expect((await retired(own, manifest, more)).status).toBe('SUCCEEDED');
      const [held, before] = [holdings(own), own.time.now];
      const again = await retired(own, manifest, more);
      expect(again.cause ?? again.status).toBe('SUCCEEDED');
      expect(again.order).toEqual([]);
      expect(holdings(own)).toEqual(held);
      expect(own.time.now - before).toBeLessThan(60_000);
    }
  });

  // Until now it succeeded: whoever misspelt a name believed that the pipeline was gone.
  it('C 2: a pipeline that never was fails clearly, each time, and changes nothing', async () => {
    for (const manifest of [inletManifest(), pulledManifest(KINESIS), richManifest()]) {
      const own = world();
      for (const _ of ['once', 'again']) {
        const { status, order, cause } = await retired(own, manifest, { deleteData: true });
        expect(status).toBe('FAILED');
        expect(cause).toContain(`no pipeline ${manifest.name} has been applied`);
        expect(cause).toContain('status with {} lists the pipelines there are');
        expect(order).toEqual([]);
      }
    }
  });

  it('C 2: a name that is misspelt leaves the pipeline that has its stream, and what it takes in', async () => {
    const { own } = await started(inletManifest());
    const before = [own.secrets.values.get(PUBLISHED), JSON.stringify([...own.triggers.all.values()])];
    const misspelt = inletManifest({ name: 'poeple' });
    const { status, order, cause } = await retired(own, misspelt, { deleteData: true });
    expect(status).toBe('FAILED');
    // C 4
    expect(cause).toContain('; did you mean "people"?');
    expect(order).toEqual([]);
    expect([own.secrets.values.get(PUBLISHED), JSON.stringify([...own.triggers.all.values()])]).toEqual(
      before,
    );
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('C 2: what was never finished was: of one that was undone there is nothing left, and that is fine', async () => {
    const own = world();
    const made = await own.run({ manifest: inletManifest() }, { fail: { verify: 'PermanentFailure' } });
    expect(made.error).toBe('Penstock.RolledBack');
    expect((await retired(own, inletManifest())).status).toBe('SUCCEEDED');
  });

  it('C 2: what AEP has of a pipeline is retired though the ledger has lost it', async () => {
    const { own } = await started(inletManifest());
    own.ledger.items.clear();
    const { cause, status } = await retired(own, inletManifest(), { deleteData: true });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({});
  });

  it('leaves alone what has its names and is not its own', async () => {
    const own = world();
    const { schemaRegistry, catalog, flowService } = byHand(own);
    const named = (name: string) => ({ name, description: 'By hand' });
    const schema = await schemaRegistry.createSchema({
      title: 'people-schema',
      description: 'By hand',
      parts: ['https://ns.adobe.com/xdm/context/profile'],
    });
    await catalog.createDataset({ ...named('people-dataset'), schemaId: schema.$id, tags: {} });
    await flowService.createInletConnection({
      ...named('people-inlet'),
      dataType: 'raw',
      authenticationRequired: true,
    });
    const before = holdings(own);
    for (const manifest of [inletManifest(), inletManifest({ adopt: true })]) {
      const { cause, order } = await retired(own, manifest, { deleteData: true });
      // C 2: none of it is this pipeline's, which never was.
      expect(cause).toContain('no pipeline people has been applied');
      expect(order).toEqual([]);
    }
    expect(holdings(own)).toEqual(before);
  });

  it('is possible when the stream is gone, by its name or its ARN, and takes the trigger with it', async () => {
    for (const stream of ['customers', STREAM_ARN]) {
      const manifest = inletManifest({ source: { kind: 'inlet', stream, data: 'raw' } });
      const { own } = await started(manifest);
      own.runtime.streams.arn = async () => undefined;
      const { cause, status } = await retired(own, manifest);
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual(DATA_STAYS);
      expect(own.triggers.all.size).toBe(0);
      expect(own.secrets.values.has(PUBLISHED)).toBe(false);
      expect((await retired(own, manifest)).order).toEqual([]);
    }
  });

  it('knows its own under other names, and what is gone already', async () => {
    const { own, made } = await started(inletManifest());
    const sandbox = sandboxOf(own);
    const { resources } = made.document;
    const target = sandbox.targetConnections.get(resources['target-connection']?.id ?? '');
    const connection = sandbox.connections.get(resources['base-connection']?.id ?? '');
    if (target === undefined || connection === undefined) throw new Error('not there');
    sandbox.targetConnections.put(target.id, { ...target, body: { ...target.body, name: 'Renamed' } });
    sandbox.connections.put(connection.id, {
      ...connection,
      body: { ...connection.body, name: 'Renamed, too' },
    });
    sandbox.flows.remove(resources.flow?.id ?? '');
    const { cause, status } = await retired(own, inletManifest());
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(DATA_STAYS);
  });

  const inletOf = (more: object) =>
    inletManifest({ source: { kind: 'inlet', stream: 'customers', data: 'raw', ...more } });

  it.each<[string, object, object]>([
    ['mapping', inletManifest(), inletManifest({ mapping: UPPER })],
    ['inlet', inletManifest(), inletOf({ authenticationRequired: false })],
    ['class', inletManifest(), inletManifest({ schema: { class: 'experienceevent' } })],
    [
      'names',
      inletManifest(),
      inletManifest({ dataset: { name: 'x' }, names: { flow: 'y', baseConnection: 'z' } }),
    ],
    ['data', inletManifest(), { ...inletOf({ data: 'xdm' }), mapping: undefined }],
    ['region', pulledManifest(KINESIS), pulledManifest({ ...KINESIS, region: 'us-east-1' })],
  ])('with a manifest whose %s was changed since takes away what there is', async (_, before, changed) => {
    const { own } = await started(before);
    const { cause, status } = await retired(own, changed, { deleteData: true });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({});
    expect(own.triggers.all.size).toBe(0);
  });

  it.each<[string, object, object]>([
    ['kind of source', inletManifest(), pulledManifest(KINESIS)],
    ['kind of source, back', pulledManifest(KINESIS), inletManifest()],
    ['stream', inletManifest(), inletOf({ stream: STREAM_ARN.replace('customers', 'others') })],
    ['sandbox', inletManifest(), inletManifest({ sandbox: 'prod' })],
    [
      'sandbox of a source that AEP reads',
      pulledManifest(KINESIS),
      pulledManifest(KINESIS, { sandbox: 'prod' }),
    ],
  ])('with a manifest of another %s is refused: half of it would go on', async (_, before, changed) => {
    const { own } = await started(before);
    own.runtime.streams.arn = async (stream) => (stream.startsWith('arn:') ? stream : STREAM_ARN);
    const { status, cause, order } = await retired(own, changed, { deleteData: true });
    expect(status).toBe('FAILED');
    expect(cause).toContain('retire it');
    expect(order).toEqual([]);
    expect((await own.runtime.ledger.read('people'))?.manifest).toBeDefined();
    expect((await retired(own, before)).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(DATA_STAYS);
  });

  it('with a manifest that has lost a field group since takes that away, too', async () => {
    const { own } = await started(groupManifest());
    const schema = { class: 'profile', fieldGroups: ['profile-person-details'] };
    const { status } = await retired(own, inletManifest({ schema }), { deleteData: true });
    expect(status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({});
  });

  it('with the data leaves an own field group that another schema has, and says so', async () => {
    const { own, made } = await started(groupManifest());
    const group = made.document.resources['field-group:loyalty']?.id ?? '';
    await byHand(own).schemaRegistry.createSchema({
      title: 'Another',
      description: 'By hand',
      parts: ['https://ns.adobe.com/xdm/context/profile', group],
    });
    const { status, document } = await retired(own, groupManifest(), { deleteData: true });
    expect(status).toBe('SUCCEEDED');
    expect(document.left).toEqual([expect.stringContaining(`field-group:loyalty ${group}`)]);
    expect(holdings(own)).toEqual({ schemas: 1, fieldGroups: 1 });
  });

  it('in the middle of a swap takes both flows away', async () => {
    const { own } = await started(inletManifest());
    const changed = inletManifest({ mapping: UPPER });
    const swap = await own.run({ manifest: changed }, { fail: { trigger: 'PermanentFailure' } });
    expect(swap.error).toBe('Penstock.Resumable');
    expect(holdings(own)).toMatchObject({ flows: 2 });
    const { cause, status } = await retired(own, changed);
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(DATA_STAYS);
  });

  it.each(['flows', 'targets', 'sources', 'connections', 'mappingSets'] as const)(
    'that fails for a while at DELETE %s goes on from there the next time',
    async (kind) => {
      const { own } = await started(inletManifest());
      const fault = own.platform.faults.add({
        kind: 'refuse',
        status: 503,
        method: 'DELETE',
        path: `${SERVICES[kind]}/*`,
      });
      const failed = await retired(own, inletManifest());
      expect(failed.error).toBe('Penstock.Resumable');
      expect(failed.cause).toContain('503');
      own.platform.faults.remove(fault.id);
      const { cause, status } = await retired(own, inletManifest());
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual(DATA_STAYS);
    },
  );

  it('names what it may not remove, takes the rest away, and can be asked again', async () => {
    const { own, made } = await started(inletManifest());
    const path = `${SERVICES.connections}/*`;
    const fault = own.platform.faults.add({ kind: 'refuse', status: 403, method: 'DELETE', path });
    const { status, document } = await retired(own, inletManifest());
    expect(status).toBe('SUCCEEDED');
    expect(document.left).toEqual([
      expect.stringContaining(`base-connection ${made.document.resources['base-connection']?.id}`),
    ]);
    expect(holdings(own)).toEqual({ ...DATA_STAYS, connections: 1 });
    const report = await reportOf(own);
    expect(report.resources.find(({ resource }) => resource === 'base-connection')?.done).toBe('left');
    own.platform.faults.remove(fault.id);
    await retired(own, inletManifest());
    expect(holdings(own)).toEqual(DATA_STAYS);
  });

  it.each(['stop', 'retire'])('comes to the same end where %s died with its work done', async (kill) => {
    for (const manifest of [inletManifest(), pulledManifest(KINESIS)]) {
      const { own } = await started(manifest);
      const { cause, status } = await retired(own, manifest, { deleteData: true, kill });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual({});
      expect(own.triggers.all.size).toBe(0);
    }
  });

  it('B 76: a connection that AEP still thinks in use is asked for again until it is not', async () => {
    const { own } = await started(inletManifest());
    const fault = own.platform.faults.add({
      kind: 'refuse',
      status: 400,
      method: 'DELETE',
      path: `${SERVICES.connections}/*`,
      body: { type: 'https://ns.adobe.com/aep/errors/FLOW-1418-400', report: {} },
      times: 3,
    });
    expect((await retired(own, inletManifest())).status).toBe('SUCCEEDED');
    expect(fault.struck).toBe(3);
    expect(holdings(own)).toEqual(DATA_STAYS);
  });

  it('the data can be asked for afterwards', async () => {
    const { own } = await started(inletManifest());
    await retired(own, inletManifest());
    const { status, order } = await retired(own, inletManifest(), { deleteData: true });
    expect(status).toBe('SUCCEEDED');
    expect(order).toEqual(['DELETE dataSets', 'DELETE schemas']);
    expect(holdings(own)).toEqual({});
  });

  it('is the only mode that may delete data', async () => {
    const own = world();
    for (const mode of ['apply', 'plan', undefined]) {
      const { status, cause } = await own.run({
        manifest: inletManifest(),
        deleteData: true,
        ...(mode && { mode }),
      });
      expect(status).toBe('FAILED');
      expect(cause).toContain('deleteData');
    }
    expect(sent(own)).toEqual([]);
  });
});

describe('after it was retired', () => {
  it('a pipeline can be applied again, on the data it had', async () => {
    const { own, made } = await started(inletManifest());
    const before = own.secrets.values.get(PUBLISHED);
    await retired(own, inletManifest());
    const again = await own.run({ manifest: inletManifest() });
    expect(again.cause ?? again.status).toBe('SUCCEEDED');
    expect(again.document.resources.dataset?.id).toBe(made.document.resources.dataset?.id);
    expect(again.document.resources.schema?.id).toBe(made.document.resources.schema?.id);
    expect(again.document.resources.flow?.id).not.toBe(made.document.resources.flow?.id);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect(own.secrets.values.get(PUBLISHED)).not.toBe(before);
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
  });

  it('and its data is gone as well, a pipeline can be applied again from nothing', async () => {
    for (const manifest of [inletManifest(), groupManifest()]) {
      const { own, made } = await started(manifest);
      await retired(own, manifest, { deleteData: true });
      const again = await own.run({ manifest });
      expect(again.cause ?? again.status).toBe('SUCCEEDED');
      expect(again.document.resources.dataset?.id).not.toBe(made.document.resources.dataset?.id);
      expect(holdings(own)).toMatchObject(ONE_OF_EACH);
    }
  });

  it('its stream can carry another one', async () => {
    const { own } = await started(inletManifest());
    await retired(own, inletManifest());
    const other = await own.run({ manifest: inletManifest({ name: 'other' }) });
    expect(other.cause ?? other.status).toBe('SUCCEEDED');
    const theirs = own.secrets.values.get(PUBLISHED.replace('people', 'other')) ?? '{}';
    expect(JSON.parse(theirs)).toMatchObject({ pipeline: 'other' });
  });
});
