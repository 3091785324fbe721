import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, parseManifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import { produce } from '../../local/start/producer.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { eventually } from '../support/eventually.ts';

// A pipeline changed while records keep coming: every function in a process of its own, real sockets, real time.

interface Row {
  readonly personID: string;
  readonly person?: { readonly name?: { readonly lastName?: string; readonly courtesyTitle?: string } };
}

let stack: Stack;
let folder: string;
let manifest: Manifest;
let first: Pipeline;
const watch = watchForwarding();
const times = { warmUpSeconds: 1, drainSeconds: 2 };

const lineOf = (number: number) => ({
  number,
  bytes: Buffer.from(
    JSON.stringify({
      id: `id-${number}`,
      firstName: 'Ana',
      lastName: 'Reis',
      gender: 'Female',
      dob: '1990-01-01',
    }),
  ),
});

/** Puts records, ten at a time, until told to stop; says how many there were, and which is the next. */
function keepProducing(from: number) {
  let stopped = false;
  let number = from;
  const run = async () => {
    while (!stopped) {
      const lines = Array.from({ length: 10 }, () => lineOf(number++));
      await produce(stack.kinesis, 'customers', lines);
      // How fast records come; nothing is waited for.
      await sleep(20);
    }
    return number;
  };
  const done = run();
  return {
    next: () => number,
    stop: () => {
      stopped = true;
      return done;
    },
  };
}

async function rows(): Promise<Row[]> {
  return (await stack.readBack(first.resources.dataset?.id ?? '', 100_000)) as Row[];
}

function flows(): string[] {
  return (
    stack.platform.platform.state.sandboxes
      .get('dev1')
      ?.flows.values()
      .map(({ id }) => id) ?? []
  );
}

/** Applies the manifest while records come, and waits until all of them are settled. */
async function changeUnderLoad(changed: unknown, from: number): Promise<{ pipeline: Pipeline; to: number }> {
  const producer = keepProducing(from);
  await eventually(async () => (await rows()).length).toBeGreaterThan(from);
  const pipeline = await provision(stack, parseManifest(changed), times);
  const later = producer.next();
  await eventually(async () => (await rows()).some(({ personID }) => personID === `id-${later}`)).toBe(true);
  const to = await producer.stop();
  await carry(stack, pipeline, [lineOf(to)], watch, () => undefined);
  return { pipeline, to: to + 1 };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const text = await readFile(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8');
  manifest = parseManifest(JSON.parse(text));
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 11,
    sandboxes: ['dev1'],
    folder,
    onInvocation: watch.report,
  });
  await prepareSource(stack, manifest, 2);
  first = await provision(stack, manifest, times);
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

describe('a safe swap while records keep coming', () => {
  it('of the mapping loses nothing and doubles nothing', async () => {
    const mapping = manifest.mapping?.map((one) =>
      one.destination === 'person.name.lastName'
        ? { expression: 'upper(lastName)', destination: 'person.name.lastName' }
        : one,
    );
    const { pipeline, to } = await changeUnderLoad({ ...manifest, mapping }, 0);
    const landed = await rows();
    expect(landed.map(({ personID }) => personID).sort()).toEqual(
      Array.from({ length: to }, (_, number) => `id-${number}`).sort(),
    );
    const names = new Map(landed.map((row) => [row.personID, row.person?.name?.lastName]));
    expect([names.get('id-0'), names.get(`id-${to - 1}`)]).toEqual(['Reis', 'REIS']);
    expect(flows()).toEqual([pipeline.resources.flow?.id]);
    expect(pipeline.resources.flow?.id).not.toBe(first.resources.flow?.id);
    expect(pipeline.resources['base-connection']?.id).toBe(first.resources['base-connection']?.id);
    expect(pipeline.trigger).toMatchObject({ id: first.trigger?.id, how: 'kept' });
    expect(stack.losses()).toEqual([]);
    manifest = pipeline.manifest;
    first = { ...pipeline };
  });

  it('of the inlet and the schema at once, too', async () => {
    const before = (await rows()).length;
    const changed = {
      ...manifest,
      source: { ...manifest.source, authenticationRequired: false },
      schema: {
        ...manifest.schema,
        fieldGroups: [
          ...('fieldGroups' in manifest.schema ? manifest.schema.fieldGroups : []),
          { name: 'loyalty', fields: { tier: { type: 'string', title: 'Tier' } } },
        ],
      },
      mapping: [...(manifest.mapping ?? []), { expression: 'upper(gender)', destination: '{tenant}.tier' }],
    };
    const { pipeline, to } = await changeUnderLoad(changed, before);
    const landed = await rows();
    expect(landed.map(({ personID }) => personID).sort()).toEqual(
      Array.from({ length: to }, (_, number) => `id-${number}`).sort(),
    );
    const last = landed.find(({ personID }) => personID === `id-${to - 1}`) as unknown as Record<
      string,
      unknown
    >;
    expect(last._acmelab).toEqual({ tier: 'FEMALE' });
    expect(pipeline.resources['base-connection']?.id).not.toBe(first.resources['base-connection']?.id);
    expect(pipeline.removed.some((one) => one.startsWith('base-connection '))).toBe(true);
    expect(flows()).toEqual([pipeline.resources.flow?.id]);
    expect(stack.losses()).toEqual([]);
    first = { ...pipeline };
  });
});

describe('a retired pipeline', () => {
  it('leaves its records in the stream, and a second time there is nothing to do', async () => {
    const before = (await rows()).length;
    const retired = await provision(stack, first.manifest, { ...times, mode: 'retire' });
    expect(retired.report?.outcome).toBe('retired');
    // Nobody polls the stream any more: what comes stays in it.
    await eventually(() => stack.aws.mappings.all).toEqual([]);
    await produce(stack.kinesis, 'customers', [lineOf(before)]);
    expect((await rows()).length).toBe(before);
    expect(flows()).toEqual([]);
    const again = await provision(stack, first.manifest, { ...times, mode: 'retire' });
    expect(again.removed).toEqual([]);
    expect(again.report?.summary).toContain('nothing to do');
  });
});
