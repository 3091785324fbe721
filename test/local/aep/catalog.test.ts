// Catalog: references instead of objects, maps instead of lists, three ways to patch, versions, filters.
import { describe, expect, test } from 'vitest';
import {
  type Body,
  CATALOG,
  type Caller,
  caller,
  type Made,
  makeDataSet,
  makePipeline,
  makeSchema,
  ORGANIZATION,
  REGISTRY,
  ROW,
  rowsOf,
  sendBatch,
  WARM_UP,
} from './support.ts';

const SETS = `${CATALOG}/dataSets`;

async function withDataSet(more: object = {}): Promise<{ with_: Caller; id: string; schemaId: string }> {
  const with_ = await caller();
  const schemaId = await makeSchema(with_);
  return { with_, schemaId, id: await makeDataSet(with_, schemaId, more) };
}

test('creating answers with an array of one reference and a Location', async () => {
  const { with_, schemaId } = await withDataSet();
  const reply = await with_.call('POST', SETS, { name: 'second', schemaRef: { id: schemaId } });
  expect(reply.status).toBe(201);
  expect(reply.body).toEqual([expect.stringMatching(/^@\/dataSets\/[0-9a-f]{24}$/)]);
  expect(reply.headers.get('location')).toContain('/dataSets/');
});

test('one is read as a map of one; an unknown one is 404', async () => {
  const { with_, id, schemaId } = await withDataSet();
  const reply = await with_.call('GET', `${SETS}/${id}`);
  expect(Object.keys(reply.body)).toEqual([id]);
  expect(reply.body[id]).toMatchObject({
    name: 'customers',
    schemaRef: { id: schemaId },
    tags: { 'adobe/pqs/table': ['customers'] },
  });
  expect((await with_.call('GET', `${SETS}/000000000000000000000000`)).status).toBe(404);
});

test('the profile tag needs a schema in the union; other keys are ordinary tags', async () => {
  const with_ = await caller();
  const schemaId = await makeSchema(with_);
  const body = (tags: object) => ({ name: 'p', schemaRef: { id: schemaId }, tags });
  const refused = await with_.call('POST', SETS, body({ unifiedProfile: ['enabled:true'] }));
  expect(refused.status).toBe(400);
  expect(refused.body.detail).toContain('profile');
  expect((await with_.call('POST', SETS, body({ profile: ['enabled:true'] }))).status).toBe(201);
  const union = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
  await with_.call('PATCH', `${REGISTRY}/tenant/schemas/${encodeURIComponent(schemaId)}`, union);
  expect((await with_.call('POST', SETS, body({ unifiedProfile: ['enabled:true'] }))).status).toBe(201);
});

test('a dataset of an unknown schema is refused, and a dry run keeps nothing', async () => {
  const with_ = await caller();
  expect(
    (await with_.call('POST', SETS, { name: 'x', schemaRef: { id: 'https://ns.adobe.com/none' } })).status,
  ).toBe(400);
  const schemaId = await makeSchema(with_);
  const dry = await with_.call(
    'POST',
    SETS,
    { name: 'x', schemaRef: { id: schemaId } },
    { pragma: 'validate-only' },
  );
  expect(dry.status).toBe(200);
  expect((await with_.call('GET', SETS)).body).toEqual({});
});

describe('lists', () => {
  async function three(): Promise<Caller> {
    const { with_, schemaId } = await withDataSet({ name: 'alpha', tags: { owner: ['orders:v1'] } });
    await makeDataSet(with_, schemaId, { name: 'beta', tags: { owner: ['stock:v1'] } });
    await makeDataSet(with_, schemaId, { name: 'alpha,beta' });
    return with_;
  }
  const names = (body: Record<string, { name: string }>) => Object.values(body).map(({ name }) => name);

  test.each([
    ['name=alpha', ['alpha']],
    ['name=alpha,beta', ['alpha', 'beta']],
    ['property=name==alpha,beta', ['alpha,beta']],
    ['property=name=="alpha,beta"', ['alpha,beta']],
    ['property=name~"^b"', ['beta']],
    ['name=!alpha', ['beta', 'alpha,beta']],
    ['name=al*', ['alpha', 'alpha,beta']],
    ['name=al**', []],
    ['name=*a', ['alpha', 'beta', 'alpha,beta']],
    ['name=a*a*a', ['alpha,beta']],
    ['name=alpha*alpha', []],
    ['name=!*a*', []],
    ['tags=constructor', []],
    ['tags=owner:orders:*', ['alpha']],
    ['tags=owner:*', ['alpha', 'beta']],
    ['property=name~^b', ['beta']],
    ['orderBy=desc:name&limit=2', ['beta', 'alpha,beta']],
    ['start=1&limit=1', ['beta']],
    ['name=nothing', []],
  ])('%s', async (query, expected) => {
    const with_ = await three();
    const encoded = query.replace('==', '%3D%3D').replace('^', '%5E');
    expect(names((await with_.call('GET', `${SETS}?${encoded}`)).body)).toEqual(expected);
  });

  test('12: a name with many stars in it is answered, however long the names are', async () => {
    const { with_ } = await withDataSet({ name: 'a'.repeat(5_000) });
    const reply = await with_.call('GET', `${SETS}?name=${'*a'.repeat(8)}b`);
    expect(reply).toMatchObject({ status: 200, body: {} });
  });

  test('12: a filter whose regular expression would take for ever is refused, and the next request answered', async () => {
    const { with_ } = await withDataSet({ name: 'a'.repeat(60) });
    const endless = await with_.call('GET', `${SETS}?property=${encodeURIComponent('name~^(a+)+b$')}`);
    expect(endless.status).toBe(400);
    expect(endless.text).toContain('takes too long');
    const quick = await with_.call('GET', `${SETS}?property=${encodeURIComponent('name~^(a+)+$')}`);
    expect(Object.keys(quick.body)).toHaveLength(1);
  });

  test('properties selects members, and limit has bounds', async () => {
    const with_ = await three();
    const trimmed = Object.values(
      (await with_.call('GET', `${SETS}?name=beta&properties=name,nothing`)).body,
    );
    expect(trimmed).toEqual([{ name: 'beta' }]);
    expect((await with_.call('GET', `${SETS}?limit=0`)).status).toBe(400);
    expect((await with_.call('GET', `${SETS}?limit=101`)).status).toBe(400);
  });

  test('a list without a limit has twenty', async () => {
    const { with_, schemaId } = await withDataSet();
    for (let count = 0; count < 24; count++) await makeDataSet(with_, schemaId);
    expect(Object.keys((await with_.call('GET', SETS)).body)).toHaveLength(20);
    expect(Object.keys((await with_.call('GET', `${SETS}?limit=100`)).body)).toHaveLength(25);
  });

  test('a stale list lacks the newest', async () => {
    const with_ = await caller({ staleMs: 5_000 });
    const schemaId = await makeSchema(with_);
    const id = await makeDataSet(with_, schemaId);
    expect((await with_.call('GET', SETS)).body).toEqual({});
    expect((await with_.call('GET', `${SETS}/${id}`)).status).toBe(200);
    with_.clock.advance(5_000);
    expect(Object.keys((await with_.call('GET', SETS)).body)).toEqual([id]);
    await with_.call('DELETE', `${SETS}/${id}`);
    expect(Object.keys((await with_.call('GET', SETS)).body)).toEqual([id]);
  });
});

describe('changing', () => {
  test('a partial object replaces what it names', async () => {
    const { with_, id } = await withDataSet({ tags: { a: ['1'] } });
    const reply = await with_.call('PATCH', `${SETS}/${id}`, { tags: { b: ['2'] } });
    expect(reply.body).toEqual([`@/dataSets/${id}`]);
    expect((await with_.call('GET', `${SETS}/${id}`)).body[id].tags).toEqual({ b: ['2'] });
  });

  test('a JSON Patch changes one tag, a v2 merge adds one', async () => {
    const { with_, id } = await withDataSet({ tags: { a: ['1'] } });
    const patch = [{ op: 'add', path: '/tags/x~1y', value: ['3'] }];
    const type = { 'content-type': 'application/json-patch+json' };
    expect((await with_.call('PATCH', `${SETS}/${id}`, patch, type)).status).toBe(200);
    expect((await with_.call('PATCH', `${CATALOG}/v2/dataSets/${id}`, { tags: { b: ['2'] } })).status).toBe(
      200,
    );
    expect((await with_.call('GET', `${SETS}/${id}`)).body[id].tags).toMatchObject({
      a: ['1'],
      b: ['2'],
      'x/y': ['3'],
    });
    const lost = [{ op: 'remove', path: '/tags/none' }];
    expect((await with_.call('PATCH', `${SETS}/${id}`, lost, type)).status).toBe(400);
  });

  test('If-Match refuses any version but the one of the E-Tag', async () => {
    const { with_, id } = await withDataSet();
    const tag = (await with_.call('GET', `${SETS}/${id}`)).headers.get('e-tag') as string;
    const change = () => with_.call('PATCH', `${SETS}/${id}`, { description: 'x' }, { 'if-match': tag });
    expect((await change()).status).toBe(200);
    expect((await change()).status).toBe(412);
  });

  test('deleting answers with the reference, and the second time with 404', async () => {
    const { with_, id } = await withDataSet();
    expect((await with_.call('DELETE', `${SETS}/${id}`)).body).toEqual([`@/dataSets/${id}`]);
    expect((await with_.call('GET', `${SETS}/${id}`)).status).toBe(404);
    const again = await with_.call('DELETE', `${SETS}/${id}`);
    expect([again.status, again.body.title]).toEqual([404, 'NotFoundError']);
  });
});

describe('12 B 5: what a dataset says of itself', () => {
  test('its kind, its state, its view, its diagnostics and what lies in the lake', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    await sendBatch(with_, made, [ROW, { ...ROW, gender: 'Male!' }, ROW]);
    const one = (await with_.call('GET', `${SETS}/${made.dataSetId}`)).body[made.dataSetId];
    const batches = (await with_.call('GET', `${CATALOG}/batches`)).body;
    const of = (status: string) => Object.keys(batches).find((id) => batches[id].status === status);
    expect(one).toMatchObject({
      state: 'ACTIVE',
      enableErrorDiagnostics: false,
      classification: { dataBehavior: 'record', managedBy: 'CUSTOMER' },
      extensions: {
        adobe_lakeHouse: {
          metrics: { rowCount: 2, storageSize: batches[of('success') ?? ''].size, asOf: expect.any(Number) },
        },
        adobe_unifiedProfile: {},
      },
      lastSuccessfulBatch: of('success'),
      lastFailedBatch: of('failed'),
      lastBatchId: of('failed'),
      lastBatchStatus: 'failed',
    });
    expect(BigInt(`0x${one.viewId}`) - BigInt(`0x${made.dataSetId}`)).toBe(1n);
  });

  test('events have their own kind, and settings that were made stay', async () => {
    const with_ = await caller();
    const schemaId = await makeSchema(with_, 'events', ['experienceevent', 'identitymap']);
    const rowExpiration = { ttlValue: 'P3Y' };
    const id = await makeDataSet(with_, schemaId, { enableErrorDiagnostics: true });
    const extensions = { adobe_lakeHouse: { rowExpiration } };
    await with_.call('PATCH', `${CATALOG}/v2/dataSets/${id}`, { extensions });
    expect((await with_.call('GET', `${SETS}/${id}`)).body[id]).toMatchObject({
      enableErrorDiagnostics: true,
      classification: { dataBehavior: 'time-series' },
      extensions: { adobe_lakeHouse: { rowExpiration, metrics: { rowCount: 0, storageSize: 0 } } },
    });
    expect(Object.keys((await with_.call('GET', `${SETS}?property=viewId`)).body)).toEqual([id]);
  });

  test('the time since which it is in Profile, whichever call enabled it', async () => {
    const with_ = await caller();
    const schemaId = await makeSchema(with_);
    const union = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
    await with_.call('PATCH', `${REGISTRY}/tenant/schemas/${encodeURIComponent(schemaId)}`, union);
    const tagOf = async (id: string) =>
      (await with_.call('GET', `${SETS}/${id}`)).body[id].tags.unifiedProfile;
    const set = async (id: string, value: string[]) => {
      const patch = [{ op: 'add', path: '/tags/unifiedProfile', value }];
      await with_.call('PATCH', `${SETS}/${id}`, patch, { 'content-type': 'application/json-patch+json' });
    };
    const id = await makeDataSet(with_, schemaId, { tags: { unifiedProfile: ['enabled: true'] } });
    expect(await tagOf(id)).toEqual(['enabled: true', 'enabledAt:2026-02-13 09:00:00']);
    with_.clock.advance(61_000);
    await set(id, ['enabled:true', 'isUpsert:true', 'enabledAt:2026-02-13 09:00:00']);
    expect((await tagOf(id)).at(-1)).toBe('enabledAt:2026-02-13 09:00:00');
    await set(id, ['enabled:false']);
    expect(await tagOf(id)).toEqual(['enabled:false']);
    await with_.call('PATCH', `${CATALOG}/v2/dataSets/${id}`, { tags: { unifiedProfile: ['enabled:true'] } });
    expect(await tagOf(id)).toEqual(['enabled:true', 'enabledAt:2026-02-13 09:01:01']);
  });
});

describe('batches', () => {
  const BATCHES = `${CATALOG}/batches`;
  const REFUSED = { ...ROW, gender: 'Male!' };
  async function landed(...sent: object[][]): Promise<{ with_: Caller; made: Made }> {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    for (const messages of sent) {
      await sendBatch(with_, made, messages);
      with_.clock.advance(1000);
    }
    return { with_, made };
  }
  const idsOf = async ({ call }: Caller, status: string): Promise<string[]> =>
    Object.keys((await call('GET', `${BATCHES}?status=${status}&orderBy=asc:created`)).body);
  const revert = (with_: Caller, id: string) =>
    with_.call('POST', `/data/foundation/import/batches/${id}?action=REVERT`);

  test('12 B 5: have their counts and their size, which is shared out by rows', async () => {
    const { with_ } = await landed([ROW, REFUSED, ROW, ROW]);
    const { body } = await with_.call('GET', BATCHES);
    const [good, bad] = ['success', 'failed'].map((status) =>
      Object.values<Body>(body).find((batch) => batch.status === status),
    );
    expect(good).toMatchObject({ recordCount: 3, failedRecordCount: 0, createdClient: expect.any(String) });
    expect(bad).toMatchObject({ recordCount: 1, failedRecordCount: 1, metrics: { recordsSize: bad.size } });
    expect(good.size / bad.size).toBeCloseTo(3, 1);
    expect((await with_.call('GET', `${BATCHES}?property=failedRecordCount>0`)).body).toEqual({
      [bad.externalId]: bad,
    });
  });

  test('12 B 4: lastBatches tells the last, the last good and the last bad of each dataset', async () => {
    const { with_, made } = await landed([ROW], [REFUSED], [ROW]);
    await makeDataSet(with_, made.schemaId);
    const [, good] = await idsOf(with_, 'success');
    const [bad] = await idsOf(with_, 'failed');
    const { body } = await with_.call('GET', `${CATALOG}/lastBatches`);
    expect(body).toEqual({
      [made.dataSetId]: {
        lastBatchId: good,
        lastBatchStatus: 'success',
        lastSuccessfulBatchId: good,
        lastFailedBatchId: bad,
        imsOrg: ORGANIZATION,
        sandboxId: expect.any(String),
        created: expect.any(Number),
        updated: expect.any(Number),
      },
    });
    const found = async (query: string) => (await with_.call('GET', `${CATALOG}/lastBatches?${query}`)).body;
    for (const query of [
      `dataSetId=other,${made.dataSetId}`,
      'lastBatchStatus=success',
      `lastFailedBatchId=${bad}&lastSuccessfulBatchId=${good}`,
      `created=${body[made.dataSetId].created}`,
      'limit=1&start=0&orderBy=desc:updated',
    ])
      expect(await found(query), query).toEqual(body);
    for (const query of ['dataSetId=other', 'lastBatchStatus=failed', `lastBatchId=${bad}`, 'start=1'])
      expect(await found(query), query).toEqual({});
    expect(await found('properties=lastBatchId')).toEqual({ [made.dataSetId]: { lastBatchId: good } });
  });

  test('12 B 8: a batch is reverted: its rows are gone, and it is inactive, then deleted', async () => {
    const { with_, made } = await landed([ROW, ROW], [{ ...ROW, id: 'cust-9' }]);
    const [first = '', second = ''] = await idsOf(with_, 'success');
    const reply = await revert(with_, first);
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(await idsOf(with_, 'inactive')).toEqual([first]);
    expect(await idsOf(with_, 'success')).toEqual([second]);
    expect((await rowsOf(with_, made.dataSetId)).map((row) => row._id)).toEqual(['cust-9']);
    const files = await with_.call('GET', `/data/foundation/export/batches/${first}/files`);
    expect(files.body.data).toEqual([]);
    const set = (await with_.call('GET', `${SETS}/${made.dataSetId}`)).body[made.dataSetId];
    expect(set.extensions.adobe_lakeHouse.metrics.rowCount).toBe(1);
    expect((await revert(with_, first)).status).toBe(428);
    with_.clock.advance(3_600_000);
    expect(await idsOf(with_, 'deleted')).toEqual([first]);
  });

  test("12 B 8: the simulator's own pages do not count what was reverted, and count what comes next", async () => {
    const { with_, made } = await landed([ROW, ROW], [{ ...ROW, id: 'cust-9' }]);
    const [first = ''] = await idsOf(with_, 'success');
    await revert(with_, first);
    const told = async () => (await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}`)).body.landed;
    const total = async () =>
      (await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}/rows`)).body.total;
    expect([await told(), await total()]).toEqual([1, 1]);
    await sendBatch(with_, made, [ROW]);
    expect([await told(), await total()]).toEqual([2, 2]);
  });

  test('12 B 8: what has not landed cannot be reverted, and other actions say that they are not simulated', async () => {
    const { with_ } = await landed([REFUSED]);
    const [bad = ''] = await idsOf(with_, 'failed');
    const refused = await revert(with_, bad);
    expect(refused.status).toBe(428);
    expect(refused.body.detail).toContain('ERR-BI-104');
    expect((await revert(with_, 'none')).status).toBe(404);
    const other = await with_.call('POST', `/data/foundation/import/batches/${bad}?action=COMPLETE`);
    expect([other.status, other.body.penstock]).toEqual([501, 'not simulated']);
    expect(other.headers.get('penstock')).toBe('not simulated');
  });
});

describe('how long rows are kept', () => {
  async function events(more: object = {}) {
    const with_ = await caller();
    const schemaId = await makeSchema(with_, 'events', ['experienceevent', 'identitymap']);
    const union = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
    await with_.call('PATCH', `${REGISTRY}/tenant/schemas/${encodeURIComponent(schemaId)}`, union);
    const id = await makeDataSet(with_, schemaId, more);
    const set = async (store: string, ttlValue: string | null) => {
      const extensions = { [store]: { rowExpiration: { ttlValue } } };
      return (await with_.call('PATCH', `${CATALOG}/v2/dataSets/${id}`, { extensions })).status;
    };
    const read = async (store: string) =>
      (await with_.call('GET', `${SETS}/${id}`)).body[id].extensions[store].rowExpiration;
    return { with_, id, set, read };
  }
  const IN_PROFILE = { tags: { unifiedProfile: ['enabled:true'] } };

  test('has bounds, and is told with who set it when', async () => {
    const { with_, id, set, read } = await events();
    expect((await with_.call('GET', `${CATALOG}/ttl/${id}`)).body.extensions.adobe_lakeHouse).toEqual({
      rowExpiration: { defaultValue: 'P10Y', minValue: 'P30D', maxValue: 'P10Y' },
    });
    expect((await with_.call('GET', `${CATALOG}/ttl/000000000000000000000000`)).status).toBe(404);
    for (const wrong of ['P29D', 'P11Y', '90', 'P3W']) expect(await set('adobe_lakeHouse', wrong)).toBe(400);
    expect(await set('adobe_lakeHouse', 'P3M')).toBe(200);
    expect(await read('adobe_lakeHouse')).toEqual({
      ttlValue: 'P3M',
      valueStatus: 'custom',
      setBy: 'user',
      updated: with_.clock.now(),
    });
    expect(await set('adobe_lakeHouse', null)).toBe(200);
    expect((await read('adobe_lakeHouse')).ttlValue).toBeNull();
  });

  test('is for events alone, and in Profile for what is in it, once in 30 days', async () => {
    const { with_, id } = await withDataSet();
    const extensions = { adobe_lakeHouse: { rowExpiration: { ttlValue: 'P3M' } } };
    expect((await with_.call('PATCH', `${CATALOG}/v2/dataSets/${id}`, { extensions })).status).toBe(400);
    expect(await (await events()).set('adobe_unifiedProfile', 'P90D')).toBe(400);
    const own = await events(IN_PROFILE);
    expect(await own.set('adobe_unifiedProfile', 'P90D')).toBe(200);
    expect(await own.set('adobe_unifiedProfile', 'P60D')).toBe(400);
    expect((await own.read('adobe_unifiedProfile')).ttlValue).toBe('P90D');
  });
});
