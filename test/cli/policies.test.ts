// Who uses the command line needs exactly what docs/deploy.md says: each command's calls of AWS, judged by an evaluator that others wrote.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { takeRecords } from '../../cli/targets/take-records.ts';
import type { Report } from '../../lib/pipeline.ts';
import { emptyTally } from '../../lib/redrive/request.ts';
import { VERSION } from '../../lib/version.ts';
import type { ToldAction } from '../../local/page/told-stage.ts';
import { type Answer, type CallOfAws, EXECUTION, MACHINE, startAwsStandIn } from '../support/aws-stand-in.ts';
import { runCli } from '../support/cli.ts';
import {
  actingStage,
  BUCKET,
  DOCUMENT,
  livelyStage,
  type StartedConsole,
  startConsole,
} from '../support/console.ts';
import { until } from '../support/eventually.ts';
import { judgedBy, policyIn } from '../support/own-policy.ts';

const FILE = fileURLToPath(new URL('../../examples/customer-profiles.json', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
const POLICY = policyIn('deploy.md', 'command-line');
const ACTING = policyIn('deploy.md', 'console-actions');
const WITH_ACTIONS = 'console --allow-actions';
const PIPELINE = 'customer-profiles';
const inRegion = (service: string, rest: string) => `arn:aws:${service}:eu-west-1:123456789012:${rest}`;
const STREAM_ARN = inRegion('kinesis', 'stream/customers');

/** By way of which service a key is used. */
const CONTEXT = { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' };

/** What is asked of AWS, as IAM knows it. */
interface Asked {
  readonly action: string;
  readonly resource: string;
}

const REPORT: Report = {
  version: 2,
  pipeline: PIPELINE,
  mode: 'apply',
  execution: {
    id: EXECUTION,
    name: 'one',
    startedAt: '2026-11-29T07:00:00Z',
    endedAt: '2026-11-29T07:05:00Z',
  },
  outcome: 'succeeded',
  summary: 'as planned',
  durationMs: 1,
  token: 'p2.abc',
  sandbox: { name: 'dev1', type: 'development' },
  toDo: true,
  ...{ resources: [], warnings: [], verified: [], steps: [], next: [] },
};
const REDRIVEN = { ...emptyTally(), pipeline: PIPELINE, source: 'rejected', left: 1, complete: true };
const FOUND = { pipeline: PIPELINE, place: 'delivered', says: 'it was delivered', batches: [], searched: {} };

/** A stack in which everything is well. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'lambda:penstock-prod-status': (event: Readonly<Record<string, unknown>>) => {
    if (event.version === true) return { version: VERSION };
    if (event.sandbox === true) return { sandbox: REPORT.sandbox };
    if (event.doctor === true) return { ok: true, says: 'all is well', checks: [] };
    return '_id' in event ? FOUND : { pipeline: PIPELINE, applied: true, report: REPORT };
  },
  'lambda:penstock-prod-drift': () => ({ checked: 1, moved: 0, lines: [] }),
  'lambda:penstock-prod-import': () => ({ imported: [] }),
  'lambda:penstock-prod-tap': () => ({
    ...{ pipeline: PIPELINE, stream: STREAM_ARN, data: 'raw', redacts: true, leftOut: 0, continue: {} },
    messages: [{ outcome: 'filtered', shardId: 'shardId-0', sequenceNumber: '1' }],
  }),
  'lambda:penstock-prod-redrive': (event: { readonly dryRun?: boolean }) => ({
    ...REDRIVEN,
    dryRun: event.dryRun === true,
  }),
  'lambda:penstock-prod-reconcile': () => ({
    ...{ batches: 0, stored: 0, alreadyThere: 0, unreadable: [], complete: true },
  }),
  'AWSStepFunctions.DescribeExecution': () => ({
    ...{ executionArn: EXECUTION, status: 'SUCCEEDED', output: JSON.stringify({ report: REPORT }) },
  }),
  'Logs_20140328.FilterLogEvents': () => ({ events: [] }),
};

/** Each command that asks a stage, in all its ways. */
const COMMANDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  status: [['status'], ['status', PIPELINE]],
  doctor: [['doctor', PIPELINE]],
  where: [['where', PIPELINE, '--id', 'a']],
  drift: [['drift']],
  import: [['import', '--sandbox', 'dev1', '--all']],
  tap: [['tap', PIPELINE, '--take', '1']],
  redrive: [['redrive', 'customers', '--yes']],
  reconcile: [['reconcile', PIPELINE, '--yes']],
  plan: [['plan', FILE]],
  apply: [
    ['apply', FILE, '--yes'],
    ['apply', FILE, '--token', 'p4.abc', '--sandbox', 'dev1'],
  ],
  retire: [['retire', FILE, '--yes']],
  logs: [['logs'], ['logs', PIPELINE, '--function', 'plan']],
  check: [['check', FILE]],
  completions: [['completions', 'bash']],
};

/** Commands that start programs of this machine alone. */
const LOCAL: readonly string[] = ['dev', 'simulate'];

let home: string;
const used = new Map<string, readonly Asked[]>();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'penstock-policies-'));
  const aws = await startAwsStandIn(ANSWERS);
  for (const [name, value] of Object.entries({ ...aws.env, HOME: home })) vi.stubEnv(name, value);
  try {
    for (const [command, ways] of Object.entries(COMMANDS)) {
      const from = aws.calls.length;
      for (const words of ways) {
        const target = ['check', 'completions'].includes(command) ? [] : ['--stage', 'prod'];
        const { code, err } = await runCli([...words, ...target], { env: aws.env });
        // A plan with something to do ends with 2.
        expect([words.join(' '), code, err]).toEqual([words.join(' '), command === 'plan' ? 2 : 0, err]);
      }
      used.set(command, aws.calls.slice(from).map(askedBy));
    }
    used.set('console', await askedOfConsole());
    used.set(WITH_ACTIONS, await askedOfActions());
    used.set('init --stream', await askedOfKinesis());
    used.set('init --records', []);
  } finally {
    vi.unstubAllEnvs();
    await aws.close();
  }
});
afterAll(() => rm(home, { recursive: true }));

function askedBy({ operation, input }: CallOfAws): Asked {
  const name = operation.replace(/^lambda:/, '');
  if (name !== operation)
    return { action: 'lambda:InvokeFunction', resource: inRegion('lambda', `function:${name}`) };
  const looked = operation.replace(/^configuration:/, '');
  if (looked !== operation)
    return { action: 'lambda:GetFunctionConfiguration', resource: inRegion('lambda', `function:${looked}`) };
  if (operation === 's3:ListBucket') return { action: operation, resource: `arn:aws:s3:::${BUCKET}` };
  if (operation === 's3:GetObject')
    return {
      action: operation,
      resource: `arn:aws:s3:::${(input as { readonly path: string }).path.slice(1)}`,
    };
  const [service = '', method = ''] = operation.split('.');
  if (service.startsWith('Granite')) return { action: `cloudwatch:${method}`, resource: '*' };
  const { executionArn, stateMachineArn, logGroupName } = input as Readonly<Record<string, string>>;
  if (service.startsWith('Logs'))
    return { action: `logs:${method}`, resource: inRegion('logs', `log-group:${logGroupName}`) };
  return { action: `states:${method}`, resource: executionArn ?? stateMachineArn ?? '*' };
}

/** Everything that its page asks for. */
async function askedOfConsole(): Promise<readonly Asked[]> {
  const started = await startConsole(livelyStage());
  await lookAtAll(started);
  return askedBefore(started);
}

/** The same, and what can be done on it. */
async function askedOfActions(): Promise<readonly Asked[]> {
  const stage = actingStage();
  stage.release();
  const started = await startConsole(
    stage.answers,
    ['--allow-actions'],
    fileURLToPath(new URL('.', `file://${FILE}`)),
  );
  await lookAtAll(started);
  await actOn(started, 'plan', { file: 'customer-profiles.json' });
  const chosen = { kind: 'rejected', pipeline: 'orders', since: '', what: 'all' };
  await actOn(started, 'redrive', chosen);
  return askedBefore(started);
}

/** Looks at it, agrees, and waits for its end. */
async function actOn({ post, followed }: StartedConsole, path: string, body: object): Promise<void> {
  const { id } = (await (await post(`/api/actions/${path}`, body)).json()) as ToldAction;
  const has = (state: ToldAction['state']) => async () => {
    const { set } = (await followed('actions')) as { readonly set: readonly ToldAction[] };
    const found = set.find((one) => one.id === id);
    if (found?.state === 'failed') throw new Error(found.obstacle?.what);
    return found?.state === state;
  };
  await until(has('shown'));
  await post('/api/actions/carry-out', { id, stage: 'prod' });
  await until(has('done'));
}

async function lookAtAll({ ask, followed }: StartedConsole): Promise<void> {
  for (const what of ['pipelines', 'runs', 'charts']) await followed(what);
  for (const path of [
    'pipeline?name=orders',
    'doctor?pipeline=orders',
    'runs?before=before',
    'run?name=first',
    'documents?pipeline=orders',
    `document?key=${encodeURIComponent(DOCUMENT)}`,
  ])
    expect([path, (await ask(`/api/${path}`)).status]).toEqual([path, 200]);
}

async function askedBefore({ aws, stop }: StartedConsole): Promise<readonly Asked[]> {
  expect((await stop()).code).toBe(130);
  // S3 asks for the key in the name of whoever reads an object that is encrypted under it.
  const decrypts = {
    action: 'kms:Decrypt',
    resource: inRegion('kms', 'key/1a2b3c4d-0000-4000-8000-000000000000'),
  };
  return [...aws.calls.map(askedBy), decrypts];
}

/** Kinesis speaks HTTP/2, so its client is replaced and not its server. */
async function askedOfKinesis(): Promise<readonly Asked[]> {
  const answers: Readonly<Record<string, object>> = {
    DescribeStreamSummary: { StreamDescriptionSummary: { StreamARN: STREAM_ARN } },
    ListShards: { Shards: [{ ShardId: 'shardId-000000000000' }] },
    GetShardIterator: { ShardIterator: 'there' },
    GetRecords: { Records: [], MillisBehindLatest: 0 },
  };
  const asked: Asked[] = [];
  const client = {
    send: async (command: object) => {
      const name = command.constructor.name.replace(/Command$/, '');
      asked.push({ action: `kinesis:${name}`, resource: STREAM_ARN });
      return answers[name];
    },
  } as unknown as KinesisClient;
  await takeRecords(client, 'customers', 5, new AbortController().signal);
  return asked;
}

/** The table of the page: of each command its actions, and the functions that it may invoke. */
function documented(): Map<
  string,
  { readonly actions: readonly string[]; readonly functions: readonly string[] }
> {
  const [, table = ''] =
    /## Who uses the command line[\s\S]*?\n\| --- \| --- \|\n([\s\S]*?)\n\n/.exec(PAGE) ?? [];
  const rows = table.split('\n').map((row) => row.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.flatMap(([, commands = '', what = '']) =>
      wordsIn(commands).map((command) => {
        const words = wordsIn(what);
        const own = what.includes("the command's name") ? [command] : [];
        const functions = [...words.filter((word) => !word.includes(':')), ...own];
        return [command, { actions: words.filter((word) => word.includes(':')), functions }] as const;
      }),
    ),
  );
}

const wordsIn = (cell: string) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, word = '']) => word);
const distinct = (all: Iterable<string>) => [...new Set(all)].toSorted();

describe('the policy for the command line', () => {
  it('is about every command that there is', async () => {
    const { COMMANDS: all } = await import('../../cli/commands.ts');
    const named = distinct([...used.keys(), ...LOCAL].map((command) => command.split(' ')[0] ?? ''));
    expect(named).toEqual(all.map(({ name }) => name).toSorted());
    expect([...documented().keys()].toSorted()).toEqual([...used.keys()].toSorted());
  });

  it.each([...Object.keys(COMMANDS), 'console', WITH_ACTIONS, 'init --stream', 'init --records'])(
    'says of %s exactly what it asks AWS for',
    (command) => {
      const asked = used.get(command) ?? [];
      const functions = asked.flatMap(
        ({ resource }) => /:function:penstock-prod-(\w+)$/.exec(resource)?.[1] ?? [],
      );
      expect({
        actions: distinct(asked.map(({ action }) => action)),
        functions: distinct(functions),
      }).toEqual({
        actions: distinct(documented().get(command)?.actions ?? []),
        functions: distinct(documented().get(command)?.functions ?? []),
      });
    },
  );

  it('allows every call of every command', async () => {
    const calls = [...used.values()].flat();
    expect(calls.length).toBeGreaterThan(30);
    const verdicts = await Promise.all(
      calls.map(
        async ({ action, resource }) =>
          `${await judgedBy(POLICY, action, resource, CONTEXT)} ${action} ${resource}`,
      ),
    );
    expect(distinct(verdicts).filter((verdict) => !verdict.startsWith('Allowed '))).toEqual([]);
  });

  it('allows nothing that no command asks for', () => {
    const granted = POLICY.Statement.flatMap(({ Action }) => Action);
    expect(distinct(granted)).toEqual(distinct([...used.values()].flat().map(({ action }) => action)));
    const functions = POLICY.Statement.flatMap(({ Resource }) => Resource).filter((one) =>
      one.includes(':function:'),
    );
    const invoked = [...used.values()].flat().map(({ resource }) => resource);
    expect(distinct(functions)).toEqual(distinct(invoked.filter((one) => one.includes(':function:'))));
  });

  it.each([
    ['lambda:InvokeFunction', inRegion('lambda', 'function:penstock-prod-publish')],
    ['lambda:InvokeFunction', inRegion('lambda', 'function:penstock-dev-redrive')],
    ['states:StartExecution', MACHINE.replace('-prod-', '-dev-')],
    ['secretsmanager:GetSecretValue', inRegion('secretsmanager', 'secret:penstock/prod/credentials-a1b2c3')],
    ['kinesis:PutRecords', STREAM_ARN],
    ['kms:Decrypt', inRegion('kms', 'key/1a2b3c4d-0000-4000-8000-000000000000')],
    ['s3:GetObject', 'arn:aws:s3:::another-bucket/key'],
  ])('does not allow %s of %s', async (action, resource) => {
    expect(await judgedBy(POLICY, action, resource)).toBe('ImplicitlyDenied');
  });
});

describe('the policy for who acts on the page', () => {
  it('allows every call of it, and nothing that it does not ask for', async () => {
    const calls = used.get(WITH_ACTIONS) ?? [];
    const verdicts = await Promise.all(
      calls.map(({ action, resource }) => judgedBy(ACTING, action, resource, CONTEXT)),
    );
    expect(distinct(verdicts)).toEqual(['Allowed']);
    const granted = ACTING.Statement.flatMap(({ Action }) => Action);
    expect(distinct(granted)).toEqual(distinct(calls.map(({ action }) => action)));
    const functions = ACTING.Statement.flatMap(({ Resource }) => Resource).filter((one) =>
      one.includes(':function:'),
    );
    expect(distinct(functions)).toEqual(
      distinct(calls.map(({ resource }) => resource).filter((one) => one.includes(':function:'))),
    );
  });

  it('without what changes something allows every call of who only looks', async () => {
    const looking = {
      ...ACTING,
      Statement: ACTING.Statement.filter(({ Sid }) => Sid !== 'Redrive' && Sid !== 'Start'),
    };
    const verdict = ({ action, resource }: Asked) => judgedBy(looking, action, resource, CONTEXT);
    const calls = used.get('console') ?? [];
    expect(distinct(await Promise.all(calls.map(verdict)))).toEqual(['Allowed']);
    expect(await verdict({ action: 'states:StartExecution', resource: MACHINE })).toBe('ImplicitlyDenied');
  });
});
