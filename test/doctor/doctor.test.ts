import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Check, examine, ok, wrong } from '../../lib/doctor/check.ts';
import { asksForDoctor, CHECKS, doctor } from '../../lib/doctor/doctor.ts';
import { Failure } from '../../lib/failure.ts';
import type { DeadLetterStore, Marks, WaitingShard } from '../../lib/runtime.ts';
import {
  inletManifest,
  KINESIS,
  keep,
  pulledManifest,
  reportOf,
  SECRETS,
  SERVICES,
  sandboxOf,
} from '../provision/cases.ts';
import {
  ask,
  CREDENTIALS_SECRET,
  failBatch,
  PLATFORM,
  PUBLISHED_SECRET,
  type Surroundings,
  surroundings,
} from '../support/doctoring.ts';
import { SHARD_ID } from '../support/forwarding.ts';
import { ORIGIN } from '../support/provisioning.ts';
import { document, entry } from '../support/redriving.ts';
import { CREDENTIALS } from '../support/scripted.ts';

// The doctor: each fault shows in exactly its check, with what to do, and what cannot be looked at for it is said.

/** The store of a test takes everything; the doctor only looks. */
const store = ({ deadLetters }: Surroundings['runtime']) => deadLetters as DeadLetterStore;

const marks = ({ marks: kept }: Surroundings['runtime']) => kept as Marks;

const NAMES = CHECKS.map(({ name }) => name);
const HOUR = 3_600_000;

const credentials = (all: Surroundings, change: object) =>
  all.own.secrets.values.set(CREDENTIALS_SECRET, JSON.stringify({ ...CREDENTIALS, ...change }));

const published = (all: Surroundings, change: object) => {
  const { values, rewrite } = all.own.secrets;
  rewrite(PUBLISHED_SECRET, JSON.stringify({ ...JSON.parse(values.get(PUBLISHED_SECRET) ?? ''), ...change }));
};

const flow = (all: Surroundings, change: object) => {
  const { flows } = sandboxOf(all.own);
  const found = flows.get(all.resources.flow?.id ?? '');
  if (found === undefined) throw new Error('no flow');
  flows.put(found.id, { ...found, ...change });
};

const report = async (all: Surroundings, change: object) => {
  const record = await all.own.runtime.ledger.read('people');
  all.runtime.ledger = {
    ...all.own.runtime.ledger,
    read: async () => ({ ...record, pipeline: 'people', ...change }),
  };
};

it('finds nothing wrong where nothing is', async () => {
  const all = await surroundings();
  const found = await ask(all);
  expect(found).toMatchObject({ pipeline: 'people', ok: true, says: 'people: all 18 checks are ok' });
  expect(found.checks.map(({ check }) => check)).toEqual(NAMES);
  expect(JSON.stringify(found).length).toBeLessThan(4_000);
});

it('A 2: says what kind of stream it is, and that strict order has no meaning on one that distributes by itself', async () => {
  const source = { kind: 'inlet', stream: 'customers', data: 'raw', order: 'strict' };
  const saidOf = async (manifest: Record<string, unknown>, stream: object) => {
    const all = await surroundings(manifest);
    Object.assign(all.stream, stream);
    const { ok, checks } = await ask(all);
    return { ok, ...checks.find(({ check }) => check === 'stream') };
  };
  const auto = { mode: 'ON_DEMAND', distribution: 'AUTO' };
  const kinds = [
    [{ mode: 'PROVISIONED' }, /is ACTIVE, provisioned, and keeps 24 h$/],
    [{ mode: 'ON_DEMAND', distribution: 'USER_PARTITION_KEY' }, /, on-demand, places records by their keys,/],
    [auto, /, on-demand, distributes its records by itself \(AUTO/],
  ] as const;
  for (const [stream, said] of kinds)
    expect(await saidOf(inletManifest(), stream)).toMatchObject({
      ok: true,
      found: expect.stringMatching(said),
    });
  expect(await saidOf(inletManifest({ source }), kinds[1][0])).toMatchObject({ ok: true });
  expect(await saidOf(inletManifest({ source }), auto)).toMatchObject({
    ok: false,
    found: expect.stringContaining('"order": "strict" has no meaning there'),
    next: expect.stringContaining('USER_PARTITION_KEY'),
  });
});

it('looks at a source that AEP reads by itself, and not at what such a pipeline has not', async () => {
  const manifest = pulledManifest(KINESIS, { name: 'orders' });
  const all = await surroundings(manifest, (own) => keep(own, SECRETS.kinesis));
  const found = await ask(all, 'orders');
  expect(found.ok).toBe(true);
  expect(found.checks.map(({ check }) => check)).toEqual(
    CHECKS.filter(({ inlet }) => inlet !== true).map(({ name }) => name),
  );
  flow(all, { state: 'disabled' });
  failBatch(all, 'DCVS-1111-400', all.own.time.now - HOUR);
  expect(await ask(all, 'orders')).toMatchObject({
    ok: false,
    says: expect.stringMatching(/flow .*; batches /),
  });
});

type Fault = (all: Surroundings) => unknown;
/** What is behind everything that is asked of AEP in its sandbox. */
const BEHIND_SANDBOX = ['flow', 'mapping', 'connection', 'batches'];

/** What happens; which check shows it; what is found; what to do; what cannot be looked at. */
const FAULTS: [string, Fault, string, RegExp, RegExp, string[]][] = [
  [
    'the secret is missing',
    (all) => all.own.secrets.values.delete(CREDENTIALS_SECRET),
    'secret',
    /SECRET_MISSING.*penstock\/dev\/credentials/,
    /Create the secret/,
    ['token', 'sandbox', ...BEHIND_SANDBOX],
  ],
  [
    'the secret has a wrong field',
    (all) => credentials(all, { organizationId: 'somebody' }),
    'secret',
    /organizationId: expected 24/,
    /Correct the named field/,
    ['token', 'sandbox', ...BEHIND_SANDBOX],
  ],
  [
    'the client secret is wrong',
    (all) => credentials(all, { clientSecret: 'p8e-wrong' }),
    'token',
    /IMS_REFUSED.*401 invalid_client/,
    /Check client id, client secret/,
    ['sandbox', ...BEHIND_SANDBOX],
  ],
  [
    'the new client secret is wrong, and the previous one is not',
    (all) => credentials(all, { clientSecret: 'p8e-wrong', previousClientSecret: CREDENTIALS.clientSecret }),
    'token',
    /refuses clientSecret.*previousClientSecret/,
    /Correct clientSecret.*keep the previous one/,
    [],
  ],
  [
    'both client secrets have been deleted',
    (all) => {
      credentials(all, { previousClientSecret: 'p8e-older' });
      all.clientSecrets.pop();
    },
    'token',
    /both client secrets are refused/,
    /Check client id, client secret/,
    ['sandbox', ...BEHIND_SANDBOX],
  ],
  [
    'a scope is wrong',
    (all) => credentials(all, { scopes: 'openid,read_everything' }),
    'token',
    /invalid_scope.*read_everything/,
    /Correct "scopes"/,
    ['sandbox', ...BEHIND_SANDBOX],
  ],
  [
    "the clock is ahead of Adobe's",
    (all) => Object.assign(all, { skewMs: -120_000 }),
    'clock',
    /^1(19|20) s ahead/,
    /Set the clock/,
    [],
  ],
  [
    "the clock is behind Adobe's",
    (all) => Object.assign(all, { skewMs: 45_000 }),
    'clock',
    /^4[56] s behind/,
    /Set the clock/,
    [],
  ],
  [
    'the sandbox is gone',
    (all) => all.own.platform.state.sandboxes.delete('dev1'),
    'sandbox',
    /no sandbox dev1/,
    /Correct the name in the manifest/,
    BEHIND_SANDBOX,
  ],
  [
    'the technical account may not look',
    (all) =>
      all.own.platform.faults.add({
        kind: 'refuse',
        status: 403,
        path: '/data/foundation/sandbox-management',
      }),
    'sandbox',
    /AEP_FORBIDDEN/,
    /role permissions/,
    BEHIND_SANDBOX,
  ],
  [
    'the flow is disabled',
    (all) => flow(all, { state: 'disabled' }),
    'flow',
    /is disabled/,
    /Enable it in AEP.*failed for 30 days.*correct/,
    [],
  ],
  [
    'C 6: AEP answers 401 to every token',
    (all) => all.own.platform.faults.add({ kind: 'refuse', status: 401, path: '/data/**' }),
    'sandbox',
    /AEP_UNAUTHORIZED/,
    /Check the credential.*a permission is missing/,
    BEHIND_SANDBOX,
  ],
  [
    'C 6: one service answers 401 "Access Denied" to a good token',
    (all) =>
      all.own.platform.faults.add({
        kind: 'refuse',
        status: 401,
        path: '/data/foundation/conversion/**',
        body: { message: 'Access Denied' },
      }),
    'mapping',
    /AEP_UNAUTHORIZED.*Access Denied/,
    /^The token is valid.*A permission is missing/,
    [],
  ],
  [
    'the flow is just being switched on',
    (all) => flow(all, { state: 'enabling' }),
    'flow',
    /is enabling/,
    /Wait/,
    [],
  ],
  [
    'the flow was deleted',
    (all) => sandboxOf(all.own).flows.remove(all.resources.flow?.id ?? ''),
    'flow',
    /AEP_NOT_FOUND/,
    /Provision the pipeline again/,
    ['mapping', 'connection', 'batches'],
  ],
  [
    'the mapping set was deleted',
    (all) => sandboxOf(all.own).mappingSets.remove(all.resources.mapping?.id ?? ''),
    'mapping',
    /AEP_NOT_FOUND/,
    /Provision the pipeline again/,
    [],
  ],
  [
    'the flow was given another mapping set',
    (all) => {
      const { mappingSets, flows } = sandboxOf(all.own);
      const set = mappingSets.get(all.resources.mapping?.id ?? '');
      const body = flows.get(all.resources.flow?.id ?? '')?.body;
      if (set === undefined) throw new Error('no mapping set');
      mappingSets.put('other', { ...set, id: 'other' });
      const transformations = [{ name: 'Mapping', params: { mappingId: 'other', mappingVersion: 0 } }];
      flow(all, { body: { ...body, transformations } });
    },
    'mapping',
    /refers to other, and .* was provisioned/,
    /Provision the pipeline again/,
    [],
  ],
  [
    'the flow lost its mapping',
    (all) =>
      flow(all, {
        body: { ...sandboxOf(all.own).flows.get(all.resources.flow?.id ?? '')?.body, transformations: [] },
      }),
    'mapping',
    /no mapping, and the manifest has one/,
    /Provision the pipeline again/,
    [],
  ],
  [
    'the inlet was deleted',
    (all) => sandboxOf(all.own).connections.remove(all.resources['base-connection']?.id ?? ''),
    'connection',
    /AEP_NOT_FOUND/,
    /Provision the pipeline again/,
    [],
  ],
  [
    "AEP's own test of the inlet fails",
    (all) =>
      all.own.platform.faults.add({
        kind: 'refuse',
        status: 200,
        path: '/data/foundation/flowservice/connections/*/test',
        body: { result: false },
      }),
    'connection',
    /does not pass AEP's test/,
    /In AEP, under Sources/,
    [],
  ],
  [
    'another inlet is published',
    (all) => published(all, { inletUrl: `${ORIGIN}/collection/${'c1f0'.repeat(16)}` }),
    'connection',
    /not the one that is published/,
    /Provision the pipeline again/,
    [],
  ],
  [
    'the inlet is not allowed',
    (all) =>
      Object.assign(all.runtime, {
        settings: { ...all.runtime.settings, inletOrigins: ['https://dcs.adobedc.net'] },
      }),
    'inlet',
    /INLET_NOT_ALLOWED/,
    /allow list/,
    [],
  ],
  ['the inlet is not reached', (all) => all.dead.add(ORIGIN), 'inlet', /AEP_UNREACHABLE/, /network path/, []],
  [
    'the stream was deleted',
    (all) => Object.assign(all.runtime.streams, { arn: async () => undefined }),
    'stream',
    /no Kinesis stream customers/,
    /Create the stream again/,
    [
      'published',
      'flow',
      'mapping',
      'connection',
      'inlet',
      'routes',
      'shards',
      'trigger',
      'record-age',
      'batches',
    ],
  ],
  [
    'the stream is being deleted',
    (all) => Object.assign(all.stream, { state: 'DELETING' }),
    'stream',
    /is DELETING/,
    /create it again/,
    [],
  ],
  [
    'nothing is published',
    (all) => all.own.secrets.values.delete(PUBLISHED_SECRET),
    'published',
    /NOT_PUBLISHED/,
    /Provision the pipeline again/,
    ['flow', 'mapping', 'connection', 'inlet', 'routes', 'batches'],
  ],
  [
    'what is published is damaged',
    (all) => published(all, { flowId: 7 }),
    'published',
    /SECRET_INVALID.*flowId/s,
    /Provision the pipeline again/,
    ['flow', 'mapping', 'connection', 'inlet', 'routes', 'batches'],
  ],
  [
    'its stream has no route of it',
    (all) => all.own.routes.clear(),
    'published',
    /NOT_PUBLISHED.*people/,
    /Provision the pipeline again/,
    ['flow', 'mapping', 'connection', 'inlet', 'routes', 'batches'],
  ],
  [
    'the trigger is off',
    (all) => Object.assign(all.trigger, { state: 'off' }),
    'trigger',
    /is off since 2026-/,
    /switches it on/,
    [],
  ],
  [
    'the trigger is being changed',
    (all) => Object.assign(all.trigger, { state: 'changing' }),
    'trigger',
    /is changing/,
    /Wait/,
    [],
  ],
  [
    'the forwarder fails',
    (all) => Object.assign(all.trigger, { lastResult: 'It did not go well', lastFailed: true }),
    'trigger',
    /It did not go well/,
    /forwarder's log/,
    [],
  ],
  [
    'records are never discarded by Lambda',
    (all) => Object.assign(all.trigger, { maximumRecordAgeSeconds: -1 }),
    'record-age',
    /never discarded by Lambda.*24 h/,
    /Extend the retention/,
    [],
  ],
  [
    'the stream drops records before Lambda discards them',
    (all) => Object.assign(all.trigger, { maximumRecordAgeSeconds: 86_400 }),
    'record-age',
    /after 24\.0 h, and gone from the stream after 24 h/,
    /Extend the retention/,
    [],
  ],
  [
    'the dead-letter store is gone',
    (all) =>
      Object.assign(all.runtime, {
        deadLetters: {
          list: async () =>
            Promise.reject(new Failure('STORE_UNAVAILABLE', 'listing the dead-letter store: NoSuchBucket')),
        },
      }),
    'dead-letter',
    /NoSuchBucket/,
    /Check the dead-letter store/,
    ['parked'],
  ],
  [
    '14 A 3: something is parked',
    async ({ runtime }) => {
      for (const [invocationId, storedAt] of [
        ['a', '2026-02-03T23:00:00Z'],
        ['b', '2026-01-30T12:00:00Z'],
      ] as const)
        await store(runtime).put(
          document([entry(1, '{}')], { pipeline: 'people', invocationId, storedAt }),
          'parked',
        );
    },
    'parked',
    /^2 documents are parked, the oldest of 2026-01-30: the inlet did not take them$/,
    /Reconcile has it sent within 15 minutes.*"source": "parked"/,
    [],
  ],
  [
    '14 A 3: new messages are parked, and what was is gone',
    async (all) => {
      published(all, { park: { afterSeconds: 900 } });
      const shard = { stream: 'customers', shardId: SHARD_ID };
      await marks(all.runtime).outage(shard, 'people', { since: 1, parkedSince: 1_770_000_000_000 });
    },
    'parked',
    /^nothing is left of what was parked, and new messages are parked since 2026-02-02T02:40:00.000Z$/,
    /redrive with "source": "parked"/,
    [],
  ],
  [
    'batches have failed',
    (all) => {
      for (const code of ['DCVS-1104-400', 'MAPPER-3700-400']) failBatch(all, code, all.own.time.now - HOUR);
      failBatch(all, 'canary of a record', all.own.time.now - 2 * HOUR);
    },
    'batches',
    /^3 of .* failed in 24 h \(DCVS-1104-400, MAPPER-3700-400\)$/,
    /dead-letter store.*redrive/,
    [],
  ],
  [
    'the last execution failed',
    async (all) => {
      all.own.platform.faults.add({
        kind: 'refuse',
        status: 503,
        method: 'POST',
        path: SERVICES.mappingSets,
      });
      const mapping = [{ expression: 'upper(id)', destination: '_id' }];
      expect((await all.own.run({ manifest: inletManifest({ mapping }) })).status).toBe('FAILED');
      all.own.platform.faults.clear();
      all.own.time.now += 60_000;
    },
    'runs',
    /^Penstock\.Resumable at 2026/,
    /./,
    [],
  ],
  [
    'an execution died over the pipeline',
    (all) => report(all, { owner: 'arn:run-9', since: new Date(all.own.time.now - 3 * HOUR).toISOString() }),
    'runs',
    /arn:run-9 has not returned/,
    /takes over/,
    [],
  ],
];

describe('of a fault', () => {
  it.each(FAULTS)(
    '%s: that check alone is not ok, and says what to do',
    async (_, fault, name, said, next, unseen) => {
      const all = await surroundings();
      await fault(all);
      const found = await ask(all);
      const states = Object.fromEntries(found.checks.map(({ check, state }) => [check, state]));
      expect(states).toEqual(
        Object.fromEntries(
          NAMES.map((one) => [one, one === name ? 'not ok' : unseen.includes(one) ? 'unknown' : 'ok']),
        ),
      );
      expect(found.checks.find(({ check }) => check === name)).toMatchObject({
        found: expect.stringMatching(said),
        next: expect.stringMatching(next),
      });
      expect(found).toMatchObject({
        ok: false,
        says: expect.stringContaining(`people: ${name} is not ok (`),
      });
      expect(JSON.stringify(found)).not.toContain('canary');
    },
  );

  it('several are all shown', async () => {
    const all = await surroundings();
    flow(all, { state: 'disabled' });
    all.trigger = { ...all.trigger, state: 'off' };
    all.skewMs = 99_000;
    expect((await ask(all)).says).toMatch(/clock is not ok .*; flow is not ok .*; trigger is not ok/);
  });

  it('a platform that is away is said where it is asked for, and the rest is looked at', async () => {
    const all = await surroundings();
    all.dead.add(PLATFORM);
    const { checks } = await ask(all);
    expect(checks.filter(({ state }) => state === 'not ok').map(({ check }) => check)).toEqual([
      'clock',
      'sandbox',
    ]);
    expect(checks.filter(({ state }) => state === 'ok').map(({ check }) => check)).toContain('trigger');
  });
});

describe('14 A 3: of a stream with several pipelines', () => {
  const DOCUMENT = 'penstock/dev/streams/customers/';
  /** The stream has these pipelines as well. `false`: without its secret. */
  const joined = async (others: Readonly<Record<string, object | false>>, from?: number) => {
    const all = await surroundings();
    const { values } = all.own.secrets;
    const own = values.get(PUBLISHED_SECRET) ?? values.get(`${DOCUMENT}people`) ?? '';
    const document = JSON.parse(own) as { streamArn: string };
    values.set(`${DOCUMENT}people`, own);
    for (const [pipeline, change] of Object.entries(others))
      if (change !== false)
        values.set(`${DOCUMENT}${pipeline}`, JSON.stringify({ ...document, ...change, pipeline }));
    const listed = Object.keys(others).map((pipeline) => [
      pipeline,
      { revision: 'r', ...(from && { from }) },
    ]);
    const value = {
      version: 1,
      streamArn: document.streamArn,
      settings: { compression: 'none', unrouted: 'count' },
      routes: { people: { revision: 'r' }, ...Object.fromEntries(listed) },
    };
    all.runtime.routes = { ...all.runtime.routes, read: async () => ({ value, version: '1' }) };
    return { all, look: async () => (await ask(all)).checks.find(({ check }) => check === 'routes') };
  };

  const shards = async (
    lines: readonly Partial<WaitingShard>[],
    others: Record<string, object> = { web: {} },
  ) => {
    const { all } = await joined(others);
    const asked: [string, number][] = [];
    const line = { at: '2026-01-01T01:00:00.000Z', pipeline: 'web', holds: true, shardId: 'shardId-1' };
    all.runtime.forwardLog = {
      ...all.runtime.forwardLog,
      async *waiting(stream, from) {
        asked.push([stream, all.own.time.now - from]);
        for (const more of lines) yield [{ ...line, ...more }];
      },
    };
    const { checks } = await ask(all);
    return { asked, said: checks.find(({ check }) => check === 'shards') };
  };

  it('says which of them has held a shard lately, and why', async () => {
    const { asked, said } = await shards([
      { code: 'AEP_BUSY' },
      { shardId: 'shardId-2', code: 'AEP_UNAVAILABLE', at: '2026-01-01T01:00:07.000Z' },
      { pipeline: 'people', shardId: 'shardId-3' },
      { pipeline: 'orders', holds: false },
    ]);
    expect(said).toEqual({
      check: 'shards',
      state: 'not ok',
      found:
        'people held shardId-3, last at 2026-01-01T01:00:00.000Z; web held shardId-1 and 1 more, last at 2026-01-01T01:00:07.000Z (AEP_UNAVAILABLE)',
      next: expect.stringMatching(/^Ask for the health check of people, web\./),
    });
    expect(asked).toEqual([['customers', 180_000]]);
  });

  it('says that none has held one, and reads no log where a stream has one pipeline', async () => {
    expect((await shards([{ holds: false }])).said).toMatchObject({
      state: 'ok',
      found: 'no pipeline has held a shard in the last 180 s',
    });
    const { asked, said } = await shards([{}], {});
    expect([asked, said?.state]).toEqual([[], 'ok']);
  });

  it('tells which share its trigger, and which of them is still to start', async () => {
    const alone = await joined({});
    expect(await alone.look()).toMatchObject({ state: 'ok', found: 'no other pipeline has the stream' });
    const { look } = await joined({ orders: {} }, Date.parse('2099-01-01T00:00:00Z'));
    expect(await look()).toMatchObject({
      state: 'ok',
      found: expect.stringMatching(/shared with orders.*; orders starts at 2099-01-01T00:00:00\.000Z$/),
    });
  });

  it.each<[string, object | false, RegExp]>([
    ['is listed without its secret', false, /^listed without a secret: orders/],
    ['has other settings than the stream', { compression: 'gzip' }, /^other settings .*: orders$/],
    ['cannot be read', { flowId: 7 }, /^SECRET_INVALID/],
  ])('one that %s is not ok', async (_, change, said) => {
    const { all, look } = await joined({ orders: change });
    expect(await look()).toMatchObject({ state: 'not ok', found: expect.stringMatching(said) });
    expect((await ask(all)).checks.find(({ check }) => check === 'published')).toMatchObject({ state: 'ok' });
  });
});

it('a batch that failed longer than a day ago, and one that went well, are no fault', async () => {
  const all = await surroundings();
  failBatch(all, 'DCVS-1104-400', all.own.time.now - 25 * HOUR);
  expect((await ask(all)).ok).toBe(true);
});

it('a clock that nobody can compare is unknown, and a trigger that is not there leaves nothing to say of its records', async () => {
  const all = await surroundings();
  all.skewMs = undefined;
  all.own.triggers.all.clear();
  const { checks, says } = await ask(all);
  const of = (name: string) => checks.find(({ check }) => check === name);
  expect(of('clock')).toMatchObject({ state: 'unknown' });
  expect(of('trigger')).toMatchObject({ state: 'not ok', found: 'there is none' });
  expect(of('record-age')).toMatchObject({ state: 'unknown' });
  expect(says).toContain('not checked: clock, record-age');
});

it('of a pipeline that was retired it says that none is in force', async () => {
  const all = await surroundings();
  await all.own.run({ manifest: inletManifest(), mode: 'retire' });
  const { checks } = await ask(all);
  expect(checks[0]).toMatchObject({
    check: 'runs',
    state: 'not ok',
    found: expect.stringContaining('retired'),
  });
  expect(checks.filter(({ state }) => state === 'ok').map(({ check }) => check)).toEqual([
    'secret',
    'token',
    'clock',
    'dead-letter',
    'parked',
  ]);
});

describe('a token that was refused is no illness', () => {
  const MAPPING = [{ expression: 'upper(id)', destination: '_id' }];

  /** Twice, so that the refusal of the second follows that of the first. */
  const refuseTokens = async ({ own }: Surroundings) => {
    for (let time = 0; time < 2; time++) {
      own.time.now += 60_000;
      expect((await own.run({ manifest: inletManifest(), token: 'p4.cut' })).error).toBe('Penstock.Moved');
    }
  };
  const runsOf = async (all: Surroundings) => (await ask(all)).checks.find(({ check }) => check === 'runs');

  it('and the check says that it was', async () => {
    const all = await surroundings();
    await refuseTokens(all);
    const at = new Date(all.own.time.now).toISOString();
    expect(await runsOf(all)).toEqual({
      check: 'runs',
      state: 'ok',
      found: expect.stringMatching(
        new RegExp(`^succeeded at \\S+; a token was refused at ${at}, which changed nothing$`),
      ),
    });
  });

  it.each([
    ['without a report', 'arn:run-9', 'not ok', /^Penstock\.Stopped at \S+; a token was refused at /],
    ['after its report', undefined, 'ok', /^succeeded at \S+; a token was refused at /],
  ])('nor does it hide that the execution before it was stopped %s', async (_, owner, state, found) => {
    const all = await surroundings();
    const { items } = all.own.ledger;
    const { id } = (await reportOf(all.own)).execution;
    items.set('people', { ...items.get('people'), owner: { S: owner ?? id } });
    await refuseTokens(all);
    expect(await runsOf(all)).toMatchObject({ state, found: expect.stringMatching(found) });
  });

  it('nor does it hide that the execution before it failed', async () => {
    const all = await surroundings();
    all.own.platform.faults.add({
      kind: 'refuse',
      status: 503,
      method: 'POST',
      path: SERVICES.mappingSets,
    });
    const { error } = await all.own.run({ manifest: inletManifest({ mapping: MAPPING }) });
    expect(error).toBe('Penstock.Resumable');
    all.own.platform.faults.clear();
    const before = await runsOf(all);
    await refuseTokens(all);
    expect(await runsOf(all)).toEqual({
      ...before,
      found: expect.stringMatching(/^Penstock\.Resumable at \S+; a token was refused at /),
    });
  });
});

it('asks IMS for a token each time, and AEP for little', async () => {
  const all = await surroundings();
  await ask(all);
  const from = all.own.platform.journal.entries().length;
  await ask(all);
  const calls = all.own.platform.journal
    .entries()
    .slice(from)
    .map(({ method, path }) => `${method} ${path}`);
  expect(calls.filter((call) => call.startsWith('POST'))).toEqual(['POST /ims/token/v3']);
  expect(calls.length).toBeLessThanOrEqual(13);
});

describe('an event', () => {
  it.each([
    [{ pipeline: 'people', doctor: true }, true],
    [{ doctor: true }, true],
    [{ pipeline: 'people' }, false],
    [null, false],
    ['doctor', false],
  ])('%j asks for the doctor: %s', (event, asks) => expect(asksForDoctor(event)).toBe(asks));

  it.each([
    [{ doctor: true }],
    [{ pipeline: 'stranger', doctor: true }],
    [{ pipeline: 'people', doctor: 'yes' }],
    [{ pipeline: 'people', doctor: true, deep: true }],
  ])('%j is answered with what is accepted', async (event) => {
    const { runtime } = await surroundings();
    await expect(doctor(event, runtime)).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('{"pipeline": "name", "doctor": true}'),
    });
  });
});

it('C 4: asked about a pipeline that is not known it names the one that was likely meant', async () => {
  const { runtime } = await surroundings();
  await expect(doctor({ pipeline: 'peopel', doctor: true }, runtime)).rejects.toMatchObject({
    what: expect.stringContaining('; did you mean "people"?'),
  });
});

describe('checks', () => {
  afterEach(() => void vi.useRealTimers());

  it('need only what stands before them', () => {
    for (const [at, { needs }] of CHECKS.entries())
      for (const need of needs) expect(NAMES.slice(0, at)).toContain(need);
  });

  it('that do not depend on each other run side by side, and one that does not answer is stopped after 10 s', async () => {
    vi.useFakeTimers();
    const begun: string[] = [];
    const check = (
      name: string,
      needs: string[],
      answer: () => Promise<ReturnType<typeof ok>>,
    ): Check<null> => ({
      name,
      needs,
      look: () => {
        begun.push(name);
        return answer();
      },
    });
    const found = examine(
      [
        check('hangs', [], () => new Promise(() => undefined)),
        check('behind', ['hangs'], async () => ok('x')),
        check('wrong', [], async () => wrong('x', 'do y')),
        check('behind what is wrong', ['wrong'], async () => ok('x')),
        check('defect', [], async () => {
          throw new TypeError('canary');
        }),
      ],
      null,
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual(['hangs', 'wrong', 'defect', 'behind what is wrong']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await found).map(({ check: name, state, found: said }) => [name, state, said])).toEqual([
      ['hangs', 'not ok', 'no answer within 10 s'],
      ['behind', 'unknown', 'not checked: hangs gave no result'],
      ['wrong', 'not ok', 'x'],
      ['behind what is wrong', 'ok', 'x'],
      ['defect', 'not ok', 'the check failed: TypeError'],
    ]);
  });
});
