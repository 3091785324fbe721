import { expect, it } from 'vitest';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { createProgress } from '../../lib/aws/progress.ts';
import { createReconcile } from '../../lib/reconcile/reconcile.ts';
import { createRedrive } from '../../lib/redrive/redrive.ts';
import type { ForwardedBatch, ReconcileRuntime, RedriveRuntime, WhereRuntime } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { whereOnRoutes } from '../../lib/where/where.ts';
import { ALL_SETTLED, from, type RecordInput, SHARD_ID, STREAM_ARN, seq } from '../support/forwarding.ts';
import { acknowledgeAll, json } from '../support/inlet.ts';
import { memoryLedger } from '../support/ledger.ts';
import { type Routed, routed } from '../support/routed.ts';
import { memoryS3 } from '../support/s3.ts';

// From the outage of one of two routes to its end: forwarder, store, reconcile, redrive, and the forwarder again.

const TABLE = 'penstock-dev-pipelines';
const AFTER_SECONDS = 900;
const recordsFrom = (first: number): RecordInput[] =>
  Array.from({ length: 10 }, (_, at) => ({
    data: `{"n":${first + at}}`,
    key: `key-${at % 5}`,
    seq: seq(first + at),
  }));
const range = (to: number) => Array.from({ length: to }, (_, at) => at);

/** The functions around the forwarder, over the same store, marks and inlets. */
function around(w: Routed, deadLetters: RedriveRuntime['deadLetters']) {
  const ledger = memoryLedger(TABLE);
  for (const pipeline of ['a', 'b']) {
    const manifest = JSON.stringify({ source: { kind: 'inlet', stream: 'customers' } });
    ledger.items.set(pipeline, { pipeline: { S: pipeline }, manifest: { S: manifest } });
  }
  const started: unknown[] = [];
  const runtime: RedriveRuntime & ReconcileRuntime & WhereRuntime = {
    ...w.runtime,
    settings: settingsFrom({ PENSTOCK_REDRIVE: 'penstock-dev-redrive' }),
    // No batch of AEP's has failed.
    fetch: async (url, init) =>
      new URL(url).hostname === 'platform.adobe.io' ? json(200, {}) : w.runtime.fetch(url, init),
    routes: { ...w.runtime.routes, write: async () => false, remove: async () => false },
    deadLetters: { ...deadLetters, putOnce: async () => 'stored' },
    ledger: ledger.ledger,
    progress: createProgress(TABLE, ledger.call, w.clock),
    functions: { start: async (_, event) => void started.push(event) },
    streams: { arn: async () => STREAM_ARN },
    stream: {
      shards: async () => [SHARD_ID],
      keptSince: async () => 0,
      async *pages() {
        yield { records: [], last: true };
      },
    },
    forwardLog: {
      async *batches() {
        yield w.lines
          .filter(({ fields }) => fields.event === 'batch-ended')
          .map(({ fields }) => batchOf(fields));
      },
      async *waiting() {},
    },
  };
  return {
    /** Runs the schedule, and what it has started. Says which pipelines that was for. */
    async reconcile(): Promise<readonly unknown[]> {
      await createReconcile(runtime)({}, { remainingMs: () => 600_000 });
      const events = started.splice(0) as { pipeline: string }[];
      for (const event of events)
        await createRedrive(runtime)(event, {
          remainingMs: () => 900_000,
          invocationId: 'i',
          functionArn: 'f',
        });
      return events.map(({ pipeline }) => pipeline);
    },
    where: async (n: number) =>
      (await whereOnRoutes({ stream: 'customers', shardId: SHARD_ID, sequenceNumber: seq(n) }, runtime)).says,
  };
}

/** As it is read from the log. */
function batchOf(fields: Routed['lines'][number]['fields']): ForwardedBatch {
  const { firstSequenceNumber: first, lastSequenceNumber: last } = fields;
  return { ...fields, first, last, at: '' } as unknown as ForwardedBatch;
}

it('14 A 3: what is parked in an outage of one route is sent when its inlet is back, by the schedule', async () => {
  const s3 = memoryS3();
  const deadLetters = createDeadLetters('s3://bucket', async () => s3.client);
  const down = () => json(503, {});
  const w = routed(
    [
      { pipeline: 'a' },
      { pipeline: 'b', published: { park: { afterSeconds: AFTER_SECONDS } }, answer: down },
    ],
    { deadLetters },
  );
  const { reconcile, where } = around(w, deadLetters);
  const forward = async (first: number) => JSON.stringify(await w.run(recordsFrom(first)));
  const parked = () => [...s3.objects.keys()].filter((key) => key.startsWith('parked/b/')).length;

  // The shard waits; then it does not any more.
  expect(await forward(0)).toBe(from(0));
  expect(await reconcile()).toEqual([]);
  expect(await where(5)).toBe('delivered by a, not found for b');
  await w.clock.sleep(AFTER_SECONDS * 1_000);
  for (const first of [0, 10]) expect(await forward(first)).toBe(ALL_SETTLED);
  expect(parked()).toBe(2);
  expect(await where(5)).toBe('delivered by a, parked by b');

  // The inlet is still away: the schedule tries, and all stays.
  const before = new Map(s3.objects);
  expect(await reconcile()).toEqual(['b']);
  expect(new Map(s3.objects)).toEqual(before);
  expect(w.marks.outages.size).toBe(1);

  // It is back.
  w.answer('b', acknowledgeAll);
  expect(await forward(20)).toBe(ALL_SETTLED);
  expect(parked()).toBe(3);
  expect(await reconcile()).toEqual(['b']);
  expect([parked(), w.marks.outages.size]).toEqual([0, 0]);
  expect(await where(5)).toBe('delivered by a, settled by b');
  const sent = w.requests.b?.length ?? 0;
  expect(await forward(30)).toBe(ALL_SETTLED);
  expect(w.requests.b?.length).toBeGreaterThan(sent);
  expect(await reconcile()).toEqual([]);

  // Each route has each message once.
  for (const pipeline of ['a', 'b']) {
    const numbers = w.taken[pipeline]?.map((text) => (JSON.parse(text) as { n: number }).n);
    expect(
      numbers?.toSorted((one, other) => one - other),
      pipeline,
    ).toEqual(range(40));
  }
  expect([...s3.objects.keys()].filter((key) => key.startsWith('rejected/'))).toEqual([]);
});
