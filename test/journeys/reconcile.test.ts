import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, parseManifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import type { Reconciled } from '../../lib/reconcile/reconcile.ts';
import type { DeadLetterDocument } from '../../lib/runtime.ts';
import { functionName } from '../../local/start/functions.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { eventually } from '../support/eventually.ts';

// Received with a 207, refused by validation, fetched, its mapping fixed, sent again, landed: every function in a process of
// its own, real sockets, and the producer's bytes compared with what is kept and what landed.

const RECORDS = 3_000;
const times = { warmUpSeconds: 1, drainSeconds: 1 };
const watch = watchForwarding();
const logs: string[] = [];
let stack: Stack;
let folder: string;
let manifest: Manifest;
let pipeline: Pipeline;

interface Row {
  readonly _id: string;
  readonly person: { readonly gender: string; readonly name: { readonly lastName: string } };
}

/** Two of three are refused: the first mapping takes over the gender as it is, and only `female` is one. */
const lines = Array.from({ length: RECORDS }, (_, number) => ({
  number,
  bytes: Buffer.from(
    `{"firstName":"Ana", "lastName":"canary-${number}","points":1.${'0'.repeat(20)},"gender":"${number % 3 === 0 ? 'female' : 'FEMALE'}"}`,
  ),
}));
const spoilt = lines.filter(({ number }) => number % 3 !== 0);

async function landed(): Promise<Row[]> {
  await stack.platform.platform.idle();
  return (await stack.readBack(pipeline.resources.dataset?.id ?? '', 100_000)) as Row[];
}

const names = (rows: readonly Row[]) => rows.map(({ person }) => person.name.lastName).sort();
const wanted = (from: typeof lines) => from.map(({ number }) => `canary-${number}`).sort();

async function documents(): Promise<DeadLetterDocument[]> {
  const files = await readdir(join(folder, 'rejected'), { recursive: true }).catch(() => []);
  const texts = files
    .filter((file) => file.endsWith('.json'))
    .map((file) => readFile(join(folder, 'rejected', file), 'utf8'));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as DeadLetterDocument);
}

async function call<T>(name: string, event: object): Promise<T> {
  const result = await stack.aws.functions.invoke(functionName(name), event);
  if ('error' in result) throw new Error(JSON.stringify(result));
  return result.ok as T;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const text = await readFile(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8');
  const given = JSON.parse(text) as { source: object };
  manifest = parseManifest({
    ...given,
    source: { ...given.source, records: { derive: ['_id'] } },
    mapping: [
      { source: '_id', destination: '_id' },
      { source: 'lastName', destination: 'person.name.lastName' },
      { source: 'gender', destination: 'person.gender' },
    ],
  });
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 5,
    sandboxes: ['dev1'],
    folder,
    onInvocation: watch.report,
    onLog: (_, line) => logs.push(line),
  });
  await prepareSource(stack, manifest, 2);
  pipeline = await provision(stack, manifest, times);
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

describe('a record that AEP refuses later', () => {
  it('was received without a word', async () => {
    await carry(stack, pipeline, lines, watch, () => undefined);
    expect(names(await landed())).toEqual(wanted(lines.filter((line) => !spoilt.includes(line))));
    expect(await documents()).toEqual([]);
  });

  it('is in the store once, as its producer wrote it and with the reason, though the function was killed on the way', async () => {
    const { faults } = stack.platform.platform;
    // A batch is two calls: its files, and what is in them. The second batch gets no answer.
    const path = '/data/foundation/export/**';
    const held = faults.add({ kind: 'latency', path, after: 2, times: 1, latencyMs: 600_000 });
    const killed = stack.aws.functions.invoke(functionName('reconcile'), { pipeline: 'customer-profiles' });
    await eventually(() => held.struck).toBe(1);
    await stack.aws.functions.kill(functionName('reconcile'));
    expect(await killed).toMatchObject({ kind: 'exit' });
    faults.clear();
    const before = (await documents()).flatMap(({ entries }) => entries).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(spoilt.length);

    const done = await call<Reconciled>('reconcile', {});
    expect(done).toMatchObject({ pipelines: 1, unreadable: [], complete: true });
    const kept = await documents();
    const entries = kept.flatMap(({ entries: some, shardId }) =>
      some.map((entry) => ({ ...entry, shardId })),
    );
    expect(entries.map(({ data }) => Buffer.from(data, 'base64').toString()).sort()).toEqual(
      spoilt.map(({ bytes }) => bytes.toString()).sort(),
    );
    expect(new Set(entries.map(({ shardId, sequenceNumber }) => `${shardId} ${sequenceNumber}`)).size).toBe(
      spoilt.length,
    );
    expect(new Set(entries.map(({ reason, message }) => `${reason} ${message}`))).toEqual(
      new Set(['refused-later DCVS-1106-400: #/person/gender: FEMALE is not a valid enum value']),
    );
    expect(new Set(kept.map(({ shardId }) => shardId)).size).toBe(2);

    expect(await call('reconcile', {})).toMatchObject({ batches: 0, stored: 0, complete: true });
    expect(await documents()).toEqual(kept);
  });

  it('lands when its mapping is fixed and it is sent again', async () => {
    const mapping = manifest.mapping?.map((one) =>
      one.destination === 'person.gender'
        ? { expression: 'lower(gender)', destination: 'person.gender' }
        : one,
    );
    pipeline = await provision(stack, { ...manifest, mapping }, times);
    const again = { stream: 'customers', source: 'rejected', where: { reasons: ['refused-later'] } };
    expect(await call('redrive', again)).toMatchObject({ delivered: spoilt.length, left: 0, complete: true });
    const rows = await landed();
    expect(names(rows)).toEqual(wanted(lines));
    expect(new Set(rows.map(({ _id }) => _id)).size).toBe(RECORDS);
    expect(await documents()).toEqual([]);
  });

  it('does not come back, whatever is redriven or replaced', async () => {
    expect(await call('reconcile', {})).toMatchObject({ batches: 0, stored: 0, complete: true });
    expect(await documents()).toEqual([]);
    expect(logs.filter((line) => line.includes('canary'))).toEqual([]);
  });
});
