import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { LambdaClient, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSecrets } from '../../lib/aws/secrets.ts';
import { createTriggers } from '../../lib/aws/triggers.ts';
import type { Diagnosis } from '../../lib/doctor/doctor.ts';
import { parseManifestText } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import type { Whereabouts } from '../../lib/where/where.ts';
import { functionName } from '../../local/start/functions.ts';
import { prepareSource, provision } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { eventually } from '../support/eventually.ts';

// What is wrong, and where is this record? Asked of `status` as it is deployed, of one pipeline that carries records.

const NAME = 'customer-profiles-xdm';
const CREDENTIALS = 'penstock/dev/credentials';

let stack: Stack;
let folder: string;
let pipeline: Pipeline;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const text = await readFile(new URL(`../../examples/${NAME}.json`, import.meta.url), 'utf8');
  const manifest = parseManifestText(text, NAME);
  stack = await startStack({ warmUpSeconds: 1, seed: 12, sandboxes: [manifest.sandbox], folder });
  await prepareSource(stack, manifest, 1);
  pipeline = await provision(stack, manifest, { warmUpSeconds: 1 });
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

async function ask(): Promise<Diagnosis> {
  const { journal } = stack.platform.platform;
  const from = journal.entries().at(-1)?.number ?? 0;
  const result = await stack.aws.functions.invoke(functionName('status'), { pipeline: NAME, doctor: true });
  if (!('ok' in result)) throw new Error(JSON.stringify(result));
  const changing = journal.entries({ after: from }).filter(({ method }) => method !== 'GET');
  expect(changing.map(({ path }) => path).filter((path) => path !== '/ims/token/v3')).toEqual([]);
  return result.ok as Diagnosis;
}

const options = () => ({
  region: stack.aws.env.AWS_REGION ?? '',
  credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
});

/** The checks that are not ok, while something is broken. */
async function broken(breaking: () => unknown, mending: () => unknown): Promise<Diagnosis['checks']> {
  await breaking();
  try {
    return (await ask()).checks.filter(({ state }) => state === 'not ok');
  } finally {
    await mending();
  }
}

async function put(data: string): Promise<{ shardId: string; sequenceNumber: string }> {
  const { ShardId = '', SequenceNumber = '' } = await stack.kinesis.send(
    new PutRecordCommand({ StreamName: 'customers-xdm', PartitionKey: 'ana', Data: Buffer.from(data) }),
  );
  return { shardId: ShardId, sequenceNumber: SequenceNumber };
}

async function whereIs(question: object): Promise<Whereabouts> {
  const result = await stack.aws.functions.invoke(functionName('status'), {
    pipeline: NAME,
    ...question,
  });
  if (!('ok' in result)) throw new Error(JSON.stringify(result));
  return result.ok as Whereabouts;
}

/** The forwarder is behind, and so is its log. */
const settled = (question: object, place: string) =>
  eventually(async () => (await whereIs(question)).place).toBe(place);

describe('what is wrong, while one thing after the other breaks', () => {
  it('of a pipeline in order all is ok', async () => {
    const found = await ask();
    expect(found.says).toBe(`${NAME}: all 18 checks are ok`);
    expect(JSON.stringify(found)).not.toMatch(/simulated-client-secret|collection\/|eyJ/);
  });

  it('each thing that breaks is shown by its check, with what to do, and mended shows no more', async () => {
    const { platform } = stack.platform;
    const sandbox = platform.state.sandboxes.get(pipeline.manifest.sandbox);
    if (sandbox === undefined) throw new Error('no sandbox');

    const flow = sandbox.flows.get(pipeline.resources.flow?.id ?? '');
    if (flow === undefined) throw new Error('no flow');
    expect(
      await broken(
        () => sandbox.flows.put(flow.id, { ...flow, state: 'disabled' }),
        () => sandbox.flows.put(flow.id, flow),
      ),
    ).toMatchObject([{ check: 'flow', next: expect.stringContaining('Enable it') }]);

    const base = sandbox.connections.get(pipeline.resources['base-connection']?.id ?? '');
    if (base === undefined) throw new Error('no connection');
    expect(
      await broken(
        () => sandbox.connections.remove(base.id),
        () => sandbox.connections.put(base.id, base),
      ),
    ).toMatchObject([{ check: 'connection', next: expect.stringContaining('Provision') }]);

    expect(
      await broken(
        () => platform.state.sandboxes.delete(sandbox.name),
        () => platform.state.sandboxes.set(sandbox.name, sandbox),
      ),
    ).toMatchObject([{ check: 'sandbox', next: expect.stringContaining('manifest') }]);

    const date = new Date(Date.now() - 600_000).toUTCString();
    expect(
      await broken(
        () => platform.faults.add({ kind: 'refuse', path: '/', status: 404, headers: { date } }),
        () => platform.faults.clear(),
      ),
    ).toMatchObject([{ check: 'clock', found: expect.stringMatching(/^\d{3,} s ahead/) }]);

    expect((await ask()).ok).toBe(true);
  });

  it('so is the credentials secret, gone and wrong and half wrong', async () => {
    const secrets = createSecrets(
      new SecretsManagerClient({ ...options(), endpoint: stack.aws.endpoints.secretsManager }),
    );
    const good = (await secrets.get(CREDENTIALS)) ?? '';
    const put = (value: string) => secrets.put(CREDENTIALS, value, 'a test');
    const mend = () => put(good);
    const wrong = { ...JSON.parse(good), clientSecret: 'p8e-canary' };
    const previousClientSecret = JSON.parse(good).clientSecret as string;
    expect(await broken(() => secrets.remove(CREDENTIALS), mend)).toMatchObject([{ check: 'secret' }]);
    expect(await broken(() => put(JSON.stringify(wrong)), mend)).toMatchObject([
      { check: 'token', next: expect.stringContaining('client secret') },
    ]);
    const half = await broken(() => put(JSON.stringify({ ...wrong, previousClientSecret })), mend);
    expect(half).toMatchObject([{ check: 'token', found: expect.stringContaining('previousClientSecret') }]);
    expect(JSON.stringify(half)).not.toMatch(/canary|simulated-client-secret/);
  });

  it('and the trigger that is off, and records that AEP refuses after it has received them', async () => {
    const lambda = new LambdaClient({ ...options(), endpoint: stack.aws.endpoints.lambda });
    const triggers = createTriggers({ forwarder: functionName('forward'), onFailureArn: undefined }, lambda);
    const { id = '' } = (await triggers.find(pipeline.streamArn ?? '')) ?? {};
    const turn = async (Enabled: boolean) => {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled }));
      const state = Enabled ? 'on' : 'off';
      await eventually(async () => (await triggers.find(pipeline.streamArn ?? ''))?.state).toBe(state);
    };
    expect(
      await broken(
        () => turn(false),
        () => turn(true),
      ),
    ).toMatchObject([{ check: 'trigger', found: expect.stringMatching(/is off since 20/) }]);

    const Data = Buffer.from('{"_id":"canary-1","person":{"name":{"firstName":["canary"]}}}');
    await stack.kinesis.send(new PutRecordCommand({ StreamName: 'customers-xdm', PartitionKey: 'a', Data }));
    const failed = async () => (await ask()).checks.filter(({ state }) => state !== 'ok');
    await eventually(failed).toMatchObject([
      {
        check: 'batches',
        found: expect.stringMatching(/^1 of .*DCVS/),
        next: expect.stringContaining('redrive'),
      },
    ]);
    expect(JSON.stringify(await ask())).not.toContain('canary');
  });
});

describe('where a record is', () => {
  it('a record is delivered, deadLetters with its reason, or unknown', async () => {
    const good = await put('{"_id":"cust-1","person":{"name":{"firstName":"Ana"}}}');
    await settled(good, 'delivered');
    expect((await whereIs(good)).batches).toMatchObject([
      { first: good.sequenceNumber, settled: true, acknowledged: 1 },
    ]);

    const bad = await put('{"_id":"cust-2","person":');
    await settled(bad, 'dead-letter');
    const found = await whereIs(bad);
    expect(found).toMatchObject({
      inStream: true,
      deadLetters: [{ reason: 'not-json', ...bad }],
      searched: { objects: 1, complete: true },
    });
    expect(JSON.stringify(found)).not.toContain('cust-2');

    expect(await whereIs({ ...good, sequenceNumber: `${BigInt(good.sequenceNumber) + 1n}` })).toMatchObject({
      place: 'unknown',
      inStream: false,
    });
    expect(await whereIs({ _id: 'cust-1' })).toMatchObject({ place: 'unknown', deadLetters: [] });
  });

  it('a record that cannot be sent yet is in the stream, with the invocations that tried', async () => {
    const { faults } = stack.platform.platform;
    const refusing = faults.add({ kind: 'refuse', path: '/collection/**', status: 503 });
    const waiting = await put('{"_id":"cust-3"}');
    await eventually(() => refusing.struck).toBeGreaterThan(0);
    expect(await whereIs(waiting)).toMatchObject({ place: 'in-stream', inStream: true, deadLetters: [] });
    faults.clear();
    await settled(waiting, 'delivered');
  });

  it('is not asked where a pipeline is asked for', async () => {
    expect(await whereIs({})).toMatchObject({ pipeline: NAME, applied: true });
  });
});
