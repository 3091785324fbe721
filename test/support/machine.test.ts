// The machine that sweeps run on does what aws-local-stepfunctions does with the same definition, and refuses the rest.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failure, type InvocationResult } from '../../local/aws/function-errors.ts';
import { runStateMachine } from '../../local/aws/state-machine.ts';
import { type MachineRun, machine } from './machine.ts';
import { type RunOptions, world } from './provisioning.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const UNKNOWN = [{ expression: 'no_such_function(firstName)', destination: 'person.name.firstName' }];

describe('provisioning on both', () => {
  it.each<[string, object, RunOptions]>([
    ['a success', {}, {}],
    ['a plan', { mode: 'plan' }, {}],
    ['a success without a wait', { warmUpSeconds: 0 }, {}],
    ['a wrong request', { mode: 'destroy' }, {}],
    ['a permanent failure, undone', { manifest: { ...manifest, mapping: UNKNOWN } }, {}],
    ['a failure that passes', {}, { fault: { k: 12, mode: 'throttled' } }],
    ['a failure that does not pass', {}, { fail: { dataset: 'TransientFailure' } }],
    ['a function that dies', {}, { fault: { k: 14, mode: 'killed' } }],
    ['a function that dies without a word', {}, { kill: 'flow' }],
    ['a function that hangs', {}, { fault: { k: 14, mode: 'zombie' } }],
    ['undoing that dies, too', {}, { fail: { flow: 'PermanentFailure', rollback: 'Sandbox.Timedout' } }],
    ['an execution that is stopped', {}, { fault: { k: 20, mode: 'lost', after: 'abort' } }],
  ])('%s', async (_, input, options) => {
    const seen = async (engine?: 'local') => {
      const own = world();
      const run = await own.run({ manifest, ...input }, { ...options, ...(engine && { engine }) });
      const { status, error, output, states, calls, paths } = run;
      const told = calls.filter(({ kind }) => kind !== 'wait').map(({ label }) => masked(label));
      return { status, error, states, told, paths, cause: causeOf(run.cause), document: shape(output) };
    };
    expect(await seen()).toEqual(await seen('local'));
  });
});

const masked = (text: string) => text.replace(/[0-9a-f-]{24,}/g, '*');
/** Without ids, and without times: retries take virtual time on the one, real time on the other. */
const shape = (output: unknown) =>
  masked(JSON.stringify(output ?? null)).replace(
    /"(changedAt|createdAt|startedAt|endedAt|waitSeconds|ms|durationMs)":[^,}]+/g,
    '"$1":0',
  );

function causeOf(cause: string | undefined): unknown {
  try {
    const { trace: _, ...rest } = JSON.parse(cause ?? '') as { trace: unknown };
    return masked(JSON.stringify(rest));
  } catch {
    return cause === undefined ? undefined : masked(cause);
  }
}

type Answers = Record<string, (input: never, calls: number) => InvocationResult>;

const ok = (value: unknown): InvocationResult => ({ ok: value });
const thrown = (name: string) => failure('handled', name, 'no');
const lambda = (key: string) => ({ Type: 'Task', Resource: { 'Fn::GetAtt': [key, 'Arn'] } });
const put = 'arn:aws:states:::dynamodb:putItem';
const retry = (more: object) => [{ ErrorEquals: ['A'], IntervalSeconds: 1, ...more }];

/** One state called One, and those of the others that it leads to. */
function definition(One: object) {
  const others = { Two: { Type: 'Succeed' }, Three: { Type: 'Pass', Result: 3, End: true } };
  const reached = Object.entries(others).filter(([name]) => JSON.stringify(One).includes(`"${name}"`));
  return { StartAt: 'One', States: { One, ...Object.fromEntries(reached) } };
}

const choice = (...Choices: object[]) => definition({ Type: 'Choice', Choices, Default: 'Three' });

async function both(source: object, input: unknown, answers: Answers) {
  const trial = async (virtual: boolean) => {
    const counts: Record<string, number> = {};
    const states: string[] = [];
    const given: unknown[] = [];
    const answer = (key: string, document: unknown) => {
      counts[key] = (counts[key] ?? 0) + 1;
      given.push(document);
      return answers[key]?.(document as never, counts[key]) ?? ok({});
    };
    const service = async (parameters: unknown) => {
      const result = answer('service', parameters);
      if ('ok' in result) return result.ok;
      throw Object.assign(new Error(result.error.errorMessage), { name: result.error.errorType });
    };
    const onState = ({ type, state, error }: { type: string; state: string; error?: string }) =>
      void states.push([type, state, error].filter((one) => one !== undefined).join(' '));
    const { status, output, error, cause } = virtual
      ? await machine(source).run({
          ...still,
          input,
          tasks: async (key, document) => answer(key, document),
          integrations: { [put]: service },
          onState,
        })
      : await runStateMachine({
          definition: source,
          input,
          executionName: still.name,
          now: still.now,
          waitScale: 0.0001,
          tasks: async ({ functionKey }, document) => answer(functionKey, document),
          integrations: { [put]: service },
          onState,
        });
    return {
      status,
      output,
      error,
      cause,
      given,
      states: states.filter((line) => !/^(failed|exited)/.test(line)).map(withoutError),
    };
  };
  return [await trial(true), await trial(false)] as const;
}

// The engine does not say with what a state was retried or caught.
const withoutError = (line: string) => line.split(' ').slice(0, 2).join(' ');

const still = {
  name: 'e-1',
  now: () => 0,
  sleep: async () => undefined,
  random: () => 0.5,
} satisfies Partial<MachineRun>;

describe('every construct on both', () => {
  it.each<[string, object, unknown, Answers]>([
    [
      'Pass with Parameters and ResultPath',
      definition({
        Type: 'Pass',
        Parameters: { 'a.$': '$.x.y', 'n.$': '$$.Execution.Name', b: [1, { 'c.$': '$.x' }] },
        ResultPath: '$.p.q',
        Next: 'Two',
      }),
      { x: { y: 1 }, p: 2 },
      {},
    ],
    ['Pass that passes', definition({ Type: 'Pass', End: true }), { a: 1 }, {}],
    [
      'States.Format',
      definition({
        Type: 'Pass',
        Parameters: { 'f.$': "States.Format('{} of {}, it\\'s {}', $.a, $.b, $.c)" },
        End: true,
      }),
      { a: 'x', b: 2, c: true },
      {},
    ],
    [
      'a Task with Parameters, ResultSelector, ResultPath',
      definition({
        ...lambda('one'),
        Parameters: { 'k.$': '$.a', fixed: 1 },
        ResultSelector: { 'r.$': '$.deep.er' },
        ResultPath: '$.result',
        Next: 'Two',
      }),
      { a: 5 },
      { one: () => ok({ deep: { er: [1, 2] } }) },
    ],
    [
      'a result that is dropped',
      definition({ ...lambda('one'), ResultPath: null, Next: 'Two' }),
      { a: 5 },
      { one: () => ok(7) },
    ],
    [
      'an integration',
      definition({
        Type: 'Task',
        Resource: put,
        Parameters: { Key: { 'S.$': '$.k' } },
        ResultPath: '$.put',
        Next: 'Two',
      }),
      { k: 'a' },
      { service: () => ok({ done: true }) },
    ],
    [
      'an integration that fails, caught',
      definition({
        Type: 'Task',
        Resource: put,
        Catch: [{ ErrorEquals: ['DynamoDB.X'], ResultPath: '$.e', Next: 'Two' }],
        End: true,
      }),
      { k: 1 },
      { service: () => thrown('DynamoDB.X') },
    ],
    [
      'an integration that fails',
      definition({
        Type: 'Task',
        Resource: put,
        Retry: retry({ ErrorEquals: ['DynamoDB.Y'], MaxAttempts: 2 }),
        End: true,
      }),
      {},
      { service: () => thrown('DynamoDB.Y') },
    ],
    [
      'a retry that helps',
      definition({
        ...lambda('one'),
        Retry: retry({ BackoffRate: 2, MaxAttempts: 4, MaxDelaySeconds: 2 }),
        Next: 'Two',
      }),
      {},
      { one: (_, n) => (n < 4 ? thrown('A') : ok(n)) },
    ],
    [
      'retries used up, then caught',
      definition({
        ...lambda('one'),
        Retry: retry({ MaxAttempts: 1, JitterStrategy: 'FULL' }),
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Three' }],
        End: true,
      }),
      {},
      { one: () => thrown('A') },
    ],
    [
      'two retriers, each with its own count',
      definition({
        ...lambda('one'),
        Retry: [...retry({ MaxAttempts: 1 }), ...retry({ ErrorEquals: ['B'], MaxAttempts: 2 })],
        End: true,
      }),
      {},
      { one: (_, n) => thrown(n % 2 === 0 ? 'B' : 'A') },
    ],
    [
      'States.TaskFailed',
      definition({
        ...lambda('one'),
        Catch: [{ ErrorEquals: ['States.TaskFailed'], ResultPath: '$.f', Next: 'Two' }],
        End: true,
      }),
      { a: 1 },
      { one: () => failure('exit', 'Runtime.ExitError', 'exit status 1') },
    ],
    [
      'an error that nobody names',
      definition({ ...lambda('one'), Catch: [{ ErrorEquals: ['B'], Next: 'Two' }], End: true }),
      {},
      { one: () => failure('timeout', 'Sandbox.Timedout', 'late') },
    ],
    [
      'too much output',
      definition({ ...lambda('one'), Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Two' }], End: true }),
      {},
      { one: () => ok('x'.repeat(262_143)) },
    ],
    ['a wait', definition({ Type: 'Wait', Seconds: 3, Next: 'Two' }), { a: 1 }, {}],
    ['a wait by a path', definition({ Type: 'Wait', SecondsPath: '$.w', Next: 'Two' }), { w: 2 }, {}],
    ['a failure in so many words', definition({ Type: 'Fail', Error: 'E', Cause: 'C' }), {}, {}],
    [
      'a failure by paths',
      definition({ Type: 'Fail', ErrorPath: '$.e', CausePath: '$.c.d' }),
      { e: 'E', c: { d: 'C' } },
      {},
    ],
    ['StringEquals', choice({ Variable: '$.a', StringEquals: 'x', Next: 'Two' }), { a: 'x' }, {}],
    ['NumericGreaterThan', choice({ Variable: '$.a', NumericGreaterThan: 0, Next: 'Two' }), { a: 0 }, {}],
    [
      'BooleanEquals',
      choice({ Variable: '$.a.b', BooleanEquals: false, Next: 'Two' }),
      { a: { b: false } },
      {},
    ],
    ['IsPresent', choice({ Variable: '$.a.b', IsPresent: true, Next: 'Two' }), { a: {} }, {}],
    ['IsPresent of null', choice({ Variable: '$.a', IsPresent: true, Next: 'Two' }), { a: null }, {}],
    [
      'And, Or, Not',
      choice({
        And: [
          { Not: { Variable: '$.a', IsPresent: false } },
          {
            Or: [
              { Variable: '$.a', NumericEquals: 1 },
              { Variable: '$.a', NumericLessThan: -5 },
            ],
          },
        ],
        Next: 'Two',
      }),
      { a: -6 },
      {},
    ],
  ])('%s', async (_, source, input, answers) => {
    const [virtual, local] = await both(source, input, answers);
    expect(virtual).toEqual(local);
  });
});

describe('time', () => {
  const run = async (source: object, more: Partial<MachineRun> = {}) => {
    const slept: number[] = [];
    let now = 0;
    const result = await machine(source).run({
      ...still,
      input: { w: 100 },
      now: () => now,
      sleep: async (ms) => {
        slept.push(ms);
        now += ms;
      },
      tasks: async () => thrown('A'),
      ...more,
    });
    return { ...result, slept };
  };
  const task = (more: object) => definition({ ...lambda('one'), Retry: retry(more), End: true });

  it('grows between retries up to the longest, and is drawn below it where there is jitter', async () => {
    expect((await run(task({ BackoffRate: 3, MaxAttempts: 4, MaxDelaySeconds: 10 }))).slept).toEqual([
      1_000, 3_000, 9_000, 10_000,
    ]);
    const draws = [0.1, 0.9];
    const random = () => draws.shift() ?? 0;
    expect((await run(task({ MaxAttempts: 2, JitterStrategy: 'FULL' }), { random })).slept).toEqual([
      100, 1_800,
    ]);
  });

  it('is up for the whole execution as for one state', async () => {
    const waiting = { ...definition({ Type: 'Wait', SecondsPath: '$.w', Next: 'Two' }), TimeoutSeconds: 99 };
    expect(await run(waiting)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    let now = 0;
    const tasks = async () => {
      now += 31_000;
      return ok({});
    };
    const slow = definition({ ...lambda('one'), TimeoutSeconds: 30, End: true });
    expect(await run(slow, { tasks, now: () => now })).toMatchObject({
      status: 'FAILED',
      error: 'States.Timeout',
    });
  });
});

describe('a definition is refused', () => {
  it.each<[string, object]>([
    ['a field it does not know', definition({ ...lambda('one'), HeartbeatSeconds: 3, End: true })],
    ['a field of the whole', { ...definition({ Type: 'Pass', End: true }), QueryLanguage: 'JSONata' }],
    ['another type', definition({ Type: 'Map', End: true })],
    ['another function', definition({ Type: 'Pass', Parameters: { 'a.$': 'States.UUID()' }, End: true })],
    [
      'half a States.Format',
      definition({ Type: 'Pass', Parameters: { 'a.$': "States.Format('{}', $.a" }, End: true }),
    ],
    // AWS takes it; the local engine looks for a value at that "path".
    ['a function in CausePath', definition({ Type: 'Fail', CausePath: "States.Format('{}', $.a)" })],
    ['a filter in a path', definition({ Type: 'Pass', Parameters: { 'a.$': '$.a[?(@.b)]' }, End: true })],
    ['another comparison', choice({ Variable: '$.a', StringMatches: 'x*', Next: 'Two' })],
  ])('for %s', (_, source) => {
    expect(() => machine(source)).toThrow(expect.objectContaining({ name: 'DefinitionError' }));
  });

  it('while it runs, where nothing is bound to an integration, and a path that leads nowhere ends it uncaught', async () => {
    const asking = definition({
      Type: 'Task',
      Resource: put,
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Two' }],
      End: true,
    });
    const never = async () => ok({});
    await expect(machine(asking).run({ ...still, input: {}, tasks: never })).rejects.toMatchObject({
      name: 'DefinitionError',
    });
    const astray = definition({
      ...lambda('one'),
      Parameters: { 'a.$': '$.b' },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Two' }],
      End: true,
    });
    expect(await machine(astray).run({ ...still, input: {}, tasks: never })).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
    });
  });
});
