// Three journeys from a stream's record to its row: a change stream, a subscription of CloudWatch Logs, four kinds of events.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, expect } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { itByTurns } from '../support/depth.ts';

interface Journey {
  readonly stack: Stack;
  readonly pipelines: readonly Pipeline[];
  /** Puts the records, and waits until the forwarder has settled all of them. */
  carry(records: readonly Buffer[]): Promise<void>;
  /** Every message that the inlets were sent, in their order. The journal has but their number. */
  readonly messages: unknown[];
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function begin(...wanted: readonly object[]): Promise<Journey> {
  const manifests = wanted.map((one, at) => parseManifestText(JSON.stringify(one), `manifest ${at}`));
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const watch = watchForwarding();
  const stack = await startStack({
    warmUpSeconds: 1,
    seed: 11,
    sandboxes: [...new Set(manifests.map(({ sandbox }) => sandbox))],
    folder,
    onLog: () => undefined,
    onInvocation: watch.report,
  });
  ends.push(async () => {
    await stack.close();
    await rm(folder, { recursive: true });
  });
  const messages: unknown[] = [];
  const { platform } = stack.platform;
  const handle = platform.handle.bind(platform);
  platform.handle = (call) => {
    if (call.path.startsWith('/collection/batch/'))
      messages.push(...(JSON.parse(call.body.toString()) as { messages: unknown[] }).messages);
    return handle(call);
  };
  const pipelines: Pipeline[] = [];
  for (const manifest of manifests) {
    await prepareSource(stack, manifest, 1);
    pipelines.push(await provision(stack, manifest, { warmUpSeconds: 1 }));
  }
  return {
    stack,
    pipelines,
    messages,
    async carry(records) {
      const lines = records.map((bytes, at) => ({ number: at + 1, bytes }));
      await carry(stack, pipelines[0] as Pipeline, lines, watch, () => undefined);
    },
  };
}

async function example(name: string): Promise<{ source: object }> {
  return JSON.parse(await readFile(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8'));
}

async function rowsOf<R>({ stack }: Journey, { resources }: Pipeline): Promise<R[]> {
  return (await stack.readBack(resources.dataset?.id ?? '', 100_000)) as R[];
}

interface Operation {
  readonly header: { readonly operations: object };
  readonly body: { readonly email: string; readonly points: number };
}

const itInTurn = itByTurns(3);

itInTurn(
  '14: inserts, updates and deletes of a change stream are operations on the right profiles',
  async () => {
    const manifest = await example('customers-debezium');
    const source = { ...manifest.source, format: { kind: 'debezium', deletes: 'apply' } };
    const journey = await begin({ ...manifest, source });
    const ana = { id: 'c-1', email: 'ana@example.com', points: 1 };
    const rui = { id: 'c-2', email: 'rui@example.com', points: 2 };
    const change = (op: string, before: object | null, after: object | null) => ({ before, after, op });
    const told = [
      change('r', null, ana),
      change('c', null, rui),
      change('u', rui, { ...rui, points: 3 }),
      change('d', { ...rui, points: 3 }, null),
      null,
      { payload: { ts_ms: 7 } },
      change('u', ana, { ...ana, points: 4 }),
    ];
    await journey.carry(told.map((one) => Buffer.from(JSON.stringify(one))));
    const { state } = journey.stack.platform.platform;
    const operations = (journey.messages as Operation[]).map(({ header, body }) => [
      header.operations,
      body.email,
      body.points,
    ]);
    expect(operations).toEqual([
      [{ data: 'merge' }, 'ana@example.com', 1],
      [{ data: 'merge' }, 'rui@example.com', 2],
      [{ data: 'merge' }, 'rui@example.com', 3],
      [{ data: 'delete' }, 'rui@example.com', 3],
      [{ data: 'merge' }, 'ana@example.com', 4],
    ]);
    // Each has reached Profile; a record without an identity would count as lost.
    expect(state.counts).toMatchObject({ profileOnly: 5, lost: 0 });
  },
);

itInTurn(
  '14: each log event of a subscription of CloudWatch Logs is a row with what surrounds it',
  async () => {
    const journey = await begin(await example('app-logs'));
    const document = (logGroup: string, from: number, count: number, messageType = 'DATA_MESSAGE') =>
      gzipSync(
        JSON.stringify({
          messageType,
          owner: '111111111111',
          logGroup,
          logStream: 'one',
          subscriptionFilters: ['all'],
          logEvents: Array.from({ length: count }, (_, at) => ({
            id: String(from + at),
            timestamp: 1_770_970_530_000 + at,
            message: JSON.stringify({ level: 'warn', text: `event ${from + at}` }),
          })),
        }),
      );
    await journey.carry([
      document('/aws/lambda/a', 0, 3),
      document('/aws/lambda/a', 0, 1, 'CONTROL_MESSAGE'),
      document('/aws/lambda/b', 3, 2),
    ]);
    const [pipeline] = journey.pipelines;
    const rows = await rowsOf<Record<string, { app_logs?: object } | string>>(journey, pipeline as Pipeline);
    const logs = rows.map((row) =>
      Object.values(row).flatMap((one) => (typeof one === 'object' ? [one] : [])),
    );
    const group = (at: number) => (at < 3 ? '/aws/lambda/a' : '/aws/lambda/b');
    const wanted = Array.from({ length: 5 }, (_, at) => ({
      group: group(at),
      level: 'warn',
      text: `event ${at}`,
    }));
    expect(logs.flatMap((one) => one.map(({ app_logs }) => app_logs))).toEqual(
      expect.arrayContaining(wanted),
    );
    expect(rows).toHaveLength(wanted.length);
  },
);

itInTurn(
  '14: four kinds of events of one stream are in four datasets, one of them in another sandbox',
  async () => {
    const kinds = ['signup', 'view', 'cart', 'purchase'] as const;
    const manifest = (kind: string, at: number) => ({
      version: 1,
      name: `shop-${kind}`,
      sandbox: at === 0 ? 'prod' : 'dev1',
      source: {
        kind: 'inlet',
        stream: 'shop',
        data: 'raw',
        records: { where: [{ field: '/type', equals: kind }] },
      },
      schema: { class: 'experienceevent', fieldGroups: [] },
      mapping: [
        { source: 'id', destination: '_id' },
        { source: 'at', destination: 'timestamp' },
        { source: 'type', destination: 'eventType' },
      ],
    });
    const journey = await begin(...kinds.map(manifest));
    const records = Array.from({ length: 400 }, (_, at) => ({
      id: `e-${at}`,
      at: '2026-02-13T08:15:30.000Z',
      // Every fifth is of a kind that nobody takes.
      type: kinds[at % 5] ?? 'search',
    }));
    await journey.carry(records.map((one) => Buffer.from(JSON.stringify(one))));
    for (const [at, pipeline] of journey.pipelines.entries()) {
      const rows = await rowsOf<{ _id: string; eventType: string }>(journey, pipeline);
      const wanted = records.filter(({ type }) => type === kinds[at]).map(({ id, type }) => [id, type]);
      expect(rows.map(({ _id, eventType }) => [_id, eventType]).toSorted(), kinds[at]).toEqual(
        wanted.toSorted(),
      );
    }
    const { sandboxes, counts } = journey.stack.platform.platform.state;
    const datasets = (name: string) => sandboxes.get(name)?.dataSets.size;
    expect([datasets('prod'), datasets('dev1')]).toEqual([1, 3]);
    expect(counts.lost).toBe(0);
  },
);
