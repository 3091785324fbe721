import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ACCEPTED } from '../lib/accepted.ts';
import { isFailure } from '../lib/failure.ts';

// A wrong event, whoever sends it to whichever function, is answered with the list of what that function accepts.

/** The functions as they are deployed, but for those that answer a sender and not a person: the hooks, and CloudFormation's. */
const FUNCTIONS = globSync('functions/**/*.ts', { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  .filter((file) => !/hook|cleanup/.test(file))
  .sort();

const OWN = [
  'status',
  'drift',
  'import',
  'tap',
  'reconcile',
  'redrive',
  'forward',
  'begin',
  'report',
] as const;

/** What is wrong for everybody. */
const WRONG: unknown[] = [[], 'x', 7, true, { pipelin: 'customer-profiles' }, [{}], { Records: 'x' }];

/** What else is: where nothing in particular means all pipelines, it is accepted. */
const ALSO: Readonly<Record<string, readonly unknown[]>> = {
  status: [
    { pipeline: 7 },
    { pipeline: 'a', doctor: false },
    { version: false },
    { version: true, pipeline: 'a' },
    { pipeline: 'a', shardId: 's' },
    { pipeline: 'a', _id: 'x', more: 1 },
  ],
  drift: [{ pipeline: 7 }, { pipeline: '' }, { source: 'somebody' }],
  import: [
    null,
    {},
    { sandbox: 'dev1' },
    { flow: 'f' },
    { sandbox: 'dev1', flow: 'f', dataset: 'd' },
    { sandbox: 'dev1', all: true, stream: 's' },
    { sandbox: 'dev1', all: true, limit: 21 },
    { sandbox: 'dev1', dataset: 'd', name: 'n' },
  ],
  tap: [
    null,
    {},
    { pipeline: 7 },
    { pipeline: 'a', limit: 26 },
    { pipeline: 'a', continue: { since: 0 } },
    { pipeline: 'a', continue: { since: 0, after: { 'shardId-0': 'x' } } },
  ],
  reconcile: [{ pipeline: 7 }, { streamArn: '' }, { source: 'somebody' }],
  redrive: [
    null,
    undefined,
    {},
    { stream: 'a', source: 'everything' },
    { stream: 'a', source: 'rejected', dryrun: true },
  ],
  forward: [null, undefined, {}, { Records: [null] }, { Records: [{ kinesis: {} }] }],
  begin: [
    null,
    undefined,
    {},
    { mode: 'plan' },
    { manifest: {}, mode: 'try' },
    { manifest: {}, manifests: [] },
  ],
};
const OF_STEPS = [null, undefined, {}, { manifest: {} }, { version: 1 }];

const CONTEXT = {
  awsRequestId: 'i',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:penstock-dev-redrive',
  getRemainingTimeInMillis: () => 60_000,
} as Context;

beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  for (const [name, value] of Object.entries({
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'fake',
    AWS_SECRET_ACCESS_KEY: 'fake',
    // Whoever asks AWS before it has looked at the event is told by the clock.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_MAX_ATTEMPTS: '1',
    PENSTOCK_TABLE: 'penstock-dev-pipelines',
    PENSTOCK_FORWARDER: 'penstock-dev-forward',
    PENSTOCK_REDRIVE: 'penstock-dev-redrive',
    PENSTOCK_DEAD_LETTERS_URL: 'file:///nowhere',
  }))
    vi.stubEnv(name, value);
});
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('all functions are here', () => {
  const named = FUNCTIONS.map((file) => file.replace(/^functions\/(provision\/)?(.*)\.ts$/, '$2'));
  expect(named).toEqual(expect.arrayContaining([...OWN, 'plan', 'flow', 'trigger', 'rollback']));
  expect(FUNCTIONS.length).toBeGreaterThanOrEqual(22);
});

it.each(FUNCTIONS)('%s', async (file) => {
  const { handler } = (await import(/* @vite-ignore */ new URL(`../${file}`, import.meta.url).href)) as {
    handler: (event: unknown, context: Context) => Promise<unknown>;
  };
  const name = file.replace(/^.*\/|\.ts$/g, '');
  const by = OWN.find((one) => one === name) ?? 'step';
  for (const event of [...WRONG, ...(ALSO[by] ?? OF_STEPS)]) {
    const error: unknown = await handler(event, CONTEXT).then(
      () => new Error('accepted'),
      (thrown: unknown) => thrown,
    );
    const asked = JSON.stringify(event);
    if (!isFailure(error)) throw new Error(`${asked}: ${String(error)}`);
    expect([error.code, error.retryable], asked).toEqual(['EVENT_INVALID', false]);
    for (const accepted of ACCEPTED[by]) expect(error.message, asked).toContain(accepted);
  }
});

it('an event that is named as an example is there, and is one of that function', () => {
  const named = Object.values(ACCEPTED)
    .flat()
    .flatMap((text) => [...text.matchAll(/events\/([\w-]+)\.json/g)].map(([, name = '']) => name))
    .filter((name) => !name.includes('hook'));
  const there = globSync('*.json', { cwd: fileURLToPath(new URL('../events', import.meta.url)) });
  expect([...new Set(named)].sort()).toEqual(
    there
      .map((file) => file.replace('.json', ''))
      .filter((file) => !/hook|cleanup/.test(file))
      .sort(),
  );
});
