// A namespace is read and rewritten by its number.

import { expect, it } from 'vitest';
import { caller } from './support.ts';

const IDENTITIES = '/data/core/idnamespace/identities';
const LOYALTY = { name: 'Loyalty', code: 'LOYAL', idType: 'CROSS_DEVICE' };

async function loyalty() {
  const { call } = await caller();
  const { id } = (await call('POST', IDENTITIES, LOYALTY)).body;
  const all = async () => (await call('GET', IDENTITIES)).body;
  return { call, id, all };
}

it("12 B 8: a namespace by its number is the one of the list, Adobe's own too", async () => {
  const { call, all } = await loyalty();
  for (const each of await all())
    expect.soft((await call('GET', `${IDENTITIES}/${each.id}`)).body).toEqual(each);
});

it('12 B 8: an unknown number is 404 in the shape of the service', async () => {
  const { call } = await loyalty();
  for (const id of ['4711', 'LOYAL']) {
    const { status, body } = await call('GET', `${IDENTITIES}/${id}`);
    expect({ status, body }).toMatchObject({
      status: 404,
      body: {
        status: 404,
        error: 'NAMESPACE_NOT_FOUND',
        title: 'Namespace validation',
        report: { code: 'NAMESPACE_NOT_FOUND' },
      },
    });
  }
});

it('12 B 8: a rewrite keeps the number, the code and the type', async () => {
  const { call, id, all } = await loyalty();
  const wanted = { name: 'Loyalty card', code: 'LOYAL', idType: 'Cross_device', description: 'On the card' };
  const rewritten = await call('PUT', `${IDENTITIES}/${id}`, wanted);
  expect([rewritten.status, rewritten.body]).toMatchObject([
    200,
    [{ id, ...wanted, idType: 'CROSS_DEVICE', custom: true }],
  ]);
  const listed = (await all()).filter((each: { custom: boolean }) => each.custom);
  expect(listed).toEqual(rewritten.body);
  const put = async (body: object, number = id) =>
    (await call('PUT', `${IDENTITIES}/${number}`, body)).status;
  expect(await put({ ...wanted, code: 'CARD' })).toBe(400);
  expect(await put({ ...wanted, idType: 'EMAIL' })).toBe(400);
  expect(await put({ name: 'x', code: 'X' })).toBe(400);
  expect(await put({ ...wanted, idType: 'PERSON' })).toBe(400);
  expect(await put(wanted, 6)).toBe(400);
  expect(await put(wanted, 4711)).toBe(404);
});
