import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createStreams } from '../../lib/aws/streams.ts';
import { parseManifestText } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { account } from '../../local/start/account.ts';
import { functionName } from '../../local/start/functions.ts';
import { carry, provision, watchForwarding } from '../../local/start/journey.ts';
import { sampleLines } from '../../local/start/records.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { createStream } from '../support/streams.ts';

// A 2, for real: a stream that distributes its records by itself, whose producer writes no keys, through every function there is.

let stack: Stack;
let folder: string;
let manifest: ReturnType<typeof parseManifestText>;
let pipeline: Pipeline;
const watch = watchForwarding();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const file = 'customer-profiles.json';
  manifest = parseManifestText(
    await readFile(new URL(`../../examples/${file}`, import.meta.url), 'utf8'),
    file,
  );
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 19,
    sandboxes: [manifest.sandbox],
    folder,
    onInvocation: watch.report,
  });
  await createStream(stack.kinesis, 'customers', 2, {
    StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    RecordDistributionStrategy: 'AUTO',
  });
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

it('A 2: strict order is refused before anything is made', async () => {
  const strict = { ...manifest, source: { ...manifest.source, order: 'strict' } };
  await expect(provision(stack, strict, { warmUpSeconds: 1, mode: 'plan' })).rejects.toThrow(
    'source.order: "strict" cannot be kept',
  );
  expect(await createStreams(stack.kinesis).arn('customers')).toBe(stack.aws.kinesis.streamArn('customers'));
});

it('A 2: its records are forwarded, rejected and accounted for', async () => {
  pipeline = await provision(stack, manifest, { warmUpSeconds: 1 });
  const lines = sampleLines({ count: 600, seed: 5, data: 'raw', bytes: 400, spoilEvery: 100 });
  const { written } = await carry(stack, pipeline, lines, watch, () => undefined);
  expect(await account(stack, written)).toMatchObject({
    produced: 600,
    landed: 594,
    refusedLater: 2,
    rejected: { length: 4 },
    lost: 0,
    missing: [],
    phantoms: 0,
    complete: true,
  });
});

it('A 2: what was rejected of them is looked at by redrive, and stays as it is', async () => {
  const answer = await stack.aws.functions.invoke(functionName('redrive'), {
    stream: 'customers',
    source: 'rejected',
  });
  expect(answer).toMatchObject({ ok: { complete: true, rejectedAgain: 4, delivered: 0 } });
});
