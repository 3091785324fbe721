// Catalog: references instead of objects, maps instead of lists, three ways to patch, versions, filters.
import { describe, expect, test } from 'vitest';
import { CATALOG, type Caller, caller, makeDataSet, makeSchema, REGISTRY } from './support.ts';

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
    ['name=!alpha', ['beta', 'alpha,beta']],
    ['name=al*', ['alpha', 'alpha,beta']],
    ['name=al**', []],
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

  test('properties trims, and limit has bounds', async () => {
    const with_ = await three();
    const trimmed = Object.values(
      (await with_.call('GET', `${SETS}?name=beta&properties=name,nothing`)).body,
    );
    expect(trimmed).toEqual([{ name: 'beta' }]);
    expect((await with_.call('GET', `${SETS}?limit=0`)).status).toBe(400);
    expect((await with_.call('GET', `${SETS}?limit=101`)).status).toBe(400);
  });

  test('twenty without a limit', async () => {
    const { with_, schemaId } = await withDataSet();
    for (let count = 0; count < 24; count++) await makeDataSet(with_, schemaId);
    expect(Object.keys((await with_.call('GET', SETS)).body)).toHaveLength(20);
    expect(Object.keys((await with_.call('GET', `${SETS}?limit=100`)).body)).toHaveLength(25);
  });

  test('a stale list does not know the newest yet', async () => {
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

  test('If-Match guards the version the E-Tag named', async () => {
    const { with_, id } = await withDataSet();
    const tag = (await with_.call('GET', `${SETS}/${id}`)).headers.get('e-tag') as string;
    const change = () => with_.call('PATCH', `${SETS}/${id}`, { description: 'x' }, { 'if-match': tag });
    expect((await change()).status).toBe(200);
    expect((await change()).status).toBe(412);
  });

  test('deleting answers with the reference, twice with nothing', async () => {
    const { with_, id } = await withDataSet();
    expect((await with_.call('DELETE', `${SETS}/${id}`)).body).toEqual([`@/dataSets/${id}`]);
    expect((await with_.call('GET', `${SETS}/${id}`)).status).toBe(404);
    const again = await with_.call('DELETE', `${SETS}/${id}`);
    expect([again.status, again.body]).toEqual([200, []]);
  });
});
