// `penstock console`: who may ask its server, what it tells of a stage, and what it says where AWS does not answer.
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { atMostEvery, feedOf } from '../../cli/console/asking.ts';
import { createNamed } from '../../cli/console/named.ts';
import { statesOf } from '../../cli/console/runs.ts';
import type { ChartsTold, DeadLetterDetail } from '../../local/page/told.ts';
import type {
  DocumentLines,
  RunLines,
  StageDocument,
  StagePipeline,
  StageReport,
  StageRun,
  ToldDiagnosis,
} from '../../local/page/told-stage.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { type Answer, AwsError } from '../support/aws-stand-in.ts';
import { runCli } from '../support/cli.ts';
import {
  BUCKET,
  DISCARDED,
  DOCUMENT,
  discardedBatch,
  livelyStage,
  type StartedConsole,
  startConsole,
} from '../support/console.ts';

let home: string;
let started: StartedConsole | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'penstock-console-'));
});
afterAll(() => rm(home, { recursive: true }));
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
});
afterEach(async () => {
  await started?.stop();
  started = undefined;
  vi.unstubAllEnvs();
});

async function consoleOf(answers: Readonly<Record<string, Answer | undefined>> = livelyStage()) {
  started = await startConsole(answers);
  return started;
}

const operations = ({ aws }: StartedConsole) => aws.calls.map(({ operation }) => operation);

describe('the command', () => {
  it('prints one address, and ends with Ctrl-C', async () => {
    const { address, stop } = await consoleOf();
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}$/);
    expect(await stop()).toMatchObject({ code: 130, out: `${address}\n` });
    started = undefined;
    await expect(fetch(address)).rejects.toThrow();
  });

  it.each([
    [[], 'console shows a deployed stage, and --stage names none', 'penstock dev prints'],
    [['--stage', 'prod', '--port', '70000'], '--port: expected a number up to 65535', 'console --help'],
    [['--stage', 'prod', '--port', 'any'], 'found "any"', 'console --help'],
  ])('refuses %s', async (words, what, next) => {
    const { code, out, err } = await runCli(['console', ...words], { env: { AWS_REGION: 'eu-west-1' } });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`error USAGE  `);
    expect(err).toContain(what);
    expect(err).toContain(next);
  });

  it('says that a port is taken', async () => {
    const { origin } = await consoleOf();
    const { port } = new URL(origin);
    await expect(startConsole(livelyStage(), ['--port', port])).rejects.toThrow(
      `error USAGE  --port ${port}: something listens there already`,
    );
  });

  it('prints no address where there is no stack, or no valid credentials', async () => {
    await expect(startConsole({ 'lambda:penstock-prod-status': undefined })).rejects.toThrow(
      'error NO_STACK',
    );
    const expired: Answer = () => {
      throw new AwsError('ExpiredTokenException', 'as AWS says it', 403);
    };
    await expect(startConsole({ 'lambda:penstock-prod-status': expired })).rejects.toThrow(
      'error EXPIRED_CREDENTIALS',
    );
  });
});

describe('who may ask', () => {
  it('programs need the token too: the stage is asked with the credentials of one person', async () => {
    const { origin, ask } = await consoleOf();
    for (const path of [
      '/api/about',
      '/api/follow/pipelines',
      '/api/run?name=first',
      '/api/doctor?pipeline=a',
    ])
      expect([path, (await fetch(`${origin}${path}`)).status]).toEqual([path, 401]);
    expect((await ask('/api/about')).status).toBe(200);
  });

  it('no name of another machine is answered, and no change is taken', async () => {
    const { origin, address, aws } = await consoleOf();
    const before = aws.calls.length;
    const token = new URL(address).hash.slice(1);
    const status = (path: string, method: string, headers: object) =>
      new Promise((resolve, reject) => {
        const all = { 'x-penstock-token': token, 'content-type': 'application/json', ...headers };
        request(`${origin}${path}`, { method, headers: all }, (answer) => resolve(answer.resume().statusCode))
          .on('error', reject)
          .end();
      });
    expect(await status('/api/about', 'GET', { host: 'rebound.example' })).toBe(403);
    for (const path of [
      '/api/redrive',
      '/api/actions/plan',
      '/api/actions/carry-out',
      '/api/run?name=first',
      '/api/doctor?pipeline=orders',
    ])
      expect([path, await status(path, 'POST', {})]).toEqual([path, 405]);
    expect(aws.calls.slice(before)).toEqual([]);
  });

  it('has the areas of a stage and none that only this machine has', async () => {
    const { ask } = await consoleOf();
    expect(await (await ask('/api/about')).json()).toEqual({
      kind: 'stage',
      stage: 'prod',
      name: 'stage prod in eu-west-1',
      hasActions: false,
    });
    for (const path of [
      '/api/follow/records',
      '/api/follow/requests',
      '/api/request?number=1',
      '/api/datasets',
      '/api/follow/actions',
      '/api/manifests',
    ])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
  });
});

describe('pipelines', () => {
  it('are those of the table, each with how its last execution ended', async () => {
    const { followed } = await consoleOf();
    expect(await followed('pipelines')).toMatchObject({
      found: [
        { name: 'orders', health: 'good', says: 'applied', last: 'orders: created schema, flow' },
        {
          name: 'returns',
          health: 'bad',
          says: 'not applied; its last execution has failed',
          last: 'CONFLICT: taken',
        },
        { name: 'visits', health: 'busy', runningNow: 'third', last: '' },
      ],
    });
  });

  it('have the report of the last execution, from the same answer', async () => {
    const { found, followed, ...rest } = await consoleOf();
    await followed('pipelines');
    const before = rest.aws.calls.length;
    const seen = await found<StagePipeline>('/api/pipeline?name=orders');
    expect(seen.report).toMatchObject({
      execution: 'first',
      summary: 'orders: created schema, flow',
      warnings: ['a plan warns'],
      resources: [
        { resource: 'schema', done: 'created', id: 'https://ns.adobe.com/x/schemas/1' },
        { resource: 'flow', name: 'orders-flow', plan: 'create', why: 'it is not there yet' },
      ],
    });
    expect(await found<StagePipeline | null>('/api/pipeline?name=nobody')).toBe(null);
    expect(rest.aws.calls.length).toBe(before);
  });

  it('are examined when somebody asks for it, and not before', async () => {
    const { found, followed, aws } = await consoleOf();
    await followed('pipelines');
    const examined = () => aws.calls.filter(({ input }) => (input as { doctor?: true }).doctor);
    expect(examined()).toEqual([]);
    expect(await found<ToldDiagnosis>('/api/doctor?pipeline=orders')).toMatchObject({
      isWell: false,
      checks: [
        { check: 'secret', health: 'good' },
        { check: 'flow', health: 'bad', next: 'Switch it on.' },
        { check: 'batches', health: 'off' },
      ],
    });
    expect(examined().map(({ input }) => input)).toEqual([{ pipeline: 'orders', doctor: true }]);
  });

  it('tell what AWS refuses, with what to do, and the server goes on', async () => {
    const { ask, followed } = await consoleOf({
      ...livelyStage(),
      'AWSStepFunctions.ListExecutions': () => {
        throw new AwsError('AccessDeniedException');
      },
    });
    expect(await followed('runs')).toMatchObject({
      obstacle: { code: 'AWS_REFUSED', next: expect.stringContaining('states:ListExecutions') },
    });
    expect(await followed('pipelines')).toMatchObject({ found: [{}, {}, {}] });
    expect((await ask('/api/about')).status).toBe(200);
  });
});

describe('executions', () => {
  it('are listed from the newest on, page by page', async () => {
    const { found, followed } = await consoleOf();
    expect(await followed('runs')).toMatchObject({
      found: {
        lines: [
          { name: 'third', health: 'busy', says: 'at work' },
          { name: 'second', health: 'bad', endedAt: Date.parse('2026-11-29T07:30:42Z') },
        ],
        next: 'before',
      },
    });
    const seen = await found<RunLines>('/api/runs?before=before');
    expect(seen).toMatchObject({ lines: [{ name: 'first', health: 'good' }] });
    expect(seen.next).toBe(undefined);
  });

  it('tell their pipeline by their name, by the status, or once somebody has looked at them', () => {
    const named = createNamed();
    const only = '0f'.repeat(16);
    const long = 'a'.repeat(50);
    const told = () =>
      ['first', `orders-${only}`, `a-b-${only}-2`, `${'a'.repeat(40)}-${only}`, 'by-hand'].map(
        named.pipelineOf,
      );
    expect(told()).toEqual(['', 'orders', 'a-b', '', '']);
    const line = { health: 'good', says: '', last: '' } as const;
    const report = { execution: 'first' } as StageReport;
    named.learnFrom([
      { ...line, name: 'shop', report },
      { ...line, name: 'a.b' },
      { ...line, name: long },
    ]);
    named.learn('by-hand', 'returns');
    expect(told()).toEqual(['shop', 'orders', 'a.b', long, 'returns']);
    named.learnFrom([
      { ...line, name: 'a.b' },
      { ...line, name: 'a-b' },
    ]);
    // Two pipelines have executions of that name: neither is said.
    expect(told()[2]).toBe('');
  });

  it('are named in the list after one was looked at', async () => {
    const { found } = await consoleOf();
    const older = () => found<RunLines>('/api/runs?before=before');
    expect((await older()).lines).toMatchObject([{ name: 'first', pipeline: '' }]);
    await found('/api/run?name=first');
    expect((await older()).lines).toMatchObject([{ name: 'first', pipeline: 'orders' }]);
  });

  it('have their states, their report, and what they were started with', async () => {
    const { found } = await consoleOf();
    const seen = await found<StageRun>('/api/run?name=first');
    const from = Date.parse('2026-11-29T07:00:00Z');
    expect(seen).toMatchObject({
      pipeline: 'orders',
      mode: 'apply',
      isCut: false,
      states: [
        {
          state: 'plan',
          at: from,
          ms: 10_000,
          health: 'bad',
          failures: ['Penstock.Failed: taken'],
        },
        { state: 'warm-up', at: from + 10_000, failures: [] },
      ],
      summary: 'orders: created schema, flow',
      resources: [{ resource: 'schema', planned: 'create', done: 'created' }, {}],
    });
    expect(JSON.parse(seen.input.text)).toEqual({ mode: 'apply', manifest: { name: 'orders' } });
  });

  it('have the error, the cause and what to do where they failed', async () => {
    const { found } = await consoleOf();
    expect(await found<StageRun | null>('/api/run?name=second')).toMatchObject({
      says: 'failed',
      failure: { code: 'CONFLICT', what: 'Penstock.Failed: taken', next: 'Rename it.' },
    });
  });

  it('that failed have the report that is kept of their pipeline', async () => {
    const { found, followed } = await consoleOf();
    const resources = async () => (await found<StageRun>('/api/run?name=second')).resources;
    expect(await resources()).toEqual([]);
    await followed('pipelines');
    expect(await resources()).toMatchObject([{ resource: 'schema', done: 'created' }, {}]);
  });

  it.each(['ExecutionDoesNotExist', 'InvalidArn'])('that are not there are none: %s', async (name) => {
    const { found } = await consoleOf({
      ...livelyStage(),
      'AWSStepFunctions.DescribeExecution': () => {
        throw new AwsError(name);
      },
    });
    expect(await found<StageRun | null>('/api/run?name=gone')).toBe(null);
  });

  it('are of this state machine alone, whatever the name is', async () => {
    const { ask, ...rest } = await consoleOf();
    await ask(`/api/run?name=${encodeURIComponent('../x:stateMachine:other')}`);
    const asked = rest.aws.calls.filter(({ operation }) => operation.endsWith('DescribeExecution'));
    expect(asked.map(({ input }) => (input as { executionArn: string }).executionArn)).toEqual([
      'arn:aws:states:eu-west-1:123456789012:execution:penstock-prod-provision:../x:stateMachine:other',
    ]);
  });

  it('of a long history show its end, and say so', async () => {
    const page: Answer = (_: never, call: number) => ({
      events: [
        {
          ...{ id: 9 - call, type: 'TaskStateEntered', timestamp: call },
          stateEnteredEventDetails: { name: `state-${9 - call}` },
        },
      ],
      nextToken: 'more',
    });
    const one = await consoleOf({ ...livelyStage(), 'AWSStepFunctions.GetExecutionHistory': page });
    const seen = await one.found<StageRun>('/api/run?name=first');
    expect(seen.isCut).toBe(true);
    expect(seen.states.map(({ state }) => state)).toEqual(['state-6', 'state-7', 'state-8']);
    expect(operations(one).filter((name) => name.endsWith('GetExecutionHistory'))).toHaveLength(3);
  });
});

describe('dead letters', () => {
  const list = '/api/documents?pipeline=orders&kind=rejected&since=2026-11-25';

  it('are listed by pipeline and day, page by page, in the bucket that a function is told', async () => {
    const { found, aws } = await consoleOf();
    expect(await found<DocumentLines>(list)).toEqual({
      documents: [{ key: DOCUMENT, bytes: 812, day: '2026-11-29', name: 'shardId-0-495-i-1.json' }],
      next: DOCUMENT,
    });
    expect(await found<DocumentLines>(`${list}&after=${encodeURIComponent(DOCUMENT)}`)).toEqual({
      documents: [],
    });
    const listed = aws.calls.filter(({ operation }) => operation === 's3:ListBucket');
    expect(listed.map(({ input }) => input)).toMatchObject([
      {
        path: `/${BUCKET}/`,
        prefix: 'rejected/orders/',
        'start-after': 'rejected/orders/2026/11/25',
      },
      { 'start-after': DOCUMENT },
    ]);
    expect(aws.calls.filter(({ operation }) => operation.startsWith('configuration:'))).toHaveLength(1);
  });

  it('have their messages, and each the record itself', async () => {
    const { found } = await consoleOf();
    const key = encodeURIComponent(DOCUMENT);
    expect(await found<StageDocument>(`/api/document?key=${key}`)).toMatchObject({
      total: 2,
      messages: [
        { id: '0', reason: 'not-json', place: '495', partitionKey: 'key' },
        { id: '1', place: '496' },
      ],
    });
    expect(await found<DeadLetterDetail>(`/api/message?key=${key}&number=1`)).toMatchObject({
      record: { text: 'second', form: 'text' },
      facts: expect.arrayContaining([
        ['shard', 'shardId-0'],
        ['file', DOCUMENT],
      ]),
    });
  });

  it('of Lambda are a kind of their own: the batches that it has discarded, from a day on', async () => {
    const { found, aws } = await consoleOf();
    const all = (since: string) =>
      found<DocumentLines>(`/api/documents?pipeline=orders&kind=on-failure&since=${since}`);
    expect(await all('2026-11-28')).toEqual({
      documents: [{ key: DISCARDED, bytes: 2_048, day: '2026-11-28', name: '2026-11-28T10.00.00-77aa' }],
    });
    expect(await all('2026-11-29')).toEqual({ documents: [] });
    const listed = aws.calls.filter(({ operation }) => operation === 's3:ListBucket');
    expect(listed[0]?.input).toMatchObject({ path: `/${BUCKET}/`, prefix: 'aws/lambda/' });
    const key = encodeURIComponent(DISCARDED);
    expect(await found<StageDocument>(`/api/document?key=${key}`)).toMatchObject({
      of: 'shop',
      total: 2,
      note: expect.stringContaining('no pipeline has redacted them'),
      messages: [{ reason: 'RetryAttemptsExhausted', place: '700', partitionKey: 'key' }, { place: '701' }],
    });
    expect(await found<DeadLetterDetail>(`/api/message?key=${key}&number=0`)).toMatchObject({
      record: { text: 'raw' },
    });
  });

  it('of Lambda that only name their records say which, and how many', async () => {
    const { found } = await consoleOf({ ...livelyStage(), 's3:GetObject': () => discardedBatch() });
    expect(await found<StageDocument>('/api/document?key=a')).toMatchObject({
      total: 2,
      messages: [],
      note: expect.stringContaining('700 to 701 of shardId-000000000002'),
    });
  });

  it('that are gone are none', async () => {
    const { found } = await consoleOf();
    expect(await found('/api/document?key=rejected%2Fgone.json')).toBe(null);
    expect(await found('/api/message?key=rejected%2Fgone.json&number=0')).toBe(null);
    expect(await found(`/api/message?key=${encodeURIComponent(DOCUMENT)}&number=7`)).toBe(null);
  });

  it.each([
    ['s3:ListBucket', list],
    ['s3:GetObject', '/api/document?key=a'],
  ])('without the permission for %s name it', async (operation, path) => {
    const { ask } = await consoleOf({
      ...livelyStage(),
      [operation]: () => {
        throw new AwsError('AccessDenied', 'as S3 says it', 403);
      },
    });
    expect(await (await ask(path)).json()).toMatchObject({
      obstacle: { code: 'AWS_REFUSED', what: expect.stringContaining(operation) },
    });
  });

  it.each(['no JSON', '{"version":9,"entries":[]}', '{"version":1}', 'null'])(
    'that this version cannot read are told as that: %s',
    async (text) => {
      const { ask } = await consoleOf({ ...livelyStage(), 's3:GetObject': () => text });
      expect(await (await ask('/api/document?key=a')).json()).toMatchObject({
        obstacle: { code: 'NOT_FOUND' },
      });
    },
  );
});

interface MetricsInput {
  readonly MetricDataQueries: readonly {
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: { readonly MetricName: string } };
  }[];
}

describe('charts', () => {
  const GET = 'GraniteServiceVersion20100801.GetMetricData';

  it("are of the forwarder's own metrics, in steps of five minutes, all pages together", async () => {
    const { followed, aws } = await consoleOf();
    const { found } = (await followed('charts')) as { readonly found: ChartsTold };
    const [rates, rejects, latency] = found.charts;
    expect(found.times).toHaveLength(36);
    expect(rates?.lines.map(({ name, values }) => [name, values.slice(-3)])).toEqual([
      ['orders in', [null, 2, 4]],
      ['orders out', [null, 2, 3]],
    ]);
    expect(rejects?.lines).toMatchObject([{ name: 'not-json' }]);
    expect([rejects?.lines[0]?.values.at(-1), latency?.lines]).toEqual([3, []]);
    const asked = aws.calls.filter(({ operation }) => operation === GET);
    expect(asked.map(({ region }) => region)).toEqual(['eu-west-1', 'eu-west-1']);
    expect(asked[0]?.input).toMatchObject({
      MetricDataQueries: expect.arrayContaining([
        {
          Id: 'rates_in',
          Expression:
            'SEARCH(\'{Penstock,service,stage,pipeline} MetricName="RecordsReceived" stage="prod"\', \'Sum\', 300)',
          Label: "${PROP('Dim.pipeline')} in",
        },
      ]),
    });
  });

  it('ask for metrics that the functions write, and the forwarder is asked about by its name', async () => {
    const { followed, aws } = await consoleOf();
    await followed('charts');
    const input = aws.calls.find(({ operation }) => operation === GET)?.input as MetricsInput;
    const names = input.MetricDataQueries.map(
      ({ Expression = '', MetricStat }) =>
        MetricStat?.Metric.MetricName ?? /MetricName="(\w+)"/.exec(Expression)?.[1],
    );
    const written = globSync('{lib,functions}/**/*.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join();
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => name !== 'IteratorAge' && !written.includes(`'${name}'`))).toEqual([]);
    expect(JSON.stringify(input)).toContain('penstock-prod-forward');
  });

  it.each([
    ['AccessDenied', 'AWS_REFUSED'],
    ['ExpiredToken', 'EXPIRED_CREDENTIALS'],
    ['Throttling', 'AWS_THROTTLED'],
    ['InternalServiceFault', 'AWS_UNAVAILABLE'],
  ])('that CloudWatch does not answer are an obstacle: %s', async (name, code) => {
    const { followed } = await consoleOf({
      ...livelyStage(),
      [GET]: () => {
        throw new AwsError(name);
      },
    });
    expect(await followed('charts')).toMatchObject({ obstacle: { code } });
  });
});

describe('what is asked of AWS', () => {
  it('is asked once for all who look, until it is too old', async () => {
    let [now, calls] = [0, 0];
    const ask = atMostEvery(
      30_000,
      async () => {
        calls += 1;
        return calls;
      },
      () => now,
    );
    const [first, second] = [feedOf(ask, (found) => found), feedOf(ask, (found) => found)];
    expect([await first(), await second(), await first()]).toEqual([
      { at: 0, found: 1 },
      { at: 0, found: 1 },
      undefined,
    ]);
    now = 30_000;
    expect([await second(), calls]).toEqual([{ at: 30_000, found: 2 }, 2]);
  });

  it('is an obstacle where it is refused, and is asked again', async () => {
    let [now, isWell] = [0, false];
    const ask = atMostEvery(
      10,
      async () => {
        if (isWell) return 'well';
        throw new MistakeError('AWS_THROTTLED', 'too often', 'Wait.');
      },
      () => now,
    );
    expect(await ask()).toEqual({
      at: 0,
      obstacle: { code: 'AWS_THROTTLED', what: 'too often', next: 'Wait.' },
    });
    [now, isWell] = [10, true];
    expect(await ask()).toEqual({ at: 10, found: 'well' });
  });

  it('a failure is of the state that was entered last, and one that is entered again is another stay', () => {
    const at = 1;
    expect(
      statesOf([
        { type: 'failed', state: '', error: 'before all', at },
        { type: 'entered', state: 'a', stateType: 'Task', at },
        { type: 'failed', state: '', error: 'Lambda.Unknown', cause: 'no JSON', at },
        { type: 'failed', state: '', error: 'States.Timeout', at },
        { type: 'exited', state: 'a', at: 2 },
        { type: 'entered', state: 'is-new', stateType: 'Choice', at: 3 },
        { type: 'exited', state: 'is-new', at: 3 },
        { type: 'entered', state: 'a', stateType: 'Task', at: 3 },
      ]),
    ).toEqual([
      { state: 'a', at: 1, ms: 1, health: 'bad', failures: ['Lambda.Unknown: no JSON', 'States.Timeout'] },
      { state: 'a', at: 3, health: 'busy', failures: [] },
    ]);
  });

  it('a state that is entered and not left failed with its execution, or is still at work', () => {
    const news = [{ type: 'entered', state: 'a', stateType: 'Task', at: 1 }] as const;
    expect(statesOf(news)).toMatchObject([{ health: 'busy' }]);
    expect(statesOf(news, 9)).toMatchObject([{ health: 'bad', ms: 8 }]);
  });
});
