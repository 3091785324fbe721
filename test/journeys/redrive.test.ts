import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import { account } from '../../local/start/account.ts';
import { functionName } from '../../local/start/functions.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import { type Line, sampleLines } from '../../local/start/records.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';

// Records that are rejected because of what was published, and what becomes of them once that is mended: every
// function in a process of its own, redrive called through Lambda's API as anybody would.

const RECORDS = 60;
const quiet = () => undefined;

let stack: Stack;
let folder: string;
let pipeline: Pipeline;
let lambda: LambdaClient;
let secrets: SecretsManagerClient;
let written: Awaited<ReturnType<typeof carry>>['written'];
let started: string;
let lines: Line[];
const watch = watchForwarding();

async function redrive(request: object): Promise<RedriveAnswer> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName('redrive'),
      Payload: JSON.stringify({ stream: 'customers', ...request }),
    }),
  );
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString()) as RedriveAnswer;
  expect(FunctionError, JSON.stringify(answer)).toBeUndefined();
  return answer;
}

async function landedIds(): Promise<string[]> {
  await stack.platform.platform.idle();
  const rows = (await stack.readBack(pipeline.resources.dataset?.id ?? '', 10_000)) as { _id: string }[];
  return rows.map(({ _id }) => _id).sort();
}

async function stored(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** As if the manifest had named a part that no record has. What AEP refuses as a whole is rejected by nobody. */
async function publishWrongly(): Promise<void> {
  const SecretId = 'penstock/dev/streams/customers';
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const published: PublishedPipeline = { ...JSON.parse(SecretString), records: { select: ['/nothing'] } };
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(published) }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const file = 'customer-profiles-xdm.json';
  const text = await readFile(new URL(`../../examples/${file}`, import.meta.url), 'utf8');
  const own = JSON.parse(text) as { source: object };
  const manifest = parseManifestText(
    JSON.stringify({ ...own, source: { ...own.source, stream: 'customers' } }),
    file,
  );
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 7,
    sandboxes: [manifest.sandbox],
    folder,
    onInvocation: watch.report,
  });
  const client = {
    region: stack.aws.env.AWS_REGION ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  lambda = new LambdaClient({ ...client, endpoint: stack.aws.endpoints.lambda });
  secrets = new SecretsManagerClient({ ...client, endpoint: stack.aws.endpoints.secretsManager });
  await prepareSource(stack, manifest, 2);
  pipeline = await provision(stack, manifest, { warmUpSeconds: 1 });
  await publishWrongly();
  started = new Date(Date.now() - 1_000).toISOString();
  lines = [...sampleLines({ count: RECORDS, seed: 3, data: 'xdm', bytes: 700, spoilEvery: 0 })];
  ({ written } = await carry(stack, pipeline, lines, watch, quiet));
});

afterAll(async () => {
  lambda.destroy();
  secrets.destroy();
  await stack.close();
  await rm(folder, { recursive: true });
});

describe('records that were rejected', () => {
  it('are in the store, and a dry run says what would become of them', async () => {
    const counted = await account(stack, written);
    expect(counted).toMatchObject({ produced: RECORDS, received: 0, landed: 0 });
    expect(counted.rejected.map(({ reason }) => reason)).toEqual(Array(RECORDS).fill('nothing-selected'));
    expect(await redrive({ source: 'rejected', dryRun: true })).toMatchObject({
      chosen: RECORDS,
      rejectedAgain: RECORDS,
      delivered: 0,
    });
    expect(await landedIds()).toEqual([]);
  });

  it('are rejected again as long as the cause is there, and stay', async () => {
    expect(await redrive({ source: 'rejected', limit: 10 })).toMatchObject({
      chosen: 10,
      rejectedAgain: 10,
      delivered: 0,
    });
    expect((await account(stack, written)).rejected).toHaveLength(RECORDS);
  });

  it('land exactly once when the cause is mended and two redrives run at the same time, and the store is empty', async () => {
    await provision(stack, pipeline.manifest, { warmUpSeconds: 1 });
    const answers = await Promise.all([redrive({ source: 'rejected' }), redrive({ source: 'rejected' })]);
    expect(answers.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(RECORDS);
    const ids = await landedIds();
    expect(ids).toHaveLength(RECORDS);
    expect(ids).toEqual(
      lines.map(({ bytes }) => (JSON.parse(bytes.toString()) as { _id: string })._id).sort(),
    );
    expect(await stored()).toEqual([]);
    expect(await account(stack, written)).toMatchObject({
      received: RECORDS,
      landed: RECORDS,
      lost: 0,
    });
  });

  it('are not there to be sent a second time', async () => {
    expect(await redrive({ source: 'rejected' })).toMatchObject({ chosen: 0, complete: true });
    expect(await landedIds()).toHaveLength(RECORDS);
  });
});

describe('the stream itself', () => {
  it('is sent again by time, shard by shard, as the same records', async () => {
    const before = await landedIds();
    const request = { source: 'stream', where: { arrived: { from: started } } };
    expect(await redrive({ ...request, dryRun: true })).toMatchObject({ chosen: RECORDS });
    expect(await redrive(request)).toMatchObject({
      delivered: RECORDS,
      complete: true,
      lost: { ranges: [] },
    });
    expect(await landedIds()).toEqual([...before, ...before].sort());
  });
});

describe('a request that is none', () => {
  it('fails with what is wrong', async () => {
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: functionName('redrive'), Payload: '{"stream":"customers"}' }),
    );
    expect(FunctionError).toBe('Unhandled');
    expect(Buffer.from(Payload ?? []).toString()).toContain('EVENT_INVALID');
  });
});
