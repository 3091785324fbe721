// Sources: what reaches AEP for each kind, how credentials are kept to themselves, and what a change of each part does.
import { describe, expect, it } from 'vitest';
import { STREAM_ARN, world } from '../../support/provisioning.ts';
import {
  actions,
  CANARY,
  changes,
  EVENT_HUBS,
  holdings,
  inletManifest,
  KINESIS,
  keep,
  made,
  ONE_OF_EACH,
  PUB_SUB,
  PUBLISHED,
  planned,
  position,
  pulledManifest,
  reportOf,
  SECRET_ID,
  SECRETS,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

// The words of contract §4.1, written out: the tests must not share the client's constants.
const SPECS = {
  inlet: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb',
  kinesis: '86043421-563b-46ec-8e6c-e23184711bf6',
  'event-hubs': 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e',
  pubsub: '70116022-a743-464a-bbfe-e226a7f8210c',
} as const;
const LAKE = 'c604ff05-7f1a-43c0-8e18-33bf874cb11c';
const STREAMING = 'd69717ba-71b4-4313-b654-49f9cf126d7a';
const WITH_MAPPING = 'c1a19761-d2c7-4702-b9fa-fe91f0613e81';
const WITHOUT_MAPPING = 'd8a6f005-7eaf-4153-983e-e8574508b877';

const FULL_NAMES = {
  topicName: 'projects/loyalty-demo/topics/members',
  subscriptionName: 'projects/loyalty-demo/subscriptions/aep',
};
const HUB = SECRETS['event-hubs'];

/** Each kind and way in: what the manifest says, the parameters of its authentication, and those of its source. */
const PULLED = [
  [
    'kinesis, from now on',
    KINESIS,
    'Aws Kinesis authentication credentials',
    { ...SECRETS.kinesis, region: 'eu-west-1' },
    { stream: 'orders', dataType: 'raw', reset: 'latest' },
  ],
  [
    'kinesis, from the oldest record on',
    { ...KINESIS, startAt: 'earliest' },
    'Aws Kinesis authentication credentials',
    { ...SECRETS.kinesis, region: 'eu-west-1' },
    { stream: 'orders', dataType: 'raw', reset: 'earliest' },
  ],
  [
    'event-hubs, with a key for the namespace',
    EVENT_HUBS,
    'Azure EventHub authentication credentials',
    { ...HUB, namespace: 'web-telemetry' },
    { eventHubName: 'clicks', dataType: 'raw', consumerGroup: '$Default', reset: 'latest' },
  ],
  [
    'event-hubs, with a key for the event hub alone',
    { ...EVENT_HUBS, auth: 'event-hub', consumerGroup: 'penstock', startAt: 'earliest' },
    'Azure EventHub authentication credentials',
    { ...HUB, namespace: 'web-telemetry', eventHubName: 'clicks' },
    { eventHubName: 'clicks', dataType: 'raw', consumerGroup: 'penstock', reset: 'earliest' },
  ],
  [
    'pubsub, for the project',
    PUB_SUB,
    'Project Based Authentication',
    { projectId: 'loyalty-demo', credentials: SECRETS.pubsub },
    { topicName: 'members', subscriptionName: 'aep', dataType: 'raw' },
  ],
  [
    'pubsub, for one topic and subscription',
    { ...PUB_SUB, auth: 'subscription' },
    'Topic & Subscription Based Authentication',
    { ...FULL_NAMES, credentials: SECRETS.pubsub },
    { ...FULL_NAMES, dataType: 'raw' },
  ],
] as const;

const KINDS = [
  ['kinesis', KINESIS],
  ['event-hubs', EVENT_HUBS],
  ['pubsub', PUB_SUB],
] as const;

function withSecret(kind: keyof typeof SECRETS, more: Parameters<typeof world>[0] = {}): World {
  const own = world(more);
  keep(own, SECRETS[kind]);
  return own;
}

/** What the platform was told about the only connection there is, secrets included; a key file is JSON in a string. */
function authOf(own: World) {
  const auth = sandboxOf(own).connections.values()[0]?.body.auth as { specName: string; params: object };
  const { credentials, ...params } = auth.params as { credentials?: string };
  const file = credentials === undefined ? {} : { credentials: JSON.parse(credentials) as object };
  return { specName: auth.specName, params: { ...params, ...file } };
}

const marked = expect.stringMatching(/\[penstock pipeline=people execution=run-1@\S+?( \w+=[^\s\]]+)*\]$/);

describe('what reaches AEP', () => {
  it.each(PULLED)("%s: bodies as Adobe's pages have them", async (_, source, specName, auth, params) => {
    const own = withSecret(source.kind);
    const { status, cause, document } = await own.run({ manifest: pulledManifest(source) });
    expect(cause ?? status).toBe('SUCCEEDED');
    const id = (key: keyof typeof document.resources) => document.resources[key]?.id;
    const connectionSpec = { id: SPECS[source.kind], version: '1.0' };
    expect(authOf(own)).toEqual({ specName, params: auth });
    expect(made(own, 'connections')).toEqual([
      { name: 'people-connection', description: marked, auth: expect.anything(), connectionSpec },
    ]);
    expect(made(own, 'sources')).toEqual([
      {
        name: 'people-source',
        description: marked,
        baseConnectionId: id('base-connection'),
        connectionSpec,
        data: { format: 'json' },
        params,
      },
    ]);
    expect(made(own, 'targets')).toEqual([
      {
        name: 'people-target',
        description: marked,
        connectionSpec: { id: LAKE, version: '1.0' },
        data: {
          format: 'parquet_xdm',
          schema: { id: id('schema'), version: 'application/vnd.adobe.xed-full+json;version=1' },
        },
        params: { dataSetId: id('dataset') },
      },
    ]);
    expect(made(own, 'flows')).toEqual([
      {
        name: 'people-flow',
        description: marked,
        flowSpec: { id: STREAMING, version: '1.0' },
        sourceConnectionIds: [id('source-connection')],
        targetConnectionIds: [id('target-connection')],
        transformations: [{ name: 'Mapping', params: { mappingId: id('mapping'), mappingVersion: 0 } }],
      },
    ]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it.each(KINDS)('%s: nothing is published and nothing takes in', async (kind, source) => {
    const own = withSecret(kind);
    const { status, document } = await own.run({ manifest: pulledManifest(source) });
    expect(status).toBe('SUCCEEDED');
    expect([...own.secrets.values.keys()].filter((id) => id.includes('/streams/'))).toEqual([]);
    expect(own.triggers.writes()).toBe(0);
    expect(own.secrets.writes()).toBe(0);
    expect(actions(document)).toMatchObject({ publish: 'none', trigger: 'none' });
    expect(document.streamArn).toBeUndefined();
  });

  it.each(KINDS)('%s, XDM: a flow without a mapping', async (kind, source) => {
    const own = withSecret(kind);
    const manifest = pulledManifest({ ...source, data: 'xdm' }, { mapping: undefined });
    const { status, document } = await own.run({ manifest });
    expect(status).toBe('SUCCEEDED');
    expect(made(own, 'flows')).toEqual([
      {
        name: 'people-flow',
        description: marked,
        flowSpec: { id: STREAMING, version: '1.0' },
        sourceConnectionIds: [document.resources['source-connection']?.id],
        targetConnectionIds: [document.resources['target-connection']?.id],
      },
    ]);
    expect(made(own, 'sources')).toMatchObject([{ params: { dataType: 'xdm' } }]);
    expect(made(own, 'mappingSets')).toEqual([]);
  });

  it.each([
    ['raw', true, WITH_MAPPING],
    ['raw', false, WITH_MAPPING],
    ['xdm', true, WITHOUT_MAPPING],
  ] as const)('inlet, %s, authentication required %s', async (data, authenticationRequired, flowSpec) => {
    const own = world();
    const source = { kind: 'inlet', stream: 'customers', data, authenticationRequired };
    const manifest = inletManifest({ source, ...(data === 'xdm' && { mapping: undefined }) });
    const { document } = await own.run({ manifest });
    const connectionSpec = { id: SPECS.inlet, version: '1.0' };
    expect(made(own, 'connections')).toEqual([
      {
        name: 'people-inlet',
        description: marked,
        auth: {
          specName: 'Streaming Connection',
          params: {
            sourceId: expect.stringMatching(/^people-inlet/),
            name: 'people-inlet',
            dataType: data,
            authenticationRequired,
          },
        },
        connectionSpec,
      },
    ]);
    expect(made(own, 'sources')).toEqual([
      {
        name: 'people-source',
        description: marked,
        baseConnectionId: document.resources['base-connection']?.id,
        connectionSpec,
        data: { format: 'json' },
      },
    ]);
    expect(made(own, 'flows')).toMatchObject([{ flowSpec: { id: flowSpec, version: '1.0' } }]);
    const published = JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as object;
    expect(published).toMatchObject({ authenticationRequired, data });
  });

  it('names, description and the dataset are as the manifest says', async () => {
    const own = withSecret('kinesis');
    const names = {
      baseConnection: 'The way in',
      sourceConnection: 'Orders in',
      targetConnection: 'Orders out',
      mapping: 'Orders mapped',
      flow: 'Orders flow',
    };
    const dataset = { name: 'Orders', description: 'All orders', errorDiagnostics: false };
    const more = { names, dataset, description: 'What was ordered' };
    await own.run({ manifest: pulledManifest(KINESIS, more) });
    const described = expect.stringMatching(/^What was ordered \[penstock /);
    expect(made(own, 'connections')).toMatchObject([{ name: 'The way in', description: described }]);
    expect(made(own, 'sources')).toMatchObject([{ name: 'Orders in', description: described }]);
    expect(made(own, 'targets')).toMatchObject([{ name: 'Orders out', description: described }]);
    expect(made(own, 'flows')).toMatchObject([{ name: 'Orders flow', description: described }]);
    expect(made(own, 'mappingSets')).toMatchObject([{ name: expect.stringMatching(/^Orders mapped /) }]);
    expect(made(own, 'dataSets')).toMatchObject([
      { name: 'Orders', description: 'All orders', enableErrorDiagnostics: false },
    ]);
  });

  it('is sent to the sandbox that the manifest names, and to no other', async () => {
    const own = withSecret('pubsub');
    await own.run({ manifest: pulledManifest(PUB_SUB, { sandbox: 'prod' }) });
    expect(holdings(own, 'prod')).toEqual(ONE_OF_EACH);
    expect(holdings(own, 'dev1')).toEqual({});
    for (const { headers } of sent(own)) expect(headers['x-sandbox-name']).toBe('prod');
  });
});

/** Everything that is kept or shown somewhere, but for the secrets and what AEP was sent. */
async function everywhere(own: World, ...documents: unknown[]): Promise<string> {
  const ledger = [...own.ledger.items.values()];
  const report = await reportOf(own);
  return JSON.stringify([documents, own.logged, ledger, report, own.platform.journal.entries()]);
}

/** Every document between two states, the function called by hand. */
async function walk(own: World, manifest: unknown): Promise<unknown[]> {
  const execution = { id: 'arn:by-hand', name: 'by-hand', startedAt: new Date(own.time.now).toISOString() };
  const documents: unknown[] = [await own.steps.begin?.({ manifest, execution })];
  const states = 'plan schema identity dataset baseConnection mapping sourceConnection targetConnection flow';
  for (const state of states.split(' ')) documents.push(await own.steps[state]?.(documents.at(-1)));
  own.time.now += 300_000;
  for (const state of ['verify', 'publish', 'trigger', 'retire', 'report'])
    documents.push(await own.steps[state]?.(documents.at(-1)));
  return documents;
}

describe('credentials of a source', () => {
  it.each(KINDS)('%s: are in no document, log line, journal entry or report', async (kind, source) => {
    const own = withSecret(kind);
    const documents = await walk(own, pulledManifest(source));
    const first = await own.run({ manifest: pulledManifest(source) });
    keep(own, { ...SECRETS[kind], ...(kind === 'pubsub' ? { private_key_id: 'next' } : {}) });
    const second = await own.run({
      manifest: pulledManifest(source, { mapping: [{ source: 'id', destination: '_id' }] }),
    });
    expect(await everywhere(own, documents, first, second)).not.toContain(CANARY);
    expect(JSON.stringify([documents, first, second, own.logged])).not.toContain('AKIAFAKE');
    expect(JSON.stringify(authOf(own))).toContain(CANARY);
  });

  it.each(KINDS)('%s: are not told even where AEP gives them back', async (kind, source) => {
    const own = withSecret(kind);
    const manifest = pulledManifest(source);
    const { document } = await own.run({ manifest });
    const id = document.resources['base-connection']?.id ?? '';
    const [entity] = sandboxOf(own).connections.values();
    // Whether a GET shows what was stored is unknown (contract §4.3): here it does.
    const item = { id, ...entity?.body, etag: entity?.etag, state: 'enabled' };
    const body = JSON.stringify({ items: [item] });
    own.platform.faults.add({ kind: 'notJson', method: 'GET', path: `${SERVICES.connections}**`, body });
    const again = await own.run({ manifest });
    expect(again.cause ?? again.status).toBe('SUCCEEDED');
    const moved = await own.run({ manifest, mode: 'plan' });
    expect(await everywhere(own, again, moved)).not.toContain(CANARY);
    expect(actions(moved.document)).toMatchObject({ 'base-connection': 'keep' });
  });

  it.each(KINDS)(
    '%s: are not told where AEP refuses them and repeats what it was sent',
    async (kind, source) => {
      const own = withSecret(kind);
      const [part, whole] = [
        kind === 'pubsub' ? SECRETS.pubsub.private_key : CANARY,
        JSON.stringify(SECRETS[kind]),
      ];
      const body = {
        type: 'https://ns.adobe.com/aep/errors/FLOW-1100-400',
        report: { 'detailed-message': `cannot sign in with ${part} of ${whole}` },
      };
      own.platform.faults.add({
        kind: 'refuse',
        status: 400,
        method: 'POST',
        path: SERVICES.connections,
        body,
      });
      const failed = await own.run({ manifest: pulledManifest(source) });
      expect(failed.error).toBe('Penstock.RolledBack');
      const told = JSON.stringify([failed, own.logged, await reportOf(own)]);
      expect(told).not.toContain(CANARY);
    },
  );

  it.each(KINDS)('%s: a secret that is missing is said before anything is made', async (_kind, source) => {
    for (const mode of ['apply', 'plan']) {
      const own = world();
      const { error, cause } = await own.run({ manifest: pulledManifest(source), mode });
      expect(error).toBe('PermanentFailure');
      expect(cause).toContain('SECRET_MISSING');
      expect(cause).toContain(SECRET_ID);
      expect(changes(own)).toEqual([]);
    }
  });

  it.each([
    ['kinesis', KINESIS, { accessKeyId: CANARY }, ['secretKey']],
    ['kinesis', KINESIS, { ...SECRETS.kinesis, sessionToken: CANARY }, ['sessionToken']],
    ['kinesis', KINESIS, { accessKeyId: '', secretKey: CANARY }, ['accessKeyId']],
    ['event-hubs', EVENT_HUBS, { sasKey: CANARY }, ['sasKeyName']],
    ['event-hubs', EVENT_HUBS, { connectionString: CANARY }, ['sasKeyName', 'sasKey']],
    ['pubsub', PUB_SUB, { ...SECRETS.pubsub, type: CANARY }, ['type']],
    ['pubsub', PUB_SUB, { private_key: CANARY, client_email: 'x' }, ['type']],
    ['kinesis', KINESIS, `not JSON: ${CANARY}`, []],
    ['pubsub', PUB_SUB, `"${CANARY}"`, []],
    ['event-hubs', EVENT_HUBS, '', []],
  ] as const)(
    '%s: a secret that is not usable names its fields, before anything is made',
    async (...given) => {
      const [, source, value, fields] = given;
      const own = world();
      keep(own, value);
      const { error, cause } = await own.run({ manifest: pulledManifest(source) });
      expect(error).toBe('PermanentFailure');
      expect(cause).toContain('SECRET_INVALID');
      expect(cause).toContain(SECRET_ID);
      for (const field of fields) expect(cause).toContain(field);
      expect(cause).not.toContain(CANARY);
      expect(changes(own)).toEqual([]);
    },
  );

  it.each([
    ['kinesis', KINESIS, { accessKeyId: 'AKIANEXTNEXTNEXTNEXT', secretKey: 'next' }],
    ['event-hubs', EVENT_HUBS, { sasKeyName: 'Reader', sasKey: 'next' }],
    ['pubsub', PUB_SUB, { ...SECRETS.pubsub, private_key: 'next' }],
  ] as const)(
    '%s: rotated, they are changed in place at the version that was read',
    async (kind, source, next) => {
      const own = withSecret(kind);
      const manifest = pulledManifest(source);
      const first = await own.run({ manifest });
      const id = first.document.resources['base-connection']?.id ?? '';
      const etag = sandboxOf(own).connections.get(id)?.etag;
      const { specName, params } = authOf(own);
      keep(own, next);
      const asked = await own.run({ manifest, mode: 'plan' });
      expect(planned(asked.document, 'base-connection')).toMatchObject({ action: 'update', id });
      const after = position(own);
      const second = await own.run({ manifest });
      expect(second.status).toBe('SUCCEEDED');
      expect(changes(own, after)).toEqual(['PATCH connections']);
      const [patch] = sent(own, after).filter(({ method }) => method === 'PATCH');
      expect(patch).toMatchObject({ path: `${SERVICES.connections}/${id}`, headers: { 'if-match': etag } });
      const sentNow = kind === 'pubsub' ? { credentials: next } : next;
      expect(authOf(own)).toEqual({ specName, params: { ...params, ...sentNow } });
      expect(second.document.resources.flow).toEqual({
        ...first.document.resources.flow,
        how: 'kept',
        state: 'enabled',
      });
      const third = position(own);
      expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
      expect(changes(own, third)).toEqual([]);
    },
  );

  it('rotated while somebody else changes the connection: read again, then changed', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: pulledManifest(KINESIS) });
    keep(own, { accessKeyId: 'AKIANEXTNEXTNEXTNEXT', secretKey: 'next' });
    const path = `${SERVICES.connections}/*`;
    const body = { type: 'https://ns.adobe.com/aep/errors/FLOW-1404-412', report: {} };
    const fault = own.platform.faults.add({
      kind: 'refuse',
      status: 412,
      method: 'PATCH',
      path,
      body,
      times: 2,
    });
    expect((await own.run({ manifest: pulledManifest(KINESIS) })).status).toBe('SUCCEEDED');
    expect(fault.struck).toBe(2);
    expect(authOf(own).params).toMatchObject({ secretKey: 'next' });
  });

  it('of another name but with the same content change nothing', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: pulledManifest(KINESIS) });
    keep(own, SECRETS.kinesis, 'moved');
    const after = position(own);
    await own.run({ manifest: pulledManifest({ ...KINESIS, credentials: 'moved' }) });
    expect(changes(own, after)).toEqual([]);
  });

  it('are not needed to retire a pipeline', async () => {
    for (const [kind, source] of KINDS) {
      const own = withSecret(kind);
      await own.run({ manifest: pulledManifest(source) });
      own.secrets.values.delete(SECRET_ID);
      const { cause, status } = await own.run({ manifest: pulledManifest(source), mode: 'retire' });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual({ schemas: 1, dataSets: 1 });
    }
  });
});

describe('a change of the source', () => {
  /** Applies the one, then plans and applies the other. */
  async function changed(kind: keyof typeof SECRETS, before: object, after: object) {
    const own = withSecret(kind);
    const first = await own.run({ manifest: pulledManifest(before as Record<string, unknown>) });
    expect(first.status).toBe('SUCCEEDED');
    const manifest = pulledManifest(after as Record<string, unknown>);
    const asked = await own.run({ manifest, mode: 'plan' });
    const second = await own.run({ manifest });
    return { own, asked, first, second };
  }

  const HUB_ALONE = { ...EVENT_HUBS, auth: 'event-hub' };
  const ONE_SUBSCRIPTION = { ...PUB_SUB, auth: 'subscription' };

  it.each([
    ['the region', 'kinesis', KINESIS, { ...KINESIS, region: 'us-east-1' }, { region: 'us-east-1' }],
    [
      'the namespace',
      'event-hubs',
      EVENT_HUBS,
      { ...EVENT_HUBS, namespace: 'others' },
      { namespace: 'others' },
    ],
    ['what the key is for', 'event-hubs', EVENT_HUBS, HUB_ALONE, { eventHubName: 'clicks' }],
    [
      'the event hub of its own key',
      'event-hubs',
      HUB_ALONE,
      { ...HUB_ALONE, eventHub: 'taps' },
      { eventHubName: 'taps' },
    ],
    [
      'the project',
      'pubsub',
      PUB_SUB,
      { ...PUB_SUB, project: 'other-project' },
      { projectId: 'other-project' },
    ],
    ['what the account may read', 'pubsub', PUB_SUB, ONE_SUBSCRIPTION, FULL_NAMES],
    [
      'the subscription of its own account',
      'pubsub',
      ONE_SUBSCRIPTION,
      { ...ONE_SUBSCRIPTION, subscription: 'next' },
      { subscriptionName: 'projects/loyalty-demo/subscriptions/next' },
    ],
  ] as const)(
    '%s: another way in, and nothing of the old one left',
    async (_, kind, before, after, params) => {
      const { own, asked, first, second } = await changed(kind, before, after);
      expect(planned(asked.document, 'base-connection')).toMatchObject({ action: 'replace' });
      expect(planned(asked.document, 'base-connection')?.differences).not.toEqual([]);
      expect(second.cause ?? second.status).toBe('SUCCEEDED');
      expect(authOf(own).params).toMatchObject(params);
      expect(second.document.resources['base-connection']?.id).not.toBe(
        first.document.resources['base-connection']?.id,
      );
      expect(holdings(own)).toEqual(ONE_OF_EACH);
      const more = position(own);
      await own.run({ manifest: pulledManifest(after as unknown as Record<string, unknown>) });
      expect(changes(own, more)).toEqual([]);
    },
  );

  it.each([
    ['the key of an event hub to that of its namespace', 'event-hubs', HUB_ALONE, EVENT_HUBS],
    ['the key of a namespace to that of one event hub', 'event-hubs', EVENT_HUBS, HUB_ALONE],
    ['an account of the project to one of a subscription', 'pubsub', PUB_SUB, ONE_SUBSCRIPTION],
    ['an account of a subscription to one of the project', 'pubsub', ONE_SUBSCRIPTION, PUB_SUB],
  ] as const)(
    'from %s: another way in to the same place, where it goes on reading',
    async (_, kind, before, after) => {
      const { own, asked, second } = await changed(kind, before, after);
      expect(planned(asked.document, 'base-connection')).toMatchObject({ action: 'replace' });
      expect(asked.document.warnings).toEqual([expect.stringContaining('is read twice')]);
      expect(second.status).toBe('SUCCEEDED');
      const params = sandboxOf(own).sourceConnections.values()[0]?.body.params;
      if (kind === 'event-hubs') expect(params).toMatchObject({ reset: 'earliest' });
      expect('eventHubName' in (authOf(own).params ?? {})).toBe(after === HUB_ALONE);
    },
  );

  it.each([
    ['the stream', 'kinesis', KINESIS, { ...KINESIS, stream: 'others' }, { stream: 'others' }],
    [
      'the event hub',
      'event-hubs',
      EVENT_HUBS,
      { ...EVENT_HUBS, eventHub: 'taps' },
      { eventHubName: 'taps' },
    ],
    [
      'the consumer group',
      'event-hubs',
      EVENT_HUBS,
      { ...EVENT_HUBS, consumerGroup: 'next' },
      { consumerGroup: 'next' },
    ],
    ['the topic', 'pubsub', PUB_SUB, { ...PUB_SUB, topic: 'next' }, { topicName: 'next' }],
    [
      'the subscription',
      'pubsub',
      PUB_SUB,
      { ...PUB_SUB, subscription: 'next' },
      { subscriptionName: 'next' },
    ],
  ] as const)('%s: another source and flow by the same way in', async (_, kind, before, after, params) => {
    const { own, asked, first, second } = await changed(kind, before, after);
    expect(actions(asked.document)).toMatchObject({
      'base-connection': 'keep',
      'source-connection': 'replace',
      flow: 'replace',
    });
    expect(second.cause ?? second.status).toBe('SUCCEEDED');
    expect(second.document.resources['base-connection']?.id).toBe(
      first.document.resources['base-connection']?.id,
    );
    expect(sandboxOf(own).sourceConnections.values()[0]?.body.params).toMatchObject(params);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it.each([
    ['inlet', 'kinesis', inletManifest(), pulledManifest(KINESIS)],
    ['kinesis', 'inlet', pulledManifest(KINESIS), inletManifest()],
    ['kinesis', 'pubsub', pulledManifest(KINESIS), pulledManifest({ ...PUB_SUB, credentials: 'other' })],
  ])('from %s to %s is a conflict: what the old one leaves would go on, or be lost', async (...given) => {
    const [was, is, before, after] = given;
    const own = withSecret('kinesis');
    keep(own, SECRETS.pubsub, 'other');
    expect((await own.run({ manifest: before })).status).toBe('SUCCEEDED');
    const then = position(own);
    const { status, cause } = await own.run({ manifest: after });
    expect(status).toBe('FAILED');
    expect(cause).toContain(`source.kind: found ${was}, wanted ${is}`);
    expect(changes(own, then)).toEqual([]);
    expect((await own.run({ manifest: before })).status).toBe('SUCCEEDED');
    expect(changes(own, then)).toEqual([]);
  });

  it('the sandbox of a source that AEP reads is a conflict: the old flow would go on reading', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: pulledManifest(KINESIS) });
    const after = position(own);
    const { status, cause } = await own.run({ manifest: pulledManifest(KINESIS, { sandbox: 'prod' }) });
    expect(status).toBe('FAILED');
    expect(cause).toContain('dev1');
    expect(changes(own, after)).toEqual([]);
  });

  it('where it starts moves nothing that reads already', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: pulledManifest(KINESIS) });
    const after = position(own);
    await own.run({ manifest: pulledManifest({ ...KINESIS, startAt: 'earliest' }) });
    expect(changes(own, after)).toEqual([]);
  });
});

describe('a stream that is forwarded and read by AEP as well', () => {
  const kinesis = pulledManifest(
    { kind: 'kinesis', stream: 'customers', region: 'eu-west-1' },
    { name: 'readers' },
  );
  const twice = ({ warnings }: { readonly warnings: readonly string[] }) =>
    warnings.filter((warning) => warning.includes('ingested twice'));

  it('the plan of the second one warns, in both directions', async () => {
    for (const [first, second] of [
      [inletManifest(), kinesis],
      [kinesis, inletManifest()],
    ]) {
      const own = withSecret('kinesis');
      const alone = await own.run({ manifest: first });
      expect(twice(alone.document)).toEqual([]);
      const { document } = await own.run({ manifest: second, mode: 'plan' });
      expect(twice(document)).toHaveLength(1);
      expect(document.warnings[0]).toContain('customers');
      expect(document.report?.warnings).toEqual(document.warnings);
    }
  });

  it('another region, or another stream, is no reason to warn', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: inletManifest() });
    for (const source of [
      { ...KINESIS, stream: 'customers', region: 'us-east-1' },
      { ...KINESIS, stream: 'orders' },
    ]) {
      const { document } = await own.run({
        manifest: pulledManifest(source, { name: 'readers' }),
        mode: 'plan',
      });
      expect(document.warnings).toEqual([]);
    }
  });

  it('AEP reads it for another pipeline: the plan of the second one warns, and not where the region is another', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: kinesis });
    const second = (region: string) =>
      pulledManifest({ kind: 'kinesis', stream: 'customers', region }, { name: 'others' });
    const { document } = await own.run({ manifest: second('eu-west-1'), mode: 'plan' });
    expect(document.warnings).toEqual([
      'The stream customers carries the pipeline readers as well: its data would be ingested twice',
    ]);
    const elsewhere = await own.run({ manifest: second('us-east-1'), mode: 'plan' });
    expect(elsewhere.document.warnings).toEqual([]);
  });

  it('a stream that is given by its ARN is the same stream', async () => {
    const own = withSecret('kinesis');
    await own.run({ manifest: kinesis });
    const manifest = inletManifest({ source: { kind: 'inlet', stream: STREAM_ARN, data: 'raw' } });
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect(twice(document)).toHaveLength(1);
  });
});
