// Identity namespaces: what Adobe brings, what is made, and what is refused, in the service's own words.
import { expect, test } from 'vitest';
import { caller } from './support.ts';

const BASE = '/data/core/idnamespace/identities';
const LOYALTY = { name: 'Loyalty Member', code: 'Loyalty', idType: 'Cross_device' };

test('12 B 7: namespaces have COOKIE, and times in milliseconds', async () => {
  const { call } = await caller();
  const { body } = await call('GET', BASE);
  expect(body.find((each: { code: string }) => each.code === 'ECID')).toMatchObject({
    id: 4,
    idType: 'COOKIE',
    createTime: expect.any(Number),
    updateTime: expect.any(Number),
    custom: false,
  });
});

test('12 B 7: a wrong idType is answered with 400 and those that are right, in the service’s own body', async () => {
  const { call } = await caller();
  const refused = await call('POST', BASE, { ...LOYALTY, idType: 'Cookies' });
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({
    type: 'http://ns.adobe.com/adobecloud/problem/namespacevalidation',
    status: 400,
    title: 'Namespace validation',
    report: { code: 'INVALID_REQUEST_PARAMS' },
  });
  expect(refused.body.description).toContain('COOKIE, CROSS_DEVICE, DEVICE, EMAIL');
  expect((await call('GET', BASE)).body.some((each: { custom: boolean }) => each.custom)).toBe(false);
});

test('12 B 7: a kind is taken in any case, listed as Adobe lists it, and read by id', async () => {
  const { call } = await caller();
  const made = await call('POST', BASE, { ...LOYALTY, idType: 'CROSS_DEVICE' });
  expect(made.body).toMatchObject({ ...LOYALTY, status: 'ACTIVE', custom: true });
  const listed = (await call('GET', BASE)).body.find((each: { code: string }) => each.code === 'Loyalty');
  expect(listed.idType).toBe('CROSS_DEVICE');
  expect((await call('GET', `${BASE}/${made.body.id}`)).body).toEqual(made.body);
  const missing = await call('GET', `${BASE}/999`);
  expect([missing.status, missing.body.report.code]).toEqual([404, 'NAMESPACE_NOT_FOUND']);
  const twice = await call('POST', BASE, LOYALTY);
  expect([twice.status, twice.body.report.code]).toEqual([409, 'INTEGRATION_CODE_EXISTS']);
});

test('12 B 7: a namespace gets another name, and keeps its code and its kind', async () => {
  const { call, clock } = await caller();
  const { id, createTime } = (await call('POST', BASE, LOYALTY)).body;
  clock.advance(1_000);
  const renamed = await call('PUT', `${BASE}/${id}`, { ...LOYALTY, name: 'Card' });
  expect(renamed.body).toMatchObject({ id, name: 'Card', createTime, updateTime: createTime + 1_000 });
  expect((await call('PUT', `${BASE}/${id}`, { ...LOYALTY, idType: 'EMAIL' })).status).toBe(400);
  expect((await call('PUT', `${BASE}/4`, { name: 'x', code: 'ECID', idType: 'COOKIE' })).status).toBe(400);
});
