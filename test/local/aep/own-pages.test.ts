// The OpenAPI document of /_simulator says what is so: every page is in it, every answer is of its schema, and every error in it can be had.
import { Validator } from '@seriousme/openapi-schema-validator';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminRoutes } from '../../../local/aep/admin.ts';
import { realClock } from '../../../local/aep/clock.ts';
import { createComparison } from '../../../local/aep/compare/comparison.ts';
import { openApi } from '../../../local/aep/openapi.ts';
import { createPlatform } from '../../../local/aep/platform.ts';
import { sourceRoutes } from '../../../local/aep/pulled/routes.ts';
import { type RunningServer, serverRoutes, startServer } from '../../../local/aep/server.ts';
import { MAX_SNAPSHOTS, snapshotRoutes } from '../../../local/aep/snapshots.ts';
import { createTenants, MAX_TENANTS } from '../../../local/aep/tenants.ts';
import { type Caller, caller, FLOWS, type Made, makePipeline, ROW, sendBatch } from './support.ts';

interface Operation {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: object }>>;
}

const EVENT_HUBS = 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e';
const JSON_TYPE = { 'content-type': 'application/json' };
const comparison = createComparison({
  origin: 'https://platform.adobe.io',
  ask: () => Promise.reject(new Error('nothing is asked')),
});
const noTenants = createTenants(createPlatform(), () => Promise.reject(new Error('none is started')));
const document = openApi('http://127.0.0.1:4010');
const paths = document.paths as unknown as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ ...document, $id: 'document' });

let user: Caller;
let made: Made;
let hub: string;
let running: RunningServer;
let plain: RunningServer;

beforeAll(async () => {
  user = await caller({ clock: realClock, warmUpMs: 0 });
  made = await makePipeline(user);
  await sendBatch(user, made, [ROW, { ...ROW, gender: 'unheard of' }, { ...ROW, dob: 'never' }]);
  await user.platform.idle();
  hub = await makeHub();
  running = await startServer({ port: 0, platform: user.platform, comparison });
  plain = await startServer({ port: 0 });
});

afterAll(async () => {
  await running.close();
  await plain.close();
});

/** A flow whose source the platform plays. @returns the source connection */
async function makeHub(): Promise<string> {
  const connectionSpec = { id: EVENT_HUBS, version: '1.0' };
  const auth = {
    specName: 'Azure EventHub authentication credentials',
    params: { sasKeyName: 'k', sasKey: 's', namespace: 'n' },
  };
  const base = await user.call('POST', `${FLOWS}/connections`, { name: 'hub', auth, connectionSpec });
  const source = await user.call('POST', `${FLOWS}/sourceConnections`, {
    name: 'hub',
    baseConnectionId: base.body.id,
    connectionSpec,
    data: { format: 'json' },
    params: { eventHubName: 'hub', dataType: 'raw', reset: 'latest', consumerGroup: 'g' },
  });
  const flow = await user.call('POST', `${FLOWS}/flows`, {
    name: 'of a hub',
    flowSpec: { id: PULLED_FLOW, version: '1.0' },
    sourceConnectionIds: [source.body.id],
    targetConnectionIds: [made.targetId],
    transformations: [{ name: 'Mapping', params: { mappingId: made.mappingId, mappingVersion: 0 } }],
  });
  expect(flow.status).toBe(201);
  return source.body.id;
}

const ALL_OF_A_TENANT = {
  warmUpMs: 0,
  sandboxes: ['dev1', 'a-b'],
  tenant: 'shop',
  tokenSeconds: 60,
  staleMs: 1,
  ingestDelayMs: 1,
  rateLimits: true,
  seed: 7,
};

const PULLED_FLOW = 'd69717ba-71b4-4313-b654-49f9cf126d7a';

/** Which statuses of which operation were seen. */
const seen = new Set<string>();

/** Asks, and holds the answer to the document. */
async function ask(
  operation: string,
  ids: Readonly<Record<string, string>> = {},
  { body, query = '', headers = {}, server = running }: Asking = {},
): Promise<{ status: number; body: ReturnType<JSON['parse']> }> {
  const [method = '', path = ''] = operation.split(' ');
  const described = paths[path]?.[method.toLowerCase()];
  if (described === undefined) throw new Error(`${operation} is not in the document`);
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? ''));
  const answer = await fetch(`${server.origin}${target}${query}`, {
    method,
    headers: { ...(method === 'GET' ? {} : JSON_TYPE), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const content = text === '' ? undefined : JSON.parse(text);
  const key = `${operation} ${answer.status}`;
  expect(Object.keys(described.responses), key).toContain(String(answer.status));
  check(key, schemaOf(described, answer.status), content);
  seen.add(key);
  return { status: answer.status, body: content };
}

interface Asking {
  readonly body?: unknown;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly server?: Pick<RunningServer, 'origin'>;
}

function schemaOf({ responses }: Operation, status: number): ValidateFunction | undefined {
  const response = responses[status];
  if (response?.$ref !== undefined) return compiled(`${response.$ref}/content/application~1json/schema`);
  const content = response?.content as { 'application/json': { schema: { $ref: string } } } | undefined;
  return content && compiled(content['application/json'].schema.$ref);
}

function compiled(pointer: string): ValidateFunction {
  const found = ajv.getSchema(`document${pointer}`);
  if (found === undefined) throw new Error(`no schema at ${pointer}`);
  return found;
}

function check(what: string, schema: ValidateFunction | undefined, content: unknown): void {
  if (schema === undefined) return void expect(content, what).toBe(undefined);
  schema(content);
  expect(schema.errors ?? [], what).toEqual([]);
}

test('it is a valid OpenAPI 3.1 document, by a validator that others wrote', async () => {
  const { body } = await ask('GET /_simulator/openapi.json');
  const validator = new Validator();
  const result = await validator.validate(body);
  expect([result.errors ?? [], result.valid, validator.version]).toEqual([[], true, '3.1']);
  // The same validator refuses what is none.
  expect((await new Validator().validate({ ...body, paths: { 'no-slash': {} } })).valid).toBe(false);
  expect(body).toEqual(JSON.parse(JSON.stringify(openApi(user.platform.origin))));
});

test('every page is in it, and every page in it is there', () => {
  const routes = [
    ...adminRoutes(user.platform),
    ...sourceRoutes(user.platform),
    ...snapshotRoutes(user.platform),
    ...serverRoutes(comparison, noTenants),
  ];
  const served = routes
    .filter(([, pattern]) => pattern.startsWith('/_simulator'))
    .map(([method, pattern]) => `${method} ${pattern.replace(/:(\w+)/g, '{$1}')}`);
  const told = operations.map(({ method, path }) => `${method} ${path.replace(/\/$/, '')}`);
  expect(told.sort()).toEqual(served.sort());
});

test('the list for people has the same pages', async () => {
  const { pages } = (await ask('GET /_simulator/')).body;
  const listed = Object.keys(pages).map((page) => page.split('?')[0]);
  expect(listed.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
});

describe('what is sent', () => {
  test.each<[string, unknown, boolean]>([
    ['POST /_simulator/clock', { advanceMs: 0 }, true],
    ['POST /_simulator/clock', { advanceMs: 1.5 }, true],
    ['POST /_simulator/clock', { advanceMs: -1 }, false],
    ['POST /_simulator/clock', { advanceMs: 1e15 }, false],
    ['POST /_simulator/clock', { advanceMs: '1' }, false],
    ['POST /_simulator/clock', {}, false],
    ['POST /_simulator/clock', [], false],
    ['POST /_simulator/clock', null, false],
    ['POST /_simulator/faults', { kind: 'latency', path: '/nowhere' }, true],
    ['POST /_simulator/faults', [{ kind: 'latency', path: '/nowhere' }], true],
    ['POST /_simulator/faults', [], true],
    ['POST /_simulator/faults', { seed: 7, faults: [{ kind: 'latency', path: '/nowhere', seen: 3 }] }, true],
    ['POST /_simulator/faults', { seed: -1, faults: [] }, false],
    ['POST /_simulator/faults', { seed: 7, faults: {} }, false],
    ['POST /_simulator/faults', { seed: 7, faults: [{ kind: 'latency', sean: 3 }] }, false],
    ['POST /_simulator/faults', { kind: 'latency', seen: 3 }, false],
    ['POST /_simulator/faults', { kind: 'none' }, false],
    ['POST /_simulator/faults', { kind: 'refuse', stauts: 500 }, false],
    ['POST /_simulator/faults', { kind: 'refuse', status: 99 }, false],
    ['POST /_simulator/faults', { kind: 'refuse', headers: { a: 1 } }, false],
    ['POST /_simulator/faults', { kind: 'refuse', path: 'x' }, false],
    ['POST /_simulator/faults', { kind: 'partial', messages: [-1] }, false],
    ['POST /_simulator/faults', {}, false],
    ['POST /_simulator/faults', 'refuse', false],
    ['POST /_simulator/tenants', {}, true],
    ['POST /_simulator/tenants', ALL_OF_A_TENANT, true],
    ['POST /_simulator/tenants', { sandboxes: [] }, true],
    ['POST /_simulator/tenants', [], false],
    ['POST /_simulator/tenants', null, false],
    ['POST /_simulator/tenants', { warmUp: 0 }, false],
    ['POST /_simulator/tenants', { origin: 'http://evil.example' }, false],
    ['POST /_simulator/tenants', { constructor: 1 }, false],
    ['POST /_simulator/tenants', { warmUpMs: -1 }, false],
    ['POST /_simulator/tenants', { warmUpMs: 86_400_001 }, false],
    ['POST /_simulator/tenants', { warmUpMs: null }, false],
    ['POST /_simulator/tenants', { tokenSeconds: 0 }, false],
    ['POST /_simulator/tenants', { seed: 4_294_967_296 }, false],
    ['POST /_simulator/tenants', { tenant: '_acmelab' }, false],
    ['POST /_simulator/tenants', { tenant: 'x'.repeat(33) }, false],
    ['POST /_simulator/tenants', { rateLimits: 'yes' }, false],
    ['POST /_simulator/tenants', { sandboxes: ['prod'] }, false],
    ['POST /_simulator/tenants', { sandboxes: ['dev1', 'dev1'] }, false],
    ['POST /_simulator/tenants', { sandboxes: ['Dev 1'] }, false],
    ['POST /_simulator/tenants', { sandboxes: [1] }, false],
    ['POST /_simulator/tenants', { sandboxes: Array.from({ length: 21 }, (_, at) => `dev${at}`) }, false],
    ['POST /_simulator/sources/{id}/records', { records: [{ body: 'e30=' }] }, true],
    ['POST /_simulator/sources/{id}/records', { records: [] }, true],
    ['POST /_simulator/sources/{id}/records', { records: ['e30='] }, false],
    ['POST /_simulator/sources/{id}/records', {}, false],
    ['POST /_simulator/sources/{id}/refuse', { why: 'permission' }, true],
    ['POST /_simulator/sources/{id}/refuse', { why: null }, true],
    ['POST /_simulator/sources/{id}/refuse', {}, true],
    ['POST /_simulator/sources/{id}/refuse', { why: 'toString' }, false],
  ])('%s %j is taken or refused as the schema says', async (operation, body, isRight) => {
    const [method = '', path = ''] = operation.split(' ');
    const schema = paths[path]?.[method.toLowerCase()]?.requestBody?.content['application/json'].schema;
    const { $ref = '' } = schema as { $ref?: string };
    expect(compiled($ref)(body)).toBe(isRight);
    const { status } = await ask(operation, { id: hub }, { body });
    expect(status >= 200 && status < 300).toBe(isRight);
    if (!isRight) expect(status).toBe(400);
  });

  test.each(['{', '', '"\\ud800', '{"kind":}'])('%j is no JSON', async (body) => {
    for (const { method, path, operation } of operations)
      if (operation.requestBody !== undefined)
        expect((await ask(`${method} ${path}`, { id: hub }, { body })).status).toBe(400);
  });
});

test('every page answers what its schema says, with data in all of them', async () => {
  await user.platform.idle();
  user.platform.faults.add({ kind: 'partial', path: '/nowhere', messages: [1], probability: 0.5 });
  await ask('GET /_simulator/');
  const state = (await ask('GET /_simulator/state')).body;
  expect(state.counts).toMatchObject({ landed: expect.any(Number), refused: 1 });
  await ask('GET /_simulator/datasets');
  const of = { id: made.dataSetId };
  const { landed } = (await ask('GET /_simulator/datasets/{id}', of)).body;
  expect(landed).toBeGreaterThanOrEqual(2);
  expect((await ask('GET /_simulator/datasets/{id}/rows', of)).body.rows).toHaveLength(landed);
  expect((await ask('GET /_simulator/datasets/{id}/refused', of)).body.rows).toHaveLength(1);
  expect(
    (await ask('GET /_simulator/journal', {}, { query: '?limit=5&method=POST' })).body.entries,
  ).toHaveLength(5);
  const { faults } = (await ask('GET /_simulator/faults')).body;
  await ask('DELETE /_simulator/faults/{id}', { id: faults.at(-1).id });
  expect((await ask('GET /_simulator/sources')).body.sources).toHaveLength(1);
  await ask('GET /_simulator/differences');
  for (const operation of [
    'DELETE /_simulator/faults',
    'DELETE /_simulator/journal',
    'POST /_simulator/tokens/revoke',
  ])
    expect((await ask(operation)).status).toBe(204);
});

test('snapshots are as their schemas say, to the last that there may be', async () => {
  const take = () => ask('POST /_simulator/snapshots', {}, { server: plain });
  const taken = (await take()).body;
  for (let more = 1; more < MAX_SNAPSHOTS; more++) expect((await take()).status).toBe(201);
  expect((await take()).status).toBe(409);
  const { snapshots } = (await ask('GET /_simulator/snapshots', {}, { server: plain })).body;
  expect([snapshots.length, snapshots[0]]).toEqual([MAX_SNAPSHOTS, taken]);
  const of = { id: taken.id };
  expect((await ask('POST /_simulator/snapshots/{id}/restore', of, { server: plain })).status).toBe(204);
  expect((await ask('DELETE /_simulator/snapshots/{id}', of, { server: plain })).status).toBe(204);
  expect((await take()).status).toBe(201);
});

test('tenants are as their schemas say, to the last that there may be', async () => {
  const tenants = 'GET /_simulator/tenants';
  const made = async () => (await ask('POST /_simulator/tenants', {}, { body: {}, server: plain })).status;
  while ((await ask(tenants, {}, { server: plain })).body.tenants.length < MAX_TENANTS)
    expect(await made()).toBe(201);
  expect(await made()).toBe(409);
  const [first] = (await ask(tenants, {}, { server: plain })).body.tenants;
  const { id, url } = first;
  expect((await ask(`${tenants}/{id}`, { id }, { server: plain })).body).toEqual(first);
  const inside = { server: { origin: url } };
  for (const method of ['GET', 'POST', 'DELETE'])
    expect((await ask(`${method} /_simulator/tenants`, {}, { ...inside, ...given(method) })).status).toBe(
      404,
    );
  expect((await ask('DELETE /_simulator/tenants/{id}', { id }, { server: plain })).status).toBe(204);
  expect((await ask('DELETE /_simulator/tenants', {}, { server: plain })).status).toBe(204);
});

const given = (method: string) => (method === 'POST' ? { body: { records: [], why: null } } : {});

test('every error of the document can be had, and is as it says', async () => {
  for (const { method, path, operation } of operations) {
    const name = `${method} ${path}`;
    expect((await ask(name, {}, { headers: { origin: 'null' } })).status).toBe(401);
    if (method !== 'GET') {
      const refused = await ask(name, {}, { headers: { 'content-type': 'text/plain' } });
      expect(refused.status).toBe(415);
    }
    if ('404' in operation.responses && (path.includes('{id}') || path.endsWith('/differences'))) {
      const refused = await ask(name, { id: 'none' }, { ...given(method), server: plain });
      expect(refused.status).toBe(404);
    }
    if ('400' in operation.responses && method === 'GET') {
      const refused = await ask(name, { id: made.dataSetId }, { query: '?limit=-1' });
      expect(refused.status).toBe(400);
    }
  }
});

test('a reset is as the document says, and every status of it was seen', async () => {
  expect((await ask('POST /_simulator/reset', {}, { server: plain })).status).toBe(204);
  const all = operations.flatMap(({ method, path, operation }) =>
    Object.keys(operation.responses).map((status) => `${method} ${path} ${status}`),
  );
  // `fetch` sends the Host of the address; access.test.ts has other ones.
  expect(all.filter((one) => !one.endsWith(' 403') && !seen.has(one))).toEqual([]);
});
