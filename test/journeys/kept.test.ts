import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import { functionName } from '../../local/start/functions.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import { keptLines, prepareHook } from '../../local/start/kept.ts';
import { sampleLines } from '../../local/start/records.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { EXAMPLES } from '../support/hooks.ts';

// 13 A 3: after a sample run each file of events/ comes to what it is there for, through what `--keep` prints alone.

const NAME = 'customer-profiles';

let stack: Stack;
let folder: string;
let lambda: LambdaClient;
let states: SFNClient;
let closed = false;

const read = (name: string) => readFile(new URL(`../../events/${name}.json`, import.meta.url), 'utf8');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const file = `${NAME}.json`;
  await cp(join(EXAMPLES, file), join(folder, 'pipelines', file));
  const manifest = parseManifestText(await readFile(join(EXAMPLES, file), 'utf8'), file);
  const watch = watchForwarding();
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 1,
    sandboxes: [manifest.sandbox],
    folder: join(folder, 'store'),
    pipelines: join(folder, 'pipelines'),
    onInvocation: watch.report,
  });
  await prepareSource(stack, manifest, 1);
  const pipeline = await provision(stack, manifest, { warmUpSeconds: 1 });
  // The first half of the records of `npm start`, and as many spoiled ones; smaller.
  const lines = sampleLines({ count: 5_000, seed: 1, data: 'raw', bytes: 200 });
  await carry(stack, pipeline, lines, watch, () => undefined);
  await prepareHook(stack);
  const config = { ...printed(), maxAttempts: 1 };
  lambda = new LambdaClient(config);
  states = new SFNClient(config);
});
afterAll(async () => {
  lambda.destroy();
  states.destroy();
  if (!closed) await stack.close();
  await rm(folder, { recursive: true });
});

/** What a shell would have of the line with the variables. */
function printed() {
  const line =
    keptLines(stack, NAME, 'http://127.0.0.1:1/#token').find((one) => one.includes('AWS_ENDPOINT_URL=')) ??
    '';
  const variables = new Map(
    Array.from(line.matchAll(/(\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value]),
  );
  return {
    endpoint: variables.get('AWS_ENDPOINT_URL') ?? '',
    region: variables.get('AWS_REGION') ?? '',
    credentials: {
      accessKeyId: variables.get('AWS_ACCESS_KEY_ID') ?? '',
      secretAccessKey: variables.get('AWS_SECRET_ACCESS_KEY') ?? '',
    },
  };
}

async function invoke(key: string, event: string): Promise<Record<string, unknown>> {
  const command = new InvokeCommand({ FunctionName: functionName(key), Payload: await read(event) });
  const { Payload, FunctionError } = await lambda.send(command);
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString()) as Record<string, unknown>;
  return FunctionError === undefined ? answer : { FunctionError, ...answer };
}

async function run(event: string) {
  const { PENSTOCK_STATE_MACHINE: stateMachineArn } = stack.settings;
  const { executionArn } = await states.send(
    new StartExecutionCommand({ stateMachineArn, input: await read(event) }),
  );
  await stack.executions.find(executionArn ?? '')?.result;
  // What `aws stepfunctions describe-execution --query output` prints.
  const { status, output = '{}' } = await states.send(new DescribeExecutionCommand({ executionArn }));
  const { report } = JSON.parse(output) as { report?: { outcome: string; resources: object[] } };
  return { status, report };
}

describe('after a sample run', () => {
  it('where.json names a record that is in the store, and redrive.json finds all that is there', async () => {
    expect(await invoke('status', 'where')).toMatchObject({
      pipeline: NAME,
      place: 'dead-letter',
      deadLetters: [{ reason: 'envelope' }],
      searched: { complete: true },
    });
    expect(await invoke('redrive', 'redrive')).toMatchObject({ dryRun: true, chosen: 4, complete: true });
    expect(await invoke('redrive', 'redrive-on-failure')).toMatchObject({ chosen: 0, complete: true });
  });

  it('the functions answer for the pipeline', async () => {
    expect(await invoke('forward', 'forward')).toEqual({ batchItemFailures: [] });
    expect(await invoke('status', 'status')).toMatchObject({ pipeline: NAME, applied: true });
    expect(await invoke('drift', 'drift')).toEqual({ checked: 1, moved: 0, lines: [] });
    expect(await invoke('reconcile', 'reconcile')).toMatchObject({ pipelines: 1, stored: 1, complete: true });
    // What was refused later is not in order, and nothing else.
    const { checks } = (await invoke('status', 'doctor')) as { checks: { check: string; state: string }[] };
    const unlike = checks.filter(({ state }) => state !== 'ok' && state !== 'not-applicable');
    expect(unlike.map(({ check }) => check)).toEqual(['batches']);
  });

  it.each([
    ['deploy-hook'],
    ['deploy-hook-codepipeline'],
    ['deploy-hook-codedeploy'],
    ['deploy-hook-cloudformation'],
  ])('%s starts an execution', async (event) => {
    expect(await invoke('deployHook', event)).toMatchObject({ executions: [{ pipeline: NAME }] });
  });

  it('deploy-hook-url is taken for its signature, and deploy-hook-manifest refused, as it is where nobody asks for it', async () => {
    expect(await invoke('deployHook', 'deploy-hook-url')).toMatchObject({ statusCode: 202 });
    expect(await invoke('deployHook', 'deploy-hook-manifest')).toMatchObject({
      FunctionError: 'Unhandled',
      errorMessage: expect.stringContaining('hookManifests=yes'),
    });
  });

  it('13 A 3: a plan can be read in the output of its execution, and nowhere else: status keeps the last change', async () => {
    await Promise.all(stack.executions.all.map(({ result }) => result));
    const { report } = await run('plan');
    expect(report?.outcome).toBe('planned');
    expect(report?.resources).toContainEqual(
      expect.objectContaining({ resource: 'mapping', planned: 'keep', why: expect.any(String) }),
    );
    expect(await invoke('status', 'status')).toMatchObject({ report: { outcome: 'succeeded' } });
  });

  it('plan, provision and retire are run by the state machine', async () => {
    await Promise.all(stack.executions.all.map(({ result }) => result));
    expect(await run('plan')).toMatchObject({ status: 'SUCCEEDED', report: { outcome: 'planned' } });
    expect(await run('provision')).toMatchObject({ status: 'SUCCEEDED', report: { outcome: 'succeeded' } });
    expect(await run('retire')).toMatchObject({ status: 'SUCCEEDED', report: { outcome: 'retired' } });
  });

  it('13 A 3: Ctrl-C ends what still runs', async () => {
    const { executionArn } = stack.executions.start(JSON.parse(await read('provision')));
    await stack.close();
    closed = true;
    expect(stack.executions.describe(executionArn).status).toBe('ABORTED');
  });
});
