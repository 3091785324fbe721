// Raw HTTP against the simulated platform, and the tutorial's resources in one call each.

import { type PlatformClock, virtualClock } from '../../../local/aep/clock.ts';
import { createPlatform, type Platform, type PlatformOptions } from '../../../local/aep/platform.ts';

export const XDM = 'https://ns.adobe.com/xdm/context/';
export const ORGANIZATION = '0A1B2C3D4E5F60718293A4B5@AdobeOrg';
export const CLIENT = 'simulated-client-id';
export const SECRET = 'simulated-client-secret';
export const FLOWS = '/data/foundation/flowservice';
export const REGISTRY = '/data/foundation/schemaregistry';
export const CATALOG = '/data/foundation/catalog';
export const PREP = '/data/foundation/conversion';
export const HTTP_API = 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb';
export const KINESIS = '86043421-563b-46ec-8e6c-e23184711bf6';
export const LAKE = 'c604ff05-7f1a-43c0-8e18-33bf874cb11c';
export const WITH_MAPPING = 'c1a19761-d2c7-4702-b9fa-fe91f0613e81';
export const WITHOUT_MAPPING = 'd8a6f005-7eaf-4153-983e-e8574508b877';
export const LOOKUP = { accept: 'application/vnd.adobe.xed-full+json; version=1' };
export const LIST = { accept: 'application/vnd.adobe.xed-id+json' };

/** What a test reads out of an answer: checked by its assertions, not by its type. */
export type Body = ReturnType<JSON['parse']>;

export interface Reply {
  readonly status: number;
  readonly body: Body;
  readonly text: string;
  readonly headers: Headers;
}

export interface Caller {
  readonly platform: Platform;
  readonly clock: PlatformClock;
  readonly token: string;
  /** With every header the gateway wants. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string | null>): Promise<Reply>;
  /** With no header but the given ones. */
  bare(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

async function send(
  platform: Platform,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Reply> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type: Record<string, string> = payload === undefined ? {} : { 'content-type': 'application/json' };
  const request = new Request(`https://platform.adobe.io${path}`, {
    method,
    headers: { ...type, ...headers },
    ...(payload === undefined ? {} : { body: payload }),
  });
  const response = await platform.fetch(request);
  const text = await response.text();
  return { status: response.status, body: parsed(text), text, headers: response.headers };
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export async function getToken(platform: Platform, secret = SECRET): Promise<Reply> {
  const form = `grant_type=client_credentials&client_id=${CLIENT}&client_secret=${secret}&scope=openid,AdobeID`;
  return send(platform, 'POST', '/ims/token/v3', form, {
    'content-type': 'application/x-www-form-urlencoded',
  });
}

export async function caller(options: PlatformOptions = {}): Promise<Caller> {
  const clock = virtualClock();
  const platform = createPlatform({ clock, ...options });
  const token: string = (await getToken(platform)).body.access_token;
  const standard: Record<string, string> = {
    authorization: `Bearer ${token}`,
    'x-api-key': CLIENT,
    'x-gw-ims-org-id': ORGANIZATION,
    'x-sandbox-name': 'dev1',
  };
  return {
    platform,
    clock,
    token,
    call: (method, path, body, headers = {}) => {
      const merged = Object.entries({ ...standard, ...headers }).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      );
      return send(platform, method, path, body, Object.fromEntries(merged));
    },
    bare: (method, path, body, headers = {}) => send(platform, method, path, body, headers),
  };
}

export const GROUPS = [
  'profile',
  'profile-person-details',
  'profile-personal-details',
  'profile-work-details',
  'identitymap',
];

export function schemaBody(title = 'acmelab.customers', groups = GROUPS): Record<string, unknown> {
  return {
    type: 'object',
    title,
    description: 'Customers',
    allOf: groups.map((name) => ({ $ref: `${XDM}${name}` })),
  };
}

export async function makeSchema({ call }: Caller, title?: string, groups?: string[]): Promise<string> {
  return (await call('POST', `${REGISTRY}/tenant/schemas`, schemaBody(title, groups))).body.$id;
}

export async function makeDataSet({ call }: Caller, schemaId: string, more: object = {}): Promise<string> {
  const contentType = 'application/vnd.adobe.xed-full-notext+json; version=1';
  const body = { name: 'customers', schemaRef: { id: schemaId, contentType }, ...more };
  const reply = await call('POST', `${CATALOG}/dataSets?requestDataSource=true`, body);
  return reply.body[0].replace('@/dataSets/', '');
}

export async function makeInlet(
  { call }: Caller,
  params: object = {},
): Promise<{ id: string; inletId: string }> {
  const body = {
    name: 'base',
    auth: {
      specName: 'Streaming Connection',
      params: {
        sourceId: 'orders',
        name: 'orders',
        dataType: 'raw',
        authenticationRequired: false,
        ...params,
      },
    },
    connectionSpec: { id: HTTP_API, version: '1.0' },
  };
  const { id } = (await call('POST', `${FLOWS}/connections`, body)).body;
  const { items } = (await call('GET', `${FLOWS}/connections/${id}`)).body;
  return { id, inletId: items[0].auth.params.inletId };
}

export async function makeSource({ call }: Caller, baseConnectionId: string): Promise<string> {
  const connectionSpec = { id: HTTP_API, version: '1.0' };
  const body = { name: 'source', baseConnectionId, connectionSpec, data: { format: 'json' } };
  return (await call('POST', `${FLOWS}/sourceConnections`, body)).body.id;
}

export async function makeTarget({ call }: Caller, dataSetId: string, schemaId: string): Promise<string> {
  const schema = { id: schemaId, version: 'application/vnd.adobe.xed-full+json;version=1' };
  const connectionSpec = { id: LAKE, version: '1.0' };
  const body = {
    name: 'target',
    connectionSpec,
    data: { format: 'parquet_xdm', schema },
    params: { dataSetId },
  };
  return (await call('POST', `${FLOWS}/targetConnections`, body)).body.id;
}

export const MAPPINGS = [
  { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
  { sourceType: 'ATTRIBUTE', source: 'firstName', destination: 'person.name.firstName' },
  { sourceType: 'ATTRIBUTE', source: 'contact.email', destination: 'workEmail.address' },
  { sourceType: 'EXPRESSION', source: 'lower(gender)', destination: 'person.gender' },
  { sourceType: 'EXPRESSION', source: 'date(dob, "yyyy-MM-dd")', destination: 'person.birthDate' },
];

export async function makeMapping(
  { call }: Caller,
  schemaId: string,
  mappings: object[] = MAPPINGS,
): Promise<Reply> {
  const schemaRef = { id: schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
  return call('POST', `${PREP}/mappingSets`, {
    name: 'orders-mapping',
    outputSchema: { schemaRef },
    mappings,
  });
}

export interface Made {
  readonly schemaId: string;
  readonly dataSetId: string;
  readonly connectionId: string;
  readonly inletId: string;
  readonly sourceId: string;
  readonly targetId: string;
  readonly mappingId: string | undefined;
  readonly flowId: string;
  readonly flowEtag: string;
}

/** The whole tutorial: schema, dataset, connection, source, target, mapping, flow. Not warm yet. */
export async function makePipeline(
  with_: Caller,
  options: { dataType?: 'raw' | 'xdm'; mappings?: object[]; groups?: string[]; inlet?: object } = {},
): Promise<Made> {
  const raw = options.dataType !== 'xdm';
  const schemaId = await makeSchema(with_, undefined, options.groups);
  const dataSetId = await makeDataSet(with_, schemaId);
  const { id: connectionId, inletId } = await makeInlet(with_, {
    dataType: raw ? 'raw' : 'xdm',
    ...options.inlet,
  });
  const sourceId = await makeSource(with_, connectionId);
  const targetId = await makeTarget(with_, dataSetId, schemaId);
  const mappingId = raw ? (await makeMapping(with_, schemaId, options.mappings)).body.id : undefined;
  const flow = await with_.call('POST', `${FLOWS}/flows`, flowBody(raw, sourceId, targetId, mappingId));
  if (flow.status !== 201) throw new Error(`the flow was refused: ${flow.text}`);
  const { id: flowId, etag: flowEtag } = flow.body;
  return { schemaId, dataSetId, connectionId, inletId, sourceId, targetId, mappingId, flowId, flowEtag };
}

export function flowBody(raw: boolean, sourceId: string, targetId: string, mappingId?: string): object {
  return {
    name: 'flow',
    flowSpec: { id: raw ? WITH_MAPPING : WITHOUT_MAPPING, version: '1.0' },
    sourceConnectionIds: [sourceId],
    targetConnectionIds: [targetId],
    ...(raw ? { transformations: [{ name: 'Mapping', params: { mappingId, mappingVersion: 0 } }] } : {}),
  };
}

export const WARM_UP = 300_000;

export const ROW = {
  id: 'cust-1',
  firstName: 'Ana',
  gender: 'Female',
  dob: '1990-02-11',
  contact: { email: 'ana.reis@example.com' },
  ignored: 'not mapped',
};

export async function sendBatch(with_: Caller, made: Made, messages: unknown[]): Promise<Reply> {
  return with_.bare(
    'POST',
    `/collection/batch/${made.inletId}`,
    { messages },
    { 'x-adobe-flow-id': made.flowId },
  );
}

export async function rowsOf({ bare }: Caller, dataSetId: string, limit = 100): Promise<Body[]> {
  return (await bare('GET', `/_simulator/datasets/${dataSetId}/rows?limit=${limit}`)).body.rows.reverse();
}

export async function refusedOf({ bare }: Caller, dataSetId: string): Promise<Body[]> {
  return (await bare('GET', `/_simulator/datasets/${dataSetId}/refused`)).body.rows.reverse();
}
