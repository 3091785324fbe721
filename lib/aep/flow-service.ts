// Flow Service: connections, source and target connections, flows. Contract §4.
import * as z from 'zod';
import { Failure } from '../failure.ts';
import { parse } from './exchange.ts';
import { Id } from './id.ts';
import type { PatchOperation } from './json-patch.ts';
import { everyItem, partOfLink } from './pages.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/flowservice';

/** Adobe's constants. Contract §4.1. */
export const CONNECTION_SPECS = {
  kinesis: '86043421-563b-46ec-8e6c-e23184711bf6',
  eventHubs: 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e',
  pubSub: '70116022-a743-464a-bbfe-e226a7f8210c',
  httpApi: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb',
  dataLake: 'c604ff05-7f1a-43c0-8e18-33bf874cb11c',
} as const;

export const FLOW_SPECS = {
  streaming: 'd69717ba-71b4-4313-b654-49f9cf126d7a',
  httpApiWithMapping: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81',
  httpApiWithoutMapping: 'd8a6f005-7eaf-4153-983e-e8574508b877',
} as const;

/** Adobe's description requires hardly any member of an answer; `null` means the same as an absent one. */
const absent = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);

/** A member that only helps to choose: if it has another type, it is ignored. */
const hint = <T extends z.ZodType>(type: T) => absent(type).catch(undefined);

const Entity = z.object({
  id: Id,
  name: absent(z.string()),
  description: absent(z.string()),
  state: absent(z.string()),
  /** With its quotes: it is sent back exactly as it came. */
  etag: absent(z.string()),
  connectionSpec: absent(z.object({ id: absent(z.string()) })),
  /** Milliseconds since the epoch. */
  createdAt: hint(z.number()),
  updatedAt: hint(z.number()),
});

const Created = z.object({ id: Id });

const Connection = Entity.extend({
  auth: absent(
    z.object({
      specName: absent(z.string()),
      // Only members that are no secrets. It is unknown whether a read shows secrets; what is not here cannot be
      // logged.
      params: absent(
        z.object({
          inletId: absent(z.string()),
          inletUrl: absent(z.string()),
          sourceId: absent(z.string()),
          dataType: absent(z.string()),
          authenticationRequired: hint(z.boolean()),
          region: absent(z.string()),
          namespace: absent(z.string()),
          eventHubName: absent(z.string()),
          projectId: absent(z.string()),
          topicName: absent(z.string()),
          subscriptionName: absent(z.string()),
        }),
      ),
    }),
  ),
});

const SourceConnection = Entity.extend({
  baseConnectionId: absent(z.string()),
  params: absent(z.record(z.string(), z.unknown())),
  data: hint(z.looseObject({ format: absent(z.string()) })),
});

const TargetConnection = Entity.extend({
  params: absent(z.looseObject({ dataSetId: absent(z.string()) })),
  data: absent(
    z.object({ format: absent(z.string()), schema: absent(z.object({ id: absent(z.string()) })) }),
  ),
});

/** A number in a request, a string in an answer. Contract §4.6. */
const MappingVersion = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((version) => (/^\d+(\.0+)?$/.test(String(version)) ? Number(version) : undefined));

const Transformation = z.object({
  name: absent(z.string()),
  params: absent(z.object({ mappingId: absent(z.string()), mappingVersion: MappingVersion })),
});

const Flow = Entity.extend({
  flowSpec: absent(z.object({ id: absent(z.string()) })),
  sourceConnectionIds: absent(z.array(z.string())),
  targetConnectionIds: absent(z.array(z.string())),
  transformations: absent(z.array(Transformation)),
  /** When it runs, for flows that do not read all the time. */
  scheduleParams: hint(z.record(z.string(), z.unknown())),
});

/** What a list tells of a flow of any kind. A list of all flows must not end at one that is unlike the others. */
const ListedFlow = z.object({
  id: Id,
  name: hint(z.string()),
  flowSpec: hint(z.object({ id: absent(z.string()) })),
});

export type Connection = z.infer<typeof Connection>;
export type SourceConnection = z.infer<typeof SourceConnection>;
export type TargetConnection = z.infer<typeof TargetConnection>;
export type Flow = z.infer<typeof Flow>;
export type ListedFlow = z.infer<typeof ListedFlow>;

export interface Named {
  readonly name: string;
  readonly description: string;
}

export interface NewInletConnection extends Named {
  readonly dataType: 'raw' | 'xdm';
  readonly authenticationRequired: boolean;
}

export interface NewConnection extends Named {
  readonly specId: string;
  readonly auth: { readonly specName: string; readonly params: Readonly<Record<string, unknown>> };
}

export interface NewSourceConnection extends Named {
  readonly baseConnectionId: string;
  readonly specId: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface NewTargetConnection extends Named {
  readonly datasetId: string;
  readonly schemaId: string;
}

export interface NewFlow extends Named {
  readonly flowSpecId: string;
  readonly sourceConnectionId: string;
  readonly targetConnectionId: string;
  readonly mapping?: { readonly id: string; readonly version: number };
  /** Made without being checked or started, until it is published. */
  readonly draft?: boolean;
}

export type Collection = 'connections' | 'sourceConnections' | 'targetConnections' | 'flows';
export type FlowAction = 'enable' | 'disable' | 'publish';

const spec = (id: string) => ({ id, version: '1.0' });

/** Flow Service's calls. Each throws the `Failure`s of `createRequest`. */
export function flowService(request: Request) {
  /** Every page is requested with filters and limit: its link may repeat them, or hold the token alone. */
  async function onePage<T>(
    collection: string,
    item: z.ZodType<T>,
    asked: {
      readonly filters?: readonly string[];
      readonly limit: number;
      readonly continuation: string | undefined;
    },
  ): Promise<{ items: T[]; next: string | undefined }> {
    const { filters = [], limit, continuation } = asked;
    const { value } = await request({
      method: 'GET',
      path: `${BASE}/${collection}`,
      query: [
        ...filters.map((filter) => ['property', filter] as const),
        ['limit', String(limit)],
        ...(continuation === undefined ? [] : [['continuationToken', continuation] as const]),
      ],
      answer: Page(item),
    });
    return { items: value.items, next: continuationOf(value._links?.next?.href) };
  }

  async function list<T extends { id: string }>(
    collection: string,
    filters: readonly string[],
    item: z.ZodType<T>,
  ): Promise<T[]> {
    const page = (continuation: string | undefined) =>
      onePage(collection, item, { filters, limit: 100, continuation });
    return everyItem(`/${collection}`, ({ id }) => id, page);
  }

  async function get<T>(collection: string, id: string, item: z.ZodType<T>): Promise<T> {
    const { value } = await request({
      method: 'GET',
      path: `${BASE}/${collection}/${pathPart(id)}`,
      answer: z.object({ items: z.tuple([item]) }),
    });
    return value.items[0];
  }

  async function create(
    collection: string,
    body: unknown,
    more: { query?: readonly (readonly [string, string])[]; secrets?: readonly string[] } = {},
  ): Promise<string> {
    const { value } = await request({
      method: 'POST',
      path: `${BASE}/${collection}`,
      body,
      answer: Created,
      ...more,
    });
    return value.id;
  }

  async function createConnection(wanted: NewConnection): Promise<string> {
    const { name, description, auth, specId } = wanted;
    const body = { name, description, auth, connectionSpec: spec(specId) };
    return create('connections', body, { secrets: secretsIn(auth.params) });
  }

  async function testConnection(id: string): Promise<boolean> {
    const { value } = await request({
      method: 'GET',
      path: `${BASE}/connections/${pathPart(id)}/test`,
      answer: z.object({ result: z.boolean() }),
    });
    return value.result;
  }

  /** The source or target connections of a connection spec with exactly this name. */
  async function findConnections(filter: { name: string; specId: string }): Promise<Connection[]> {
    const { name, specId } = filter;
    const found = await list('connections', [`name==${name}`, `connectionSpec.id==${specId}`], Connection);
    return found.filter((each) => agrees(each.name, [name]) && agrees(each.connectionSpec?.id, [specId]));
  }

  async function findSourceConnectionsOf(bases: readonly string[]): Promise<SourceConnection[]> {
    if (bases.length === 0) return [];
    const found = await list('sourceConnections', [`baseConnectionId==${bases.join(',')}`], SourceConnection);
    return found.filter((each) => agrees(each.baseConnectionId, bases));
  }

  async function findStreamReaders(specId: string, stream: string): Promise<SourceConnection[]> {
    const filters = [`connectionSpec.id==${specId}`, `params.stream==${stream}`];
    const found = await list('sourceConnections', filters, SourceConnection);
    return found.filter(
      (each) => agrees(each.connectionSpec?.id, [specId]) && agrees(each.params?.stream, [stream]),
    );
  }

  async function createSourceConnection(wanted: NewSourceConnection): Promise<string> {
    const { name, description, baseConnectionId, specId, params } = wanted;
    return create('sourceConnections', {
      name,
      description,
      baseConnectionId,
      connectionSpec: spec(specId),
      // Adobe's tutorial on HTTP API omits it; its API description requires it. Contract §4.4.
      data: { format: 'json' },
      ...(params !== undefined && { params }),
    });
  }

  async function findFlowsReading(sources: readonly string[]): Promise<Flow[]> {
    if (sources.length === 0) return [];
    const found = await list('flows', [`sourceConnectionIds[]==${sources.join(',')}`], Flow);
    return found.filter((each) => each.sourceConnectionIds?.some((id) => sources.includes(id)) ?? true);
  }

  async function findFlowsWriting(targets: readonly string[]): Promise<ListedFlow[]> {
    if (targets.length === 0) return [];
    return list('flows', [`targetConnectionIds[]==${targets.join(',')}`], ListedFlow);
  }

  async function actOnFlow(id: string, action: FlowAction): Promise<void> {
    await request({
      method: 'POST',
      path: `${BASE}/flows/${pathPart(id)}/action`,
      query: [['op', action]],
      answer: z.unknown(),
    });
  }

  async function patch(
    collection: Collection,
    id: string,
    operations: readonly PatchOperation[],
    etag: string,
  ): Promise<void> {
    await request({
      method: 'PATCH',
      path: `${BASE}/${collection}/${pathPart(id)}`,
      ifMatch: etag,
      body: operations,
      answer: z.unknown(),
      secrets: collection === 'connections' ? operations.flatMap(secretsOf) : [],
    });
  }

  async function remove(collection: string, id: string): Promise<void> {
    await request({
      method: 'DELETE',
      path: `${BASE}/${collection}/${pathPart(id)}`,
      answer: z.unknown(),
      repeatable: true,
    });
  }

  return {
    /** HTTP API connections of this name: names are not unique. */
    findInletConnections: (name: string): Promise<Connection[]> =>
      findConnections({ name, specId: CONNECTION_SPECS.httpApi }),
    /** Connections of this name and connection spec: names are not unique. */
    findConnections,
    getConnection: (id: string): Promise<Connection> => get('connections', id, Connection),
    /** Whether AEP reaches what is behind a connection; for an inlet, the inlet itself. No data is sent. */
    testConnection,
    /** Makes an HTTP API connection, and with it an inlet; returns the connection's id. */
    createInletConnection: (wanted: NewInletConnection): Promise<string> =>
      createConnection({
        name: wanted.name,
        description: wanted.description,
        specId: CONNECTION_SPECS.httpApi,
        auth: {
          specName: 'Streaming Connection',
          params: {
            sourceId: wanted.name,
            name: wanted.name,
            dataType: wanted.dataType,
            authenticationRequired: wanted.authenticationRequired,
          },
        },
      }),
    /**
     * Makes a connection and returns its id. Messages never hold values of `auth.params` that may be secret, whatever
     * the service answers.
     */
    createConnection,
    deleteConnection: (id: string): Promise<void> => remove('connections', id),

    findSourceConnections: (baseConnectionId: string): Promise<SourceConnection[]> =>
      list('sourceConnections', [`baseConnectionId==${baseConnectionId}`], SourceConnection),
    /** The source connections of any of these base connections. */
    findSourceConnectionsOf,
    /** All connections in this sandbox that read this stream through this connection spec, whoever made them. */
    findStreamReaders,
    getSourceConnection: (id: string): Promise<SourceConnection> =>
      get('sourceConnections', id, SourceConnection),
    createInletSourceConnection: (wanted: Named & { baseConnectionId: string }): Promise<string> =>
      createSourceConnection({ ...wanted, specId: CONNECTION_SPECS.httpApi }),
    createSourceConnection,
    deleteSourceConnection: (id: string): Promise<void> => remove('sourceConnections', id),

    findTargetConnections: (datasetId: string): Promise<TargetConnection[]> =>
      list('targetConnections', [`params.dataSetId==${datasetId}`], TargetConnection),
    getTargetConnection: (id: string): Promise<TargetConnection> =>
      get('targetConnections', id, TargetConnection),
    createTargetConnection: (wanted: NewTargetConnection): Promise<string> =>
      create('targetConnections', {
        name: wanted.name,
        description: wanted.description,
        connectionSpec: spec(CONNECTION_SPECS.dataLake),
        data: {
          format: 'parquet_xdm',
          schema: { id: wanted.schemaId, version: 'application/vnd.adobe.xed-full+json;version=1' },
        },
        params: { dataSetId: wanted.datasetId },
      }),
    deleteTargetConnection: (id: string): Promise<void> => remove('targetConnections', id),

    findFlows: (name: string): Promise<Flow[]> => list('flows', [`name==${name}`], Flow),
    /** The flows that read from a source connection, whatever they are called. */
    findFlowsOf: (sourceConnectionId: string): Promise<Flow[]> =>
      list('flows', [`sourceConnectionIds[]==${sourceConnectionId}`], Flow),
    /** The flows that read from any of these source connections. */
    findFlowsReading,
    /** The flows that write through any of these target connections. */
    findFlowsWriting,
    /**
     * A page of all flows of the sandbox, of any kind, and the cursor of the next one; `undefined` on the last.
     * @param limit most flows of it, up to 100
     */
    async flowsPage(
      limit: number,
      cursor?: string,
    ): Promise<{ flows: ListedFlow[]; next: string | undefined }> {
      const { items, next } = await onePage('flows', ListedFlow, { limit, continuation: cursor });
      return { flows: items, next };
    },
    getFlow: (id: string): Promise<Flow> => get('flows', id, Flow),
    createFlow: (wanted: NewFlow): Promise<string> =>
      create('flows', flowBody(wanted), wanted.draft === true ? { query: [['mode', 'draft']] } : {}),
    /** Starts a flow, stops it, or publishes a draft. In the wrong state: `AEP_BUSY`, `FLOW-1422-400`. */
    actOnFlow,
    deleteFlow: (id: string): Promise<void> => remove('flows', id),

    /**
     * Changes one entity at the version that its `etag` names.
     * @throws Failure `AEP_CHANGED` if it was changed meanwhile: get it again, look again
     */
    patch,
  };
}

function flowBody(wanted: NewFlow) {
  const { mapping } = wanted;
  return {
    name: wanted.name,
    description: wanted.description,
    flowSpec: spec(wanted.flowSpecId),
    sourceConnectionIds: [wanted.sourceConnectionId],
    targetConnectionIds: [wanted.targetConnectionId],
    ...(mapping !== undefined && {
      transformations: [
        { name: 'Mapping', params: { mappingId: mapping.id, mappingVersion: mapping.version } },
      ],
    }),
  };
}

/**
 * Whether an item does not contradict the filter. A missing member is no contradiction: the service has filtered
 * already.
 */
function agrees(said: unknown, wanted: readonly string[]): boolean {
  return said === undefined || said === null || wanted.includes(said as string);
}

/** Parameters of `auth` that are no secrets. Contract §4.3. */
const OPEN = new Set(
  'accessKeyId region sasKeyName namespace eventHubName projectId topicName subscriptionName sourceId name dataType'.split(
    ' ',
  ),
);

/** Lines of a key are as long. A shorter value would be found everywhere. */
const MIN_PART = 12;

/** The strings in `auth.params` without those that are known to be harmless; for JSON and keys also their parts. */
function secretsIn(value: unknown, name = ''): string[] {
  if (typeof value === 'string') return OPEN.has(name) ? [] : [value, ...secretParts(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(inner, key));
}

function secretParts(secret: string): string[] {
  const inner = parse(secret);
  const leaves = typeof inner === 'object' && inner !== null ? Object.values(inner) : [];
  const texts = leaves.filter((leaf) => typeof leaf === 'string');
  const lines = [secret, ...texts].flatMap((text) => text.split(/\s+/));
  return [...texts, ...lines].filter((part) => part.length >= MIN_PART && !part.startsWith('https:'));
}

function secretsOf({ path, value }: PatchOperation): string[] {
  return path.startsWith('/auth') ? secretsIn(value, path.slice(path.lastIndexOf('/') + 1)) : [];
}

const Page = <T>(item: z.ZodType<T>) =>
  z.object({
    items: z.array(item),
    _links: z.object({ next: z.object({ href: z.string().nullish() }).nullish() }).nullish(),
  });

/**
 * The token inside `_links.next.href`. The link is relative to a base that Adobe does not name: its description shows
 * a path with the token alone. It is not decoded as a form: it is unknown whether Adobe escapes `+` and `=`, and both
 * must be kept.
 * @throws Failure `AEP_UNEXPECTED` if there is a next page but no usable link: half a list looks like a missing
 * resource
 */
function continuationOf(href: string | null | undefined): string | undefined {
  if (!href) return undefined;
  const token = partOfLink(href, 'continuationToken');
  if (token !== undefined) return token;
  throw new Failure('AEP_UNEXPECTED', 'a list has a next page, but its link cannot be used', {
    retryable: false,
  });
}
