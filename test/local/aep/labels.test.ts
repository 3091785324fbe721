// Dataset Service: data usage labels, as Adobe's page and description have them.
import { expect, test } from 'vitest';
import { caller, makeDataSet, makeSchema } from './support.ts';

async function labelled() {
  const with_ = await caller();
  const id = await makeDataSet(with_, await makeSchema(with_));
  const path = `/data/foundation/dataset/datasets/${id}/labels`;
  const call = (method: string, body?: object, etag?: string | null) =>
    with_.call(method, path, body, etag ? { 'if-match': etag } : {});
  return { call, id };
}

const FIELD = { id: 's', contentType: 'c', schemaPath: '/properties/_id' };

test('a dataset without labels has none to be read; POST adds the first, and only those', async () => {
  const { call, id } = await labelled();
  expect((await call('GET')).status).toBe(404);
  const first = await call('POST', { labels: ['C1'], parents: [] });
  expect([first.status, first.body]).toMatchObject([201, { labels: ['C1'], code: 'PES-201' }]);
  expect((await call('POST', { labels: ['C2'] })).status).toBe(403);
  const { body, headers } = await call('GET');
  expect(body).toEqual({
    [`AEP:dataset:${id}`]: { imsOrg: expect.any(String), labels: ['C1'], optionalLabels: [], parents: [] },
  });
  expect(headers.get('etag')).toBe(first.headers.get('etag'));
});

test('PUT and DELETE want the etag that was read', async () => {
  const { call } = await labelled();
  const etag = (await call('PUT', { labels: ['C1'] })).headers.get('etag');
  expect((await call('PUT', { labels: ['C2'] })).status).toBe(400);
  expect((await call('PUT', { labels: ['C2'] }, 'another')).status).toBe(412);
  const next = await call('PUT', { labels: ['C2'] }, etag);
  expect(next.status).toBe(200);
  expect((await call('DELETE', undefined, etag)).status).toBe(412);
  expect((await call('DELETE', undefined, next.headers.get('etag'))).status).toBe(200);
  expect((await call('GET')).status).toBe(404);
});

test('labels of fields are taken away, and never added', async () => {
  const { call } = await labelled();
  const optionalLabels = [{ option: FIELD, labels: ['S1'] }];
  expect((await call('POST', { labels: [], optionalLabels })).status).toBe(400);
  expect((await call('PUT', { labels: ['C1'], optionalLabels })).status).toBe(400);
  expect((await call('PUT', { labels: [1] })).status).toBe(400);
  expect((await call('PUT', { labels: ['C1'], optionalLabels: [] })).status).toBe(200);
});
