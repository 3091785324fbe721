import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import type { Whereabouts } from '../../lib/where/where.ts';
import { functionName } from '../../local/start/functions.ts';
import { prepareSource, provision } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { eventually } from '../support/eventually.ts';

// Where is this record? Asked of `status` as it is deployed, about records that went through everything for real.

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const file = 'customer-profiles-xdm.json';
  const text = await readFile(new URL(`../../examples/${file}`, import.meta.url), 'utf8');
  const manifest = parseManifestText(text, file);
  stack = await startStack({ warmUpSeconds: 1, seed: 11, sandboxes: [manifest.sandbox], folder });
  await prepareSource(stack, manifest, 1);
  await provision(stack, manifest, { warmUpSeconds: 1 });
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

async function put(data: string): Promise<{ shardId: string; sequenceNumber: string }> {
  const { ShardId = '', SequenceNumber = '' } = await stack.kinesis.send(
    new PutRecordCommand({ StreamName: 'customers-xdm', PartitionKey: 'ana', Data: Buffer.from(data) }),
  );
  return { shardId: ShardId, sequenceNumber: SequenceNumber };
}

async function ask(question: object): Promise<Whereabouts> {
  const result = await stack.aws.functions.invoke(functionName('status'), {
    pipeline: 'customer-profiles-xdm',
    ...question,
  });
  if (!('ok' in result)) throw new Error(JSON.stringify(result));
  return result.ok as Whereabouts;
}

/** The forwarder is behind, and so is its log. */
const settled = (question: object, place: string) =>
  eventually(async () => (await ask(question)).place).toBe(place);

it('a record is delivered, deadLetters with its reason, or unknown', async () => {
  const good = await put('{"_id":"cust-1","person":{"name":{"firstName":"Ana"}}}');
  await settled(good, 'delivered');
  expect((await ask(good)).batches).toMatchObject([
    { first: good.sequenceNumber, settled: true, acknowledged: 1 },
  ]);

  const bad = await put('{"_id":"cust-2","person":');
  await settled(bad, 'dead-letter');
  const found = await ask(bad);
  expect(found).toMatchObject({
    inStream: true,
    deadLetters: [{ reason: 'not-json', ...bad }],
    searched: { objects: 1, complete: true },
  });
  expect(JSON.stringify(found)).not.toContain('cust-2');

  expect(await ask({ ...good, sequenceNumber: `${BigInt(good.sequenceNumber) + 1n}` })).toMatchObject({
    place: 'unknown',
    inStream: false,
  });
  expect(await ask({ _id: 'cust-1' })).toMatchObject({ place: 'unknown', deadLetters: [] });
});

it('a record that cannot be sent yet is in the stream, with the invocations that tried', async () => {
  const { faults } = stack.platform.platform;
  const refusing = faults.add({ kind: 'refuse', path: '/collection/**', status: 503 });
  const waiting = await put('{"_id":"cust-3"}');
  await eventually(() => refusing.struck).toBeGreaterThan(0);
  expect(await ask(waiting)).toMatchObject({ place: 'in-stream', inStream: true, deadLetters: [] });
  faults.clear();
  await settled(waiting, 'delivered');
});

it('is not asked where a pipeline is asked for', async () => {
  expect(await ask({})).toMatchObject({ pipeline: 'customer-profiles-xdm', applied: true });
});
