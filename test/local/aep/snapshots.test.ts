// A snapshot brings back what the platform remembered, as often as it is asked, and nothing that happens later gets into it.
import { expect, test } from 'vitest';
import {
  type Body,
  CATALOG,
  type Caller,
  caller,
  FLOWS,
  makeDataSet,
  makePipeline,
  ROW,
  rowsOf,
  sendBatch,
  WARM_UP,
} from './support.ts';

const take = async ({ bare }: Caller): Promise<string> => {
  const taken = await bare('POST', '/_simulator/snapshots');
  expect(taken.status).toBe(201);
  return taken.body.id;
};
const restore = async ({ bare }: Caller, id: string): Promise<number> =>
  (await bare('POST', `/_simulator/snapshots/${id}/restore`)).status;

/** All that can be seen of it; the clock is not part of it. */
async function seen({ bare, call }: Caller): Promise<Body> {
  const page = async (name: string) => (await bare('GET', `/_simulator/${name}`)).body;
  const { now: _, ...state } = await page('state');
  const journal = await page('journal?limit=1000');
  const datasets = await page('datasets');
  const faults = await page('faults');
  const flows = (await call('GET', `${FLOWS}/flows`)).body;
  return { state, journal, datasets, faults, flows };
}

test('resources, rows, tokens, faults and journal are as they were, twice', async () => {
  const user = await caller();
  const made = await makePipeline(user);
  user.clock.advance(WARM_UP);
  await user.bare('POST', '/_simulator/faults', { kind: 'latency', path: '/nowhere' });
  // It waits for what is on its way: this row is in it.
  expect((await sendBatch(user, made, [ROW])).status).toBe(207);
  const id = await take(user);
  const then = await seen(user);
  expect(await rowsOf(user, made.dataSetId)).toHaveLength(1);

  for (let round = 0; round < 2; round++) {
    await restore(user, id);
    await sendBatch(user, made, [{ ...ROW, id: 'cust-2' }]);
    await user.platform.idle();
    await makeDataSet(user, made.schemaId);
    await user.call('DELETE', `${FLOWS}/flows/${made.flowId}`);
    await user.bare('POST', '/_simulator/faults', { kind: 'refuse', path: '/data/**' });
    await user.bare('POST', '/_simulator/tokens/revoke');
    expect(await rowsOf(user, made.dataSetId)).toHaveLength(2);
    expect(await restore(user, id)).toBe(204);
    expect(await seen(user)).toEqual(then);
  }
  expect((await sendBatch(user, made, [ROW])).status).toBe(207);
  await user.platform.idle();
  expect(await rowsOf(user, made.dataSetId)).toHaveLength(2);
});

test('the next ids are the same again, and chance strikes the same calls', async () => {
  const user = await caller();
  await user.bare('POST', '/_simulator/faults', { kind: 'refuse', path: '/data/**', probability: 0.5 });
  const id = await take(user);
  const after = async () => {
    const struck = [];
    for (let call = 0; call < 40; call++) struck.push((await user.call('GET', `${CATALOG}/dataSets`)).status);
    await user.bare('DELETE', '/_simulator/faults');
    return { struck, made: await makePipeline(user) };
  };
  const first = await after();
  await restore(user, id);
  expect(await after()).toEqual(first);
  expect(new Set(first.struck)).toEqual(new Set([200, 503]));
});

test('time goes on: a token that has expired since is not valid again', async () => {
  const user = await caller();
  const id = await take(user);
  user.clock.advance(86_400_000);
  expect(await restore(user, id)).toBe(204);
  expect((await user.call('GET', `${FLOWS}/flows`)).status).toBe(401);
});

test('one that is removed or forgotten cannot be restored', async () => {
  const user = await caller();
  const [first, second] = [await take(user), await take(user)];
  expect((await user.bare('DELETE', `/_simulator/snapshots/${first}`)).status).toBe(204);
  expect(await restore(user, first)).toBe(404);
  expect(await restore(user, second)).toBe(204);
  await user.bare('POST', '/_simulator/reset');
  expect(await restore(user, second)).toBe(404);
  // A later one does not bear its name.
  expect(await take(user)).not.toBe(second);
});
