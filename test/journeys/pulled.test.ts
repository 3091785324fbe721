import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseManifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { account } from '../../local/account.ts';
import { prepareSource, provision } from '../../local/journey.ts';
import { carryPulled } from '../../local/pulled.ts';
import { type Stack, startStack } from '../../local/stack.ts';

// A Kinesis stream that Experience Platform reads by itself, on this machine: every function in a process of
// its own, the stream read with the key of the connection. What becomes of it in a swap is in test/provision/pulled.test.ts.

interface Row {
  readonly _id: string;
}

let stack: Stack;
let folder: string;
let first: Pipeline;
const KEY = 'AKIAFAKEFAKEFAKEFAKE';

const order = (number: number, more: object = {}) => ({
  number,
  bytes: Buffer.from(
    JSON.stringify({
      orderId: `o-${number}`,
      placedAt: '2026-02-13T08:15:30Z',
      channel: 'WEB',
      itemCount: 1,
      total: { amount: '4.50', currency: 'eur' },
      ...more,
    }),
  ),
});

const quiet = () => undefined;
const datasetOf = ({ resources }: Pipeline) => resources.dataset?.id ?? '';
const rows = async () => (await stack.readBack(datasetOf(first), 100_000)) as Row[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const text = await readFile(new URL('../../examples/orders-kinesis.json', import.meta.url), 'utf8');
  const manifest = parseManifest(JSON.parse(text));
  stack = await startStack({ warmUpSeconds: 1, seed: 12, sandbox: 'dev1', folder, shardLimits: true });
  await prepareSource(stack, manifest, 2);
  first = await provision(stack, manifest, { warmUpSeconds: 1 });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

it('12 A: records of a stream that AEP reads by itself end in rows and in the account of an inlet', async () => {
  const lines = [
    order(1),
    { number: 2, bytes: Buffer.from('{"broken') },
    order(3, { channel: 'space' }),
    { number: 5, bytes: Buffer.from('["no object"]') },
    order(6),
    order(6),
  ];
  const { written, reading } = await carryPulled(stack, first, lines, quiet);
  const counted = await account(stack, written);
  expect(counted).toMatchObject({
    complete: true,
    produced: 6,
    received: 4,
    landed: 3,
    refusedLater: 1,
    lost: 0,
    missing: [],
    rejected: [],
  });
  expect(counted.dropped.map(({ line }) => line)).toEqual([2, 5]);
  expect((await rows()).map(({ _id }) => _id).sort()).toEqual(['o-1', 'o-6', 'o-6']);
  expect(reading).toMatchObject({ kind: 'kinesis', place: 'stream orders in eu-west-1' });
  // A line that nobody has read is missing.
  const more = new Map([...written.lineOf, ['nowhere', 7]]);
  const expected = new Map([
    ...written.expected,
    ['nowhere', [{ sent: ['unknown'], filtered: 0, rejected: 0 }]],
  ]);
  expect(await account(stack, { ...written, lineOf: more, expected })).toMatchObject({
    complete: false,
    missing: [7],
  });
});

it('12 A: with a key that was taken back the journey ends with the reason of the flow', async () => {
  stack.aws.keys.remove(KEY);
  const ended = carryPulled(stack, first, [order(9_000)], quiet);
  await expect(ended).rejects.toThrow(/stream orders in eu-west-1.*UnrecognizedClientException/);
  expect(stack.platform.platform.sources()[0]).toMatchObject({ state: 'failing' });
});
