// Records from a stream: read by AWS's own client from the local Kinesis, in whatever way they were packed.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateStreamCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Target } from '../../../cli/target.ts';
import { awsTarget } from '../../../cli/targets/aws.ts';
import { parseManifestText } from '../../../lib/manifest.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { runInit } from './run.ts';

const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const order = (n: number) => ({ orderId: `o-${n}`, at: `2026-02-13T08:${10 + n}:00Z`, total: 5.5 + n });

let kinesis: LocalKinesis;
let client: KinesisClient;
let target: Target;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-init-'));
  kinesis = await startKinesis();
  const where = { endpoint: kinesis.endpoint, region: 'eu-west-1', credentials: CREDENTIALS };
  client = new KinesisClient(where);
  const nothing = async () => undefined;
  const rest = { pollMs: 1, warmUpSeconds: 0, outlives: true, prepare: nothing, close: nothing };
  target = awsTarget({ name: 'local Kinesis', kind: 'local', words: [], stage: 'local', where, ...rest });
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
  await rm(folder, { recursive: true });
});

async function streamOf(name: string, records: readonly (string | Buffer)[], shards = 1): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
  if (records.length === 0) return;
  const entries = records.map((data, index) => ({ PartitionKey: `k-${index}`, Data: Buffer.from(data) }));
  await client.send(new PutRecordsCommand({ StreamName: name, Records: entries }));
}

const run = (stream: string, more: Record<string, string> = {}) =>
  runInit({ stream, out: join(folder, stream), ...more }, { target });

const manifestOf = async (stream: string) =>
  parseManifestText(await readFile(join(folder, stream, `${stream}.json`), 'utf8'), stream).source;

describe('15 init: records from a stream', () => {
  it('of several shards, no more than asked for', async () => {
    await streamOf(
      'orders',
      Array.from({ length: 30 }, (_, n) => JSON.stringify(order(n))),
      2,
    );
    const { exitCode, document } = await run('orders', { take: '20' });
    expect(exitCode).toBe(0);
    expect(document).toMatchObject({ records: 20, messages: 20, pipelines: [{ name: 'orders' }] });
    expect(await manifestOf('orders')).toMatchObject({
      kind: 'inlet',
      stream: 'orders',
      compression: 'none',
    });
  });

  it('packed, with several messages in each', async () => {
    await streamOf(
      'packed',
      Array.from({ length: 4 }, (_, n) =>
        gzipSync(`${JSON.stringify(order(n))}\n${JSON.stringify(order(n + 9))}\n`),
      ),
    );
    expect((await run('packed')).document).toMatchObject({ records: 4, messages: 8 });
    expect(await manifestOf('packed')).toMatchObject({ compression: 'auto', format: { kind: 'json-lines' } });
  });

  it('an empty one is told, and so is one that is not there', async () => {
    await streamOf('silent', []);
    await expect(run('silent')).rejects.toMatchObject({ code: 'NO_RECORDS' });
    await expect(run('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(run('silent', { take: '0' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
