// Flow Service: connections, source and target connections, flows. Contract §4.
import * as z from 'zod';
import { Failure } from '../failure.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/flowservice';

/** Adobe's constants. Contract §4.1. */
export const CONNECTION_SPECS = {
  httpApi: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb',
  dataLake: 'c604ff05-7f1a-43c0-8e18-33bf874cb11c',
} as const;

export const FLOW_SPECS = {
  httpApiWithMapping: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81',
  httpApiWithoutMapping: 'd8a6f005-7eaf-4153-983e-e8574508b877',
} as const;

/** Adobe's description requires next to nothing of an answer, and a `null` says as much as an absence. */
const absent = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);

const Entity = z.object({
  id: z.string(),
  name: absent(z.string()),
  description: absent(z.string()),
  state: absent(z.string()),
  /** Milliseconds since the epoch. */
  createdAt: absent(z.number()),
  updatedAt: absent(z.number()),
});

const Connection = Entity.extend({
  auth: absent(
    z.object({
      params: absent(
        z.object({
          inletId: absent(z.string()),
          inletUrl: absent(z.string()),
          sourceId: absent(z.string()),
          dataType: absent(z.string()),
          authenticationRequired: absent(z.boolean()),
        }),
      ),
    }),
  ),
});

const SourceConnection = Entity.extend({ baseConnectionId: absent(z.string()) });

const TargetConnection = Entity.extend({
  params: absent(z.object({ dataSetId: absent(z.string()) })),
  data: absent(z.object({ schema: absent(z.object({ id: absent(z.string()) })) })),
});

const Transformation = z.object({
  name: absent(z.string()),
  params: absent(z.object({ mappingId: absent(z.string()) })),
});

const Flow = Entity.extend({
  flowSpec: absent(z.object({ id: absent(z.string()) })),
  sourceConnectionIds: absent(z.array(z.string())),
  targetConnectionIds: absent(z.array(z.string())),
  transformations: absent(z.array(Transformation)),
});

export type Connection = z.infer<typeof Connection>;
export type SourceConnection = z.infer<typeof SourceConnection>;
export type TargetConnection = z.infer<typeof TargetConnection>;
export type Flow = z.infer<typeof Flow>;

export interface Named {
  readonly name: string;
  readonly description: string;
}

export interface NewInletConnection extends Named {
  readonly dataType: 'raw' | 'xdm';
  readonly authenticationRequired: boolean;
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
}

/** More pages than an honest list has: a continuation token that leads back to itself must end. */
const MOST_PAGES = 50;

const spec = (id: string) => ({ id, version: '1.0' });

/** Flow Service's calls. Each throws the `Failure`s of `createRequest`. */
export function flowService(request: Request) {
  async function list<T>(collection: string, filters: readonly string[], item: z.ZodType<T>): Promise<T[]> {
    const found: T[] = [];
    let continuation: string | undefined;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/${collection}`,
        query: [
          ...filters.map((filter) => ['property', filter] as const),
          ['limit', '100'],
          ...(continuation === undefined ? [] : [['continuationToken', continuation] as const]),
        ],
        answer: Page(item),
      });
      found.push(...value.items);
      continuation = continuationOf(value._links?.next?.href);
      if (continuation === undefined) return found;
    }
    throw new Failure(
      'AEP_UNEXPECTED',
      `GET /${collection} does not come to an end after ${MOST_PAGES} pages`,
      {
        retryable: false,
      },
    );
  }

  async function get<T>(collection: string, id: string, item: z.ZodType<T>): Promise<T> {
    const { value } = await request({
      method: 'GET',
      path: `${BASE}/${collection}/${pathPart(id)}`,
      answer: z.object({ items: z.tuple([item]) }),
    });
    return value.items[0];
  }

  async function create(collection: string, body: unknown): Promise<string> {
    const { value } = await request({
      method: 'POST',
      path: `${BASE}/${collection}`,
      body,
      answer: z.object({ id: z.string().min(1) }),
    });
    return value.id;
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
      list('connections', [`name==${name}`, `connectionSpec.id==${CONNECTION_SPECS.httpApi}`], Connection),
    getConnection: (id: string): Promise<Connection> => get('connections', id, Connection),
    /** Makes an HTTP API connection, and with it an inlet; returns the connection's id. */
    createInletConnection: (wanted: NewInletConnection): Promise<string> =>
      create('connections', {
        name: wanted.name,
        description: wanted.description,
        auth: {
          specName: 'Streaming Connection',
          params: {
            sourceId: wanted.name,
            name: wanted.name,
            dataType: wanted.dataType,
            authenticationRequired: wanted.authenticationRequired,
          },
        },
        connectionSpec: spec(CONNECTION_SPECS.httpApi),
      }),
    deleteConnection: (id: string): Promise<void> => remove('connections', id),

    findSourceConnections: (baseConnectionId: string): Promise<SourceConnection[]> =>
      list('sourceConnections', [`baseConnectionId==${baseConnectionId}`], SourceConnection),
    createInletSourceConnection: (wanted: Named & { baseConnectionId: string }): Promise<string> =>
      create('sourceConnections', {
        name: wanted.name,
        description: wanted.description,
        baseConnectionId: wanted.baseConnectionId,
        connectionSpec: spec(CONNECTION_SPECS.httpApi),
        // Adobe's tutorial leaves it out, its API description requires it. Contract §4.4.
        data: { format: 'json' },
      }),
    deleteSourceConnection: (id: string): Promise<void> => remove('sourceConnections', id),

    findTargetConnections: (datasetId: string): Promise<TargetConnection[]> =>
      list('targetConnections', [`params.dataSetId==${datasetId}`], TargetConnection),
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
    getFlow: (id: string): Promise<Flow> => get('flows', id, Flow),
    createFlow: (wanted: NewFlow): Promise<string> =>
      create('flows', {
        name: wanted.name,
        description: wanted.description,
        flowSpec: spec(wanted.flowSpecId),
        sourceConnectionIds: [wanted.sourceConnectionId],
        targetConnectionIds: [wanted.targetConnectionId],
        ...(wanted.mapping !== undefined && {
          transformations: [
            {
              name: 'Mapping',
              params: { mappingId: wanted.mapping.id, mappingVersion: wanted.mapping.version },
            },
          ],
        }),
      }),
    deleteFlow: (id: string): Promise<void> => remove('flows', id),
  };
}

const Page = <T>(item: z.ZodType<T>) =>
  z.object({
    items: z.array(item),
    _links: z.object({ next: z.object({ href: z.string().nullish() }).nullish() }).nullish(),
  });

/**
 * The token inside `_links.next.href`, which is relative to a base that Adobe does not name.
 * @throws Failure `AEP_UNEXPECTED` where there is a next page but no way to it: half a list looks like a missing resource
 */
function continuationOf(href: string | null | undefined): string | undefined {
  if (!href) return undefined;
  const base = 'https://relative.invalid';
  const token = URL.canParse(href, base) ? new URL(href, base).searchParams.get('continuationToken') : null;
  if (token) return token;
  throw new Failure('AEP_UNEXPECTED', 'a list goes on, but its next page cannot be asked for', {
    retryable: false,
  });
}
