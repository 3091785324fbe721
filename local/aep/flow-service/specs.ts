// The connection and flow specs a streaming pipeline uses: Adobe's constants (contract §4.1, §4.3).

import type { JsonObject } from '../json.ts';

export const KINESIS = '86043421-563b-46ec-8e6c-e23184711bf6';
export const EVENT_HUBS = 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e';
export const PUB_SUB = '70116022-a743-464a-bbfe-e226a7f8210c';
export const HTTP_API = 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb';
export const DATA_LAKE = 'c604ff05-7f1a-43c0-8e18-33bf874cb11c';
const PROFILE_STORE = 'db4fe783-ef79-4a12-bda9-32b2b1bc3b2c';
const PROVIDER = '521eee4d-8cbe-4906-bb48-fb6bd4450033';

export interface AuthSpec {
  readonly name: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

export interface ConnectionSpec {
  readonly id: string;
  readonly name: string;
  readonly isSource: boolean;
  readonly auth: readonly AuthSpec[];
  /** What a source connection's `params` must have. */
  readonly params: readonly string[];
}

const auth = (name: string, required: string[], optional: string[] = []): AuthSpec => ({
  name,
  required,
  optional,
});

/**
 * The names of Kinesis and Event Hubs are those of Adobe's page on streaming destinations, which lists them under the same ids
 * (destinations/api/streaming-destinations.md). Adobe prints the names of Pub/Sub and HTTP API nowhere.
 */
export const CONNECTION_SPECS: readonly ConnectionSpec[] = [
  {
    id: KINESIS,
    name: 'Amazon Kinesis',
    isSource: true,
    auth: [auth('Aws Kinesis authentication credentials', ['accessKeyId', 'secretKey', 'region'])],
    params: ['stream', 'dataType'],
  },
  {
    id: EVENT_HUBS,
    name: 'Azure Event Hubs',
    isSource: true,
    auth: [
      auth(
        'Azure EventHub authentication credentials',
        ['sasKeyName', 'sasKey', 'namespace'],
        ['eventHubName'],
      ),
    ],
    params: ['eventHubName', 'dataType'],
  },
  {
    id: PUB_SUB,
    name: 'Google PubSub',
    isSource: true,
    auth: [
      auth('Project Based Authentication', ['projectId', 'credentials']),
      auth('Topic & Subscription Based Authentication', ['credentials', 'topicName', 'subscriptionName']),
    ],
    params: ['topicName', 'subscriptionName', 'dataType'],
  },
  {
    id: HTTP_API,
    name: 'Streaming Connection',
    isSource: true,
    auth: [auth('Streaming Connection', ['name'], ['sourceId', 'dataType', 'authenticationRequired'])],
    params: [],
  },
  // Adobe's client looks for it by this name (aepp, flowservice.py).
  { id: DATA_LAKE, name: 'datalake', isSource: false, auth: [], params: [] },
];

export interface FlowSpec {
  readonly id: string;
  readonly name: string;
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly mapping: 'required' | 'optional' | 'none';
}

const STREAMS = [HTTP_API, EVENT_HUBS, KINESIS, PUB_SUB];
const LAKES = [EVENT_HUBS, DATA_LAKE, PROFILE_STORE];

export const FLOW_SPECS: readonly FlowSpec[] = [
  {
    id: 'd69717ba-71b4-4313-b654-49f9cf126d7a',
    name: 'Stream data with optional transformation',
    sources: STREAMS,
    targets: LAKES,
    mapping: 'optional',
  },
  {
    id: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81',
    // Sic, with these ends: so it is in Adobe's own sample (sources/tutorials/api/collect/streaming.md) and in aepp's documentation.
    name: 'Steam data with transformation',
    sources: [HTTP_API],
    targets: [DATA_LAKE],
    mapping: 'required',
  },
  {
    id: 'd8a6f005-7eaf-4153-983e-e8574508b877',
    name: 'Stream data without transformation',
    sources: [HTTP_API],
    targets: LAKES,
    mapping: 'none',
  },
];

/** Auth parameters that are taken and never shown again. */
export const SECRET_PARAMS = ['secretKey', 'sasKey', 'credentials'];

export function shownConnectionSpec(spec: ConnectionSpec): JsonObject {
  const parameters = (names: readonly string[]) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        { type: 'string', ...(SECRET_PARAMS.includes(name) ? { format: 'password' } : {}) },
      ]),
    );
  return {
    id: spec.id,
    name: spec.name,
    providerId: PROVIDER,
    version: '1.0',
    authSpec: spec.auth.map(({ name, required, optional }) => ({
      name,
      type: name.replace(/\W/g, ''),
      spec: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: parameters([...required, ...optional]),
        required: [...required],
      },
    })),
    sourceSpec: { spec: { type: 'object', properties: parameters(spec.params), required: [...spec.params] } },
    attributes: { category: 'Streaming', isSource: spec.isSource },
    permissionsInfo: PERMISSIONS,
  };
}

export function shownFlowSpec(spec: FlowSpec): JsonObject {
  const mapping = {
    name: 'Mapping',
    spec: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { mappingId: { type: 'string' }, mappingVersion: { type: 'string' } },
    },
  };
  return {
    id: spec.id,
    name: spec.name,
    providerId: PROVIDER,
    version: '1.0',
    sourceConnectionSpecIds: [...spec.sources],
    targetConnectionSpecIds: [...spec.targets],
    transformationSpecs: spec.mapping === 'none' ? [] : [mapping],
    attributes: { isSourceFlow: true, uiAttributes: { apiFeatures: { flowRunsSupported: false } } },
    permissionsInfo: PERMISSIONS,
  };
}

const PERMISSIONS = {
  view: [{ '@type': 'lowLevel', name: 'StreamingSource', permissions: ['read'] }],
  manage: [{ '@type': 'lowLevel', name: 'StreamingSource', permissions: ['write'] }],
};
