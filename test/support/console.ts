// The console of a stage that a stand-in of AWS plays: started as a command, asked as a program asks it, and interrupted.
import { vi } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { emptyTally } from '../../lib/redrive/request.ts';
import { VERSION } from '../../lib/version.ts';
import { TOKEN_HEADER } from '../../local/aep/access.ts';
import {
  type Answer,
  AwsError,
  EXECUTION,
  functionError,
  type StandIn,
  startAwsStandIn,
} from './aws-stand-in.ts';
import { type CliRun, startCli } from './cli.ts';
import { until } from './eventually.ts';

export interface StartedConsole {
  readonly aws: StandIn;
  /** As the terminal shows it, with the token. */
  readonly address: string;
  readonly origin: string;
  /** With the token, as the page asks. */
  ask(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** As the page asks for a change; `headers` are besides or in place of its own. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** What was found of what is asked for once. */
  found<T>(path: string): Promise<T>;
  /** The first news of what is followed. */
  followed(what: string): Promise<unknown>;
  /** By Ctrl-C. */
  stop(): Promise<CliRun>;
}

/**
 * Whoever calls it undoes the environment (`vi.unstubAllEnvs`).
 * @throws Error where the command ends by itself
 */
export async function startConsole(
  answers: Readonly<Record<string, Answer | undefined>> = {},
  words: readonly string[] = [],
  folder?: string,
): Promise<StartedConsole> {
  const aws = await startAwsStandIn(answers);
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  const started = startCli(['console', '--stage', 'prod', ...words], {
    env: aws.env,
    ...(folder !== undefined && { folder }),
  });
  let early: CliRun | undefined;
  void started.ended.then((run) => {
    early = run;
  });
  await until(async () => started.out().includes('\n') || early !== undefined);
  if (early !== undefined) throw new Error(`${early.code} ${early.err}`);
  const address = started.out().trim();
  const { origin, hash } = new URL(address);
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${origin}${path}`, { headers: { [TOKEN_HEADER]: hash.slice(1), ...headers } });
  return {
    aws,
    address,
    origin,
    ask,
    post: (path, body, headers = {}) =>
      fetch(`${origin}${path}`, {
        method: 'POST',
        headers: { [TOKEN_HEADER]: hash.slice(1), 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async found<T>(path: string) {
      return ((await (await ask(path)).json()) as { readonly found: T }).found;
    },
    async followed(what) {
      const answer = await ask(`/api/follow/${what}`);
      let text = '';
      for await (const part of answer.body ?? []) {
        text += Buffer.from(part).toString();
        if (text.includes('\n\n')) break;
      }
      return JSON.parse(text.slice('data: '.length, text.indexOf('\n\n')));
    },
    async stop() {
      started.interrupt();
      const run = await started.ended;
      await aws.close();
      return run;
    },
  };
}

const seconds = (text: string) => Date.parse(text) / 1_000;
const machine = EXECUTION.slice(0, EXECUTION.lastIndexOf(':'));

export const BUCKET = 'penstock-prod-undeliveredbucket-1a2b3c';
/** The key of the one document that the lively stage has. */
export const DOCUMENT = 'rejected/orders/2026/11/29/shardId-0-495-i-1.json';

/** The key of the one batch that Lambda has discarded there. */
export const DISCARDED =
  'aws/lambda/3f2d7c9e-0000-4000-8000-000000000000/shardId-000000000002/2026/11/28/2026-11-28T10.00.00-77aa';

/** As Lambda writes it. @param Records what it had of the batch; nothing where it only names it */
export function discardedBatch(Records?: readonly object[]): string {
  return JSON.stringify({
    version: '1.0',
    timestamp: '2026-11-28T10:00:00.000Z',
    requestContext: { condition: 'RetryAttemptsExhausted' },
    KinesisBatchInfo: {
      shardId: 'shardId-000000000002',
      startSequenceNumber: '700',
      endSequenceNumber: '701',
      batchSize: 2,
      streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/shop',
    },
    ...(Records !== undefined && { payload: JSON.stringify({ Records }) }),
  });
}

/** A record as Lambda hands it to a function. */
export function eventRecord(sequenceNumber: string, data: string): object {
  return {
    eventID: `shardId-000000000002:${sequenceNumber}`,
    eventSource: 'aws:kinesis',
    eventSourceARN: 'arn:aws:kinesis:eu-west-1:123456789012:stream/shop',
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: 'key',
      sequenceNumber,
      data: Buffer.from(data).toString('base64'),
      approximateArrivalTimestamp: 1_770_000_000.5,
    },
  };
}

/** A report as the ledger keeps it. @param more what is another than in one that went well */
export function keptReport(pipeline: string, name: string, more: object = {}): object {
  const entry = { planned: 'create', done: 'created', why: 'it is not there yet' };
  return {
    version: 2,
    pipeline,
    mode: 'apply',
    execution: {
      id: `${machine}:${name}`,
      name,
      startedAt: '2026-11-29T07:00:00.000Z',
      endedAt: '2026-11-29T07:05:12.000Z',
    },
    outcome: 'succeeded',
    summary: `${pipeline}: created schema, flow`,
    durationMs: 312_000,
    resources: [
      { ...entry, resource: 'schema', name: `${pipeline}-schema`, id: 'https://ns.adobe.com/x/schemas/1' },
      { ...entry, resource: 'flow', name: `${pipeline}-flow`, id: 'f-1' },
    ],
    warnings: ['a plan warns'],
    verified: ['flow', 'mapping'],
    steps: [],
    next: [],
    ...more,
  };
}

/** A cause as a function that has thrown leaves it. */
function causeOf(what: string, next: string): string {
  return JSON.stringify(functionError(new Failure('CONFLICT', what).advising(next)));
}

interface MetricsOf {
  readonly EndTime: number;
  readonly NextToken?: string;
}

interface ListOf {
  readonly prefix: string;
  readonly 'start-after'?: string;
}

/** As CloudWatch answers: a value for each five minutes, the last one before the end. */
function measuredBefore(end: number, Values: readonly number[]): object {
  return { Timestamps: Values.map((_, index) => end - (Values.length - index) * 300), Values };
}

/** A stage with a pipeline that is well, one that failed, and one on which an execution works. */
export function livelyStage(hostile = ''): Readonly<Record<string, Answer>> {
  const failed = { error: 'Penstock.Failed', cause: causeOf(`taken${hostile}`, 'Rename it.') };
  const listed = (name: string, status: string, startDate: number, took?: number) => ({
    executionArn: `${machine}:${name}`,
    name,
    status,
    startDate,
    ...(took !== undefined && { stopDate: startDate + took }),
  });
  const all = [
    listed('third', 'RUNNING', seconds('2026-11-29T08:00:00Z')),
    listed('second', 'FAILED', seconds('2026-11-29T07:30:00Z'), 42),
    listed('first', 'SUCCEEDED', seconds('2026-11-29T07:00:00Z'), 312),
  ];
  const event = (id: number, at: number, type: string, details: object) => ({
    ...{ id, previousEventId: id - 1, type, timestamp: at },
    ...details,
  });
  return {
    'lambda:penstock-prod-status': (asked: { readonly doctor?: true; readonly version?: true }) => {
      if (asked.version) return { version: VERSION };
      if (asked.doctor)
        return {
          ok: false,
          says: `orders: flow is not ok ${hostile}`,
          checks: [
            { check: 'secret', state: 'ok', found: 'it is well-formed' },
            { check: 'flow', state: 'not ok', found: `it is off ${hostile}`, next: 'Switch it on.' },
            { check: 'batches', state: 'unknown', found: 'not checked: flow gave no result' },
          ],
        };
      return [
        { pipeline: 'orders', applied: true, report: keptReport('orders', 'first') },
        {
          pipeline: 'returns',
          applied: false,
          report: keptReport('returns', 'second', {
            failure: failed,
            next: ['Rename it.'],
            outcome: 'failed',
          }),
        },
        {
          pipeline: 'visits',
          applied: false,
          running: { execution: `${machine}:third`, since: '2026-11-29T08:00:00.000Z' },
        },
      ];
    },
    'configuration:penstock-prod-status': () => ({
      Environment: { Variables: { PENSTOCK_DEAD_LETTERS_URL: `s3://${BUCKET}` } },
    }),
    's3:ListBucket': ({ prefix, 'start-after': after = '' }: ListOf) => {
      if (prefix === 'aws/lambda/') return { objects: [{ key: DISCARDED, bytes: 2_048 }] };
      return {
        objects: after.startsWith(DOCUMENT) ? [] : [{ key: DOCUMENT, bytes: 812 }],
        more: !after.startsWith(DOCUMENT),
      };
    },
    's3:GetObject': ({ path }: { readonly path: string }) => {
      if (path === `/${BUCKET}/${DISCARDED}`)
        return discardedBatch([eventRecord('700', `raw${hostile}`), eventRecord('701', 'last')]);
      if (path !== `/${BUCKET}/${DOCUMENT}`) throw new AwsError('NoSuchKey', 'as S3 says it', 404);
      const entry = (sequenceNumber: string, data: string) => ({
        reason: 'not-json',
        message: `no JSON${hostile}`,
        sequenceNumber,
        partitionKey: `key${hostile}`,
        arrivedAt: 1,
        data: Buffer.from(data).toString('base64'),
      });
      return JSON.stringify({
        version: 1,
        pipeline: 'orders',
        streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/shop',
        shardId: 'shardId-0',
        invocationId: 'i-1',
        storedAt: '2026-11-29T09:00:00.000Z',
        entries: [entry('495', `first${hostile}`), entry('496', 'second')],
      });
    },
    'GraniteServiceVersion20100801.GetMetricData': ({ EndTime, NextToken }: MetricsOf) => ({
      MetricDataResults:
        NextToken === undefined
          ? [
              { Id: 'rates_in', Label: `orders in${hostile}`, ...measuredBefore(EndTime, [600, 1_200]) },
              { Id: 'rates_out', Label: 'orders out', ...measuredBefore(EndTime, [600, 900]) },
            ]
          : [{ Id: 'rejects', Label: 'not-json', ...measuredBefore(EndTime, [3]) }],
      ...(NextToken === undefined && { NextToken: 'more' }),
    }),
    'AWSStepFunctions.ListExecutions': ({ nextToken }: { readonly nextToken?: string }) =>
      nextToken === undefined
        ? { executions: all.slice(0, 2), nextToken: 'before' }
        : { executions: all.slice(2) },
    'AWSStepFunctions.DescribeExecution': ({ executionArn }: { readonly executionArn: string }) => {
      const found = all.find((one) => one.executionArn === executionArn);
      return {
        ...(found ?? all[0]),
        input: JSON.stringify({ mode: 'apply', manifest: { name: `orders${hostile}` } }),
        ...(found?.status === 'FAILED' && failed),
        ...(found?.status === 'SUCCEEDED' && {
          output: JSON.stringify({ report: keptReport(`orders${hostile}`, 'first') }),
        }),
      };
    },
    'AWSStepFunctions.GetExecutionHistory': ({ executionArn }: { readonly executionArn: string }) => {
      const from = all.find((one) => one.executionArn === executionArn)?.startDate ?? 0;
      const entered = (name: string) => ({ stateEnteredEventDetails: { name } });
      return {
        events: [
          event(1, from, 'ExecutionStarted', {}),
          event(2, from, 'TaskStateEntered', entered('plan')),
          event(3, from + 2, 'LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: failed }),
          event(4, from + 10, 'TaskStateExited', { stateExitedEventDetails: { name: 'plan' } }),
          event(5, from + 10, 'WaitStateEntered', entered('warm-up')),
        ].reverse(),
      };
    },
  };
}

/** What the stand-in of a stage was asked to do, and a hold on its executions. */
export interface ActingStage {
  readonly answers: Readonly<Record<string, Answer>>;
  /** The input of each execution that was started. */
  readonly inputs: Readonly<Record<string, unknown>>[];
  /** Each event of redrive. */
  readonly redrives: Readonly<Record<string, unknown>>[];
  /** Until it is called, an execution that changes something runs on. */
  release(): void;
}

interface ActingOptions {
  readonly type?: 'production' | 'development';
  /** Of the resource in the plan. */
  readonly planned?: string;
  /** Whether the execution that changes something fails. */
  readonly isFailing?: boolean;
}

/** A lively stage in which something is to do, and can be done. */
export function actingStage({
  type = 'development',
  planned = 'create',
  isFailing = false,
}: ActingOptions = {}): ActingStage {
  const lively = livelyStage();
  const inputs: Record<string, unknown>[] = [];
  const redrives: Record<string, unknown>[] = [];
  const started = new Map<string, Record<string, unknown>>();
  const sandbox = { name: 'dev1', type };
  let isReleased = false;
  const reportOf = (arn: string, mode: unknown) => {
    const entry = { resource: 'schema', planned, name: 'orders-schema', why: 'it is not there yet' };
    const isPlan = mode === 'plan';
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    return keptReport('orders', name, {
      mode,
      outcome: isPlan ? 'planned' : 'succeeded',
      resources: [
        { ...entry, done: isPlan ? 'planned' : 'created' },
        {
          ...{ resource: 'mapping', planned: 'replace', name: 'orders-mapping', why: 'another expression' },
          done: isPlan ? 'planned' : 'created',
          differences: [{ field: 'mapping _id', found: 'id', wanted: 'upper(id)' }],
        },
      ],
      sandbox,
      ...(isPlan && { token: 'p3.abc', toDo: true }),
      ...(isFailing &&
        !isPlan && { failure: { error: 'PermanentFailure', cause: 'CONFLICT: taken', code: 'CONFLICT' } }),
    });
  };
  const status = lively['lambda:penstock-prod-status'] as (asked: object) => unknown;
  let last: object = {};
  return {
    inputs,
    redrives,
    release() {
      isReleased = true;
    },
    answers: {
      ...lively,
      'lambda:penstock-prod-status': ((asked: {
        readonly sandbox?: true;
        readonly pipeline?: string;
        readonly doctor?: true;
      }) => {
        if (asked.sandbox) return { sandbox };
        if (asked.pipeline !== undefined && !asked.doctor) return { pipeline: asked.pipeline, report: last };
        return status(asked);
      }) as Answer,
      'lambda:penstock-prod-redrive': ((event: { readonly dryRun?: boolean; readonly source: string }) => {
        redrives.push(event as never);
        const counts = event.dryRun ? { left: 2 } : { delivered: 2 };
        return {
          ...{ ...emptyTally(), stream: 'shop', pipeline: 'orders', source: event.source, chosen: 2 },
          ...{ ...counts, dryRun: event.dryRun === true, complete: true },
        };
      }) as Answer,
      'AWSStepFunctions.StartExecution': (({
        name,
        input,
      }: {
        readonly name: string;
        readonly input: string;
      }) => {
        const executionArn = `${machine}:${name}`;
        const value = JSON.parse(input) as Record<string, unknown>;
        inputs.push(value);
        started.set(executionArn, value);
        return { executionArn, startDate: 1 };
      }) as Answer,
      'AWSStepFunctions.DescribeExecution': ((asked: { readonly executionArn: string }) => {
        const input = started.get(asked.executionArn);
        if (input === undefined)
          return (lively['AWSStepFunctions.DescribeExecution'] as (one: object) => unknown)(asked);
        const { executionArn } = asked;
        const base = {
          ...{ executionArn, name: executionArn.slice(machine.length + 1), input: JSON.stringify(input) },
          startDate: seconds('2026-11-29T10:00:00Z'),
        };
        if (input.mode !== 'plan' && !isReleased) return { ...base, status: 'RUNNING' };
        const report = reportOf(executionArn, input.mode);
        last = report;
        const stopDate = seconds('2026-11-29T10:00:09Z');
        if (input.mode !== 'plan' && isFailing)
          return {
            ...base,
            status: 'FAILED',
            stopDate,
            error: 'PermanentFailure',
            cause: causeOf('taken', 'Rename it.'),
          };
        return { ...base, status: 'SUCCEEDED', stopDate, output: JSON.stringify({ report }) };
      }) as Answer,
    },
  };
}
