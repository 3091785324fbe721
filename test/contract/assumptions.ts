// What Penstock's client relies on and any platform can be asked: steps by the client's own functions, each with what has to hold.
// They are the client's contract tests as well (assumptions.test.ts): nothing here moves a clock, sets a fault or looks inside.
import { CONNECTION_SPECS, FLOW_SPECS, type NewConnection } from '../../lib/aep/index.ts';
import { Session } from '../../lib/aep/token.ts';
import { type Around, failureOf, inletOf, inletUrlIn, of, type Step } from './step.ts';

const XDM = 'https://ns.adobe.com/xdm/context/';
const NOBODYS_BATCH = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const SECRET = 'fake/kinesis+secret';
const named = (mark: string, what: string) => ({ name: `${mark} ${what}`, description: mark });

const FIRST = { sourceType: 'ATTRIBUTE', source: 'first', destination: 'person.name.firstName' } as const;
const LAST = { sourceType: 'ATTRIBUTE', source: 'last', destination: 'person.name.lastName' } as const;
const BORN = {
  sourceType: 'EXPRESSION',
  source: 'date(dob, "yyyy-MM-dd")',
  destination: 'person.birthDate',
} as const;
const WRONG = { ...LAST, sourceType: 'EXPRESSION', source: 'shout(1)' } as const;

const pulled = (
  mark: string,
  specId: string,
  specName: string,
  params: NewConnection['auth']['params'],
): NewConnection => ({ ...named(mark, 'pulled'), specId, auth: { specName, params } });

/** Credentials that open nothing, and no flow reads from any of them. */
const OTHER_SOURCES = [
  {
    kind: 'Event Hubs',
    specId: CONNECTION_SPECS.eventHubs,
    specName: 'Azure EventHub authentication credentials',
    auth: { sasKeyName: 'n', sasKey: 'fake-key', namespace: 'ns' },
    params: { eventHubName: 'orders', dataType: 'raw', consumerGroup: 'penstock' },
  },
  {
    kind: 'Pub/Sub',
    specId: CONNECTION_SPECS.pubSub,
    specName: 'Topic & Subscription Based Authentication',
    auth: { credentials: 'fake', topicName: 't', subscriptionName: 's' },
    params: { topicName: 't', subscriptionName: 's', dataType: 'raw' },
  },
] as const;

/** Before there is a flow: what is sent lands nowhere. */
export const AT_THE_INLET: readonly Step[] = [
  {
    name: 'client: an inlet that wants a token refuses another one as a token',
    run: async ({ aep, inlet, mark, sandbox, later, holds }) => {
      const wanted = { ...named(mark, 'inlet'), dataType: 'raw', authenticationRequired: true } as const;
      const id = await aep.flowService.createInletConnection(wanted);
      later('connection', id);
      const url = inletUrlIn(await aep.flowService.getConnection(id));
      const body = Buffer.from('{"messages":[{"id":"1"}]}');
      const address = inlet.inletAddress(url, [new URL(url).origin]);
      const batch = { address, body, messages: 1, sandbox, timeoutMs: 30_000 };
      const session = await aep.sessions.current();
      const taken = await inlet.postBatch(aep.transport, { ...batch, session });
      holds('with a token it takes a batch', taken.kind === 'answered' && taken.acknowledged === 1);
      const madeUp = new Session('made-up', session.clientId, session.organizationId);
      const refused = await inlet.postBatch(aep.transport, { ...batch, session: madeUp });
      holds('a made-up one is refused as a token', refused.kind === 'failed' && refused.class === 'auth');
      await aep.flowService.deleteConnection(id);
    },
  },
  {
    name: 'client: a batch has an outcome for each message',
    run: async (around) => {
      const { aep, inlet, sandbox, holds } = around;
      const url = await inletOf(around);
      const address = inlet.inletAddress(url, [new URL(url).origin]);
      const body = Buffer.from('{"messages":[{"id":"1"},{"id":"2"}]}');
      const wanted = { address, body, messages: 2, sandbox, timeoutMs: 30_000 };
      const reply = await inlet.postBatch(aep.transport, wanted);
      holds('a batch is answered message by message', reply.kind === 'answered');
      const kinds = reply.kind === 'answered' ? reply.outcomes.map(({ kind }) => kind) : [];
      holds(
        'each message is acknowledged',
        kinds.length === 2 && kinds.every((kind) => kind === 'acknowledged'),
      );
    },
  },
];

const REGISTRY: readonly Step[] = [
  {
    name: 'client: the sandbox is one of those that may be used',
    run: async ({ aep, sandbox, holds }) => {
      const all = await aep.sandboxes.visible();
      holds(
        'it is listed by its name',
        all.some(({ name }) => name === sandbox),
      );
    },
  },
  {
    name: 'client: namespaces have codes and numbers',
    run: async ({ aep, mark, holds }) => {
      const codes = await aep.identity.namespaceCodes();
      holds('Email is one', codes.includes('Email'));
      holds('a name that nobody has given is none', !codes.includes(mark));
      const all = await aep.identity.namespaces();
      holds('Email is number 6', all.find(({ code }) => code === 'Email')?.id === 6);
    },
  },
  {
    name: 'client: what Adobe brings is in the global container',
    run: async ({ aep, holds }) => {
      const classes = await aep.schemaRegistry.partIds('global', 'classes');
      holds('the profile class is listed', classes.includes(`${XDM}profile`));
      const id = `${XDM}profile-person-details`;
      const { $id } = await aep.schemaRegistry.getPart('global', 'fieldgroups', id);
      holds('a field group is found by its $id', $id === id);
    },
  },
  {
    name: 'client: a field group is made below the tenant, found by its title, and changed',
    run: async ({ aep, made, mark, later, holds, soon }) => {
      const { schemaRegistry } = aep;
      const title = `${mark} fields`;
      const tenant = await schemaRegistry.tenantId();
      const properties = { points: { type: 'integer' } };
      const wanted = { title, description: mark, classes: [`${XDM}profile`], tenant, properties };
      const other = failureOf(schemaRegistry.createFieldGroup({ ...wanted, tenant: 'nobody' }));
      holds('fields of another tenant are refused', (await other)?.code === 'AEP_REFUSED');
      const { $id } = await schemaRegistry.createFieldGroup(wanted);
      made.fieldGroupId = $id;
      later('field group', $id);
      const found = await soon(
        () => schemaRegistry.findFieldGroups(title),
        (ids) => ids.length > 0,
      );
      holds('it is found by its title', found.length === 1 && found[0] === $id);
      holds('part of a title finds nothing', (await schemaRegistry.findFieldGroups(mark)).length === 0);
      holds('it is no schema', (await schemaRegistry.findSchemas(title)).length === 0);
      const path = `/definitions/customFields/properties/_${tenant}/properties/level`;
      await schemaRegistry.patchFieldGroup($id, [{ op: 'add', path, value: { type: 'string' } }]);
      const group = await schemaRegistry.getFieldGroup($id);
      holds('it has its title', group.title === title);
      holds('it extends its class', group['meta:intendedToExtend']?.includes(`${XDM}profile`) === true);
      holds('it has the old field and the new one', hasBoth(group.definitions?.customFields, tenant));
      const parts = [`${XDM}profile`, $id];
      const taken = failureOf(schemaRegistry.createSchema({ title, description: mark, parts }));
      holds('its title is taken for a schema too', (await taken)?.serviceCode === 'XDM-1521-400');
    },
  },
  {
    name: 'client: a schema with a field group of its own is changed in place',
    run: async ({ aep, made, mark, later, holds }) => {
      const { schemaRegistry } = aep;
      const parts = [`${XDM}profile`, `${XDM}profile-work-details`, of(made, 'fieldGroupId')];
      const title = `${mark} other`;
      const schema = await schemaRegistry.createSchema({ title, description: mark, parts });
      made.otherSchemaId = schema.$id;
      later('schema', schema.$id);
      holds('it says its class', schema['meta:class'] === `${XDM}profile`);
      const age = schema['meta:registryMetadata']?.['repo:createdDate'];
      holds('it says when it was made', typeof age === 'number');
      holds('it has no union tag', schema['meta:immutableTags'] === undefined);
      const change = [{ op: 'replace', path: '/description', value: 'new' }] as const;
      const after = await schemaRegistry.patchSchema(schema.$id, change);
      holds('the answer to a change has it', after.description === 'new');
      const busy = await failureOf(schemaRegistry.deleteFieldGroup(of(made, 'fieldGroupId')));
      holds('a field group that a schema has stays', busy?.code === 'AEP_REFUSED');
    },
  },
  {
    name: 'client: an identity is found for its schema alone',
    run: async ({ aep, made, mark, later, holds, soon }) => {
      const { schemaRegistry } = aep;
      const schemaId = of(made, 'otherSchemaId');
      const identity = { property: '/workEmail/address', namespace: 'Email', primary: true };
      const nobodys = { ...identity, schemaId, namespace: mark };
      const refused = await failureOf(schemaRegistry.createIdentityDescriptor(nobodys));
      holds('a namespace that is none is refused', refused?.code === 'AEP_REFUSED');
      const id = await schemaRegistry.createIdentityDescriptor({ ...identity, schemaId });
      made.descriptorId = id;
      later('descriptor', id);
      const found = await soon(
        () => schemaRegistry.findIdentityDescriptors(schemaId),
        (all) => all.length > 0,
      );
      const [only] = found;
      holds('it is found by its schema', found.length === 1 && only?.id === id);
      holds(
        'it reads back as it was made',
        only?.property === identity.property && only.namespace === 'Email' && only.primary,
      );
      const others = await schemaRegistry.findIdentityDescriptors(of(made, 'schemaId'));
      holds('another schema has none', others.length === 0);
      const counts = await schemaRegistry.countDescriptors(schemaId);
      holds('it is counted by its kind', counts['xdm:descriptorIdentity'] === 1);
      const none = await schemaRegistry.countDescriptors(of(made, 'schemaId'));
      holds('and not for another schema', Object.keys(none).length === 0);
    },
  },
  {
    name: 'client: schemas are found by a field group that they have',
    run: async ({ aep, made, holds, soon }) => {
      const found = await soon(
        () => aep.schemaRegistry.schemasWith(of(made, 'fieldGroupId')),
        (all) => all.length > 0,
      );
      holds('the one that has it', found.includes(of(made, 'otherSchemaId')));
      holds('and not one that has it not', !found.includes(of(made, 'schemaId')));
    },
  },
  {
    name: 'an identity is written anew',
    run: async ({ bare, made, holds }) => {
      const body = JSON.stringify({
        '@type': 'xdm:descriptorIdentity',
        'xdm:sourceSchema': of(made, 'otherSchemaId'),
        'xdm:sourceVersion': 1,
        'xdm:sourceProperty': '/workEmail/address',
        'xdm:namespace': 'Email',
        'xdm:property': 'xdm:code',
        'xdm:isPrimary': true,
      });
      const path = `/data/foundation/schemaregistry/tenant/descriptors/${of(made, 'descriptorId')}`;
      const { ok } = await bare('PUT', path, { headers: { 'content-type': 'application/json' }, body });
      holds('it is taken', ok);
    },
  },
];

function hasBoth(fields: unknown, tenant: string): boolean {
  const { properties } = (fields ?? {}) as { properties?: Record<string, { properties?: object }> };
  const own = properties?.[`_${tenant}`]?.properties ?? {};
  return 'points' in own && 'level' in own;
}

const CATALOG: readonly Step[] = [
  {
    name: 'client: a dataset is changed at the version that was read, by anybody but one',
    run: async ({ aep, made, mark, holds }) => {
      const id = of(made, 'datasetId');
      const { dataset, etag } = await aep.catalog.getDataset(id);
      holds('it has its id, name and tags', dataset.id === id && dataset.name === mark && !!dataset.tags);
      holds('it has an etag', typeof etag === 'string');
      const tag = { op: 'add', path: '/tags/penstock', value: [mark, 'b'] } as const;
      await aep.catalog.patchDataset(id, [tag], etag);
      const after = (await aep.catalog.findDatasets(mark)).find((each) => each.id === id);
      holds('the change is there', JSON.stringify(after?.tags?.penstock) === JSON.stringify([mark, 'b']));
      holds('it keeps what failed', after?.enableErrorDiagnostics === true);
      const late = await failureOf(aep.catalog.patchDataset(id, [tag], etag));
      holds('an old version is refused with 412', late?.code === 'AEP_CHANGED' && late.status === 412);
      holds('and nothing was changed', late?.inDoubt === false);
      const description = { op: 'add', path: '/description', value: 'new' } as const;
      await aep.catalog.patchDataset(id, [description], undefined);
      holds('without an etag any version is changed', true);
    },
  },
  {
    name: 'client: a dataset without labels gets some, which are changed at the version that was read',
    run: async ({ aep, made, holds }) => {
      const id = of(made, 'datasetId');
      const none = await aep.datasetService.getLabels(id);
      holds('it has none', none.labels.length === 0);
      await aep.datasetService.putLabels(id, { ...none, labels: ['C1'] });
      const first = await aep.datasetService.getLabels(id);
      holds('the first is there', first.labels.join() === 'C1');
      holds('with an etag', typeof first.etag === 'string');
      await aep.datasetService.putLabels(id, { ...first, labels: ['C1', 'C2'] });
      const late = await failureOf(aep.datasetService.putLabels(id, { ...first, labels: [] }));
      holds('an old version is refused', late?.code === 'AEP_CHANGED');
      const { labels } = await aep.datasetService.getLabels(id);
      holds('both are there', [...labels].sort().join() === 'C1,C2');
    },
  },
  {
    name: 'client: only a dataset of events forgets its rows after a time',
    run: async ({ aep, made, holds }) => {
      const id = of(made, 'datasetId');
      const { adobe_lakeHouse: lake } = await aep.catalog.ttlBounds(id);
      holds('there is a shortest time', lake === undefined || typeof lake.minValue === 'string');
      const { etag } = await aep.catalog.getDataset(id);
      const refused = await failureOf(aep.catalog.setRowExpiration(id, { adobe_lakeHouse: 'P90D' }, etag));
      holds('records are kept', refused?.code === 'AEP_REFUSED');
    },
  },
  {
    name: 'client: a dataset is found by its schema, and keeps no failures where it is told so',
    run: async ({ aep, made, mark, later, holds, soon }) => {
      const schemaId = of(made, 'schemaId');
      const wanted = { name: `${mark} other`, description: mark, schemaId, tags: { penstock: [mark] } };
      const id = await aep.catalog.createDataset({ ...wanted, errorDiagnostics: false });
      later('dataset', id);
      const { dataset } = await aep.catalog.getDataset(id);
      holds('it keeps none', dataset.enableErrorDiagnostics === false);
      const wantedIds = [of(made, 'datasetId'), id];
      const found = await soon(
        () => aep.catalog.datasetsOfSchema(schemaId),
        (all) => wantedIds.every((each) => all.some((one) => one.id === each)),
      );
      const foundIds = found.map((each) => each.id);
      const { datasets, more } = await aep.catalog.allDatasets();
      const among = new Set(datasets.map((each) => each.id));
      holds('they are among all', more || wantedIds.every((each) => among.has(each)));
      holds(
        'both of the schema are found',
        wantedIds.every((each) => foundIds.includes(each)),
      );
      await aep.catalog.deleteDataset(id);
      const gone = await failureOf(aep.catalog.getDataset(id));
      holds('one that was removed is not found', gone?.code === 'AEP_NOT_FOUND');
    },
  },
  {
    name: 'client: a dataset without batches has none, of any kind',
    run: async ({ aep, made, holds }) => {
      const page = { datasetId: of(made, 'datasetId'), createdAfter: 0, start: 0 } as const;
      for (const status of ['failed', 'failure'] as const) {
        const { batches, more } = await aep.catalog.failedBatches({ ...page, status });
        holds(`none by the word ${status}`, batches.length === 0 && !more);
      }
      const { batches } = await aep.catalog.succeededBatches(page);
      holds('none that landed', batches.length === 0);
      holds('none at all', !(await aep.catalog.hasBatches(page.datasetId)));
    },
  },
  {
    name: 'client: the files of a batch that is none are not found',
    run: async ({ aep, holds }) => {
      const { dataAccess } = aep;
      const failed = await failureOf(dataAccess.failedFiles(NOBODYS_BATCH));
      holds('its refused rows', failed?.code === 'AEP_NOT_FOUND');
      const errors = await failureOf(dataAccess.rowErrorFiles(NOBODYS_BATCH));
      holds('its diagnostics', errors?.code === 'AEP_NOT_FOUND');
      const file = await failureOf(dataAccess.readFile(NOBODYS_BATCH, 'failed', 'part-1.json', 30_000));
      holds('one of its files', file?.code === 'AEP_NOT_FOUND');
    },
  },
];

const DATA_PREP: readonly Step[] = [
  {
    name: 'client: a mapping set is read with its schema and its rows',
    run: async ({ aep, made, mark, later, holds, soon }) => {
      const schemaId = of(made, 'schemaId');
      const name = `${mark} other`;
      const { id } = await aep.dataPrep.createMappingSet({ name, schemaId, mappings: [FIRST, BORN] });
      later('mapping set', id);
      const read = await aep.dataPrep.getMappingSet(id);
      holds('it has its name', read.name === name);
      holds('it has its schema', read.schemaId === schemaId);
      const first = await aep.dataPrep.getMappingSet(id, 0);
      holds('it is read by its version', first.version === 0 && first.mappings?.length === 2);
      const rows = read.mappings ?? [];
      holds(
        'its rows have their sources and destinations',
        [FIRST, BORN].every((row) =>
          rows.some((each) => each.source === row.source && each.destination === row.destination),
        ),
      );
      const kinds = rows.map(({ sourceType }) => sourceType).sort();
      holds(
        'a row reads back by the long name of its kind',
        kinds.join() === 'text/x.aep-xl,text/x.schema-path',
      );
      const found = await soon(
        () => aep.dataPrep.findMappingSets(name),
        (all) => all.length > 0,
      );
      holds('it is found by its name', found.length === 1 && found[0]?.id === id);
      const newest = await aep.dataPrep.newestMappingSets(25);
      holds(
        'it is among the newest',
        newest.some((each) => each.id === id),
      );
      await aep.dataPrep.deleteMappingSet(id);
      const gone = await failureOf(aep.dataPrep.getMappingSet(id));
      holds('one that was removed is not found', gone?.code === 'AEP_NOT_FOUND');
    },
  },
  {
    name: 'client: a wrong mapping is named by its destination, and nothing is made',
    run: async ({ aep, made, mark, holds }) => {
      const set = { name: `${mark} checked`, schemaId: of(made, 'schemaId'), mappings: [FIRST, WRONG] };
      holds(
        'a right one is told nothing of',
        (await aep.dataPrep.validateMappings({ ...set, mappings: [FIRST] })).length === 0,
      );
      const said = await aep.dataPrep.validateMappings(set);
      holds(
        'one of two is wrong',
        said.length === 1 && said[0]?.row === 1 && said[0].destination === 'person.name.lastName',
      );
      holds('no set is made', (await aep.dataPrep.findMappingSets(set.name)).length === 0);
      const nowhere = { ...set, schemaId: `${set.schemaId}0` };
      const refused = await failureOf(aep.dataPrep.validateMappings(nowhere));
      holds('a schema that is none is refused', refused?.code === 'AEP_REFUSED');
    },
  },
  {
    name: 'client: each record is shown as it would land, in one call',
    run: async ({ aep, made, mark, holds }) => {
      const set = { name: mark, schemaId: of(made, 'schemaId'), mappings: [FIRST, BORN] };
      const records = [
        { first: 'Ana', dob: '1990-02-11' },
        { first: 'Rui', dob: 'long ago' },
      ];
      const [good, bad] = await aep.dataPrep.previewMappings(set, records);
      const person = (good?.data as { person?: { name?: { firstName?: unknown }; birthDate?: unknown } })
        ?.person;
      holds('a right one is mapped', person?.name?.firstName === 'Ana' && good?.errors.length === 0);
      holds('a date is a date', person?.birthDate === '1990-02-11');
      holds('a wrong value is told', (bad?.errors.length ?? 0) > 0);
    },
  },
];

const FLOW_SERVICE: readonly Step[] = [
  {
    name: 'client: a connection to Kinesis is found by name and spec, and shows no secret',
    run: async ({ aep, made, mark, later, holds, soon }) => {
      const { flowService } = aep;
      const { kinesis, pubSub } = CONNECTION_SPECS;
      const keys = { accessKeyId: 'AKIAFAKE', secretKey: SECRET, region: 'eu-west-1' };
      const wanted = pulled(mark, kinesis, 'Aws Kinesis authentication credentials', keys);
      const id = await flowService.createConnection(wanted);
      made.kinesisId = id;
      later('connection', id);
      const { name } = wanted;
      const found = await soon(
        () => flowService.findConnections({ name, specId: kinesis }),
        (all) => all.length > 0,
      );
      holds('it is found', found.length === 1 && found[0]?.id === id);
      holds('it has an etag in quotes', /^".+"$/.test(found[0]?.etag ?? ''));
      holds('it is enabled', found[0]?.state === 'enabled');
      holds('no secret is shown', !JSON.stringify(found).includes(SECRET));
      holds(
        'not by another spec',
        (await flowService.findConnections({ name, specId: pubSub })).length === 0,
      );
    },
  },
  {
    name: 'client: whether AEP reaches an inlet is told',
    run: async ({ aep, made, holds }) =>
      holds('it does', await aep.flowService.testConnection(of(made, 'connectionId'))),
  },
  ...OTHER_SOURCES.map(
    ({ kind, specId, specName, auth, params }): Step => ({
      name: `client: a connection to ${kind}, with a source`,
      run: async ({ aep, mark, later, holds }) => {
        const { flowService } = aep;
        const baseConnectionId = await flowService.createConnection(pulled(mark, specId, specName, auth));
        later('connection', baseConnectionId);
        const wanted = { ...named(mark, 'source'), baseConnectionId, specId, params };
        const id = await flowService.createSourceConnection(wanted);
        later('source connection', id);
        const read = await flowService.getSourceConnection(id);
        holds('it has its base', read.baseConnectionId === baseConnectionId);
        const kept = Object.entries(params).every(([key, value]) => read.params?.[key] === value);
        holds('it has its parameters', kept);
        await flowService.deleteSourceConnection(id);
        await flowService.deleteConnection(baseConnectionId);
        const gone = await failureOf(flowService.getConnection(baseConnectionId));
        holds('a connection that was removed is not found', gone?.code === 'AEP_NOT_FOUND');
      },
    }),
  ),
  {
    name: 'client: a source is found by its base, and by the stream that it reads',
    run: async ({ aep, made, mark, later, holds, soon }) => {
      const { flowService } = aep;
      const { kinesis, pubSub } = CONNECTION_SPECS;
      const base = of(made, 'kinesisId');
      const id = await flowService.createSourceConnection({
        ...named(mark, 'source'),
        baseConnectionId: base,
        specId: kinesis,
        params: { stream: mark, dataType: 'raw', reset: 'earliest' },
      });
      made.kinesisSourceId = id;
      later('source connection', id);
      const readers = await soon(
        () => flowService.findStreamReaders(kinesis, mark),
        (all) => all.length > 0,
      );
      holds('by its stream', readers.length === 1 && readers[0]?.id === id);
      holds('not by another spec', (await flowService.findStreamReaders(pubSub, mark)).length === 0);
      const ofBase = await flowService.findSourceConnections(base);
      holds('by its base', ofBase.length === 1 && ofBase[0]?.id === id);
      const both = await flowService.findSourceConnectionsOf([base, of(made, 'connectionId')]);
      const ids = both.map((each) => each.id);
      holds(
        'by several bases at once',
        ids.length === 2 && [id, of(made, 'sourceId')].every((each) => ids.includes(each)),
      );
    },
  },
  {
    name: 'client: a target is found by its dataset',
    run: async ({ aep, made, holds }) => {
      const found = await aep.flowService.findTargetConnections(of(made, 'datasetId'));
      holds('it alone', found.length === 1 && found[0]?.id === of(made, 'targetId'));
    },
  },
  {
    name: 'client: a flow is found by its name and its source, and says which mapping it has',
    run: async ({ aep, made, mark, holds }) => {
      const { flowService } = aep;
      const [id, source] = [of(made, 'flowId'), of(made, 'sourceId')];
      const byName = await flowService.findFlows(`${mark} flow`);
      holds('by its name', byName.length === 1 && byName[0]?.id === id);
      const bySource = await flowService.findFlowsOf(source);
      holds('by its source', bySource.length === 1 && bySource[0]?.id === id);
      const reading = await flowService.findFlowsReading([of(made, 'kinesisSourceId'), source]);
      holds('by several sources at once', reading.length === 1 && reading[0]?.id === id);
      const writing = await flowService.findFlowsWriting([of(made, 'targetId')]);
      holds('by its target', writing.length === 1 && writing[0]?.id === id);
      const page = await flowService.flowsPage(1);
      const rest = page.next === undefined ? { flows: [] } : await flowService.flowsPage(1, page.next);
      holds('a page has no more than is asked for', page.flows.length === 1 && rest.flows.length <= 1);
      holds(
        'the next page has others',
        rest.flows.every((each) => each.id !== page.flows[0]?.id),
      );
      const none = await flowService.findFlowsReading([of(made, 'kinesisSourceId')]);
      holds('a source that no flow has finds none', none.length === 0);
      const params = reading[0]?.transformations?.[0]?.params;
      const mapping = of(made, 'mapping');
      holds(
        'it has the mapping set and its version',
        params?.mappingId === mapping.id && params.mappingVersion === mapping.version,
      );
    },
  },
  {
    name: 'client: a flow goes from draft to enabled to disabled and back',
    run: async ({ aep, made, mark, later, holds }) => {
      const { flowService } = aep;
      const id = await flowService.createFlow({
        ...named(mark, 'draft'),
        flowSpecId: FLOW_SPECS.streaming,
        sourceConnectionId: of(made, 'sourceId'),
        targetConnectionId: of(made, 'targetId'),
        mapping: of(made, 'mapping'),
        draft: true,
      });
      later('flow', id);
      const state = async () => (await flowService.getFlow(id)).state;
      holds('it is a draft', (await state()) === 'draft');
      await flowService.actOnFlow(id, 'publish');
      holds('publish enables it', (await state()) === 'enabled');
      await flowService.actOnFlow(id, 'disable');
      holds('disable disables it', (await state()) === 'disabled');
      const again = await failureOf(flowService.actOnFlow(id, 'disable'));
      holds(
        'once more is refused by its code',
        again?.code === 'AEP_BUSY' && again.serviceCode === 'FLOW-1422-400',
      );
      await flowService.actOnFlow(id, 'enable');
      holds('enable enables it again', (await state()) === 'enabled');
      await flowService.deleteFlow(id);
      holds('one that was removed is not found', (await failureOf(state()))?.code === 'AEP_NOT_FOUND');
    },
  },
  ...(['connections', 'sourceConnections', 'targetConnections', 'flows'] as const).map(
    (collection): Step => ({
      name: `client: ${collection} are changed at the version that was read, once`,
      run: async ({ aep, made, holds }) => {
        const { flowService } = aep;
        const entity = {
          connections: () => flowService.getConnection(of(made, 'kinesisId')),
          sourceConnections: () => flowService.getSourceConnection(of(made, 'kinesisSourceId')),
          targetConnections: () => flowService.getTargetConnection(of(made, 'targetId')),
          flows: () => flowService.getFlow(of(made, 'flowId')),
        }[collection];
        const { id, etag = '' } = await entity();
        const describe = (value: string) =>
          flowService.patch(collection, id, [{ op: 'replace', path: '/description', value }], etag);
        await describe('new');
        const after = await entity();
        holds('the change is there', after.description === 'new');
        holds('its etag is another', after.etag !== etag && after.etag !== undefined);
        const late = await failureOf(describe('newer'));
        holds('an old version is refused', late?.code === 'AEP_CHANGED' && late.retryable);
        holds('and nothing was changed', late?.inDoubt === false && (await entity()).description === 'new');
      },
    }),
  ),
  {
    name: 'client: a flow is given another mapping',
    run: async ({ aep, made, mark, later, holds }) => {
      const { flowService, dataPrep } = aep;
      const id = of(made, 'flowId');
      const set = { name: `${mark} next`, schemaId: of(made, 'schemaId'), mappings: [LAST] };
      const next = await dataPrep.createMappingSet(set);
      later('mapping set', next.id);
      const { etag = '' } = await flowService.getFlow(id);
      const value = { name: 'Mapping', params: { mappingId: next.id, mappingVersion: next.version } };
      await flowService.patch('flows', id, [{ op: 'replace', path: '/transformations/0', value }], etag);
      const { transformations } = await flowService.getFlow(id);
      holds('it has it', transformations?.[0]?.params?.mappingId === next.id);
    },
  },
];

/** By way of what a pipeline is removed: from the flow to the schema, and each is gone then. */
const REMOVAL: readonly Step[] = [
  removed('a flow', 'flowId', ({ flowService }) => [flowService.deleteFlow, flowService.getFlow]),
  removed('a target connection', 'targetId', ({ flowService }) => [
    flowService.deleteTargetConnection,
    flowService.getTargetConnection,
  ]),
  removed('a source connection', 'sourceId', ({ flowService }) => [
    flowService.deleteSourceConnection,
    flowService.getSourceConnection,
  ]),
  {
    name: 'client: an identity is removed, and is gone',
    run: async ({ aep, made, holds }) => {
      await aep.schemaRegistry.deleteDescriptor(of(made, 'descriptorId'));
      const left = await aep.schemaRegistry.findIdentityDescriptors(of(made, 'otherSchemaId'));
      holds('its schema has none', left.length === 0);
    },
  },
  removed('a schema', 'otherSchemaId', ({ schemaRegistry }) => [
    schemaRegistry.deleteSchema,
    schemaRegistry.getSchema,
  ]),
  removed('a field group', 'fieldGroupId', ({ schemaRegistry }) => [
    schemaRegistry.deleteFieldGroup,
    schemaRegistry.getFieldGroup,
  ]),
];

type Look = (id: string) => Promise<unknown>;

function removed(
  what: string,
  key: 'flowId' | 'targetId' | 'sourceId' | 'otherSchemaId' | 'fieldGroupId',
  by: (aep: Around['aep']) => readonly [remove: Look, read: Look],
): Step {
  return {
    name: `client: ${what} is removed, and is gone`,
    run: async ({ aep, made, holds }) => {
      const id = of(made, key);
      const [remove, read] = by(aep);
      await remove(id);
      holds('it is not found', (await failureOf(read(id)))?.code === 'AEP_NOT_FOUND');
      // Repeatable: an answer that was lost is asked for again.
      const again = await failureOf(remove(id));
      holds('once more does no harm', again === undefined || again.code === 'AEP_NOT_FOUND');
    },
  };
}

/** After the steps that make a whole pipeline. */
export const ASSUMPTIONS: readonly Step[] = [
  ...REGISTRY,
  ...CATALOG,
  ...DATA_PREP,
  ...FLOW_SERVICE,
  ...REMOVAL,
];
