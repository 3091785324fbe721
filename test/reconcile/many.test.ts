import { expect, it } from 'vitest';
import { batchMark, dayOf } from '../../lib/reconcile/progress.ts';
import { depth } from '../support/depth.ts';
import { itemBytes, LARGEST_ITEM } from '../support/ledger.ts';
import { Killed, type Reconciling, reconciling } from '../support/reconciling.ts';

// More failed batches than one item of DynamoDB could ever remember: the real ports over a table with DynamoDB's own limit.

const json = (value: unknown) => ({
  status: 200,
  headers: new Headers(),
  body: (async function* () {
    yield Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  })(),
});

/** Catalog and Data Access with so many failed batches of `files` files with a row each, one a `spacing` of ms. */
function manyFailed(
  own: Reconciling,
  { batches, files, spacing }: { batches: number; files: number; spacing: number },
) {
  const now = own.runtime.clock.now();
  const created = (n: number) => now - (batches - n) * spacing;
  const idOf = (n: number) => `01J${String(n).padStart(23, '0')}`;
  const asked = { lists: 0, rows: 0 };
  const fetch: typeof own.runtime.fetch = async (url, init) => {
    const { pathname, searchParams } = new URL(url);
    if (pathname.endsWith('/catalog/batches')) {
      // Catalog takes its time, and a run has 10 minutes.
      own.with_.clock.advance(200);
      asked.lists++;
      if (searchParams.get('status') !== 'failed') return json({});
      const after = Number(searchParams.get('createdAfter'));
      const first =
        Math.max(0, Math.floor((after - created(0)) / spacing) + 1) + Number(searchParams.get('start'));
      const page = Array.from({ length: Math.max(0, Math.min(100, batches - first)) }, (_, at) => first + at);
      const tags = { flowId: [own.published.flowId] };
      return json(
        Object.fromEntries(
          page.map((n) => [idOf(n), { status: 'failed', created: created(n), updated: created(n), tags }]),
        ),
      );
    }
    const [, id] = /\/batches\/(\w+)\/failed$/.exec(pathname) ?? [];
    if (id === undefined) return own.runtime.fetch(url, init);
    const path = searchParams.get('path');
    if (path === null)
      return json({
        data: Array.from({ length: files }, (_, n) => ({ name: `part-${n}.json`, length: '60' })),
      });
    asked.rows++;
    own.with_.clock.advance(10);
    return json(`{"_id":"${id} ${path}","_errors":[]}\n`);
  };
  return { fetch, asked, idOf, created };
}

const largest = ({ ledger }: Reconciling) => Math.max(...[...ledger.items.values()].map(itemBytes));

/** One each five seconds: a day has 17,280 of them. */
const BATCHES = depth === 'quick' ? 30_000 : 100_000;

it(`A 3: ${BATCHES} failed batches are gone through, run by run, and no item comes near the limit of DynamoDB`, async () => {
  const own = await reconciling();
  const { fetch, asked, idOf, created } = manyFailed(own, { batches: BATCHES, files: 1, spacing: 5_000 });
  // Nine of ten have been read by earlier runs: reading takes most of the time, and says the same of each.
  const read = Array.from({ length: BATCHES }, (_, n) => n).filter((n) => n % 10 !== 0);
  const batches = read.map((n) => ({ id: idOf(n), created: created(n), updated: created(n) }));
  for (const [day, ofDay] of Map.groupBy(batches, dayOf)) {
    await own.progress.mark('customers', day, ofDay.map(batchMark));
  }
  const counts = await untilComplete(own, fetch, 20, 1.2 * BATCHES);
  expect(counts).toMatchObject({ stored: BATCHES / 10, alreadyThere: 0 });
  expect(counts.runs).toBeGreaterThan(1);
  expect(asked.rows).toBe(BATCHES / 10);
  // No page is asked for by every run again.
  expect(asked.lists).toBeLessThan(BATCHES / 100 + 10 * counts.runs);
  expect(largest(own)).toBeLessThan(LARGEST_ITEM / 10);
});

it('A 3: a month of failed batches, one each ten minutes, is read once, in one run and in the runs behind it', async () => {
  const own = await reconciling();
  const { fetch, asked } = manyFailed(own, { batches: 4_320, files: 1, spacing: 599_000 });
  expect(await untilComplete(own, fetch, 5)).toMatchObject({ runs: 1, stored: 4_320 });
  expect(await own.run({ fetch, store: COUNTING })).toMatchObject({ batches: 0, stored: 0, complete: true });
  expect(asked.rows).toBe(4_320);
  expect(largest(own)).toBeLessThan(LARGEST_ITEM / 10);
});

it('A 3: a batch of 5,000 files is read file by file, and what is remembered of it stays as small', async () => {
  const own = await reconciling();
  const { fetch, asked } = manyFailed(own, { batches: 1, files: 5_000, spacing: 600_000 });
  // Each run has time for a few hundred.
  const counts = await untilComplete(own, fetch, 40, 20_000);
  expect(counts).toMatchObject({ stored: 5_000, alreadyThere: 0 });
  expect(counts.runs).toBeGreaterThan(5);
  // The one that a run had begun is opened again by the next.
  expect(asked.rows).toBeLessThanOrEqual(5_000 + counts.runs);
  expect(largest(own)).toBeLessThan(2_000);
});

it('A 3: batches that cannot be read do not stop reconcile at the same place for ever', async () => {
  const own = await reconciling();
  // Some of them further back than a run looks that comes after a whole one.
  const many = manyFailed(own, { batches: 12, files: 1, spacing: 1.5 * 86_400_000 });
  const gone = [2, 3, 4, 5].map(many.idOf);
  const fetch: typeof many.fetch = async (url, init) =>
    gone.some((id) => url.includes(`${id}/failed`))
      ? new Response('{"title":"gone"}', { status: 404 })
      : many.fetch(url, init);
  await expect(own.run({ fetch, store: COUNTING })).rejects.toMatchObject({ code: 'AEP_NOT_FOUND' });
  expect(many.asked.rows).toBe(2);
  expect(await own.run({ fetch, store: COUNTING })).toMatchObject({ stored: 6, complete: false });
  expect(many.asked.rows).toBe(8);
  // What could not be read is looked for again, however much is done behind it.
  await expect(own.run({ fetch, store: COUNTING })).rejects.toMatchObject({ code: 'AEP_NOT_FOUND' });
  await own.run({ fetch, store: COUNTING });
  expect(await own.run({ fetch: many.fetch, store: COUNTING })).toMatchObject({
    batches: 4,
    stored: 4,
    complete: true,
  });
});

it('A 3: an item that 0.1.0 has filled up is taken over, killed at any step, and can be written again', async () => {
  const own = await reconciling();
  const { fetch, asked, idOf, created } = manyFailed(own, { batches: 2_300, files: 1, spacing: 60_000 });
  const files = Object.fromEntries([1, 2, 3, 4].map((n) => [`${n}`.repeat(12), 1]));
  const batches = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, n) => [
      idOf(n),
      { created: created(n), updated: created(n), done: true, files },
    ]),
  );
  const reconciled = { S: JSON.stringify({ flows: ['an-old-flow'], batches }) };
  const before = { ...own.ledger.items.get('customers'), reconciled, reconciledVersion: { N: '2000' } };
  own.ledger.items.set('customers', before as never);
  expect(itemBytes(before as never)).toBeGreaterThan(LARGEST_ITEM * 0.8);
  for (let killAt = 0; killAt < 40; killAt++) {
    const run = own.run({ fetch, store: COUNTING, killAt, after: killAt % 2 === 0 });
    await run.catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
  }
  expect(await own.run({ fetch, store: COUNTING })).toMatchObject({ complete: true });
  expect(asked.rows).toBeLessThan(300 + 40);
  const after = own.ledger.items.get('customers');
  expect(Object.keys(after ?? {}).sort()).toEqual(['known', 'manifest', 'pipeline']);
  expect(JSON.stringify(await own.progress.read('customers'))).toContain('an-old-flow');
  expect(await own.ledger.ledger.names()).toEqual(['customers']);
});

/** Rows are counted, not kept: so many documents are no use to anybody. */
const COUNTING = { putOnce: async () => 'stored' as const };

async function untilComplete(
  own: Reconciling,
  fetch: typeof own.runtime.fetch,
  most: number,
  remainingMs = 600_000,
) {
  const counts = { runs: 0, stored: 0, alreadyThere: 0 };
  for (let complete = false; !complete; ) {
    expect(++counts.runs).toBeLessThanOrEqual(most);
    const done = await own.run({ fetch, remainingMs, store: COUNTING });
    counts.stored += done.stored;
    counts.alreadyThere += done.alreadyThere;
    complete = done.complete;
  }
  return counts;
}
