// Sandboxes are made, reset and deleted: what was in them is gone, and the default production sandbox stays.

import { expect, it } from 'vitest';
import { stateOf } from '../../../local/aep/state.ts';
import {
  type Body,
  CATALOG,
  type Caller,
  caller,
  FLOWS,
  LIST,
  makePipeline,
  PREP,
  REGISTRY,
  ROW,
  rowsOf,
  sendBatch,
  WARM_UP,
} from './support.ts';

const SANDBOXES = '/data/foundation/sandbox-management/sandboxes';
const IDENTITIES = '/data/core/idnamespace/identities';
const DEV = { name: 'acme-dev', title: 'Acme dev', type: 'development' };

/** How much of each kind a sandbox holds. */
async function holds({ call }: Caller, sandbox: string): Promise<object> {
  const get = async (path: string, headers: object = {}) =>
    (await call('GET', path, undefined, { 'x-sandbox-name': sandbox, ...headers })).body;
  return {
    schemas: (await get(`${REGISTRY}/tenant/schemas`, LIST)).results.length,
    dataSets: Object.keys(await get(`${CATALOG}/dataSets`)).length,
    batches: Object.keys(await get(`${CATALOG}/batches`)).length,
    connections: (await get(`${FLOWS}/connections`)).items.length,
    sourceConnections: (await get(`${FLOWS}/sourceConnections`)).items.length,
    targetConnections: (await get(`${FLOWS}/targetConnections`)).items.length,
    flows: (await get(`${FLOWS}/flows`)).items.length,
    mappingSets: (await get(`${PREP}/mappingSets?limit=10&start=0`)).data.length,
    namespaces: (await get(IDENTITIES)).filter(({ custom }: { custom: boolean }) => custom).length,
  };
}

const NOTHING = {
  schemas: 0,
  dataSets: 0,
  batches: 0,
  connections: 0,
  sourceConnections: 0,
  targetConnections: 0,
  flows: 0,
  mappingSets: 0,
  namespaces: 0,
};

async function full(): Promise<{ with_: Caller; made: Awaited<ReturnType<typeof makePipeline>> }> {
  const with_ = await caller();
  const made = await makePipeline(with_);
  await with_.call('POST', IDENTITIES, { name: 'Loyalty', code: 'LOYAL', idType: 'CROSS_DEVICE' });
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW]);
  return { with_, made };
}

it('12 B 8: a sandbox is made with 202, is creating for half a minute, and then takes what others take', async () => {
  const with_ = await caller();
  const { call, clock } = with_;
  const made = await call('POST', SANDBOXES, DEV);
  expect([made.status, made.body]).toEqual([202, { ...DEV, state: 'creating', region: 'VA7' }]);
  const schemas = () =>
    call('GET', `${REGISTRY}/tenant/schemas`, undefined, { ...LIST, 'x-sandbox-name': DEV.name });
  expect((await schemas()).status).toBe(404);
  expect((await call('GET', `${SANDBOXES}/${DEV.name}`)).body.state).toBe('creating');
  clock.advance(30_000);
  expect((await call('GET', `${SANDBOXES}/${DEV.name}`)).body).toMatchObject({
    ...DEV,
    state: 'active',
    isDefault: false,
  });
  expect((await schemas()).status).toBe(200);
  expect(await holds(with_, DEV.name)).toEqual(NOTHING);
  expect((await call('POST', SANDBOXES, DEV)).status).toBe(409);
});

it('12 B 8: a sandbox needs a name that a header can carry, a title and a type', async () => {
  const { call } = await caller();
  for (const wrong of [
    { ...DEV, name: 'Acme' },
    { ...DEV, name: '1st' },
    { ...DEV, name: 'a b' },
    { ...DEV, name: 'a'.repeat(257) },
    { ...DEV, name: undefined },
    { ...DEV, title: '' },
    { ...DEV, type: 'staging' },
  ])
    expect.soft((await call('POST', SANDBOXES, wrong)).status, JSON.stringify(wrong)).toBe(400);
  expect((await call('POST', SANDBOXES, { ...DEV, name: 'a'.repeat(256) })).status).toBe(202);
});

it('12 B 8: a reset sandbox forgets all of its resources, its inlets too, and its neighbours forget nothing', async () => {
  const { with_, made } = await full();
  const { call, clock } = with_;
  expect(Object.values(await holds(with_, 'dev1')).every((count) => count > 0)).toBe(true);
  const other = {
    ...with_,
    call: (method: string, path: string, body?: unknown, headers = {}) =>
      call(method, path, body, { 'x-sandbox-name': 'prod', ...headers }),
  };
  const kept = await makePipeline(other);
  const reset = await call('PUT', `${SANDBOXES}/dev1`, { action: 'reset' });
  expect([reset.status, reset.body]).toMatchObject([202, { name: 'dev1', state: 'resetting' }]);
  expect((await sendBatch(with_, made, [ROW])).status).toBe(404);
  clock.advance(WARM_UP);
  expect((await call('GET', `${SANDBOXES}/dev1`)).body.state).toBe('active');
  expect(await holds(with_, 'dev1')).toEqual(NOTHING);
  await sendBatch(with_, kept, [ROW]);
  expect(await rowsOf(with_, kept.dataSetId)).toHaveLength(1);
  // The names are free again.
  expect((await makePipeline(with_)).dataSetId).not.toBe(made.dataSetId);
});

it('12 B 8: a reset sandbox keeps no batch open, and counts its rows from none', async () => {
  const { with_ } = await full();
  const sandbox = with_.platform.state.sandboxes.get('dev1');
  expect([sandbox?.openBatches.size, sandbox?.keptRows.size]).toEqual([1, 1]);
  await with_.call('PUT', `${SANDBOXES}/dev1`, { action: 'reset' });
  expect([sandbox?.openBatches.size, sandbox?.keptRows.size]).toEqual([0, 0]);
});

it('12 B 8: what is on its way to the lake when its sandbox is reset is lost', async () => {
  const with_ = await caller({ ingestDelayMs: 1_000 });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW]);
  await with_.call('PUT', `${SANDBOXES}/dev1`, { action: 'reset' });
  with_.clock.advance(1_000);
  await with_.platform.idle();
  expect((await with_.bare('GET', '/_simulator/state')).body).toMatchObject({
    counts: { landed: 0, lost: 1 },
    losses: [{ reason: 'the flow is gone' }],
  });
});

it('12 B 8: a deleted sandbox is gone for every service, and can still be looked up', async () => {
  const { with_, made } = await full();
  const { call } = with_;
  const asked = await call('DELETE', `${SANDBOXES}/dev1?validationOnly=true`);
  expect([asked.status, asked.body.state]).toEqual([202, 'active']);
  const gone = await call('DELETE', `${SANDBOXES}/dev1`);
  expect([gone.status, gone.body.state]).toEqual([202, 'deleted']);
  expect((await call('GET', `${CATALOG}/dataSets`)).status).toBe(404);
  expect((await call('GET', `${FLOWS}/flows`)).body.type).toContain('FLOW-2100-404');
  expect((await sendBatch(with_, made, [ROW])).status).toBe(404);
  expect((await call('GET', `${SANDBOXES}/dev1`)).body.state).toBe('deleted');
  const names = async (path: string) =>
    (await call('GET', path)).body.sandboxes.map(({ name }: { name: string }) => name);
  expect(await names('/data/foundation/sandbox-management/')).toEqual(['prod']);
  expect(await names(SANDBOXES)).toEqual(['prod', 'dev1']);
  for (const [method, body] of [
    ['DELETE', undefined],
    ['PUT', { action: 'reset' }],
    ['PATCH', { title: 'Back' }],
  ] as const)
    expect.soft((await call(method, `${SANDBOXES}/dev1`, body)).status, method).toBe(400);
});

it('12 B 8: the default production sandbox is not deleted, and stays as it is', async () => {
  const with_ = await caller();
  const made = await makePipeline({
    ...with_,
    call: (m, p, b, h = {}) => with_.call(m, p, b, { 'x-sandbox-name': 'prod', ...h }),
  });
  expect((await with_.call('DELETE', `${SANDBOXES}/prod`)).status).toBe(400);
  expect((await with_.call('GET', `${SANDBOXES}/prod`)).body).toMatchObject({
    state: 'active',
    isDefault: true,
  });
  expect(await holds(with_, 'prod')).toMatchObject({ dataSets: 1, flows: 1 });
  expect(made.flowId).toBeTruthy();
});

it('12 B 8: a title can be changed, and nothing else', async () => {
  const { call } = await caller();
  const before = (await call('GET', `${SANDBOXES}/dev1`)).body;
  const after = await call('PATCH', `${SANDBOXES}/dev1`, { title: 'New title' });
  expect([after.status, after.body]).toMatchObject([200, { title: 'New title', etag: before.etag + 1 }]);
  expect((await call('PATCH', `${SANDBOXES}/dev1`, { type: 'production' })).status).toBe(400);
  expect((await call('PUT', `${SANDBOXES}/dev1`, { action: 'restart' })).status).toBe(400);
});

it('12 B 8: a copy of the platform has the sandboxes as they are, and each goes on by itself', async () => {
  const { platform, call, clock } = await caller();
  await call('POST', SANDBOXES, DEV);
  const copy = platform.copy();
  const states = () =>
    [...copy.state.sandboxes.values()].map((each) => [each.name, stateOf(each, copy.clock)]);
  const before = states();
  expect(before).toContainEqual([DEV.name, 'creating']);
  await call('PUT', `${SANDBOXES}/dev1`, { action: 'reset' });
  expect(states()).toEqual(before);
  expect(states()).toContainEqual(['dev1', 'active']);
  clock.advance(30_000);
  expect(states().map(([, state]) => state)).toEqual(['active', 'active', 'active']);
});

it('12 B 8: the list of sandboxes is paged by limit and offset together, and filtered', async () => {
  const { call } = await caller();
  for (const name of ['a', 'b', 'c']) await call('POST', SANDBOXES, { ...DEV, name });
  const names = (body: Body) => body.sandboxes.map(({ name }: { name: string }) => name);
  const first = (await call('GET', `${SANDBOXES}?limit=2&offset=1`)).body;
  expect(names(first)).toEqual(['dev1', 'a']);
  const { pathname, search } = new URL(first._links.next.href);
  const second = (await call('GET', pathname + search)).body;
  expect(names(second)).toEqual(['b', 'c']);
  expect(second._links.next).toBeUndefined();
  expect(names((await call('GET', `${SANDBOXES}?property=state==creating`)).body)).toEqual(['a', 'b', 'c']);
  expect((await call('GET', `${SANDBOXES}?limit=2`)).status).toBe(400);
});
