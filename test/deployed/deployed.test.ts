import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, HeadBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../lib/pipeline.ts';
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import { TOKEN_HEADER } from '../../local/aep/access.ts';
import { FAKE_CREDENTIAL } from '../../local/aep/options.ts';
import { startServer } from '../../local/aep/server.ts';
import type {
  DocumentLines,
  RunLines,
  StageDocument,
  StagePipeline,
  StageRun,
} from '../../local/page/told-stage.ts';
import { sampleRecords } from '../../local/start/samples.ts';
import { eventually } from '../support/eventually.ts';
import { githubSignature } from '../support/hooks.ts';
import { type Folder, packageFolder } from '../template/packaged.ts';
import { type MiniStack, REGION, startMiniStack } from './ministack.ts';
import { type Ended, penstock, serving } from './penstock.ts';
import { createStack, deleteStack } from './stack.ts';

// The product as it is deployed: the packaged template in a local AWS, and from there on nothing but AWS's APIs.

const STREAM = 'customers';
const HOOK_KEY = 'fake-github-key-0123456789';
const SAMPLE = JSON.parse(
  readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
) as { readonly name: string; readonly source: object };
// The local AWS knows no mapping that begins at a moment.
const MANIFEST = { ...SAMPLE, source: { ...SAMPLE.source, startAt: 'earliest' } };
const RECORDS = [...sampleRecords({ count: 20, seed: 1, data: 'raw', bytes: 300, spoilEvery: 0 })];

let folder: string;
let bundle: Folder;
let aws: MiniStack;
let platform: Awaited<ReturnType<typeof startServer>>;
let outputs: Record<string, string>;
let datasetId: string;
const clients: { destroy(): void }[] = [];
let cloudFormation: CloudFormationClient;
let kinesis: KinesisClient;
let lambda: LambdaClient;
let s3: S3Client;
let secrets: SecretsManagerClient;
let states: SFNClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-deployed-'));
  platform = await startServer({ port: 0, warmUpMs: 1_000, schemaCacheMs: 3_000, seed: 1 });
  bundle = await packageFolder();
  await bundle.pack({
    stream: STREAM,
    platformUrl: platform.origin,
    imsUrl: platform.origin,
    inletOrigins: platform.origin,
    hookUrl: 'yes',
    hookManifests: 'yes',
    // It does not wait for a quarter of an hour, and its platform is warm in a second.
    shortWaits: 'yes',
  });
  aws = await startMiniStack(folder);
  const options = {
    endpoint: aws.endpoint,
    region: REGION,
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
  };
  cloudFormation = keep(new CloudFormationClient(options));
  kinesis = keep(new KinesisClient(options));
  lambda = keep(new LambdaClient(options));
  s3 = keep(new S3Client({ ...options, forcePathStyle: true }));
  secrets = keep(new SecretsManagerClient(options));
  states = keep(new SFNClient(options));
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await aws?.close();
  await platform?.close();
  await bundle?.remove();
  await rm(folder, { recursive: true, force: true });
});

function keep<T extends { destroy(): void }>(client: T): T {
  clients.push(client);
  return client;
}

async function createSecret(Name: string, value: object): Promise<void> {
  await secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
}

/** Waits for its end. @returns its output */
async function execution(
  executionArn: string,
): Promise<{ report: Report; resources: Record<string, { id: string }> }> {
  const describe = () => states.send(new DescribeExecutionCommand({ executionArn }));
  await eventually(async () => (await describe()).status).not.toBe('RUNNING');
  const { status, output, error, cause } = await describe();
  if (status !== 'SUCCEEDED') throw new Error(`the execution is ${status}: ${error}: ${cause}`);
  return JSON.parse(output ?? '{}');
}

async function start(input: object) {
  const { executionArn = '' } = await states.send(
    new StartExecutionCommand({
      stateMachineArn: outputs.ProvisionStateMachine,
      input: JSON.stringify(input),
    }),
  );
  return execution(executionArn);
}

async function invoke<T>(name: string, event: object): Promise<T> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: `penstock-dev-${name}`, Payload: JSON.stringify(event) }),
  );
  const text = Buffer.from(Payload ?? []).toString();
  expect(FunctionError, text).toBeUndefined();
  return JSON.parse(text) as T;
}

async function put(lines: readonly string[]): Promise<void> {
  const Records = lines.map((line, index) => ({ PartitionKey: `key-${index}`, Data: Buffer.from(line) }));
  await kinesis.send(new PutRecordsCommand({ StreamName: STREAM, Records }));
}

type Row = { readonly person: { readonly name: { readonly firstName: string } } };

async function rows(): Promise<Row[]> {
  await platform.platform.idle();
  const answer = await fetch(`${platform.origin}/_simulator/datasets/${datasetId}/rows?limit=1000`);
  return ((await answer.json()) as { rows: Row[] }).rows;
}

async function rejects(): Promise<string[]> {
  const Bucket = outputs.DeadLetters ?? '';
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'rejected/' }));
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToString()) ?? '';
    }),
  );
}

describe('deployed', () => {
  it('the stack is made from the packaged template', async () => {
    const made = await createStack(bundle.packed, { endpoint: aws.endpoint, cloudFormation, s3 });
    outputs = made.outputs;
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining(['ProvisionStateMachine', 'DeadLetters', 'CredentialsSecret', 'HookUrl']),
    );
    // Of 100 resources a handful, and each of them an alarm.
    expect(made.left.every((name) => name.endsWith('Alarm'))).toBe(true);
  });

  it('a hook that is signed starts an execution, and the pipeline is there', async () => {
    await createSecret(outputs.CredentialsSecret ?? '', {
      clientId: FAKE_CREDENTIAL.clientId,
      clientSecret: FAKE_CREDENTIAL.clientSecrets[0],
      organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
    });
    await createSecret('penstock/dev/hook', { github: { key: HOOK_KEY } });
    const body = JSON.stringify({ manifest: MANIFEST, warmUpSeconds: 1, drainSeconds: 0 });
    const first = await hook(body, HOOK_KEY);
    expect(first.status, JSON.stringify(first)).toBe(202);
    const [started] = first.told.executions;
    const { report, resources } = await execution(started?.executionArn ?? '');
    expect(report.outcome).toBe('succeeded');
    datasetId = resources.dataset?.id ?? '';
    expect(await hook(body, HOOK_KEY)).toEqual(first);
    expect((await hook(body, 'fake-key-of-somebody-else')).status).toBe(401);
  });

  it('records that are put into the stream are rows of the dataset; one that is no JSON is in the bucket', async () => {
    await put([...RECORDS, '{"firstName":']);
    await eventually(async () => (await rows()).length).toBe(20);
    await eventually(async () => (await rejects()).length).toBe(1);
    const [document] = (await rejects()).map(
      (text) => JSON.parse(text) as { entries: { reason: string; data: string }[] },
    );
    expect(document?.entries).toMatchObject([
      { reason: 'not-json', data: Buffer.from('{"firstName":').toString('base64') },
    ]);
    const landed = (await rows()).map(({ person }) => person.name.firstName);
    const written = RECORDS.map((line) => (JSON.parse(line) as { firstName: string }).firstName);
    expect(landed.toSorted()).toEqual(written.toSorted());
  });

  it('what was stored is sent again: what is wrong with it is found again, and it stays', async () => {
    const answer = await invoke<RedriveAnswer>('redrive', { stream: STREAM, source: 'rejected' });
    expect(answer).toMatchObject({ chosen: 1, delivered: 0, rejectedAgain: 1 });
    expect(await rejects()).toHaveLength(1);
    const again = await invoke<RedriveAnswer>('redrive', {
      stream: STREAM,
      source: 'stream',
      where: { arrived: { from: new Date(Date.now() - 3_600_000).toISOString() } },
      limit: 5,
    });
    expect(again).toMatchObject({ delivered: 5 });
    await eventually(async () => (await rows()).length).toBe(25);
  });

  it('a plan of the same changes nothing; status and doctor know the pipeline', async () => {
    const { report } = await start({ manifest: MANIFEST, mode: 'plan' });
    expect(report.outcome).toBe('planned');
    expect(report.resources.map(({ planned }) => planned)).not.toContain('create');
    expect(await invoke('status', { pipeline: MANIFEST.name })).toMatchObject({ applied: true });
    const { checks } = await invoke<{ checks: { check: string; state: string }[] }>('status', {
      pipeline: MANIFEST.name,
      doctor: true,
    });
    expect(checks.filter(({ state }) => state === 'ok').length).toBeGreaterThan(5);
  });

  describe('the command line', () => {
    const FILE = `pipelines/${MANIFEST.name}.json`;
    const SECOND = 'pipelines/second-profiles.json';
    const second = { ...MANIFEST, name: 'second-profiles' };
    const keys = { AWS_ACCESS_KEY_ID: 'fake', AWS_SECRET_ACCESS_KEY: 'fake' };
    const around = () => ({ AWS_ENDPOINT_URL: aws.endpoint, AWS_REGION: REGION });
    const asked = (...words: string[]) => penstock(folder, words, { ...around(), ...keys });
    const run = (...words: string[]) => asked(...words, '--stage', 'dev');
    const answerOf = ({ out, err }: Ended): unknown => {
      expect(out, err).toMatch(/^[{[]/);
      return JSON.parse(out);
    };

    // A page that a failed test has left.
    let leftOver: () => Promise<number> = () => Promise.resolve(0);
    afterAll(() => leftOver());

    beforeAll(async () => {
      await mkdir(join(folder, 'pipelines'));
      await writeFile(join(folder, FILE), JSON.stringify(MANIFEST));
      await writeFile(join(folder, SECOND), JSON.stringify(second));
    });

    it('checks, and plans that there is nothing to do', async () => {
      const [checked, planned] = await Promise.all([asked('check', FILE), run('plan', FILE)]);
      expect(checked, checked.err).toMatchObject({ code: 0 });
      expect(planned, planned.err).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do') });
    });

    it('answers what somebody asks about a pipeline', async () => {
      const [all, one, doctor, drift] = await Promise.all([
        run('status'),
        run('status', MANIFEST.name),
        run('doctor', MANIFEST.name, '--json'),
        run('drift'),
      ]);
      expect(all, all.err).toMatchObject({ code: 0, out: expect.stringContaining(MANIFEST.name) });
      expect(one, one.err).toMatchObject({ code: 0, out: expect.stringContaining('applied') });
      expect(drift, drift.err).toMatchObject({
        code: 0,
        out: expect.stringContaining('Nothing has changed'),
      });
      const { checks } = answerOf(doctor) as { checks: { state: string }[] };
      expect(checks.filter(({ state }) => state === 'ok').length, doctor.err).toBeGreaterThan(5);
    });

    it('finds a record, and looks at a redrive before it sends', async () => {
      const dry = await run('redrive', STREAM, '--dry-run', '--json');
      expect(dry, dry.err).toMatchObject({ code: 0 });
      expect(answerOf(dry)).toMatchObject({ dryRun: true, chosen: 1, delivered: 0 });
      const from = new Date(Date.now() - 3_600_000).toISOString();
      const stretch = ['--source', 'stream', '--from', from, '--limit', '2'];
      const sent = await run('redrive', STREAM, ...stretch, '--yes', '--sandbox', 'dev1', '--json');
      expect(answerOf(sent)).toMatchObject({ dryRun: false, delivered: 2 });
      expect(sent.err).toContain('Looking what would be sent: 2 chosen');
      const [document] = (await rejects()).map(
        (text) => JSON.parse(text) as { shardId: string; entries: { sequenceNumber: string }[] },
      );
      const found = await run(
        'where',
        MANIFEST.name,
        '--shard',
        document?.shardId ?? '',
        '--sequence-number',
        document?.entries[0]?.sequenceNumber ?? '',
        '--json',
      );
      expect(answerOf(found)).toMatchObject({ place: 'dead-letter' });
    });

    it('serves a page of the stage: pipelines, executions, dead letters, and a dry run that sends nothing', async () => {
      const words = ['console', '--stage', 'dev', '--allow-actions'];
      const { first, stop } = await serving(folder, words, { ...around(), ...keys });
      leftOver = stop;
      const { origin, hash } = new URL(first);
      const headers = { [TOKEN_HEADER]: hash.slice(1), 'content-type': 'application/json' };
      const found = async <T>(path: string) => {
        const answer = (await (await fetch(`${origin}/api/${path}`, { headers })).json()) as { found: T };
        expect(answer.found, JSON.stringify(answer)).toBeDefined();
        return answer.found;
      };
      const { name } = MANIFEST;
      expect(await found<StagePipeline>(`pipeline?name=${name}`)).toMatchObject({ health: 'good' });
      const { lines } = await found<RunLines>('runs');
      const hooked = lines.findLast((line) => line.pipeline === name && line.health === 'good')?.name;
      const run = await found<StageRun>(`run?name=${hooked}`);
      expect(run).toMatchObject({ pipeline: name, says: 'succeeded' });
      expect(run.states.length).toBeGreaterThan(5);
      const { documents } = await found<DocumentLines>(`documents?pipeline=${name}&kind=rejected`);
      const key = documents[0]?.key ?? '';
      const document = await found<StageDocument>(`document?key=${encodeURIComponent(key)}`);
      expect(document).toMatchObject({ total: 1, messages: [{ reason: 'not-json' }] });
      expect(await found<readonly string[]>('manifests')).toEqual([FILE, SECOND]);
      const chosen = { kind: 'rejected', pipeline: name, since: '', key, what: 'it' };
      await fetch(`${origin}/api/actions/redrive`, { method: 'POST', headers, body: JSON.stringify(chosen) });
      const told = async () => {
        const answer = await fetch(`${origin}/api/follow/actions`, { headers });
        for await (const part of answer.body ?? []) return Buffer.from(part).toString();
        return '';
      };
      // What is no JSON would be rejected again: nothing is left to agree to.
      await eventually(told).toMatch(/"state":"nothing".*"rejectedAgain":1/);
      expect(await rejects()).toHaveLength(1);
      expect(await stop()).toBe(130);
    });

    it('shows log lines, and the next records as they would be sent', async () => {
      const logs = await run('logs', MANIFEST.name, '--function', 'report');
      expect(logs, logs.err).toMatchObject({ code: 0, out: expect.stringContaining('run report') });
      let ended = false;
      const tapping = run('tap', MANIFEST.name, '--take', '1', '--json').finally(() => {
        ended = true;
      });
      // It begins to look at some moment: until then it sees none of them.
      await eventually(async () => {
        if (!ended) await put(RECORDS.slice(0, 1));
        return ended;
      }).toBe(true);
      const tapped = await tapping;
      expect(tapped, tapped.err).toMatchObject({ code: 0 });
      const { messages } = answerOf(tapped) as { messages: object[] };
      expect(messages).toHaveLength(1);
    });

    it('plans a second pipeline, applies that plan alone, and takes it down', async () => {
      const planned = await run('plan', SECOND, '--json');
      expect(planned.code, planned.err).toBe(2);
      const { token } = answerOf(planned) as { token: string };
      const applied = await run('apply', SECOND, '--token', token, '--warm-up', '1', '--drain', '0');
      expect(applied, applied.err).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') });
      expect(applied.err).toMatch(/step \d+: warm-up/);
      const stale = await run('apply', SECOND, '--token', token, '--warm-up', '1');
      expect([stale.code, stale.err]).toEqual([1, expect.stringContaining('error PLAN_MOVED  ')]);
      const retired = await run('retire', SECOND, '--drain', '0', '--yes', '--sandbox', 'dev1');
      expect(retired, retired.err).toMatchObject({ code: 0, out: expect.stringContaining('retired') });
    });

    it('makes a manifest of records, applies it, and imports the same from what is in AEP', async () => {
      const NAME = 'made-of-records';
      const records = join(folder, `${NAME}.ndjson`);
      await writeFile(records, `${RECORDS.join('\n')}\n`);
      const made = await asked('init', '--records', records, '--stream', STREAM, '--name', NAME);
      expect(made, made.err).toMatchObject({ code: 0 });
      const file = `pipelines/${NAME}.json`;
      const applied = await run('apply', file, '--yes', '--warm-up', '1', '--drain', '0', '--json');
      expect(applied.code, applied.err).toBe(0);
      const { resources } = answerOf(applied) as { readonly resources: Report['resources'] };
      const flow = resources.find(({ resource }) => resource === 'flow')?.id ?? '';
      const imported = await run('import', '--flow', flow, '--sandbox', 'dev1', '--out', 'imported');
      expect(imported, imported.err).toMatchObject({ code: 0 });
      const [planned, reconciled] = await Promise.all([
        run('plan', `imported/${NAME}.json`),
        run('reconcile', NAME, '--yes', '--json'),
      ]);
      expect(planned, planned.err).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do') });
      expect(answerOf(reconciled)).toMatchObject({ pipelines: 1, complete: true, stored: 0 });
      const retired = await run('retire', file, '--drain', '0', '--yes', '--sandbox', 'dev1');
      expect(retired, retired.err).toMatchObject({ code: 0 });
    });

    it('says what is wrong where it does not reach the stack', async () => {
      const words = ['status', '--stage', 'dev'];
      const wrong = await Promise.all([
        penstock(folder, words, around()),
        asked(...words, '--region', 'us-east-1'),
        asked('plan', FILE, '--stage', 'other'),
        asked('redrive', STREAM, '--yes', '--stage', 'other'),
        penstock(folder, words, { ...around(), ...keys, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }),
      ]);
      const codes = ['NO_CREDENTIALS', 'NO_STACK', 'NO_STACK', 'NO_STACK', 'AWS_UNAVAILABLE'];
      for (const [at, { code, err }] of wrong.entries())
        expect([code, err]).toEqual([
          1,
          expect.stringMatching(new RegExp(`^error ${codes[at]}  .*\\nnext {3}\\S`, 'm')),
        ]);
    });
  });

  it('retired, the pipeline has no flow and nobody reads its stream any more', async () => {
    const { report } = await start({ manifest: MANIFEST, mode: 'retire', drainSeconds: 0 });
    expect(report.outcome).toBe('retired');
    expect([...(platform.platform.state.sandboxes.get('dev1')?.flows.values() ?? [])]).toEqual([]);
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
    expect(EventSourceMappings).toEqual([]);
  });

  it('the stack goes, with what was made at run time; the dead letters stay', async () => {
    const before = await rejects();
    expect(before.length).toBeGreaterThan(0);
    await start({ manifest: MANIFEST, warmUpSeconds: 1, drainSeconds: 0 });
    await deleteStack(cloudFormation);
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
    expect(EventSourceMappings).toEqual([]);
    const { SecretList = [] } = await secrets.send(new ListSecretsCommand({}));
    expect(SecretList.map(({ Name = '' }) => Name).filter((name) => name.includes('/streams/'))).toEqual([]);
    await s3.send(new HeadBucketCommand({ Bucket: outputs.DeadLetters }));
    // The new pipeline may have read the record once more meanwhile.
    expect(await rejects()).toEqual(expect.arrayContaining(before));
  });
});

/** Posted to the function's URL; a local AWS has it below its own address. */
async function hook(body: string, key: string) {
  const [, id = ''] = /^https:\/\/([^.]+)\.lambda-url\./.exec(outputs.HookUrl ?? '') ?? [];
  const answer = await fetch(`${aws.endpoint}/_aws/lambda-url/${id}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': githubSignature(body, key) },
    body,
  });
  const told = (await answer.json()) as { executions: { name: string; executionArn: string }[] };
  return { status: answer.status, told };
}
