// Import of pipelines that somebody has changed by hand: the next plan changes nothing, or the thing is told with its path.
import { describe, expect, it } from 'vitest';
import type { Imported } from '../../lib/import/import.ts';
import { actions, SERVICES, sandboxOf, type World } from '../provision/cases.ts';
import { world } from '../support/provisioning.ts';
import {
  byTutorial,
  flowByHand,
  groupByHand,
  type Hands,
  type Ids,
  identityByHand,
  importsFlow,
  KINESIS_HANDS,
  mappingByHand,
  patchSchema,
  planOf,
  ROWS,
  send,
  toProfile,
} from './hands.ts';

const CATALOG = '/data/foundation/catalog';
const FLOW_SERVICE = '/data/foundation/flowservice';

interface Case {
  readonly hands?: Hands;
  /** What somebody does afterwards. */
  readonly change: (own: World, ids: Ids) => Promise<unknown>;
  /** Paths of what is told, each with its effect; none if the manifest says it all. */
  readonly told?: readonly (readonly [path: string, effect: string])[];
  /** What the manifest says of it. */
  readonly says?: object;
}

/** As a person's client does: reads the etag, and sends it back. */
async function patch(own: World, kind: keyof typeof SERVICES, id: string, operations: readonly object[]) {
  const { connections, sourceConnections, targetConnections, flows } = sandboxOf(own);
  const shelves = { connections, sources: sourceConnections, targets: targetConnections, flows };
  const ifMatch = shelves[kind as keyof typeof shelves].get(id)?.etag ?? '';
  return send(own, 'PATCH', `${SERVICES[kind]}/${id}`, operations, { ifMatch });
}

const rename = (value: string) => [{ op: 'replace', path: '/name', value }];
const act = (own: World, flow: string, op: string) =>
  send(own, 'POST', `${FLOW_SERVICE}/flows/${flow}/action?op=${op}`);

const FEWER = ROWS.slice(0, 3);

/** As AEP's pages rewrite a mapping set: its version goes up. */
function rewriteSet(own: World, { mapping, schema }: Ids, mappings: readonly object[]) {
  return send(own, 'PUT', `${SERVICES.mappingSets}/${mapping}`, {
    name: 'By hand',
    outputSchema: { schemaRef: { id: schema, contentType: 'application/vnd.adobe.xed-full+json;version=1' } },
    mappings,
  });
}

function put(own: World, kind: 'schemas' | 'mixins', id: string, more: object): void {
  const shelf = sandboxOf(own).registry[kind];
  shelf.put(id, { ...shelf.get(id), ...more });
}

type Entities = 'flows' | 'connections' | 'sourceConnections' | 'targetConnections';

/** As no client can write it, but as AEP may answer it. */
function putBody(own: World, kind: Entities, id: string, more: object): void {
  const shelf = sandboxOf(own)[kind];
  const there = shelf.get(id);
  if (there !== undefined) shelf.put(id, { ...there, body: { ...there.body, ...more } } as never);
}

function putState(own: World, kind: Entities, id: string, state: string): void {
  const shelf = sandboxOf(own)[kind];
  const there = shelf.get(id);
  if (there !== undefined) shelf.put(id, { ...there, state } as never);
}

const CASES: Readonly<Record<string, Case>> = {
  'everything is renamed': {
    change: async (own, { base, source, target, flow, dataset, schema }) => {
      await patch(own, 'connections', base, rename('Inlet of 2019'));
      await patch(own, 'sources', source, rename('Source of 2019'));
      await patch(own, 'targets', target, rename('Lake of 2019'));
      await patch(own, 'flows', flow, rename('Flow of 2019'));
      await send(own, 'PATCH', `${CATALOG}/dataSets/${dataset}`, { name: 'Dataset of 2019' });
      await patchSchema(own, schema, [{ op: 'replace', path: '/title', value: 'Schema of 2019' }]);
    },
    says: {
      name: 'flow-of-2019',
      names: { baseConnection: 'Inlet of 2019', flow: 'Flow of 2019' },
      dataset: { name: 'Dataset of 2019' },
      schema: { title: 'Schema of 2019' },
    },
  },
  'the schema got more field groups': {
    change: (own, { schema }) =>
      patchSchema(own, schema, [
        { op: 'add', path: '/allOf/-', value: { $ref: 'https://ns.adobe.com/xdm/context/identitymap' } },
        {
          op: 'add',
          path: '/allOf/-',
          value: { $ref: 'https://ns.adobe.com/xdm/context/profile-work-details' },
        },
      ]),
    says: {
      schema: {
        fieldGroups: [
          'profile-person-details',
          'profile-personal-details',
          'identitymap',
          'profile-work-details',
        ],
      },
    },
  },
  'an own field group got more fields': {
    change: async (own, { schema }) => {
      const group = await groupByHand(own, 'Loyalty', { tier: { type: 'string' } });
      await patchSchema(own, schema, [{ op: 'add', path: '/allOf/-', value: { $ref: group } }]);
      const path = '/definitions/property/properties/_acmelab/properties/points';
      const value = { type: 'integer', minimum: 0 };
      await send(own, 'PATCH', `${SERVICES.fieldGroups}/${encodeURIComponent(group)}`, [
        { op: 'add', path, value },
      ]);
    },
    says: {
      schema: {
        fieldGroups: [
          'profile-person-details',
          'profile-personal-details',
          { name: 'loyalty', fields: { tier: { type: 'string' }, points: { type: 'integer', minimum: 0 } } },
        ],
      },
    },
  },
  'an own field group is made of a data type of Adobe': {
    change: async (own, { schema }) => {
      const address = { type: 'object', $ref: 'https://ns.adobe.com/xdm/common/address' };
      const group = await groupByHand(own, 'Home', { home: address, 'two-words': { type: 'string' } });
      await patchSchema(own, schema, [{ op: 'add', path: '/allOf/-', value: { $ref: group } }]);
    },
    told: [['schema.fieldGroups.2', 'kept']],
  },
  'an own field group is that of another schema as well': {
    change: async (own, { schema }) => {
      const group = await groupByHand(own, 'Shared', { shared: { type: 'string' } });
      await patchSchema(own, schema, [{ op: 'add', path: '/allOf/-', value: { $ref: group } }]);
      await byTutorial(own, {
        title: 'Another',
        groups: ['profile-personal-details', group],
        rows: ROWS.slice(0, 2),
      });
    },
    told: [['schema.fieldGroups.2', 'kept']],
  },
  'the mapping set was rewritten, and the flow still uses its first version': {
    change: (own, ids) => rewriteSet(own, ids, FEWER),
    says: { mapping: [{}, {}, {}, { expression: 'upper(lastName)', destination: 'person.name.lastName' }] },
  },
  'the mapping set was rewritten, and the flow uses its last version': {
    change: async (own, ids) => {
      await rewriteSet(own, ids, FEWER);
      const value = [{ name: 'Mapping', params: { mappingId: ids.mapping, mappingVersion: 1 } }];
      await patch(own, 'flows', ids.flow, [{ op: 'replace', path: '/transformations', value }]);
    },
    says: { mapping: [{}, {}, { source: 'firstName', destination: 'person.name.firstName' }] },
  },
  'the flow was told to use another mapping set': {
    change: async (own, { flow, schema }) => {
      const mappingId = await mappingByHand(own, schema, FEWER);
      const value = [{ name: 'Mapping', params: { mappingId, mappingVersion: 0 } }];
      await patch(own, 'flows', flow, [{ op: 'replace', path: '/transformations', value }]);
    },
    says: { mapping: [{}, {}, {}] },
  },
  'the flow is disabled': {
    change: (own, { flow }) => act(own, flow, 'disable'),
    told: [['flow', 'prevents']],
  },
  'labels are set': {
    change: (own, { dataset }) =>
      send(own, 'PUT', `/data/foundation/dataset/datasets/${dataset}/labels`, {
        entityId: { namespace: 'AEP', id: dataset, type: 'dataset' },
        labels: ['C2', 'I1'],
        optionalLabels: [],
        parents: [],
      }),
    says: { dataset: { labels: ['C2', 'I1'] } },
  },
  'Profile was switched on later': {
    hands: { union: false, identity: false },
    change: async (own, { dataset, schema }) => {
      await identityByHand(own, schema);
      await toProfile(own, schema);
      const tags = { unifiedProfile: ['enabled:true', 'isUpsert:true'] };
      await send(own, 'PATCH', `${CATALOG}/v2/dataSets/${dataset}`, { tags });
    },
    says: { schema: { profile: true }, dataset: { profile: true, upsert: true } },
  },
  'another flow fills the dataset, from an inlet of its own': {
    change: (own, { schema, dataset }) =>
      flowByHand(own, { title: 'Second', schema, dataset, dataType: 'raw' }),
    told: [['dataset', 'kept']],
  },
  'another flow fills the dataset, from the same source': {
    change: (own, { source, target, mapping }) =>
      send(own, 'POST', SERVICES.flows, {
        name: 'Second',
        flowSpec: { id: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81', version: '1.0' },
        sourceConnectionIds: [source],
        targetConnectionIds: [target],
        transformations: [{ name: 'Mapping', params: { mappingId: mapping, mappingVersion: 0 } }],
      }),
    told: [
      ['dataset', 'kept'],
      ['flow', 'prevents'],
    ],
  },
  'the mapping was taken out of the flow': {
    change: async (own, { flow }) => {
      const { flows } = sandboxOf(own);
      const there = flows.get(flow);
      if (there !== undefined) flows.put(flow, { ...there, body: { ...there.body, transformations: [] } });
    },
    told: [
      ['mapping', 'prevents'],
      ['mapping', 'prevents'],
    ],
  },
  'the mapping set is deleted': {
    change: (own, { mapping }) => send(own, 'DELETE', `${SERVICES.mappingSets}/${mapping}`),
    told: [['mapping', 'prevents']],
  },
  'the schema is gone': {
    change: async (own, { schema }) => sandboxOf(own).registry.schemas.remove(schema),
    told: [['schema', 'prevents']],
  },
  'a field group of the schema is gone': {
    change: async (own, { schema }) => {
      const group = await groupByHand(own, 'Short-lived', { tier: { type: 'string' } });
      await patchSchema(own, schema, [{ op: 'add', path: '/allOf/-', value: { $ref: group } }]);
      sandboxOf(own).registry.mixins.remove(group);
    },
    told: [['schema', 'prevents']],
  },
  'the dataset is gone': {
    change: (own, { dataset }) => send(own, 'DELETE', `${CATALOG}/dataSets/${dataset}`),
    told: [['dataset', 'prevents']],
  },
  'the schema has a title that AEP cannot be asked for': {
    change: (own, { schema }) =>
      patchSchema(own, schema, [{ op: 'replace', path: '/title', value: 'Customers, Europe' }]),
    told: [['schema', 'kept']],
  },
  'a mapping has a row that no manifest says, and another one twice': {
    change: async (own, { mapping, schema }) => {
      const { mappingSets } = sandboxOf(own);
      const there = mappingSets.get(mapping ?? '');
      const rows = [
        ...ROWS,
        ROWS[0],
        { sourceType: 'EXPRESSION', source: `"${'x'.repeat(5_000)}"`, destination: '_id2' },
      ];
      if (there === undefined) throw new Error(`no set of ${schema}`);
      const body = { ...there.body, mappings: rows as never };
      mappingSets.put(there.id, { ...there, body, versions: [body] });
    },
    told: [
      ['mapping.5.expression', 'prevents'],
      ['mapping.4', 'prevents'],
    ],
  },
  'a mapping is larger than the state machine takes': {
    change: async (own, { mapping }) => {
      const { mappingSets } = sandboxOf(own);
      const there = mappingSets.get(mapping ?? '');
      if (there === undefined) throw new Error('no set');
      const source = (index: number) => `"${index}${'x'.repeat(4_000)}"`;
      const rows = Array.from({ length: 30 }, (_, index) => ({
        sourceType: 'EXPRESSION',
        source: source(index),
        destination: `person.name.f${index}`,
      }));
      const body = { ...there.body, mappings: rows };
      mappingSets.put(there.id, { ...there, body, versions: [body] });
    },
    told: [['(top level)', 'prevents']],
  },
  'a connection has a name that AEP cannot be asked for': {
    change: (own, { base }) => patch(own, 'connections', base, rename('Inlet, second')),
    told: [['names.baseConnection', 'prevents']],
  },
  'another dataset has the name of this one': {
    change: async (own, { schema }) =>
      send(own, 'POST', SERVICES.dataSets, {
        name: 'Tutorial: customers',
        schemaRef: { id: schema, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
      }),
    told: [
      ['schema', 'kept'],
      ['dataset', 'prevents'],
    ],
  },
  'the schema is that of another dataset as well': {
    change: (own, { schema }) =>
      send(own, 'POST', SERVICES.dataSets, {
        name: 'Another',
        schemaRef: { id: schema, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
      }),
    told: [['schema', 'kept']],
  },
  'the schema is relational': {
    change: async (own, { schema }) =>
      put(own, 'schemas', schema, { 'meta:extends': ['https://ns.adobe.com/xdm/data/adhoc-v2'] }),
    told: [['schema', 'prevents']],
  },
  'the schema has labels and friendly names': {
    change: (own, { schema }) =>
      send(own, 'POST', SERVICES.descriptors, {
        '@type': 'xdm:descriptorLabel',
        'xdm:sourceSchema': schema,
        'xdm:sourceVersion': 1,
        'xdm:sourceProperty': '/personalEmail/address',
        'xdm:label': ['core/C1'],
      }),
    told: [['schema', 'kept']],
  },
  'an identity names its namespace by a number': {
    hands: { identity: false, union: false },
    change: (own, { schema }) =>
      identityByHand(own, schema, { 'xdm:namespace': 6, 'xdm:property': 'xdm:id' }),
    says: { schema: { identities: [{ path: 'personalEmail.address', namespace: 'Email', primary: true }] } },
  },
  'the connection is of a kind that Penstock does not have': {
    change: async (own, { base }) => {
      const { connections } = sandboxOf(own);
      const there = connections.get(base);
      const connectionSpec = { id: '4c10e202-c428-4796-9208-5f1f5732b1cf', version: '1.0' };
      if (there !== undefined) connections.put(base, { ...there, body: { ...there.body, connectionSpec } });
    },
    told: [['source.kind', 'prevents']],
  },
  'the flow is of a specification for batches': {
    change: async (own, { flow }) => {
      const { flows } = sandboxOf(own);
      const there = flows.get(flow);
      const flowSpec = { id: '9753525b-82c7-4dce-8a9b-5ccfce2b9876', version: '1.0' };
      if (there !== undefined) flows.put(flow, { ...there, body: { ...there.body, flowSpec } });
    },
    told: [['flow', 'prevents']],
  },
  'the flow is a draft': {
    change: async (own, { flow }) => {
      const { flows } = sandboxOf(own);
      const there = flows.get(flow);
      if (there !== undefined) flows.put(flow, { ...there, state: 'draft' });
    },
    told: [['flow', 'prevents']],
  },
  'the source has parameters for which there is no word': {
    hands: {
      ...KINESIS_HANDS,
      source: { params: { stream: 'orders', dataType: 'raw', reset: 'latest', shardBudget: 'CANARY' } },
    },
    change: async () => undefined,
    told: [['source.shardBudget', 'kept']],
  },
  'the parts have descriptions of their own, and the flow a schedule': {
    hands: { flow: { description: 'Flow', scheduleParams: { startTime: '1609459200' } } },
    change: async (own, { base, source, flow }) => {
      const described = (value: string) => [{ op: 'add', path: '/description', value }];
      await patch(own, 'connections', base, described('Inlet'));
      await patch(own, 'sources', source, described('Flow'));
      await patch(own, 'flows', flow, described('Flow'));
    },
    told: [
      ['base-connection.description', 'kept'],
      ['flow.scheduleParams', 'kept'],
    ],
    says: { description: 'Flow' },
  },
  'a label has a name that no manifest says': {
    change: (own, { dataset }) =>
      send(own, 'PUT', `/data/foundation/dataset/datasets/${dataset}/labels`, {
        entityId: { namespace: 'AEP', id: dataset, type: 'dataset' },
        labels: ['C2', 'team/Größe'],
        optionalLabels: [],
        parents: [],
      }),
    told: [['dataset.labels', 'kept']],
    says: { dataset: { labels: ['C2'] } },
  },
  'one field is two identities': {
    change: (own, { schema }) =>
      identityByHand(own, schema, { 'xdm:namespace': 'Phone', 'xdm:isPrimary': false }),
    told: [['schema', 'kept']],
  },
  'a second field is an identity of another namespace': {
    change: (own, { schema }) =>
      identityByHand(own, schema, {
        'xdm:sourceProperty': '/person/name/firstName',
        'xdm:namespace': 'Phone',
        'xdm:isPrimary': false,
      }),
    says: { schema: { identities: [{ path: 'personalEmail.address' }, { namespace: 'Phone' }] } },
  },
  'the schema names a field group twice': {
    change: async (own, { schema }) => {
      const { allOf } = sandboxOf(own).registry.schemas.get(schema) as { allOf: object[] };
      put(own, 'schemas', schema, { allOf: [...allOf, allOf[1]] });
    },
    told: [['schema', 'kept']],
  },
  'the class is an own one': {
    hands: { union: false, identity: false },
    change: async (own, { schema }) => {
      const made = await send(own, 'POST', '/data/foundation/schemaregistry/tenant/classes', {
        title: 'Property',
        type: 'object',
        allOf: [{ $ref: 'https://ns.adobe.com/xdm/data/record' }],
      });
      const { allOf } = sandboxOf(own).registry.schemas.get(schema) as { allOf: object[] };
      const refs = [{ $ref: made.$id }, ...allOf.slice(1)];
      put(own, 'schemas', schema, { 'meta:class': made.$id, allOf: refs });
    },
    says: { schema: { class: expect.stringContaining('/acmelab/classes/') } },
  },
  'the ends of the flow say more than a manifest does': {
    change: async (own, { source, target, dataset, schema }) => {
      putBody(own, 'sourceConnections', source, {
        data: { format: 'json', schema: { type: 'object' }, properties: { secretName: 'CANARY' } },
      });
      putBody(own, 'targetConnections', target, {
        data: { format: 'json', schema: { id: schema, version: 'x' } },
        params: { dataSetId: dataset, path: 'CANARY' },
      });
    },
    told: [
      ['source', 'kept'],
      ['target-connection', 'kept'],
      ['target-connection', 'kept'],
    ],
  },
  'the flow is one that AEP is starting, from an inlet that is a draft': {
    change: async (own, { flow, base }) => {
      putState(own, 'flows', flow, 'initializing');
      putState(own, 'connections', base, 'draft');
    },
    told: [
      ['flow.state', 'kept'],
      ['base-connection.state', 'kept'],
    ],
  },
  'the flow is one that AEP is taking away': {
    change: async (own, { flow }) => putState(own, 'flows', flow, 'delete-finalizing'),
    told: [['flow', 'prevents']],
  },
  'the flow has another transformation beside the mapping': {
    change: async (own, { flow, mapping }) =>
      putBody(own, 'flows', flow, {
        transformations: [
          { name: 'Deltacolumn', params: { deltaColumn: 'at' } },
          { name: 'Mapping', params: { mappingId: mapping, mappingVersion: 0 } },
        ],
      }),
    told: [['flow.transformations', 'kept']],
  },
  'names in other letters': {
    hands: { title: '顧客 Größe 🐟', flow: { description: 'eins\nzwei' } },
    change: async () => undefined,
    says: { description: 'eins\nzwei', dataset: { name: '顧客 Größe 🐟' } },
  },
  'descriptors of three other kinds': {
    change: async (own, { schema }) => {
      const at = {
        'xdm:sourceSchema': schema,
        'xdm:sourceVersion': 1,
        'xdm:sourceProperty': '/personalEmail/address',
      };
      const to = { 'xdm:destinationSchema': schema, 'xdm:destinationVersion': 1 };
      for (const more of [
        { '@type': 'xdm:descriptorOneToOne', ...to },
        { '@type': 'xdm:alternateDisplayInfo', 'xdm:title': { en_us: 'Mail' } },
        { '@type': 'xdm:descriptorReferenceIdentity', 'xdm:identityNamespace': 'Email' },
      ])
        await send(own, 'POST', SERVICES.descriptors, { ...at, ...more });
    },
    told: [
      ['schema', 'kept'],
      ['schema', 'kept'],
      ['schema', 'kept'],
    ],
  },
  'the dataset has tags of somebody': {
    change: (own, { dataset }) =>
      send(own, 'PATCH', `${CATALOG}/v2/dataSets/${dataset}`, { tags: { costCentre: ['4711'] } }),
    told: [['dataset.tags', 'kept']],
  },
};

/** No plan is asked for where it is told that it would change something, or that there is no manifest. */
const hinders = ({ findings }: Imported) => findings.some(({ effect }) => effect === 'prevents');

describe('15 import: a pipeline that somebody changed by hand', () => {
  it.each(Object.entries(CASES))('%s', async (_, { hands, change, told = [], says }) => {
    const own = world();
    const ids = await byTutorial(own, hands);
    await change(own, ids);
    own.time.now += 86_400_000;
    const found = await importsFlow(own, ids.flow);
    expect(found.findings.map(({ path, effect }) => [path, effect])).toEqual(told);
    for (const { reason } of found.findings) expect(reason).toMatch(/\w{2,} \w{2,}/);
    if (says !== undefined) expect(found.manifest).toMatchObject(says);
    expect(JSON.stringify(found)).not.toContain('CANARY');
    const changes = hinders(found) ? undefined : await planOf(own, found.manifest, SECRET);
    expect([found.complete, changes]).toEqual(hinders(found) ? [false, undefined] : [true, []]);
  });

  it('of a mapping set that was rewritten, the version that the flow uses is adopted and kept', async () => {
    const own = world();
    const ids = await byTutorial(own);
    await rewriteSet(own, ids, FEWER);
    own.time.now += 86_400_000;
    const { manifest } = await importsFlow(own, ids.flow);
    const applied = await own.run({ manifest });
    expect(applied.cause ?? applied.status).toBe('SUCCEEDED');
    expect(applied.document.resources.mapping).toMatchObject({ id: ids.mapping, version: 0 });
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect(actions(document)).toMatchObject({ mapping: 'keep', flow: 'keep', 'source-connection': 'keep' });
  });

  it.each(Object.entries(CASES).filter(([, { told = [] }]) => told.some(([path]) => path === 'flow')))(
    'what prevents it is right: %s, and the plan has a conflict',
    async (_, { hands, change }) => {
      const own = world();
      const ids = await byTutorial(own, hands);
      await change(own, ids);
      const { manifest } = await importsFlow(own, ids.flow);
      if (manifest !== undefined) expect(await planOf(own, manifest)).not.toEqual([]);
    },
  );
});

const SECRET = { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey: 'CANARY/of+the=source' };
