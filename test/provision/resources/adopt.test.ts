// Taking over what was made by hand: only what is wanted, marked once, never made anew and never undone.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { FLOW_SPECS } from '../../../lib/aep/index.ts';
import type { Call } from '../../support/chaos.ts';
import { STREAM_ARN, world } from '../../support/provisioning.ts';
import {
  actions,
  byHand,
  changes,
  FIRST,
  holdings,
  inletManifest,
  KINESIS,
  keep,
  ONE_OF_EACH,
  OWN_GROUP,
  owners,
  PUBLISHED,
  planned,
  position,
  pulledManifest,
  SECRETS,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

const CLASS = 'https://ns.adobe.com/xdm/context/profile';
const DETAILS = 'https://ns.adobe.com/xdm/context/profile-person-details';
const IDENTITY_MAP = 'https://ns.adobe.com/xdm/context/identitymap';
const ROWS = [
  { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
  { sourceType: 'ATTRIBUTE', source: 'first', destination: 'person.name.firstName' },
] as const;
const adopting = (more: object = {}) => inletManifest({ adopt: true, ...more });
const named = (name: string) => ({ name, description: 'By hand, in 2019' });

/** What of the pipeline somebody has made in AEP's pages, and what of it otherwise than wanted. */
interface Hands {
  readonly parts?: readonly string[];
  readonly dataType?: 'raw' | 'xdm';
  readonly authenticationRequired?: boolean;
  readonly rows?: readonly { sourceType: 'ATTRIBUTE' | 'EXPRESSION'; source: string; destination: string }[];
  readonly flowSpecId?: string;
  readonly upTo?: 'schema' | 'dataset' | 'connection' | 'ends' | 'flow';
}

async function made(own: World, hands: Hands = {}) {
  const { schemaRegistry, catalog, flowService, dataPrep } = byHand(own);
  const { parts = [CLASS, DETAILS, IDENTITY_MAP], dataType = 'raw', authenticationRequired = true } = hands;
  const upTo = ['schema', 'dataset', 'connection', 'ends', 'flow'].indexOf(hands.upTo ?? 'flow');
  const schema = await schemaRegistry.createSchema({
    title: 'people-schema',
    description: 'By hand, in 2019',
    parts,
  });
  const ids: Record<string, string> = { schema: schema.$id };
  if (upTo < 1) return ids;
  ids.dataset = await catalog.createDataset({
    ...named('people-dataset'),
    schemaId: schema.$id,
    tags: { team: ['streaming'] },
  });
  if (upTo < 2) return ids;
  const baseConnectionId = await flowService.createInletConnection({
    ...named('people-inlet'),
    dataType,
    authenticationRequired,
  });
  ids['base-connection'] = baseConnectionId;
  if (upTo < 3) return ids;
  const source = await flowService.createInletSourceConnection({
    ...named('people-source'),
    baseConnectionId,
  });
  const target = await flowService.createTargetConnection({
    ...named('people-target'),
    datasetId: ids.dataset,
    schemaId: schema.$id,
  });
  const mapping = await dataPrep.createMappingSet({
    name: 'Mapped in 2019',
    schemaId: schema.$id,
    mappings: hands.rows ?? ROWS,
  });
  Object.assign(ids, { 'source-connection': source, 'target-connection': target, mapping: mapping.id });
  if (upTo < 4) return ids;
  ids.flow = await flowService.createFlow({
    ...named('people-flow'),
    flowSpecId: hands.flowSpecId ?? FLOW_SPECS.httpApiWithMapping,
    sourceConnectionId: source,
    targetConnectionId: target,
    mapping: { id: mapping.id, version: 0 },
  });
  return ids;
}

const idsIn = (resources: object) =>
  Object.fromEntries(Object.entries(resources).map(([key, one]) => [key, (one as { id: string }).id]));

describe('a pipeline made by hand', () => {
  it('is taken over where it is what is wanted: marked, and none of it made anew', async () => {
    const own = world();
    const ids = await made(own);
    own.time.now += 86_400_000;
    const from = position(own);
    const { cause, status, document } = await own.run({ manifest: adopting() });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(idsIn(document.resources)).toEqual(ids);
    const each = ['schemas', 'dataSets', 'connections', 'sources', 'targets', 'flows'];
    expect(changes(own, from).sort()).toEqual(each.map((kind) => `PATCH ${kind}`).sort());
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    for (const of of Object.values(owners(own))) for (const owner of of) expect(owner).toBe('people');
    for (const key of [
      'schema',
      'dataset',
      'base-connection',
      'source-connection',
      'target-connection',
      'flow',
    ] as const)
      expect(document.resources[key]?.how).toBe('adopted');
    const published = JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as Record<string, unknown>;
    const [connection] = sandboxOf(own).connections.values();
    expect(published).toMatchObject({
      flowId: ids.flow,
      inletUrl: (connection?.body.auth as { params?: { inletUrl: string } } | undefined)?.params?.inletUrl,
      sourceName: 'people-inlet',
    });
    expect([...own.triggers.all.values()]).toMatchObject([{ streamArn: STREAM_ARN, state: 'on' }]);
  });

  it('keeps what it said of itself, and its foreign tags', async () => {
    const own = world();
    await made(own);
    await own.run({ manifest: adopting() });
    const sandbox = sandboxOf(own);
    const texts = [
      ...sandbox.registry.schemas.values(),
      ...[sandbox.connections, sandbox.sourceConnections, sandbox.targetConnections, sandbox.flows].flatMap(
        (shelf) => (shelf.values() as { body: object }[]).map(({ body }) => body),
      ),
    ].map((one) => (one as { description?: string }).description);
    expect(texts).toHaveLength(5);
    for (const text of texts)
      expect(text).toMatch(
        /^By hand, in 2019 \[penstock pipeline=people execution=run-1@\S+( \w+=\S+)* adopted\]$/,
      );
    expect(sandbox.dataSets.values()[0]?.body).toMatchObject({
      description: 'By hand, in 2019',
      tags: { team: ['streaming'], penstock: ['pipeline:people', `execution:${FIRST}`, 'adopted:true'] },
    });
  });

  it('is changed only at the version that was read', async () => {
    const own = world();
    await made(own);
    const from = position(own);
    await own.run({ manifest: adopting() });
    const patches = sent(own, from).filter(
      ({ method, path }) => method === 'PATCH' && !path.startsWith(SERVICES.schemas),
    );
    expect(patches).toHaveLength(5);
    for (const { headers } of patches) expect(headers['if-match']).toMatch(/./);
  });

  it('is warm again before anything is sent to it: its flow was changed', async () => {
    const own = world();
    await made(own);
    own.time.now += 86_400_000;
    const times: Record<string, number> = {};
    const intercept = async <T>(call: Call, proceed: () => Promise<T>) => {
      if (call.change) times[call.label.replace(/\/[0-9a-f-]{36}$/, '')] ??= own.time.now;
      return proceed();
    };
    await own.run({ manifest: adopting() }, { intercept });
    const patched = times[`PATCH ${SERVICES.flows}`] ?? Number.NaN;
    const published =
      Object.entries(times).find(([label]) => label.startsWith('secrets.'))?.[1] ?? Number.NaN;
    expect(published - patched).toBeGreaterThanOrEqual(300_000);
  });

  it.each([
    ['without asking for it again', inletManifest()],
    ['asking for it again', adopting()],
  ])('is not changed by the next execution, %s', async (_, manifest) => {
    const own = world();
    const ids = await made(own);
    await own.run({ manifest: adopting() });
    const from = position(own);
    const { status, document } = await own.run({ manifest });
    expect(status).toBe('SUCCEEDED');
    expect(changes(own, from)).toEqual([]);
    expect(idsIn(document.resources)).toEqual(ids);
  });

  it.each([
    ['without asking for it again', inletManifest()],
    ['asking for it again', adopting()],
  ])('is found again by its ownership tags where the ledger is lost, %s', async (_, manifest) => {
    const own = world();
    const ids = await made(own);
    await own.run({ manifest: adopting() });
    own.ledger.items.clear();
    const from = position(own);
    const { status, document } = await own.run({ manifest });
    expect(status).toBe('SUCCEEDED');
    expect(changes(own, from)).toEqual([]);
    expect(idsIn(document.resources)).toEqual(ids);
  });

  it('is completed where it is only half there', async () => {
    for (const [upTo, expected] of [
      ['schema', { schema: 'adopt', dataset: 'create', flow: 'create' }],
      ['dataset', { dataset: 'adopt', 'base-connection': 'create', 'target-connection': 'create' }],
      ['connection', { 'base-connection': 'adopt', 'source-connection': 'create' }],
      [
        'ends',
        { 'source-connection': 'adopt', 'target-connection': 'adopt', mapping: 'create', flow: 'create' },
      ],
    ] as const) {
      const own = world();
      const ids = await made(own, { upTo });
      const { cause, status, document } = await own.run({ manifest: adopting() });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(actions(document)).toMatchObject(expected);
      const { mapping: _unused, ...kept } = ids;
      expect(idsIn(document.resources)).toMatchObject(kept);
      const from = position(own);
      await own.run({ manifest: inletManifest() });
      expect(changes(own, from)).toEqual([]);
    }
  });

  it('is a conflict where the manifest does not ask to take it over: said with id and way out', async () => {
    const own = world();
    const ids = await made(own);
    const from = position(own);
    const { status, cause } = await own.run({ manifest: inletManifest() });
    expect(status).toBe('FAILED');
    for (const key of ['schema', 'dataset', 'base-connection'] as const) expect(cause).toContain(ids[key]);
    expect(cause).toContain('"adopt": true');
    expect(changes(own, from)).toEqual([]);
  });

  it('keeps its mapping set when the mapping is changed later, and the rest of it is replaced', async () => {
    const own = world();
    const ids = await made(own);
    await own.run({ manifest: adopting() });
    const mapping = [{ source: 'id', destination: '_id' }];
    const { status, document } = await own.run({ manifest: inletManifest({ mapping }) });
    expect(status).toBe('SUCCEEDED');
    expect(document.resources['base-connection']?.id).toBe(ids['base-connection']);
    expect(document.resources.flow?.id).not.toBe(ids.flow);
    expect(sandboxOf(own).mappingSets.get(ids.mapping ?? '')).toBeDefined();
    expect(holdings(own)).toEqual({ ...ONE_OF_EACH, mappingSets: 2 });
  });

  it('is retired but for the mapping set, which bears no ownership tag, and what holds data', async () => {
    const own = world();
    const ids = await made(own);
    await own.run({ manifest: adopting() });
    const { status, document } = await own.run({ manifest: inletManifest(), mode: 'retire' });
    expect(status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({ schemas: 1, dataSets: 1, mappingSets: 1 });
    expect(document.left.join()).toContain(ids.mapping);
  });
});

describe('what was made by hand otherwise than wanted', () => {
  it.each([
    [
      'a schema of another class',
      { parts: ['https://ns.adobe.com/xdm/context/experienceevent', DETAILS, IDENTITY_MAP], upTo: 'schema' },
      'schema',
      ['schema.class', 'experienceevent'],
    ],
    [
      'a schema without a field group',
      { parts: [CLASS, DETAILS], upTo: 'schema' },
      'schema',
      ['schema.fieldGroups', IDENTITY_MAP],
    ],
    ['an inlet for XDM', { dataType: 'xdm', upTo: 'connection' }, 'base-connection', ['source.data', 'xdm']],
    [
      'an inlet that wants no token',
      { authenticationRequired: false, upTo: 'connection' },
      'base-connection',
      ['source.authenticationRequired', 'false'],
    ],
    ['a flow with another mapping', { rows: [ROWS[0]] }, 'flow', ['mapping']],
    [
      'a flow of another specification',
      { flowSpecId: FLOW_SPECS.streaming },
      'flow',
      ['flow specification', FLOW_SPECS.streaming],
    ],
  ] as const)(
    '%s is a conflict that names the field, and nothing is changed',
    async (_, hands, key, said) => {
      const own = world();
      const ids = await made(own, hands as Hands);
      const from = position(own);
      const asked = await own.run({ manifest: adopting(), mode: 'plan' });
      expect(planned(asked.document, key)).toMatchObject({ action: 'conflict', id: ids[key] });
      expect(planned(asked.document, key)?.differences?.length).toBeGreaterThan(0);
      const { status, cause } = await own.run({ manifest: adopting() });
      expect(status).toBe('FAILED');
      for (const text of [...said, ids[key]]) expect(cause).toContain(text);
      expect(changes(own, from)).toEqual([]);
    },
  );

  it('a dataset of another schema is a conflict that names both', async () => {
    const own = world();
    const { schemaRegistry, catalog } = byHand(own);
    const other = await schemaRegistry.createSchema({ title: 'Another', description: 'd', parts: [CLASS] });
    await catalog.createDataset({ ...named('people-dataset'), schemaId: other.$id, tags: {} });
    const from = position(own);
    const { status, cause } = await own.run({ manifest: adopting() });
    expect(status).toBe('FAILED');
    expect(cause).toContain(other.$id);
    expect(changes(own, from)).toEqual([]);
  });

  it('B 61: two of one name are a conflict that lists both ids', async () => {
    const own = world();
    const { schemaRegistry, catalog, flowService } = byHand(own);
    const { $id } = await schemaRegistry.createSchema({
      title: 'people-schema',
      description: 'd',
      parts: [CLASS, DETAILS, IDENTITY_MAP],
    });
    const inlet = { ...named('people-inlet'), dataType: 'raw', authenticationRequired: true } as const;
    const twice = [
      await catalog.createDataset({ ...named('people-dataset'), schemaId: $id, tags: {} }),
      await catalog.createDataset({ ...named('people-dataset'), schemaId: $id, tags: {} }),
      await flowService.createInletConnection(inlet),
      await flowService.createInletConnection(inlet),
    ];
    const from = position(own);
    const { status, cause } = await own.run({ manifest: adopting() });
    expect(status).toBe('FAILED');
    expect(cause).toContain('ambiguous');
    for (const id of twice) expect(cause).toContain(id);
    expect(changes(own, from)).toEqual([]);
  });

  it('what another pipeline has made is never taken over', async () => {
    const own = world();
    await own.run({ manifest: inletManifest({ name: 'first', dataset: { name: 'Shared' } }) });
    const from = position(own);
    const { status, cause } = await own.run({ manifest: adopting({ dataset: { name: 'Shared' } }) });
    expect(status).toBe('FAILED');
    expect(cause).toContain("pipeline first's");
    expect(changes(own, from)).toEqual([]);
  });
});

describe('undoing', () => {
  it.each(['connections', 'mappingSets', 'flows'] as const)(
    'after a fault at POST %s leaves all that was taken over, and says so',
    async (kind) => {
      const own = world();
      const upTo = kind === 'connections' ? 'dataset' : 'ends';
      const ids = await made(own, { upTo });
      const before = holdings(own);
      own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES[kind] });
      const { error, cause } = await own.run({ manifest: adopting() });
      expect(error).toBe('Penstock.RolledBack');
      expect(holdings(own)).toEqual(before);
      expect(cause).toContain('Changed or adopted');
      expect(cause).toContain(ids.dataset);
      expect(changes(own).filter((one) => one.startsWith('DELETE') && /dataSets|schemas/.test(one))).toEqual(
        [],
      );
      own.platform.faults.clear();
      const again = await own.run({ manifest: adopting() });
      expect(again.cause ?? again.status).toBe('SUCCEEDED');
      expect(idsIn(again.document.resources)).toMatchObject({ schema: ids.schema, dataset: ids.dataset });
    },
  );

  it('after a step that died with its work done leaves what it took over', async () => {
    const own = world();
    const ids = await made(own, { upTo: 'ends' });
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    const { error } = await own.run({ manifest: adopting() }, { kill: 'dataset' });
    expect(error).toBe('Penstock.RolledBack');
    expect(sandboxOf(own).dataSets.get(ids.dataset ?? '')).toBeDefined();
    expect(sandboxOf(own).registry.schemas.get(ids.schema ?? '')).toBeDefined();
  });
});

describe('what else can be taken over', () => {
  it('an own field group, if its fields have the same types', async () => {
    for (const [fields, expected] of [
      [OWN_GROUP.fields, 'adopt'],
      [{ ...OWN_GROUP.fields, more: { type: 'string' } }, 'adopt'],
      [{ loyalty: { type: 'string' } }, 'conflict'],
      [{}, 'conflict'],
    ] as const) {
      const own = world();
      const { schemaRegistry } = byHand(own);
      const { $id } = await schemaRegistry.createFieldGroup({
        title: 'people-loyalty',
        description: 'By hand',
        classes: [CLASS],
        tenant: 'acmelab',
        properties: fields,
      });
      const manifest = adopting({
        schema: { class: 'profile', fieldGroups: ['profile-person-details', OWN_GROUP] },
      });
      const { document } = await own.run({ manifest, mode: 'plan' });
      expect(planned(document, 'field-group:loyalty')).toMatchObject({ action: expected, id: $id });
      if (expected === 'conflict') continue;
      expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
      const from = position(own);
      await own.run({ manifest: { ...manifest, adopt: false } });
      expect(changes(own, from)).toEqual([]);
      expect(sandboxOf(own).registry.mixins.get($id)?.description).toMatch(
        /^By hand \[penstock pipeline=people /,
      );
    }
  });

  it('identities and the union tag that are there already: kept, and no leave is needed', async () => {
    const own = world();
    const { schemaRegistry } = byHand(own);
    const parts = [CLASS, DETAILS, 'https://ns.adobe.com/xdm/context/profile-personal-details'];
    const { $id } = await schemaRegistry.createSchema({ title: 'people-schema', description: 'd', parts });
    await schemaRegistry.createIdentityDescriptor({
      schemaId: $id,
      property: '/personalEmail/address',
      namespace: 'Email',
      primary: true,
    });
    await schemaRegistry.patchSchema($id, [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }]);
    const schema = {
      class: 'profile',
      fieldGroups: ['profile-person-details', 'profile-personal-details'],
      identities: [{ path: 'personalEmail.address', namespace: 'Email', primary: true }],
      profile: true,
    };
    const from = position(own);
    const { cause, status, document } = await own.run({ manifest: adopting({ schema }) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(actions(document)).toMatchObject({ schema: 'adopt', identity: 'keep', profile: 'keep' });
    expect(changes(own, from).filter((one) => /descriptors/.test(one))).toEqual([]);
  });

  it('an identity that names the same namespace by its number', async () => {
    const own = world();
    const { schemaRegistry, request } = byHand(own);
    const parts = [CLASS, DETAILS, IDENTITY_MAP];
    const { $id } = await schemaRegistry.createSchema({ title: 'people-schema', description: 'd', parts });
    const body = {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': $id,
      'xdm:sourceVersion': 1,
      'xdm:sourceProperty': '/person/name/firstName',
      // Adobe's own number of Email; contract §2.7 knows both ways to name it.
      'xdm:namespace': 6,
      'xdm:property': 'xdm:id',
      'xdm:isPrimary': false,
    };
    await request({ method: 'POST', path: SERVICES.descriptors, body, answer: z.unknown() });
    const identities = [{ path: 'person.name.firstName', namespace: 'Email' }];
    const schema = { class: 'profile', fieldGroups: ['profile-person-details', 'identitymap'], identities };
    const from = position(own);
    const { cause, status } = await own.run({ manifest: adopting({ schema }) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(changes(own, from)).not.toContain('POST descriptors');
  });

  it('an identity that says something else is a conflict', async () => {
    const own = world();
    const { schemaRegistry } = byHand(own);
    const { $id } = await schemaRegistry.createSchema({
      title: 'people-schema',
      description: 'd',
      parts: [CLASS, DETAILS, IDENTITY_MAP],
    });
    await schemaRegistry.createIdentityDescriptor({
      schemaId: $id,
      property: '/person/name/firstName',
      namespace: 'Phone',
      primary: false,
    });
    const identities = [{ path: 'person.name.firstName', namespace: 'Email' }];
    const schema = { class: 'profile', fieldGroups: ['profile-person-details', 'identitymap'], identities };
    const { status, cause } = await own.run({ manifest: adopting({ schema }) });
    expect(status).toBe('FAILED');
    expect(cause).toContain('/person/name/firstName: found Phone, wanted Email');
  });

  async function reading(own: World, region: string) {
    const { flowService } = byHand(own);
    return flowService.createConnection({
      ...named('people-connection'),
      specId: '86043421-563b-46ec-8e6c-e23184711bf6',
      auth: { specName: 'Aws Kinesis authentication credentials', params: { ...SECRETS.kinesis, region } },
    });
  }

  it('a connection to a source that AEP reads, in the same region; credentials are exchanged from then on', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    const id = await reading(own, 'eu-west-1');
    const manifest = pulledManifest(KINESIS, { adopt: true });
    const { cause, status, document } = await own.run({ manifest });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(document.resources['base-connection']).toMatchObject({ id, how: 'adopted' });
    let from = position(own);
    await own.run({ manifest: pulledManifest(KINESIS) });
    expect(changes(own, from)).toEqual([]);
    keep(own, { accessKeyId: 'AKIANEXTNEXTNEXTNEXT', secretKey: 'next' });
    from = position(own);
    await own.run({ manifest: pulledManifest(KINESIS) });
    expect(changes(own, from)).toEqual(['PATCH connections']);
  });

  it('a connection to another region is a conflict that names it', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    await reading(own, 'us-east-1');
    const from = position(own);
    const { status, cause } = await own.run({ manifest: pulledManifest(KINESIS, { adopt: true }) });
    expect(status).toBe('FAILED');
    expect(cause).toContain('us-east-1');
    expect(changes(own, from)).toEqual([]);
  });

  it("a mapping set that AEP's own pages have written, in their words for the same thing", async () => {
    const own = world();
    const ids = await made(own);
    const set = sandboxOf(own).mappingSets.get(ids.mapping ?? '');
    if (set === undefined) throw new Error('no mapping set');
    const mappings = ROWS.map(({ source, destination }) => ({
      sourceType: 'text/x.schema-path',
      source,
      destination,
    }));
    const body = JSON.stringify({
      id: set.id,
      version: 0,
      outputSchema: {
        schemaRef: { id: ids.schema, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
      },
      mappings,
    });
    const path = `${SERVICES.mappingSets}/*`;
    own.platform.faults.add({ kind: 'notJson', method: 'GET', path, body });
    const { document } = await own.run({ manifest: adopting(), mode: 'plan' });
    expect(Object.values(actions(document))).not.toContain('conflict');
    expect(actions(document)).toMatchObject({ flow: 'adopt' });
  });
});
