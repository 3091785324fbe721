import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import type { FaultSpec } from '../../local/aep/fault-kinds.ts';
import { account } from '../../local/start/account.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import type { Line } from '../../local/start/records.ts';
import { sampleLines } from '../../local/start/records.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';

// The whole of it over loopback: every function in a process of its own, unmodified SDK clients, real sockets. What the
// producer wrote is compared with the rows themselves, not with anybody's counts alone.

const CANARY = 'canary-9f2c';

const logs: string[] = [];
const watch = watchForwarding();
let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 7,
    sandboxes: [],
    folder,
    onLog: (name, line) => logs.push(`${name} ${line}`),
    onInvocation: watch.report,
  });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

async function provisioned(
  file: string,
  change: (manifest: Record<string, unknown>) => unknown,
): Promise<Pipeline> {
  const text = await readFile(new URL(`../../examples/${file}`, import.meta.url), 'utf8');
  const manifest = parseManifestText(
    JSON.stringify(change(JSON.parse(text) as Record<string, unknown>)),
    file,
  );
  await prepareSource(stack, manifest, 2);
  return provision(stack, manifest, { warmUpSeconds: 1 });
}

const quiet = () => undefined;

/** Ids of all rows in the dataset, as often as they are there. They are the customers' own numbers: of raw records the `_id` is their place in the stream. */
async function landedIds(pipeline: Pipeline): Promise<string[]> {
  const rows = (await stack.readBack(pipeline.resources.dataset?.id ?? '', 100_000)) as Row[];
  return rows.map(({ _id, personID }) => personID ?? _id);
}

interface Row {
  readonly _id: string;
  readonly personID?: string;
}

function* numbered(from: number, count: number): Generator<Line> {
  for (let number = from; number < from + count; number++) {
    const record = {
      id: `id-${number}`,
      firstName: CANARY,
      lastName: 'Test',
      gender: 'Female',
      dob: '1990-01-01',
    };
    yield { number, bytes: Buffer.from(JSON.stringify(record)) };
  }
}

describe('a raw pipeline', () => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await provisioned('customer-profiles.json', (manifest) => manifest);
  });

  it('carries every record to where it belongs, and the counts agree with the rows', async () => {
    const lines = [...sampleLines({ count: 1_200, seed: 3, data: 'raw', bytes: 700, spoilEvery: 100 })];
    const { written } = await carry(stack, pipeline, lines, watch, quiet);
    const counted = await account(stack, written);
    expect(counted).toMatchObject({
      produced: 1_200,
      received: 1_192,
      landed: 1_188,
      refusedLater: 4,
      lost: 0,
      complete: true,
    });
    expect(counted.rejected.map(({ line, reason }) => [line, reason])).toEqual(
      [100, 200, 400, 500, 700, 800, 1_000, 1_100].map((line) => [
        line,
        line % 300 === 100 ? 'not-json' : line % 600 === 500 ? 'envelope' : 'not-an-object',
      ]),
    );
    const good = lines
      .filter(({ number }) => number % 100 !== 0)
      .map(({ number }) => `cust-${String(number).padStart(6, '0')}`);
    expect((await landedIds(pipeline)).sort()).toEqual(good.sort());
    expect(await stack.refusals(pipeline.resources.dataset?.id ?? '', 10)).toHaveLength(4);
  });

  const INLET = '/collection/batch/*';
  const FAULTS: [string, FaultSpec, 'some copies' | 'no copy'][] = [
    [
      'a 429 that says when',
      { kind: 'refuse', status: 429, retryAfter: 1, path: INLET, times: 1 },
      'no copy',
    ],
    ['a 503', { kind: 'refuse', status: 503, path: INLET, times: 1 }, 'no copy'],
    ['a connection that breaks before', { kind: 'dropBefore', path: INLET, times: 1 }, 'no copy'],
    ['a connection that breaks after', { kind: 'dropAfter', path: INLET, times: 1 }, 'some copies'],
    [
      'a 500 after the messages were taken',
      { kind: 'failAfter', status: 500, path: INLET, times: 1 },
      'some copies',
    ],
    ['a truncated answer', { kind: 'truncate', path: INLET, times: 1 }, 'some copies'],
    ['a 207 that lacks an entry', { kind: 'short', path: INLET, times: 1 }, 'no copy'],
    ['a 207 without a word', { kind: 'emptyItems', path: INLET, times: 1 }, 'some copies'],
    [
      'a 207 in which some have to come again',
      { kind: 'partial', status: 503, count: 5, path: INLET, times: 1 },
      'no copy',
    ],
    ['tokens that are taken back', { kind: 'expireTokens', path: INLET, times: 1 }, 'no copy'],
  ];

  it.each(FAULTS.map((row, index) => [...row, index] as const))(
    'loses nothing to %s',
    async (_, fault, copies, index) => {
      const set = stack.platform.platform.faults.add(fault);
      const from = 10_000 * (index + 1);
      const lines = [...numbered(from, 60)];
      await carry(stack, pipeline, lines, watch, quiet);
      expect(set.struck).toBe(1);
      const ids = (await landedIds(pipeline)).filter(
        (id) => Math.floor(Number(id.slice(3)) / 10_000) === index + 1,
      );
      expect(new Set(ids)).toEqual(new Set(lines.map(({ number }) => `id-${number}`)));
      if (copies === 'no copy' && fault.kind !== 'short') expect(ids).toHaveLength(60);
      if (copies === 'some copies') expect(ids.length).toBeGreaterThan(60);
    },
  );

  it('provisions again without a change', async () => {
    const before = stack.platform.platform.journal.entries({ limit: 1 })[0]?.number ?? 0;
    const again = await provision(stack, pipeline.manifest, { warmUpSeconds: 1 });
    const calls = stack.platform.platform.journal.entries({ after: before });
    expect(calls.filter(({ method, path }) => method !== 'GET' && !path.startsWith('/ims'))).toEqual([]);
    expect(again.published).toBe('kept');
    expect(again.trigger?.id).toBe(pipeline.trigger?.id);
  });

  it('says nothing of records, tokens and secrets in its logs', async () => {
    expect(logs.length).toBeGreaterThan(10);
    const secret = /canary-9f2c|example\.com|simulated-client-secret|eyJ|[0-9a-f]{64}/;
    expect(logs.filter((line) => secret.test(line))).toEqual([]);
  });
});

describe('an XDM pipeline whose inlet wants no token', () => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await provisioned('customer-profiles-xdm.json', (manifest) => ({
      ...manifest,
      source: { ...(manifest.source as object), authenticationRequired: false },
    }));
  });

  it("carries entities and Adobe's whole messages alike", async () => {
    const text = await readFile(
      new URL('../../events/samples/customers-xdm.ndjson', import.meta.url),
      'utf8',
    );
    const samples = text
      .trimEnd()
      .split('\n')
      .map((line, index) => ({ number: 1_001 + index, bytes: Buffer.from(line) }));
    const lines = [
      ...sampleLines({ count: 300, seed: 5, data: 'xdm', bytes: 900, spoilEvery: 0 }),
      ...samples,
    ];
    const { routes } = await carry(stack, pipeline, lines, watch, quiet);
    const written = routes.get('customer-profiles-xdm');
    if (written === undefined) throw new Error('It has no route.');
    const counted = await account(stack, written);
    expect(counted).toMatchObject({
      produced: 302,
      received: 302,
      landed: 302,
      refusedLater: 0,
      complete: true,
    });
    expect(await landedIds(pipeline)).toEqual(
      expect.arrayContaining(['cust-000417', 'cust-000418', 'cust-000300']),
    );
    expect(pipeline.resources.mapping).toBeUndefined();
  });
});
