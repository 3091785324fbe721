// The command line against a deployed stage: which version it may change, and what it says where AWS does not answer as hoped.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeRecords } from '../../cli/targets/take-records.ts';
import { stackVersion } from '../../lib/doctor/version.ts';
import { Failure } from '../../lib/failure.ts';
import { status } from '../../lib/provision/status.ts';
import { emptyTally } from '../../lib/redrive/request.ts';
import type { LedgerRuntime } from '../../lib/runtime.ts';
import { VERSION } from '../../lib/version.ts';
import { type Answer, AwsError, EXECUTION, type StandIn, startAwsStandIn } from '../support/aws-stand-in.ts';
import { runCli } from '../support/cli.ts';
import { memoryLedger } from '../support/ledger.ts';

const FILE = fileURLToPath(new URL('../../examples/customer-profiles.json', import.meta.url));
const PROD = ['--stage', 'prod'];
/** The sandbox of the file: whoever names it needs no plan. */
const DEV = ['--sandbox', 'dev1'];

let home: string;
let aws: StandIn | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'penstock-stage-'));
});
afterAll(() => rm(home, { recursive: true }));
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  // No profile of whoever runs this.
  vi.stubEnv('HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await aws?.close();
  aws = undefined;
});

/** Runs a command against a stack that answers so. */
async function penstock(
  args: readonly string[],
  answers: Readonly<Record<string, Answer | undefined>> = {},
  env: Readonly<Record<string, string | undefined>> = {},
) {
  aws ??= await startAwsStandIn(answers);
  for (const [name, value] of Object.entries({ ...aws.env, ...env })) vi.stubEnv(name, value);
  const run = await runCli(args, {
    env: Object.fromEntries(
      Object.entries({ ...aws.env, ...env }).filter(([, value]) => value !== undefined),
    ) as Record<string, string>,
  });
  return { ...run, asked: aws.calls.map(({ operation }) => operation) };
}

/** What may change something in a stack. */
const CHANGING: readonly (readonly string[])[] = [
  ['apply', FILE, '--yes'],
  ['apply', FILE, '--token', 'p4.abc'],
  ['apply', FILE, '--token', 'p4.abc', ...DEV],
  ['retire', FILE, '--yes', '--sandbox', 'dev1'],
  ['redrive', 'customers', '--yes'],
  ['reconcile', 'customer-profiles', '--yes'],
];

const other: Record<string, Answer> = {
  'lambda:penstock-prod-status': (event: { version?: true }) => (event.version ? { version: '9.8.7' } : []),
  'lambda:penstock-prod-drift': () => ({ checked: 0, moved: 0, lines: [] }),
};

/** `status` as it was before it knew the question. */
const older: Record<string, Answer> = {
  ...other,
  'lambda:penstock-prod-status': (event: object) =>
    status(event, { ledger: memoryLedger().ledger } as unknown as LedgerRuntime),
};

describe('a stack of another version', () => {
  it.each(CHANGING)('is not changed: %s', async (...args) => {
    const run = await penstock([...args, ...PROD], other);
    expect(run.code).toBe(1);
    expect(run.err).toContain(
      `error OTHER_VERSION  stage prod in eu-west-1 is of version 9.8.7, and this is penstock ${VERSION}: nothing was changed\n`,
    );
    expect(run.err).toContain('npx serverless deploy --stage prod --region eu-west-1');
    expect(run.asked).toEqual(['lambda:penstock-prod-status']);
  });

  it.each(CHANGING)('is not changed if it is older than the question: %s', async (...args) => {
    const run = await penstock([...args, ...PROD], older);
    expect(run.code).toBe(1);
    expect(run.err).toContain('error OTHER_VERSION  ');
    expect(run.err).toContain('of a version that does not tell its number');
    expect(run.asked).toEqual(['lambda:penstock-prod-status']);
  });

  it.each([
    [['status'], other],
    [['drift'], other],
    [['status'], older],
  ])('is read, with one warning: %s', async (args, answers) => {
    const run = await penstock([...args, ...PROD], answers);
    expect([run.code, run.err.match(/warning: /g)]).toEqual([0, ['warning: ']]);
    expect(run.err).toContain(`and this is penstock ${VERSION}`);
    expect(run.out).not.toContain('warning');
  });

  it('is asked for its version once, however many calls follow', async () => {
    const pages: Answer = (_: unknown, call: number) => ({
      imported: [],
      ...(call < 3 && { continue: 'x' }),
    });
    const run = await penstock(['import', '--sandbox', 'dev1', '--all', ...PROD], {
      ...other,
      'lambda:penstock-prod-import': pages,
    });
    expect(run.code).toBe(0);
    expect(run.asked.filter((one) => one === 'lambda:penstock-prod-status')).toHaveLength(1);
    expect(run.asked.filter((one) => one === 'lambda:penstock-prod-import')).toHaveLength(3);
  });

  it('looks at a redrive without sending anything', async () => {
    const run = await penstock(['redrive', 'customers', '--dry-run', ...PROD], other);
    expect(run.err).not.toContain('OTHER_VERSION');
    expect(run.asked).toContain('lambda:penstock-prod-redrive');
  });
});

describe('a stack of this version', () => {
  it('tells the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(stackVersion({ version: true })).toEqual({ version });
  });

  it('is told nothing of it', async () => {
    const run = await penstock(['status', ...PROD]);
    expect(run).toMatchObject({ code: 0, err: '', out: 'No pipeline has been applied here.\n' });
    expect(run.asked).toEqual(['lambda:penstock-prod-status', 'lambda:penstock-prod-status']);
  });
});

/** Calls that start or change something. */
const STARTING = /StartExecution|redrive|reconcile/;

describe('what AWS answers becomes an error with its own code and the next step, and nothing is changed', () => {
  const always =
    (name: string, status = 400): Answer =>
    () => {
      throw new AwsError(name, 'as AWS says it', status);
    };
  const status = 'lambda:penstock-prod-status';
  const list = 'AWSStepFunctions.ListStateMachines';
  const start = 'AWSStepFunctions.StartExecution';
  const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

  it.each<
    [string, string[], Record<string, Answer | undefined>, Record<string, string | undefined>, string, string]
  >([
    ['no credentials', [], {}, nobody, 'NO_CREDENTIALS', 'aws sso login'],
    [
      'a profile that is not there',
      [],
      {},
      { ...nobody, AWS_PROFILE: 'nobody' },
      'NO_CREDENTIALS',
      'AWS_PROFILE',
    ],
    [
      'a key that AWS does not know',
      [],
      { [status]: always('UnrecognizedClientException', 403) },
      {},
      'NO_CREDENTIALS',
      'AWS_PROFILE',
    ],
    [
      'a wrong secret key',
      [],
      { [status]: always('InvalidSignatureException', 403) },
      {},
      'NO_CREDENTIALS',
      'AWS_PROFILE',
    ],
    [
      'expired credentials',
      [],
      { [status]: always('ExpiredTokenException', 403) },
      {},
      'EXPIRED_CREDENTIALS',
      'aws sso login',
    ],
    [
      'credentials that expire before the start',
      [],
      { [start]: always('ExpiredTokenException') },
      {},
      'EXPIRED_CREDENTIALS',
      'aws sso login',
    ],
    ['a region that is none', ['--region', 'Ireland'], {}, {}, 'USAGE', '--region eu-west-1'],
    ['no region at all', [], {}, { AWS_REGION: undefined }, 'NO_REGION', '--region eu-west-1'],
    ['no such stack', [], { [status]: undefined }, {}, 'NO_STACK', 'aws sts get-caller-identity'],
    [
      'a stack without its state machine',
      [],
      { [list]: () => ({ stateMachines: [] }) },
      {},
      'NO_STACK',
      '--stage and --region',
    ],
    [
      'throttling by Lambda',
      [],
      { [status]: always('TooManyRequestsException', 429) },
      {},
      'AWS_THROTTLED',
      'Wait a minute',
    ],
    [
      'throttling by Step Functions',
      [],
      { [start]: always('ThrottlingException') },
      {},
      'AWS_THROTTLED',
      'Wait a minute',
    ],
    [
      'an outage of AWS',
      [],
      { [status]: always('ServiceException', 500) },
      {},
      'AWS_UNAVAILABLE',
      'Check the network',
    ],
    [
      'AWS out of reach',
      [],
      {},
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      'AWS_UNAVAILABLE',
      'Check the network',
    ],
    [
      'no permission to call status',
      [],
      { [status]: always('AccessDeniedException', 403) },
      {},
      'AWS_REFUSED',
      'lambda:InvokeFunction',
    ],
    [
      'no permission to list',
      [],
      { [list]: always('AccessDeniedException') },
      {},
      'AWS_REFUSED',
      'states:ListStateMachines',
    ],
    [
      'no permission to start',
      [],
      { [start]: always('AccessDeniedException') },
      {},
      'AWS_REFUSED',
      'states:StartExecution',
    ],
  ])('%s', async (_, words, answers, env, code, next) => {
    const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...DEV, ...PROD, ...words], answers, env);
    expect(run.code).toBe(1);
    expect(run.err).toContain(`error ${code}  `);
    expect(run.err.split('\nnext ')[1]).toContain(next);
    expect(run.err).not.toMatch(/\n {4}at /);
    expect(run.err).not.toContain('fake-secret-access-key');
    // One that was refused has started nothing.
    expect(run.asked.filter((one) => STARTING.test(one) && answers[one] === undefined)).toEqual([]);
  });

  it('a wrong region is named: the stack is in another one', async () => {
    const answers: Record<string, Answer> = {};
    aws = await startAwsStandIn({
      ...answers,
      [status]: (_: unknown, __: number, region: string | undefined) => {
        if (region !== 'eu-west-1') throw new AwsError('ResourceNotFoundException', 'as AWS says it', 404);
        return [];
      },
    });
    const run = await penstock(['status', ...PROD, '--region', 'us-east-1']);
    expect(run.err).toContain(
      'error NO_STACK  there is no stack: stage prod in us-east-1 has no function penstock-prod-status\n',
    );
    expect(aws.calls.map(({ region }) => region)).toEqual(['us-east-1']);
  });

  it('a function that the stack lacks is told apart from a stack that is not there', async () => {
    const run = await penstock(['tap', 'customer-profiles', ...PROD], {
      'lambda:penstock-prod-tap': undefined,
    });
    expect(run.err).toContain(
      'error FUNCTION_MISSING  stage prod in eu-west-1 has no function penstock-prod-tap\n',
    );
    expect(run.err).toContain('docs/deploy.md');
  });

  it("a function's own failure keeps its code and its advice", async () => {
    const run = await penstock(['drift', ...PROD], {
      'lambda:penstock-prod-drift': () => {
        throw new Failure('SECRET_MISSING', 'there is no secret penstock/prod/credentials');
      },
    });
    expect(run.err).toContain('error SECRET_MISSING  there is no secret penstock/prod/credentials\n');
    expect(run.err).toContain('Create the secret');
  });

  it('logs without its permission name the action', async () => {
    const run = await penstock(['logs', 'customer-profiles', ...PROD], {
      'Logs_20140328.FilterLogEvents': always('AccessDeniedException'),
    });
    expect(run.err).toContain('error AWS_REFUSED  ');
    expect(run.err.split('\nnext ')[1]).toContain('logs:FilterLogEvents');
  });

  it.each([[[]], [['-f']]])('logs of a pipeline that nobody has applied are no logs: %j', async (words) => {
    const run = await penstock(['logs', 'costumers', ...words, ...PROD], {
      'Logs_20140328.FilterLogEvents': () => ({ events: [] }),
      [status]: (event: object) => {
        if ('version' in event) return { version: VERSION };
        throw new Failure('EVENT_INVALID', 'no execution has worked on a pipeline costumers');
      },
    });
    expect(run.code).toBe(1);
    expect(run.err).toContain('error EVENT_INVALID  no execution has worked on a pipeline costumers');
  });

  it('logs of a pipeline without a line are told as that', async () => {
    const run = await penstock(['logs', 'customers', ...PROD], {
      'Logs_20140328.FilterLogEvents': () => ({ events: [] }),
    });
    expect(run).toMatchObject({ code: 0, err: expect.stringContaining('There is no such line') });
  });

  it.each([
    ['AWS_ENDPOINT_URL', 'notaurl'],
    ['AWS_ENDPOINT_URL', 'localhost:4566'],
    ['AWS_ENDPOINT_URL_LAMBDA', 'ftp://CANARY@x'],
    ['HTTPS_PROXY', 'proxy.example:3128'],
    ['https_proxy', 'socks5://CANARY@127.0.0.1:1080'],
  ])('%s=%s is told by its name, and nothing is asked', async (name, value) => {
    const run = await penstock(['status', ...PROD], {}, { [name]: value });
    expect(run).toMatchObject({ code: 1, asked: [] });
    expect(run.err).toContain(
      `error USAGE  ${name} is no address with http:// or https://\nnext   Set it to `,
    );
    expect(run.err).not.toContain('CANARY');
  });

  it('an address that the SDK was told to ignore does no harm', async () => {
    const ignored = { AWS_ENDPOINT_URL_S3: 'notaurl', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    const run = await penstock(['status', ...PROD], {}, ignored);
    expect(run.err).not.toContain('error USAGE');
  });

  it('logs of a function that there is not are refused before AWS is asked', async () => {
    const run = await penstock(['logs', '--function', 'forwarder', ...PROD]);
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/^error USAGE {2}--function: expected begin, .*; found "forwarder"\nnext /);
    expect(run.asked).toEqual([]);
  });

  it('a stream where no AWS is reached is told as a network without answer', async () => {
    // Over HTTP/2 the error of the socket is only the cause of what is thrown.
    const run = await penstock(
      ['init', '--stream', 'orders', ...PROD],
      {},
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' },
    );
    expect(run.code).toBe(1);
    expect(run.err).toContain('error AWS_UNAVAILABLE  looking up the stream orders: ');
  });

  const streamArn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers';
  const kinesis = [
    ['DescribeStreamSummary', { StreamDescriptionSummary: { StreamARN: streamArn } }],
    ['ListShards', { Shards: [{ ShardId: 'shardId-000000000000' }] }],
    ['GetShardIterator', { ShardIterator: 'there' }],
    ['GetRecords', { Records: [], MillisBehindLatest: 0 }],
  ] as const;

  it.each(kinesis.map(([operation]) => operation))(
    'a stream without its permission names the action: %s',
    async (refused) => {
      const client = {
        send: async (command: object) => {
          const name = command.constructor.name.replace(/Command$/, '');
          if (name === refused) throw new AwsError('AccessDeniedException');
          return kinesis.find(([operation]) => operation === name)?.[1];
        },
      } as unknown as KinesisClient;
      const taken = takeRecords(client, 'customers', 5, new AbortController().signal);
      await expect(taken).rejects.toMatchObject({
        code: 'AWS_REFUSED',
        next: expect.stringContaining(`kinesis:${refused}`),
      });
    },
  );
});

describe('apply --token', () => {
  const describing = 'AWSStepFunctions.DescribeExecution';
  const planOf = (sandbox: object): Answer => {
    const report = { pipeline: 'customer-profiles', sandbox, resources: [], warnings: [], toDo: false };
    return (_: unknown, call: number) =>
      call === 1
        ? { executionArn: EXECUTION, status: 'SUCCEEDED', output: JSON.stringify({ report }) }
        : { executionArn: EXECUTION, status: 'FAILED', error: 'Penstock.Busy', cause: 'whatever it says' };
  };
  /** The executions that were started: what their input says. */
  const started = () =>
    (aws?.calls ?? [])
      .filter(({ operation }) => operation.endsWith('StartExecution'))
      .map(({ input }) => JSON.parse((input as { input: string }).input) as Record<string, unknown>);

  it.each([
    ['production', { name: 'dev1', type: 'production' }, 'dev1 is a production sandbox'],
    ['a type that is not told', { name: 'dev1' }, 'dev1 may be a production sandbox (its type is not told)'],
  ])('in a sandbox of %s needs its name where nobody can type it', async (_, sandbox, said) => {
    const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...PROD], {
      [describing]: planOf(sandbox),
    });
    expect(run.code).toBe(1);
    expect(run.err).toContain(`error PRODUCTION  ${said}`);
    expect(run.err).toContain('next   Add --sandbox dev1, if you mean it.\n');
    // It has looked, and applied nothing.
    expect(started().map(({ mode }) => mode)).toEqual(['plan']);
  });

  it('in a sandbox for development is applied after a plan that tells the type', async () => {
    const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...PROD], {
      [describing]: planOf({ name: 'dev1', type: 'development' }),
    });
    expect(run.err).toContain('error BUSY  ');
    expect(started().map(({ mode, token }) => [mode, token])).toEqual([
      ['plan', undefined],
      ['apply', 'p4.abc'],
    ]);
  });

  it('with the name is applied without another plan, and the functions get the name', async () => {
    await penstock(['apply', FILE, '--token', 'p4.abc', ...DEV, ...PROD], {
      [describing]: planOf({ name: 'dev1', type: 'production' }),
    });
    expect(started()).toEqual([expect.objectContaining({ mode: 'apply', token: 'p4.abc', sandbox: 'dev1' })]);
  });

  it.each([[['--token', 'p4.abc']], [['--yes']]])(
    'with the name of another sandbox starts nothing: %s',
    async (words) => {
      const run = await penstock(['apply', FILE, ...words, '--sandbox', 'prod', ...PROD]);
      expect(run.err).toContain('error WRONG_SANDBOX  --sandbox names prod');
      expect(started()).toEqual([]);
    },
  );
});

describe('a proxy', () => {
  /** A proxy that opens no tunnel, and keeps where it was asked to open one. */
  const proxied = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const tunnels: (string | undefined)[] = [];
    const proxy = createServer().on('connect', ({ url }, socket) => {
      tunnels.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'eu-west-1' };
    // Names in small letters would come first.
    for (const name of ['https_proxy', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries({ ...keys, HTTPS_PROXY: `http://127.0.0.1:${port}`, ...env }))
      vi.stubEnv(name, value);
    try {
      const { code } = await runCli([...args, ...PROD], { env: keys });
      return { code, tunnels: new Set(tunnels) };
    } finally {
      proxy.close();
    }
  };

  it.each([
    [['status'], 'lambda.eu-west-1.amazonaws.com:443'],
    [['logs'], 'logs.eu-west-1.amazonaws.com:443'],
  ])('of HTTPS_PROXY is asked for the way to AWS: %j', async (args, host) => {
    expect(await proxied(args, {})).toEqual({ code: 1, tunnels: new Set([host]) });
  });

  it('is not asked for the hosts of NO_PROXY', async () => {
    const env = { AWS_ENDPOINT_URL: 'https://127.0.0.1:1', NO_PROXY: '127.0.0.1' };
    expect(await proxied(['status'], env)).toEqual({ code: 1, tunnels: new Set() });
  });
});

describe('retire of a pipeline that was taken down before', () => {
  const resource = (name: string, done: string) => ({ resource: name, planned: 'none', done, name, why: '' });
  const kept = (
    change: object = {},
    resources = [resource('dataset', 'kept'), resource('flow', 'removed')],
  ) => ({
    pipeline: 'customer-profiles',
    applied: false,
    report: {
      outcome: 'retired',
      sandbox: { name: 'dev1' },
      execution: { endedAt: '2026-11-29T07:00:00Z' },
      resources,
      next: [],
    },
    ...change,
  });
  const retire = (answer: object, ...words: string[]) =>
    penstock(['retire', FILE, '--yes', ...words, ...PROD], {
      'lambda:penstock-prod-status': (event: object) => {
        if ('version' in event) return { version: VERSION };
        if (!('sandbox' in event)) return answer;
        throw new Failure('NOT_READY', 'no manifest is in force');
      },
    });

  it('asks for no name, and starts nothing', async () => {
    const run = await retire(kept());
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toBe('Nothing to retire: customer-profiles was taken down at 2026-11-29T07:00:00Z.\n');
    expect(run.asked.filter((one) => STARTING.test(one))).toEqual([]);
  });

  it('refuses the name of another sandbox all the same', async () => {
    expect((await retire(kept(), '--sandbox', 'prod')).err).toContain('error WRONG_SANDBOX  ');
  });

  it.each<[string, object, string[]]>([
    ['its data is to go, and was kept', kept(), ['--delete-data']],
    ['something could not be removed', kept({}, [resource('flow', 'left')]), []],
    [
      'something surplus could not be removed',
      kept({ report: { ...kept().report, next: ['Remove by hand what was left in place.'] } }),
      [],
    ],
    ['an execution works on it', kept({ running: { execution: EXECUTION } }), []],
    ['it is applied', kept({ applied: true }), []],
    ['the last execution failed', kept({ report: { ...kept().report, outcome: 'Penstock.Failed' } }), []],
    ['it was in another sandbox', kept({ report: { ...kept().report, sandbox: { name: 'x' } } }), []],
    ['no execution has a report', kept({ report: undefined }), []],
  ])('asks for the name where %s', async (_, answer, words) => {
    expect((await retire(answer, ...words)).err).toContain('error PRODUCTION  ');
  });
});

describe('an execution', () => {
  const describing = 'AWSStepFunctions.DescribeExecution';
  const busy: Answer = () => ({
    executionArn: EXECUTION,
    status: 'FAILED',
    error: 'Penstock.Busy',
    cause: 'whatever it says',
  });

  it.each([
    [
      { execution: 'arn:of:somebody', since: '2026-11-29T07:00:00Z' },
      'the execution arn:of:somebody works on customer-profiles since 2026-11-29T07:00:00Z',
    ],
    [undefined, 'another execution works on customer-profiles'],
  ])('that finds another one at work is told as BUSY: %j', async (running, said) => {
    const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...DEV, ...PROD], {
      [describing]: busy,
      'lambda:penstock-prod-status': (event: { version?: true }) =>
        event.version ? { version: VERSION } : { pipeline: 'customer-profiles', applied: true, running },
    });
    expect(run.code).toBe(1);
    expect(run.err).toContain(`error BUSY  ${said}: nothing was changed\n`);
    expect(run.err).toContain('penstock status customer-profiles --stage prod');
  });

  it('whose start was answered by nobody is not started twice: a repeated call has its name', async () => {
    const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...DEV, ...PROD], {
      'AWSStepFunctions.StartExecution': (_: unknown, call: number) => {
        if (call === 1) throw new AwsError('InternalFailure', 'the answer was lost', 500);
        return { executionArn: EXECUTION, startDate: 1 };
      },
      [describing]: busy,
    });
    const starts = aws?.calls.filter(({ operation }) => operation.endsWith('StartExecution')) ?? [];
    expect(starts).toHaveLength(2);
    expect(new Set(starts.map(({ input }) => JSON.stringify(input))).size).toBe(1);
    expect(starts[0]?.input).toMatchObject({
      name: expect.stringMatching(/^customer-profiles-[0-9a-f]{32}$/),
    });
    expect(run.err).toContain('error BUSY  ');
  });

  it.each([
    [
      'apply',
      ['--token', 'p4.abc', ...DEV, '--warm-up', '2', '--drain', '1'],
      { mode: 'apply', warmUpSeconds: 2, drainSeconds: 1 },
    ],
    ['retire', ['--yes', '--sandbox', 'dev1', '--drain', '1'], { mode: 'retire', drainSeconds: 1 }],
  ])('of %s gets the waits that are asked for', async (command, words, input) => {
    await penstock([command, FILE, ...words, ...PROD], {
      [describing]: busy,
      'lambda:penstock-prod-status': (event: { version?: true }) =>
        event.version ? { version: VERSION } : { sandbox: { name: 'dev1', type: 'development' } },
    });
    const starts = aws?.calls.filter(({ operation }) => operation.endsWith('StartExecution')) ?? [];
    const given = starts.map((call) => JSON.parse((call.input as { input: string }).input) as unknown);
    expect(given).toEqual([expect.objectContaining(input)]);
  });

  it.each(['soon', '-1', '99999'])('is not started with a drain of %s', async (seconds) => {
    const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...DEV, `--drain=${seconds}`, ...PROD]);
    expect(run.err).toContain('error USAGE  --drain: expected seconds from 0 to ');
    expect(run.asked).toEqual([]);
  });

  it.each(['AccessDeniedException', 'ExpiredTokenException', 'ThrottlingException'])(
    'that cannot be followed for %s goes on, and the error says where to look',
    async (name) => {
      const run = await penstock(['apply', FILE, '--token', 'p4.abc', ...DEV, ...PROD], {
        [describing]: () => {
          throw new AwsError(name);
        },
      });
      expect(run.code).toBe(1);
      expect(run.err).toContain(`the execution goes on: ${EXECUTION}`);
      expect(run.err).toContain('Then: penstock status customer-profiles --stage prod');
    },
  );
});

describe('a redrive', () => {
  const answered = (more: object) => ({
    ...emptyTally(),
    pipeline: 'customer-profiles',
    source: 'stream',
    dryRun: true,
    complete: false,
    ...more,
  });
  const at = (place: number) => ({ source: 'stream', cursor: { place } });
  /** One answer for each call; the last one again. */
  const inTurn = (answers: readonly object[]): Record<string, Answer> => ({
    'lambda:penstock-prod-redrive': (_: unknown, call: number) => answers[call - 1] ?? answers.at(-1),
    'lambda:penstock-prod-status': (event: { version?: true }) =>
      event.version ? { version: VERSION } : { sandbox: { name: 'dev1', type: 'development' } },
  });
  const words = ['redrive', 'customers', '--source', 'stream', ...PROD];
  const calls = (asked: readonly string[]) => asked.filter((one) => one.endsWith('redrive')).length;

  it('that comes to its limit has done what was asked for', async () => {
    const limit = { stopped: { why: 'limit' }, next: at(1), chosen: 2 };
    const run = await penstock(
      [...words, '--limit', '2', '--yes'],
      inTurn([answered({ ...limit, left: 2 }), answered({ ...limit, dryRun: false, delivered: 2 })]),
    );
    expect([run.code, calls(run.asked)]).toEqual([0, 2]);
    expect(run.out).toContain('It has come to the limit. There may be more.');
  });

  it('that leaves some of its limit has not', async () => {
    const limit = { stopped: { why: 'limit' }, next: at(1), chosen: 2, left: 2 };
    const run = await penstock(
      [...words, '--limit', '2', '--yes'],
      inTurn([answered(limit), answered({ ...limit, dryRun: false })]),
    );
    expect(run.code).toBe(1);
  });

  it('goes on where the time of a function ran out, as long as it gets further', async () => {
    const time = { stopped: { why: 'time' } };
    const run = await penstock(
      [...words, '--dry-run'],
      inTurn([
        answered({ ...time, next: at(1), chosen: 1 }),
        answered({ ...time, next: at(2), chosen: 2 }),
        answered({ complete: true, chosen: 3 }),
      ]),
    );
    expect([run.code, calls(run.asked)]).toEqual([0, 3]);
    expect(run.err).toContain('2 chosen, 0 would be sent so far');
  });

  it('ends where it gets no further, and says so', async () => {
    const run = await penstock(
      [...words, '--dry-run'],
      inTurn([answered({ stopped: { why: 'time' }, next: at(1) })]),
    );
    expect([run.code, calls(run.asked)]).toEqual([1, 2]);
    expect(run.err).toContain('it ended early: time');
  });

  it('that was stopped for a reason tells its code and its advice', async () => {
    const stopped = { why: 'auth', code: 'IMS_REFUSED', next: 'Check the secret.' };
    const run = await penstock([...words, '--dry-run'], inTurn([answered({ stopped, next: at(1) })]));
    expect([run.code, calls(run.asked)]).toEqual([1, 1]);
    expect(run.err).toContain('error IMS_REFUSED  it ended early: auth\nnext   Check the secret.');
  });
});
