import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RESOURCE_KEYS } from '../../lib/pipeline.ts';
import { PublishedPipeline } from '../../lib/published.ts';
import { STREAM_ARN, world } from '../support/provisioning.ts';
import { CREDENTIALS } from '../support/scripted.ts';
import { FIRST } from './cases.ts';

const read = (file: string) =>
  JSON.parse(readFileSync(new URL(`../../examples/${file}`, import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;
const raw = () => read('customer-profiles.json');
const xdm = () => ({
  ...read('customer-profiles-xdm.json'),
  source: { kind: 'inlet', stream: 'customers', data: 'xdm' },
});

type World = ReturnType<typeof world>;

/** How many of each resource the sandbox holds. */
function holdings({ platform }: World, name = 'dev1') {
  const sandbox = platform.state.sandboxes.get(name);
  if (sandbox === undefined) throw new Error(`no sandbox ${name}`);
  return {
    schemas: sandbox.registry.schemas.size,
    dataSets: sandbox.dataSets.size,
    connections: sandbox.connections.size,
    sourceConnections: sandbox.sourceConnections.size,
    targetConnections: sandbox.targetConnections.size,
    mappingSets: sandbox.mappingSets.size,
    flows: sandbox.flows.size,
  };
}

/** What the sample needs: no identities, no Profile, no dataset for new identities. */
const MADE = RESOURCE_KEYS.filter((key) => !/^(identity|profile|identity-dataset)$/.test(key));

const ONE_OF_EACH = {
  schemas: 1,
  dataSets: 1,
  connections: 1,
  sourceConnections: 1,
  targetConnections: 1,
  mappingSets: 1,
  flows: 1,
};
const NOTHING = Object.fromEntries(Object.keys(ONE_OF_EACH).map((kind) => [kind, 0]));

const calls = ({ platform }: World) =>
  platform.journal.entries().filter(({ path }) => !path.startsWith('/ims/')).length;

describe('a manifest becomes a pipeline', () => {
  it('makes one of each resource, waits for the flow, publishes, and switches the trigger on last', async () => {
    const own = world();
    const { status, document, states } = await own.run({ manifest: raw() });
    expect(status).toBe('SUCCEEDED');
    expect(states).toEqual([
      'start',
      'begin',
      'begun',
      'lease',
      'leased',
      'plan',
      'planned',
      'schema',
      'base-connection',
      'mapping',
      'identity',
      'dataset',
      'identity-dataset',
      'source-connection',
      'target-connection',
      'flow',
      'warm',
      'warm-up',
      'verify',
      'publish',
      'trigger',
      'old',
      'report',
      'ending',
      'release',
      'ended',
      'done',
    ]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect(Object.keys(document.resources)).toEqual(MADE);
    expect(Object.values(document.resources).map((made) => made?.how)).toEqual(MADE.map(() => 'created'));
    expect(own.time.now - Date.parse(document.execution.startedAt)).toBeGreaterThanOrEqual(300_000);
    expect([...own.triggers.all.values()]).toEqual([
      {
        id: 'trigger-1',
        streamArn: STREAM_ARN,
        state: 'on',
        startAt: new Date(document.execution.startedAt),
      },
    ]);
    expect(calls(own)).toBeLessThanOrEqual(30);
  });

  it('publishes what the forwarder needs, and an inlet that wants a token', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    const secret = own.secrets.values.get('penstock/dev/streams/customers/customer-profiles') ?? '';
    const published = PublishedPipeline.parse(JSON.parse(secret));
    expect(published).toMatchObject({
      pipeline: 'customer-profiles',
      sandbox: 'dev1',
      data: 'raw',
      authenticationRequired: true,
      flowId: document.resources.flow?.id,
      datasetId: document.resources.dataset?.id,
      schemaId: document.resources.schema?.id,
      organizationId: CREDENTIALS.organizationId,
      execution: FIRST,
    });
    expect(published.inletUrl).toMatch(/\/collection\/[0-9a-f]{64}$/);
  });

  it('makes an XDM pipeline without a mapping set', async () => {
    const own = world();
    const { status, document } = await own.run({ manifest: xdm() });
    expect(status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({ ...ONE_OF_EACH, mappingSets: 0 });
    expect(document.resources.mapping).toBeUndefined();
    expect(document.plan.find(({ resource }) => resource === 'mapping')?.action).toBe('none');
  });

  it('changes nothing on a second run, and does not wait again', async () => {
    const own = world();
    await own.run({ manifest: raw() });
    own.mutations();
    const [before, writes, triggerWrites] = [calls(own), own.secrets.writes(), own.triggers.writes()];
    const { status, document, states } = await own.run({ manifest: raw() });
    expect(status).toBe('SUCCEEDED');
    expect(own.mutations()).toEqual([]);
    expect(own.secrets.writes()).toBe(writes);
    expect(own.triggers.writes()).toBe(triggerWrites);
    expect(states).not.toContain('warm-up');
    expect(calls(own) - before).toBeLessThanOrEqual(15);
    expect(Object.values(document.resources).every((made) => made?.how === 'kept')).toBe(true);
  });

  it('uses a schema that the manifest names, and refuses one that is not there', async () => {
    const own = world();
    const first = await own.run({ manifest: raw() });
    const id = first.document.resources.schema?.id;
    const other = {
      ...raw(),
      name: 'second',
      schema: { id },
      source: { kind: 'inlet', stream: 'customers', data: 'raw' },
    };
    const planned = await own.run({ manifest: other, mode: 'plan' });
    expect(planned.document.resources.schema).toMatchObject({ id, how: 'given' });
    const gone = await own.run({
      manifest: { ...other, schema: { id: 'https://ns.adobe.com/acmelab/schemas/none' } },
    });
    expect(gone).toMatchObject({ status: 'FAILED', error: 'PermanentFailure' });
    expect(gone.cause).toContain('AEP_NOT_FOUND');
  });

  it('starts where the manifest says', async () => {
    for (const [startAt, expected] of [
      ['earliest', 'earliest'],
      ['2025-12-31T12:00:00Z', new Date('2025-12-31T12:00:00Z')],
    ] as const) {
      const own = world();
      await own.run({
        manifest: { ...raw(), source: { kind: 'inlet', stream: 'customers', data: 'raw', startAt } },
      });
      expect([...own.triggers.all.values()].map((one) => one.startAt)).toEqual([expected]);
    }
  });
});

describe('plan', () => {
  it('says what would be done and does none of it', async () => {
    const own = world();
    const { status, document, states } = await own.run({ manifest: raw(), mode: 'plan' });
    expect(status).toBe('SUCCEEDED');
    expect(states).toEqual([
      'start',
      'begin',
      'begun',
      'plan',
      'planned',
      'report',
      'ending',
      'ended',
      'done',
    ]);
    expect(document.plan.map(({ resource, action }) => [resource, action])).toEqual([
      ...RESOURCE_KEYS.map((key) => [key, (MADE as readonly string[]).includes(key) ? 'create' : 'none']),
      ['publish', 'create'],
      ['trigger', 'create'],
    ]);
    expect(own.mutations()).toEqual([]);
    await own.run({ manifest: raw() });
    const again = await own.run({ manifest: raw(), mode: 'plan' });
    expect(again.document.plan.every(({ action }) => action === 'keep' || action === 'none')).toBe(true);
    expect(own.ledger.items.size).toBe(1);
  });

  it('B 61, 62: a name that is taken is a conflict, with every id, and nothing is made', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    const foreign = { ...raw(), name: 'other', dataset: { name: 'customer-profiles-dataset' } };
    own.mutations();
    const { status, error, cause } = await own.run({ manifest: foreign });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Penstock.Conflict' });
    expect(cause).toContain(document.resources.dataset?.id);
    expect(cause).toContain("it is pipeline customer-profiles's");
    expect(own.mutations()).toEqual([]);
  });
});

describe('what is asked for wrongly is answered clearly', () => {
  it.each([
    [
      'a manifest with a mistake',
      { manifest: { ...raw(), sandbox: 'Dev 1' } },
      'sandbox: expected the name of a sandbox',
    ],
    ['no manifest', {}, 'this is not a request to provision'],
    ['an unknown key', { manifest: raw(), moed: 'plan' }, 'moed'],
    ['a mode that does not exist', { manifest: raw(), mode: 'destroy' }, 'mode'],
    [
      'a stream that does not exist',
      { manifest: { ...raw(), source: { kind: 'inlet', stream: 'nope', data: 'raw' } } },
      'there is no Kinesis stream nope',
    ],
  ])('%s', async (_, input, said) => {
    const own = world();
    const { status, error, cause } = await own.run(input);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'PermanentFailure' });
    expect(cause).toContain(said);
    expect(calls(own)).toBe(0);
  });

  it.each([undefined, 'plan'])(
    'A 2: strict order on a stream that distributes its records by itself (%s)',
    async (mode) => {
      const own = world();
      const strict = { ...raw(), source: { ...(raw().source as object), order: 'strict' } };
      const streamIs = (distribution: string) =>
        Object.assign(own.runtime.streams, {
          describe: async () => ({ state: 'ACTIVE', retentionHours: 24, mode: 'ON_DEMAND', distribution }),
        });
      streamIs('AUTO');
      const request = { manifest: strict, ...(mode !== undefined && { mode }) };
      const { status, error, cause } = await own.run(request);
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'PermanentFailure' });
      expect(cause).toContain(
        'source.order: "strict" cannot be kept: customers distributes its records by itself',
      );
      expect(cause).toContain('Set "order" to "key"');
      expect(calls(own)).toBe(0);
      expect((await own.run({ ...request, manifest: raw() })).status).toBe('SUCCEEDED');
      streamIs('USER_PARTITION_KEY');
      expect((await own.run(request)).status).toBe('SUCCEEDED');
      if (mode === 'plan') return;
      // Whatever the stream has become: it can go.
      streamIs('AUTO');
      expect((await own.run({ manifest: strict, mode: 'retire' })).status).toBe('SUCCEEDED');
    },
  );

  it('B 73: a step that is handed no document says so', async () => {
    const own = world();
    await expect(own.steps.flow?.({ manifest: raw() })).rejects.toMatchObject({
      name: 'PermanentFailure',
      code: 'EVENT_INVALID',
      message: expect.stringContaining('not a pipeline document'),
    });
  });

  it('B 42: a credentials secret that is not usable names its fields, never their values', async () => {
    for (const [value, said] of [
      [undefined, 'SECRET_MISSING'],
      ['{"clientId": "x"', 'is not JSON'],
      [
        JSON.stringify({ ...CREDENTIALS, clientSecret: ' ', organizationId: 'fake-canary' }),
        'organizationId: expected 24',
      ],
    ] as const) {
      const own = world();
      if (value === undefined) own.secrets.values.delete('penstock/dev/credentials');
      else own.secrets.values.set('penstock/dev/credentials', value);
      const { error, cause } = await own.run({ manifest: raw() });
      expect(error).toBe('PermanentFailure');
      expect(cause).toContain(said);
      expect(cause).not.toContain('fake-canary');
    }
  });

  it('a client secret that IMS refuses', async () => {
    const own = world();
    own.secrets.values.set(
      'penstock/dev/credentials',
      JSON.stringify({ ...CREDENTIALS, clientSecret: 'fake-wrong' }),
    );
    const { error, cause } = await own.run({ manifest: raw() });
    expect(error).toBe('PermanentFailure');
    expect(cause).toContain('IMS_REFUSED');
    expect(cause).not.toContain('fake-wrong');
  });
});

describe('what goes wrong on the way', () => {
  const CREATES = [
    '/data/foundation/schemaregistry/tenant/schemas',
    '/data/foundation/catalog/dataSets',
    '/data/foundation/flowservice/connections',
    '/data/foundation/flowservice/sourceConnections',
    '/data/foundation/flowservice/targetConnections',
    '/data/foundation/conversion/mappingSets',
    '/data/foundation/flowservice/flows',
  ];
  const MODES = [
    { kind: 'dropAfter' },
    { kind: 'dropBefore' },
    { kind: 'failAfter' },
    { kind: 'truncate' },
    { kind: 'refuse', status: 429 },
    { kind: 'refuse', status: 503 },
  ] as const;

  it.each(CREATES.flatMap((path) => MODES.map((mode) => [path, mode] as const)))(
    'B 64: POST %s, %j: one of each all the same',
    async (path, mode) => {
      const own = world();
      const fault = own.platform.faults.add({ ...mode, method: 'POST', path, times: 1 });
      const { status, cause } = await own.run({ manifest: raw() });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(fault.struck).toBe(1);
      expect(holdings(own)).toEqual(ONE_OF_EACH);
      own.mutations();
      await own.run({ manifest: raw() });
      expect(own.mutations()).toEqual([]);
    },
  );

  it('B 64: the same with lists that are 10 s old', async () => {
    for (const path of CREATES) {
      const own = world({ staleMs: 10_000 });
      own.platform.faults.add({ kind: 'dropAfter', method: 'POST', path, times: 1 });
      const { status, cause } = await own.run({ manifest: raw() });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual(ONE_OF_EACH);
    }
  });

  it('keeps what was made where the trouble passes, and goes on from there', async () => {
    const own = world();
    const fault = own.platform.faults.add({
      kind: 'refuse',
      status: 503,
      path: '/data/foundation/flowservice/flows',
    });
    const failed = await own.run({ manifest: raw() });
    // The plan itself could not be made: nothing was touched, so there is nothing to keep or to undo.
    expect(failed).toMatchObject({ status: 'FAILED', error: 'TransientFailure' });
    expect(holdings(own)).toEqual(NOTHING);
    own.platform.faults.remove(fault.id);
    const only = own.platform.faults.add({
      kind: 'refuse',
      status: 503,
      method: 'POST',
      path: '/data/foundation/flowservice/flows',
    });
    const second = await own.run({ manifest: raw() });
    expect(second).toMatchObject({ status: 'FAILED', error: 'Penstock.Resumable' });
    expect(second.cause).toMatch(/AEP_UNAVAILABLE.*503.*Kept: schema .*Start it again/);
    expect(holdings(own)).toEqual({ ...ONE_OF_EACH, flows: 0 });
    own.platform.faults.remove(only.id);
    const third = await own.run({ manifest: raw() });
    expect(third.status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('B 68: undoes what it made where the fault stays, backwards, and says what to do', async () => {
    const own = world();
    const unknown = [{ expression: 'no_such_function(firstName)', destination: 'person.name.firstName' }];
    const { status, error, cause, states } = await own.run({ manifest: { ...raw(), mapping: unknown } });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Penstock.RolledBack' });
    expect(states.slice(-7)).toEqual([
      'mapping',
      'rollback',
      'report',
      'ending',
      'release',
      'ended',
      'failed',
    ]);
    expect(cause).toContain('no_such_function');
    expect(cause).toMatch(/Undone: base-connection \S+, schema \S+\./);
    expect(cause).toContain('Next: ');
    expect(holdings(own)).toEqual(NOTHING);
  });

  it('undoes nothing that an earlier execution made, nor what holds data', async () => {
    const own = world();
    await own.run({ manifest: raw() });
    own.platform.state.sandboxes
      .get('dev1')
      ?.flows.remove([...(own.platform.state.sandboxes.get('dev1')?.flows.values() ?? [])][0]?.id ?? '');
    own.platform.faults.add({
      kind: 'refuse',
      status: 400,
      method: 'POST',
      path: '/data/foundation/flowservice/flows',
    });
    const { error, cause } = await own.run({ manifest: raw() });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('Nothing had to be undone');
    expect(holdings(own)).toEqual({ ...ONE_OF_EACH, flows: 0 });
  });

  it('B 76: names what it could not remove', async () => {
    const own = world();
    own.platform.faults.add({
      kind: 'refuse',
      status: 400,
      method: 'POST',
      path: '/data/foundation/flowservice/flows',
    });
    own.platform.faults.add({
      kind: 'refuse',
      status: 403,
      method: 'DELETE',
      path: '/data/foundation/flowservice/connections/*',
    });
    const { error, cause } = await own.run({ manifest: raw() });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toMatch(/Left in place: base-connection \S+ \(.*403/);
    expect(holdings(own)).toEqual({ ...NOTHING, connections: 1 });
  });

  it('removes what a step made before it died without a word', async () => {
    const own = world();
    const made = await own.run({ manifest: raw() });
    const document = made.document;
    const { flow: _, ...before } = document.resources;
    const failure = { Error: 'PermanentFailure', Cause: '{"errorMessage":"AEP_REFUSED: no"}' };
    const undone = await own.steps.rollback?.({
      ...document,
      resources: before,
      trigger: undefined,
      inService: false,
      failure,
    });
    expect(undone?.failure).toMatchObject({
      Error: 'Penstock.RolledBack',
      Cause: expect.stringContaining('flow '),
    });
    expect(holdings(own)).toEqual(NOTHING);
    expect(own.triggers.all.size).toBe(0);
    expect(own.secrets.values.has('penstock/dev/streams/customers/customer-profiles')).toBe(false);
  });

  it('B 70: does not call a flow ready that is disabled, and switches it on again', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    await own.runtime.fetch(
      `http://127.0.0.1:4010/data/foundation/flowservice/flows/${document.resources.flow?.id}/action?op=disable`,
      {
        method: 'POST',
        headers: await headers(own),
        redirect: 'manual',
        signal: new AbortController().signal,
      },
    );
    const { flow } = document.resources;
    const unready = { ...document, resources: { ...document.resources, flow: { ...flow, how: 'created' } } };
    await expect(own.steps.verify?.(unready)).rejects.toThrow('is disabled, not enabled');
    const planned = await own.run({ manifest: raw(), mode: 'plan' });
    expect(planned.document.plan.find(({ resource }) => resource === 'flow')).toMatchObject({
      action: 'update',
      differences: [{ field: 'state', found: 'disabled', wanted: 'enabled' }],
    });
    const again = await own.run({ manifest: raw() });
    expect(again.document.resources.flow).toMatchObject({ id: flow?.id, how: 'updated' });
    // Switched on is as good as new: what is sent too early is lost.
    expect(again.states).toContain('warm-up');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('waits for the rest of the warm-up where an earlier run died in the middle of it', async () => {
    const own = world();
    const first = await own.run({ manifest: raw(), warmUpSeconds: 10 });
    expect(first.status).toBe('SUCCEEDED');
    const flowMade = first.document.resources.flow?.changedAt ?? 0;
    const again = await own.run({ manifest: raw(), warmUpSeconds: 600 });
    expect(again.states).toContain('warm-up');
    expect(own.time.now).toBeGreaterThanOrEqual(flowMade + 600_000 - 1_000);
    expect(own.time.now).toBeLessThan(flowMade + 640_000);
  });
});

describe('secrets', () => {
  it('are in no state, no cause and no log line', async () => {
    const own = world();
    const seen: string[] = [];
    own.platform.faults.add({
      kind: 'refuse',
      status: 401,
      path: '/data/foundation/flowservice/flows',
      times: 1,
    });
    const good = await own.run({ manifest: raw() });
    own.platform.faults.add({
      kind: 'refuse',
      status: 403,
      path: '/data/foundation/**',
      body: 'Bearer eyJfake.eyJfake.sig',
    });
    const bad = await own.run({ manifest: raw() });
    seen.push(JSON.stringify([good, bad]), ...own.logged);
    const published = JSON.parse(
      own.secrets.values.get('penstock/dev/streams/customers/customer-profiles') ?? '{}',
    ) as {
      inletUrl: string;
    };
    const forbidden = [CREDENTIALS.clientSecret, 'eyJ', published.inletUrl];
    for (const text of seen) for (const secret of forbidden) expect(text).not.toContain(secret);
  });
});

async function headers(own: World): Promise<Record<string, string>> {
  const answer = await own.runtime.fetch('http://127.0.0.1:4010/ims/token/v3', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `grant_type=client_credentials&client_id=${CREDENTIALS.clientId}&client_secret=${CREDENTIALS.clientSecret}&scope=openid`,
    redirect: 'manual',
    signal: new AbortController().signal,
  });
  const { access_token } = (await new Response(answer.body).json()) as { access_token: string };
  return {
    authorization: `Bearer ${access_token}`,
    'x-api-key': CREDENTIALS.clientId,
    'x-gw-ims-org-id': CREDENTIALS.organizationId,
    'x-sandbox-name': 'dev1',
  };
}
