// The OpenAPI document of the simulator's own pages; the list of pages at `/_simulator/` is made from it.

import type { JsonObject } from './json.ts';
import { ref, SCHEMAS } from './openapi-schemas.ts';

const BASE = '/_simulator';

/** What an operation is, without what all of them have in common. */
interface Described {
  readonly summary: string;
  /** Of the query, with their schemas. */
  readonly query?: Readonly<Record<string, JsonObject>>;
  /** Names of schemas: what is sent, and what is answered; without `answer`, it is 204 and nothing. */
  readonly body?: string;
  readonly answer?: string;
  readonly status?: number;
  /** Statuses of errors that the operation has of its own. */
  readonly errors?: readonly (keyof typeof ERRORS)[];
}

const ERRORS = {
  400: 'What was sent, or the query, is not understood.',
  401: 'TokenNeeded: a browser asks, or the server was started with --admin-token.',
  403: 'HostNotAllowed: `Host` names another machine.',
  404: 'There is no such thing.',
  409: 'TooManyTenants, TooManySnapshots: there are as many as there may be.',
  415: 'UnsupportedMediaTypeError: a change needs `Content-Type: application/json`, also without a body.',
} as const;

const ALWAYS = [401, 403] as const;

const limitUpTo = (maximum: number): JsonObject => ({ type: 'integer', minimum: 0, maximum, default: 100 });
const ROWS = { limit: limitUpTo(100_000) };

/** By method and path; the order is that of the list of pages. */
const OPERATIONS: Readonly<Record<string, Described>> = {
  'GET /_simulator/': {
    summary: 'this list, and under notSimulated what Experience Platform has and this has not',
    answer: 'Pages',
  },
  'GET /_simulator/openapi.json': {
    summary: 'these pages as an OpenAPI 3.1 document, for programs',
    answer: 'Document',
  },
  'GET /_simulator/state': {
    summary: 'counts, sandboxes, flows and when they are warm, losses, identities that were not linked',
    answer: 'State',
  },
  'GET /_simulator/datasets': { summary: 'every dataset with its counts', answer: 'DataSets' },
  'GET /_simulator/datasets/{id}': { summary: 'one of them', answer: 'DataSet', errors: [404] },
  'GET /_simulator/datasets/{id}/rows': {
    summary: 'rows that landed, newest first',
    query: ROWS,
    answer: 'Rows',
    errors: [400, 404],
  },
  'GET /_simulator/datasets/{id}/refused': {
    summary: 'rows that were refused, with reason and pointer, newest first',
    query: ROWS,
    answer: 'RefusedRows',
    errors: [400, 404],
  },
  'GET /_simulator/journal': {
    summary: 'requests and answers, secrets masked, newest last',
    query: {
      method: { type: 'string' },
      path: { type: 'string', description: 'a part of the path' },
      status: { type: 'integer', minimum: 0, maximum: 599 },
      after: { type: 'integer', minimum: 0, description: 'entries after this number' },
      limit: limitUpTo(10_000),
    },
    answer: 'Journal',
    errors: [400],
  },
  'DELETE /_simulator/journal': { summary: 'empties the journal' },
  'GET /_simulator/faults': {
    summary:
      'faults that are set, how often each has struck, and their seed; --faults FILE takes this answer',
    answer: 'Faults',
  },
  'POST /_simulator/faults': {
    summary: 'adds one fault, a list, or a run that was saved; a seed begins the draws of probability anew',
    body: 'FaultRun',
    answer: 'AddedFaults',
    status: 201,
    errors: [400],
  },
  'DELETE /_simulator/faults': { summary: 'removes all faults' },
  'DELETE /_simulator/faults/{id}': { summary: 'removes one fault', errors: [404] },
  'GET /_simulator/sources': {
    summary:
      'flows whose source the platform reads by itself, how far each is, and why it is idle or failing',
    answer: 'Sources',
  },
  'POST /_simulator/sources/{id}/records': {
    summary:
      'puts events into an event hub ({"body": base64, "partitionId"}), or messages into a subscription ({"data": base64, "attributes"}), by the id of the source connection',
    body: 'SourceRecords',
    answer: 'TakenRecords',
    errors: [400, 404],
  },
  'POST /_simulator/sources/{id}/refuse': {
    summary: 'lets reading such a source fail: "credentials", "permission" or "gone"; null ends that',
    body: 'SourceRefusal',
    errors: [400, 404],
  },
  'POST /_simulator/clock': {
    summary: '{"advanceMs": n} moves time forward, past a warm-up for instance',
    body: 'Advance',
    answer: 'Now',
    errors: [400],
  },
  'POST /_simulator/tokens/revoke': { summary: 'takes back every access token' },
  'GET /_simulator/differences': {
    summary: 'where the real service answers otherwise; there only with --compare URL',
    answer: 'Differences',
    errors: [404],
  },
  'GET /_simulator/snapshots': { summary: 'what was taken, and when', answer: 'Snapshots' },
  'POST /_simulator/snapshots': {
    summary: 'keeps all that the platform remembers now, faults and journal too',
    answer: 'Snapshot',
    status: 201,
    errors: [409],
  },
  'POST /_simulator/snapshots/{id}/restore': {
    summary: 'remembers that again, and nothing since, as often as wanted; time goes on',
    errors: [404],
  },
  'DELETE /_simulator/snapshots/{id}': { summary: 'removes one', errors: [404] },
  'GET /_simulator/tenants': {
    summary: 'platforms of their own for tests that run side by side; a tenant itself has none',
    answer: 'Tenants',
    errors: [404],
  },
  'POST /_simulator/tenants': {
    summary: 'makes one, at an address of its own, with an organization and a credential of its own',
    body: 'TenantOptions',
    answer: 'Tenant',
    status: 201,
    errors: [400, 404, 409],
  },
  'DELETE /_simulator/tenants': { summary: 'removes all of them', errors: [404] },
  'GET /_simulator/tenants/{id}': { summary: 'one of them', answer: 'Tenant', errors: [404] },
  'DELETE /_simulator/tenants/{id}': { summary: 'removes one', errors: [404] },
  'POST /_simulator/reset': { summary: 'forgets everything, snapshots too; tenants stay' },
};

/** The list for people, by method and path. */
export const PAGES: JsonObject = Object.fromEntries(
  Object.entries(OPERATIONS).map(([operation, { summary, query = {} }]) => {
    const names = Object.keys(query).map((name) => `${name}=`);
    return [names.length > 0 ? `${operation}?${names.join('&')}` : operation, summary];
  }),
);

/** @param origin where it is served */
export function openApi(origin: string): JsonObject {
  return {
    openapi: '3.1.1',
    info: {
      title: "The simulated Experience Platform's own pages",
      version: '1',
      description:
        'For tests in any language. The endpoints of Experience Platform itself are not part of it.',
    },
    servers: [{ url: origin }],
    security: [{}, { token: [] }, { tokenInAddress: [] }],
    paths: paths(),
    components: {
      schemas: SCHEMAS,
      responses: Object.fromEntries(
        Object.entries(ERRORS).map(([status, description]) => [
          `Error${status}`,
          answered(description, 'Problem'),
        ]),
      ),
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'x-penstock-token' },
        tokenInAddress: { type: 'apiKey', in: 'query', name: 'token' },
      },
    },
  };
}

function paths(): JsonObject {
  const found: Record<string, JsonObject> = {};
  for (const [operation, described] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = operation.split(' ');
    found[path] = { ...found[path], [method.toLowerCase()]: operationOf(method, path, described) };
  }
  return found;
}

function operationOf(method: string, path: string, described: Described): JsonObject {
  const { summary, query = {}, body, answer, errors = [], status = answer ? 200 : 204 } = described;
  const names = path.slice(BASE.length).match(/\w+/g) ?? ['pages'];
  const failing = [...errors, ...ALWAYS, ...(method === 'GET' ? [] : [415 as const])];
  return {
    operationId: [method.toLowerCase(), ...names].join('-'),
    summary,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema })),
    ],
    ...(body !== undefined && { requestBody: { required: true, content: asJson(body) } }),
    responses: {
      [status]: answer === undefined ? { description: 'Done.' } : answered('As asked.', answer),
      ...Object.fromEntries(
        failing.map((error) => [error, { $ref: `#/components/responses/Error${error}` }]),
      ),
    },
  };
}

function answered(description: string, schema: string): JsonObject {
  return { description, content: asJson(schema) };
}

function asJson(schema: string): JsonObject {
  return { 'application/json': { schema: ref(schema) } };
}
