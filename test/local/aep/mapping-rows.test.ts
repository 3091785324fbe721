// Single rows of a mapping set can be added, changed and removed; a flow keeps to the version that it names.

import { expect, it } from 'vitest';
import {
  caller,
  MAPPINGS,
  makeMapping,
  makePipeline,
  makeSchema,
  PREP,
  ROW,
  rowsOf,
  sendBatch,
  WARM_UP,
} from './support.ts';

const LAST_NAME = { sourceType: 'ATTRIBUTE', source: 'lastName', destination: 'person.name.lastName' };

async function set() {
  const with_ = await caller();
  const { id } = (await makeMapping(with_, await makeSchema(with_))).body;
  const path = `${PREP}/mappingSets/${id}`;
  const shown = async () => (await with_.call('GET', path)).body;
  const rowOf = async (destination: string) =>
    (await shown()).mappings.find((each: typeof LAST_NAME) => each.destination === destination);
  return { ...with_, path, shown, rowOf };
}

it('12 B 8: a row is added, and can be read by the id in the answer', async () => {
  const { call, path, shown } = await set();
  const added = await call('POST', `${path}/mappings`, { ...LAST_NAME, id: 'mine', version: 7 });
  expect([added.status, Object.keys(added.body).sort()]).toEqual([
    200,
    ['createdBy', 'createdDate', 'id', 'modifiedBy', 'modifiedDate', 'version'],
  ]);
  expect(added.body.id).toMatch(/^[0-9a-f]{32}$/);
  expect((await call('GET', `${path}/mappings/${added.body.id}`)).body).toMatchObject({
    destination: LAST_NAME.destination,
  });
  expect(await shown()).toMatchObject({ version: 1, mappings: { length: MAPPINGS.length + 1 } });
});

it('12 B 8: a row is changed in its place, with its id, and removed', async () => {
  const { call, path, shown, rowOf } = await set();
  const { id } = await rowOf('person.name.firstName');
  const destinations = async () => (await shown()).mappings.map((each: typeof LAST_NAME) => each.destination);
  const before = await destinations();
  const changed = await call('PUT', `${path}/mappings/${id}`, LAST_NAME);
  expect([changed.status, changed.body]).toMatchObject([200, { id, destination: LAST_NAME.destination }]);
  expect(await destinations()).toEqual(
    before.with(before.indexOf('person.name.firstName'), LAST_NAME.destination),
  );
  expect((await call('DELETE', `${path}/mappings/${id}`)).body.id).toBe(id);
  expect(await destinations()).toEqual(before.filter((each: string) => each !== 'person.name.firstName'));
  for (const [method, body] of [['GET'], ['PUT', LAST_NAME], ['DELETE']] as const)
    expect.soft((await call(method, `${path}/mappings/${id}`, body)).status, method).toBe(404);
});

it('12 B 8: a row that could not work is refused, and the set stays as it was', async () => {
  const { call, path, shown, rowOf } = await set();
  const before = await shown();
  const { id } = await rowOf('_id');
  const wrong = { ...LAST_NAME, destination: 'no.such.field' };
  expect((await call('POST', `${path}/mappings`, wrong)).status).toBe(400);
  expect((await call('PUT', `${path}/mappings/${id}`, wrong)).status).toBe(400);
  expect(await shown()).toEqual(before);
  expect((await call('POST', `${PREP}/mappingSets/none/mappings`, LAST_NAME)).status).toBe(404);
});

it('12 B 8: a running flow maps by the version that it names, whatever happens to rows', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  const path = `${PREP}/mappingSets/${made.mappingId}`;
  for (const { id, destination } of (await with_.call('GET', path)).body.mappings)
    if (destination === 'person.name.firstName') await with_.call('DELETE', `${path}/mappings/${id}`);
  await sendBatch(with_, made, [ROW]);
  expect(await rowsOf(with_, made.dataSetId)).toMatchObject([{ person: { name: { firstName: 'Ana' } } }]);
});
