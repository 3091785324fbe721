// Pipelines that somebody made in AEP without Penstock: by the requests of Adobe's tutorials and pages, as they are printed there.
import * as z from 'zod';
import type { Imported } from '../../lib/import/import.ts';
import { byHand, keep, SERVICES, type World } from '../provision/cases.ts';

type Body = Readonly<Record<string, unknown>>;

export const PROFILE = 'https://ns.adobe.com/xdm/context/profile';
export const EVENT = 'https://ns.adobe.com/xdm/context/experienceevent';
export const CONTEXT = 'https://ns.adobe.com/xdm/context/';
export const STREAMING = 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb';
export const LAKE = 'c604ff05-7f1a-43c0-8e18-33bf874cb11c';
export const WITH_MAPPING = 'c1a19761-d2c7-4702-b9fa-fe91f0613e81';
export const WITHOUT_MAPPING = 'd8a6f005-7eaf-4153-983e-e8574508b877';
export const READING = 'd69717ba-71b4-4313-b654-49f9cf126d7a';
const FULL = 'application/vnd.adobe.xed-full+json;version=1';

/** One call with a body, as a stranger's client sends it. */
export async function send(
  own: World,
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  more: { readonly ifMatch?: string; readonly contentType?: string } = {},
): Promise<Body> {
  const { value } = await byHand(own).request({
    method,
    path,
    ...(body !== undefined && { body }),
    ...more,
    accept: 'application/vnd.adobe.xed+json; version=1',
    answer: z.unknown(),
  });
  return value as Body;
}

async function post(own: World, kind: keyof typeof SERVICES, body: Body): Promise<string> {
  const made = await send(own, 'POST', SERVICES[kind], body);
  if (Array.isArray(made)) return String(made[0]).split('/').at(-1) ?? '';
  return String(made.$id ?? made.id ?? made['@id']);
}

/** What a pipeline is made of, where it is not as in the tutorial. */
export interface Hands {
  readonly title?: string;
  readonly classId?: string;
  readonly groups?: readonly string[];
  readonly identity?: boolean;
  readonly union?: boolean;
  readonly dataset?: Body;
  readonly base?: Body;
  readonly source?: Body;
  readonly rows?: readonly Body[];
  readonly flow?: Body;
  readonly dataType?: 'raw' | 'xdm';
}

export const ROWS = [
  { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
  { sourceType: 'ATTRIBUTE', source: 'email', destination: 'personalEmail.address' },
  { sourceType: 'ATTRIBUTE', source: 'firstName', destination: 'person.name.firstName' },
  { sourceType: 'EXPRESSION', source: 'upper(lastName)', destination: 'person.name.lastName' },
];

export interface Ids {
  readonly schema: string;
  readonly dataset: string;
  readonly base: string;
  readonly source: string;
  readonly target: string;
  readonly mapping?: string | undefined;
  readonly flow: string;
}

/** Adobe's tutorial of the inlet; `hands` says what is otherwise. docs/tutorial.md has the same calls. */
export async function byTutorial(own: World, hands: Hands = {}): Promise<Ids> {
  const { title = 'Tutorial: customers', dataType = 'raw' } = hands;
  const schema = await schemaByHand(own, title, hands);
  const dataset = await post(own, 'dataSets', {
    name: title,
    schemaRef: { id: schema, contentType: FULL },
    ...(hands.union !== false && {
      tags: { unifiedIdentity: ['enabled:true'], unifiedProfile: ['enabled:true'] },
    }),
    ...hands.dataset,
  });
  return { schema, dataset, ...(await flowByHand(own, { title, schema, dataset, dataType }, hands)) };
}

async function schemaByHand(own: World, title: string, hands: Hands): Promise<string> {
  const { classId = PROFILE, groups = ['profile-person-details', 'profile-personal-details'] } = hands;
  const parts = [
    classId,
    ...groups.map((group) => (group.startsWith('https:') ? group : `${CONTEXT}${group}`)),
  ];
  const schema = await post(own, 'schemas', {
    type: 'object',
    title,
    description: 'Customers of the tutorial',
    allOf: parts.map(($ref) => ({ $ref })),
  });
  if (hands.identity !== false) await identityByHand(own, schema);
  if (hands.union !== false) await toProfile(own, schema);
  return schema;
}

export function identityByHand(own: World, schema: string, more: Body = {}): Promise<string> {
  return post(own, 'descriptors', {
    '@type': 'xdm:descriptorIdentity',
    'xdm:sourceSchema': schema,
    'xdm:sourceVersion': 1,
    'xdm:sourceProperty': '/personalEmail/address',
    'xdm:namespace': 'Email',
    'xdm:property': 'xdm:code',
    'xdm:isPrimary': true,
    ...more,
  });
}

export function toProfile(own: World, schema: string): Promise<Body> {
  const value = ['union'];
  return patchSchema(own, schema, [{ op: 'add', path: '/meta:immutableTags', value }]);
}

export function patchSchema(own: World, schema: string, operations: readonly Body[]): Promise<Body> {
  return send(own, 'PATCH', `${SERVICES.schemas}/${encodeURIComponent(schema)}`, operations);
}

/** An inlet or another connection, the two ends, the mapping and the flow, into a dataset that is there. */
export async function flowByHand(
  own: World,
  to: {
    readonly title: string;
    readonly schema: string;
    readonly dataset: string;
    readonly dataType: 'raw' | 'xdm';
  },
  hands: Hands = {},
): Promise<Omit<Ids, 'schema' | 'dataset'>> {
  const { title, schema, dataset, dataType } = to;
  const base = await post(own, 'connections', {
    name: `${title} inlet`,
    connectionSpec: { id: STREAMING, version: '1.0' },
    auth: {
      specName: 'Streaming Connection',
      params: {
        sourceId: `${title} inlet`,
        name: `${title} inlet`,
        dataType,
        authenticationRequired: true,
      },
    },
    ...hands.base,
  });
  const spec = (hands.base?.connectionSpec ?? { id: STREAMING, version: '1.0' }) as { id: string };
  const source = await post(own, 'sources', {
    name: `${title} source`,
    baseConnectionId: base,
    connectionSpec: spec,
    data: { format: 'json' },
    ...hands.source,
  });
  const target = await post(own, 'targets', {
    name: `${title} lake`,
    connectionSpec: { id: LAKE, version: '1.0' },
    data: { format: 'parquet_xdm', schema: { id: schema, version: FULL } },
    params: { dataSetId: dataset },
  });
  const mapping = dataType === 'raw' ? await mappingByHand(own, schema, hands.rows) : undefined;
  const inlet = dataType === 'raw' ? WITH_MAPPING : WITHOUT_MAPPING;
  const flow = await post(own, 'flows', {
    name: `${title} flow`,
    flowSpec: { id: spec.id === STREAMING ? inlet : READING, version: '1.0' },
    sourceConnectionIds: [source],
    targetConnectionIds: [target],
    ...(mapping !== undefined && {
      transformations: [{ name: 'Mapping', params: { mappingId: mapping, mappingVersion: 0 } }],
    }),
    ...hands.flow,
  });
  return { base, source, target, mapping, flow };
}

export function mappingByHand(own: World, schema: string, rows: readonly Body[] = ROWS): Promise<string> {
  return post(own, 'mappingSets', {
    name: 'By hand',
    version: 0,
    outputSchema: { schemaRef: { id: schema, contentType: FULL } },
    mappings: rows,
  });
}

/** A field group of the organization, as Adobe's client writes one. */
export function groupByHand(own: World, title: string, fields: Body, classes = [PROFILE]): Promise<string> {
  return post(own, 'fieldGroups', {
    type: 'object',
    title,
    description: title,
    'meta:intendedToExtend': classes,
    definitions: { property: { properties: { _acmelab: { type: 'object', properties: fields } } } },
    allOf: [{ $ref: '#/definitions/property', type: 'object', 'meta:xdmType': 'object' }],
  });
}

export const KINESIS_HANDS: Hands = {
  base: {
    name: 'Tutorial: Kinesis',
    connectionSpec: { id: '86043421-563b-46ec-8e6c-e23184711bf6', version: '1.0' },
    auth: {
      specName: 'Aws Kinesis authentication credentials',
      params: { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey: 'CANARY/of+the=source', region: 'eu-west-1' },
    },
  },
  source: { params: { stream: 'orders', dataType: 'raw', reset: 'latest' } },
};

export const EVENT_HUBS_HANDS: Hands = {
  base: {
    name: 'Tutorial: Event Hubs',
    connectionSpec: { id: 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e', version: '1.0' },
    auth: {
      specName: 'Azure EventHub authentication credentials',
      params: {
        sasKeyName: 'RootManageSharedAccessKey',
        sasKey: 'CANARY/of+the=source',
        namespace: 'web-telemetry',
      },
    },
  },
  source: {
    params: { eventHubName: 'clicks', dataType: 'raw', reset: 'earliest', consumerGroup: 'adobe' },
  },
};

export const PUB_SUB_HANDS: Hands = {
  base: {
    name: 'Tutorial: Pub/Sub',
    connectionSpec: { id: '70116022-a743-464a-bbfe-e226a7f8210c', version: '1.0' },
    auth: {
      specName: 'Project Based Authentication',
      params: { projectId: 'loyalty-demo', credentials: '{"private_key":"CANARY/of+the=source"}' },
    },
  },
  source: { params: { topicName: 'members', subscriptionName: 'aep', dataType: 'raw' } },
};

export const PUB_SUB_TOPIC_HANDS: Hands = {
  base: {
    name: 'Tutorial: Pub/Sub of a topic',
    connectionSpec: { id: '70116022-a743-464a-bbfe-e226a7f8210c', version: '1.0' },
    auth: {
      specName: 'Topic & Subscription Based Authentication',
      params: {
        credentials: '{"private_key":"CANARY/of+the=source"}',
        topicName: 'projects/loyalty-demo/topics/members',
        subscriptionName: 'projects/loyalty-demo/subscriptions/aep',
      },
    },
  },
  source: {
    params: {
      topicName: 'projects/loyalty-demo/topics/members',
      subscriptionName: 'projects/loyalty-demo/subscriptions/aep',
      dataType: 'raw',
    },
  },
};

export const SECRET_OF_SOURCE = 'teams/streaming/source';

/** Asks import, and makes sure that it does nothing but look. */
export async function imports(own: World, event: Body): Promise<{ imported: Imported[]; continue?: string }> {
  const before = own.mutations();
  const answer = await own.steps.import?.({ sandbox: 'dev1', ...event });
  const changed = own.mutations().filter((one) => !/\/ims\//.test(one));
  if (changed.length > 0) throw new Error(`import has changed ${changed.join(', ')} after ${before.length}`);
  return answer as unknown as { imported: Imported[]; continue?: string };
}

/** The one flow that is imported; with what AEP does not tell, told. */
export async function importsFlow(own: World, flow: string, more: Body = {}): Promise<Imported> {
  const told = { stream: 'customers', sourceCredentials: SECRET_OF_SOURCE, ...more };
  const { imported } = await imports(own, { flow, ...told });
  if (imported.length !== 1 || imported[0] === undefined) throw new Error('not one flow');
  return imported[0];
}

/** What the next plan of a manifest does in AEP, besides keeping and adopting. */
export async function planOf(own: World, manifest: unknown, secret?: unknown): Promise<string[]> {
  if (secret !== undefined) keep(own, secret, SECRET_OF_SOURCE);
  const { status, cause, document } = await own.run({ manifest, mode: 'plan' });
  if (status !== 'SUCCEEDED') return [String(cause)];
  return document.plan
    .filter(({ resource }) => resource !== 'publish' && resource !== 'trigger')
    .filter(({ action }) => !['keep', 'adopt', 'none'].includes(action))
    .map(({ resource, action, reason }) => `${resource}: ${action} (${reason})`);
}
