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

test('12 B 7: a kind is taken in any case, and listed as Adobe lists it', async () => {
  const { call } = await caller();
  const made = await call('POST', BASE, LOYALTY);
  expect(made.body).toMatchObject({ ...LOYALTY, status: 'ACTIVE', custom: true });
  expect((await call('POST', BASE, { ...LOYALTY, code: 'Shop', idType: 'COOKIE' })).status).toBe(200);
  const listed = (await call('GET', BASE)).body.filter((each: { custom: boolean }) => each.custom);
  expect(listed.map((each: { idType: string }) => each.idType)).toEqual(['CROSS_DEVICE', 'COOKIE']);
  const twice = await call('POST', BASE, LOYALTY);
  expect([twice.status, twice.body.report.code]).toEqual([409, 'INTEGRATION_CODE_EXISTS']);
});
