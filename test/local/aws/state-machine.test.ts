// A state machine's source file, run locally: retries, catches, waits, limits, and Lambda's way of failing.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { prepare, type TaskBinding } from '../../../local/aws/definition.ts';
import { failure, type InvocationResult } from '../../../local/aws/function-errors.ts';
import { type RunOptions, runStateMachine, type StateEvent } from '../../../local/aws/state-machine.ts';
import { clockMovesOn } from '../../support/eventually.ts';

const source = JSON.parse(readFileSync(new URL('./fixtures/states.asl.json', import.meta.url), 'utf8'));
const functionArn = (key: string) => `arn:aws:lambda:eu-west-1:123456789012:function:${key}`;
const ok = (value: unknown): InvocationResult => ({ ok: value });
const thrown = (errorType: string): InvocationResult => failure('handled', errorType, `${errorType}!`);

type Answers = Record<string, (input: never, calls: number) => InvocationResult | Promise<InvocationResult>>;

async function run(
  answers: Answers,
  input: unknown = { warmUpSeconds: 300 },
  more: Partial<RunOptions> = {},
) {
  const calls: string[] = [];
  const inputs: unknown[] = [];
  const waits: [string, number][] = [];
  const tasks = async ({ functionKey }: TaskBinding & { functionKey: string }, given: unknown) => {
    calls.push(functionKey);
    inputs.push(given);
    const answer = answers[functionKey] ?? (() => ok({}));
    return answer(given as never, calls.filter((one) => one === functionKey).length);
  };
  const result = await runStateMachine({
    definition: source,
    input,
    tasks,
    waitScale: 0.001,
    wait: async (milliseconds, state) => waits.push([state, milliseconds]),
    ...more,
  });
  return { ...result, calls, inputs, waits };
}

const planned = { plan: (input: { pipeline: object }) => ok(input.pipeline) };
const task = (more: object, machine: object = {}) => ({
  StartAt: 'One',
  States: { One: { Type: 'Task', Resource: { 'Fn::GetAtt': ['one', 'Arn'] }, End: true, ...more } },
  ...machine,
});

describe('an execution', () => {
  it('passes the document from task to task, and waits as long as its path says, scaled', async () => {
    const { status, output, calls, waits } = await run({ ...planned, flow: () => ok({ flow: 'F' }) });
    expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: { flow: 'F' } });
    expect(calls).toEqual(['plan', 'flow']);
    expect(waits).toEqual([['WarmUp', 300]]);
  });

  it('waits in real time where the caller passes no `wait`', async () => {
    const order: string[] = [];
    // Set before, and shorter by a little: timers of one process go off in order.
    setTimeout(() => order.push('a timer of 90 ms'), 90);
    await run(planned, { warmUpSeconds: 100 }, { wait: undefined } as unknown as Partial<RunOptions>);
    order.push('a wait of 100 ms');
    expect(order).toEqual(['a timer of 90 ms', 'a wait of 100 ms']);
  });

  it('waits until a timestamp on the clock it is given', async () => {
    const definition = {
      StartAt: 'Until',
      States: { Until: { Type: 'Wait', TimestampPath: '$.at', Next: 'Then' }, Then: { Type: 'Succeed' } },
    };
    const now = () => Date.parse('2026-01-01T00:00:00Z');
    const { output, waits } = await run({}, { at: '2026-01-01T00:01:00Z' }, { definition, now });
    expect(waits).toEqual([['Until', 60]]);
    expect(output).toEqual({ at: '2026-01-01T00:01:00Z' });
  });

  it('has a context object', async () => {
    const more = {
      executionName: 'orders-1',
      stateMachineName: 'provision',
      now: () => Date.parse('2026-11-23T10:00:00Z'),
    };
    const { inputs } = await run(planned, { mode: 'plan' }, more);
    const states = 'arn:aws:states:eu-west-1:123456789012';
    expect(inputs[0]).toEqual({
      pipeline: { mode: 'plan' },
      execution: {
        id: `${states}:execution:provision:orders-1`,
        name: 'orders-1',
        startTime: '2026-11-23T10:00:00.000Z',
        stateMachine: `${states}:stateMachine:provision`,
      },
    });
  });

  it('takes input and results through JSON', async () => {
    const answers = { plan: () => ok({ mode: 'plan', at: new Date(0), gone: undefined }) };
    const { output } = await run(answers, {});
    expect(output).toEqual({ mode: 'plan', at: '1970-01-01T00:00:00.000Z' });
  });

  it('runs branches side by side', async () => {
    const branch = (name: string) => ({
      StartAt: name,
      States: { [name]: { Type: 'Task', Resource: { 'Fn::GetAtt': [name, 'Arn'] }, End: true } },
    });
    const definition = {
      StartAt: 'Both',
      States: { Both: { Type: 'Parallel', Branches: [branch('left'), branch('right')], End: true } },
    };
    const { output, calls } = await run({ left: () => ok('L'), right: () => ok('R') }, {}, { definition });
    expect(output).toEqual(['L', 'R']);
    expect(calls.sort()).toEqual(['left', 'right']);
  });

  it('calls service integrations with their parameters, and matches their errors by name', async () => {
    const definition = task({
      Resource: 'arn:aws:states:::dynamodb:putItem',
      Parameters: { 'Key.$': '$.key' },
      Catch: [{ ErrorEquals: ['DynamoDB.ConditionalCheckFailedException'], Next: 'Taken' }],
    });
    Object.assign(definition.States, { Taken: { Type: 'Pass', Result: 'taken', End: true } });
    const seen: unknown[] = [];
    const putItem = async (parameters: unknown) => {
      seen.push(parameters);
      throw Object.assign(new Error('no'), { name: 'DynamoDB.ConditionalCheckFailedException' });
    };
    const integrations = { 'arn:aws:states:::dynamodb:putItem': putItem };
    const { output } = await run({}, { key: 'orders' }, { definition, integrations });
    expect(seen).toEqual([{ Key: 'orders' }]);
    expect(output).toBe('taken');
  });
});

describe('a failing task', () => {
  it('is retried at growing intervals, then goes through', async () => {
    const answers: Answers = { plan: (_, calls) => (calls < 3 ? thrown('Transient') : ok({ mode: 'plan' })) };
    const { status, calls, history } = await run(answers);
    expect({ status, calls }).toEqual({ status: 'SUCCEEDED', calls: ['plan', 'plan', 'plan'] });
    const told = history.filter(({ state }) => state === 'Plan').map(({ type }) => type);
    expect(told).toEqual(['entered', 'failed', 'retried', 'failed', 'retried', 'exited']);
    const retries = history.filter(({ type }) => type === 'retried');
    expect(retries.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('is retried after intervals that are scaled like the waits', () => {
    const options = { functionArn, waitScale: 0.001 };
    expect(prepare(source, options).definition.States.Plan?.Retry).toEqual([
      { ErrorEquals: ['Transient'], IntervalSeconds: 0.01, BackoffRate: 2, MaxAttempts: 2 },
    ]);
  });

  it('is caught when its retries are used up, with Lambda’s error document as cause', async () => {
    const { status, error, cause, calls, inputs } = await run({ plan: () => thrown('Transient') });
    expect({ status, error, calls }).toEqual({
      status: 'FAILED',
      error: 'Transient',
      calls: ['plan', 'plan', 'plan', 'rollback'],
    });
    expect(JSON.parse(cause ?? '')).toEqual({
      errorType: 'Transient',
      errorMessage: 'Transient!',
      trace: [],
    });
    expect(inputs.at(-1)).toEqual({ warmUpSeconds: 300, error: { Error: 'Transient', Cause: cause } });
  });

  it.each<[InvocationResult, string]>([
    [failure('handled', 'Conflict', 'no'), 'Conflict'],
    [failure('timeout', 'Sandbox.Timedout', 'Task timed out after 3.00 seconds'), 'Sandbox.Timedout'],
    [failure('exit', 'Runtime.ExitError', 'exit status 1'), 'Lambda.Unknown'],
    [failure('throttled', 'TooManyRequestsException', 'Rate Exceeded.'), 'Lambda.TooManyRequestsException'],
    [failure('rejected', 'ResourceNotFoundException', 'no function'), 'Lambda.ResourceNotFoundException'],
  ])('%o is called %s', async (result, error) => {
    const definition = task({});
    expect(await run({ one: () => result }, {}, { definition })).toMatchObject({ status: 'FAILED', error });
    const caught = task({ Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'Caught' }] });
    Object.assign(caught.States, { Caught: { Type: 'Succeed' } });
    expect(await run({ one: () => result }, {}, { definition: caught })).toMatchObject({
      status: 'SUCCEEDED',
    });
  });

  it('ends when the state’s own time is up', async () => {
    const flow = () => new Promise<InvocationResult>(() => undefined);
    const { status, error, calls } = await run({ ...planned, flow });
    expect({ status, error, calls }).toEqual({
      status: 'FAILED',
      error: 'States.Timeout',
      calls: ['plan', 'flow', 'rollback'],
    });
  });

  it('cannot be caught when it returned more than 262,144 bytes', async () => {
    const large = (bytes: number) => ({ plan: () => ok({ mode: 'plan', data: 'x'.repeat(bytes - 25) }) });
    expect(await run(large(262_144))).toMatchObject({ status: 'SUCCEEDED' });
    const { status, error, calls } = await run(large(262_145));
    expect({ status, error, calls }).toEqual({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      calls: ['plan'],
    });
    expect(await run(planned, 'x'.repeat(262_144))).toMatchObject({
      error: 'States.DataLimitExceeded',
      calls: [],
    });
  });
});

it('gives a task as long as AWS does, within what a timer can hold', () => {
  const timeout = (more: object) => {
    const options = { functionArn, waitScale: 1 };
    return prepare(task(more), options).definition.States.One?.TimeoutSeconds;
  };
  expect([timeout({}), timeout({ TimeoutSeconds: 99_999_999 }), timeout({ TimeoutSeconds: 90 })]).toEqual([
    2_147_483, 2_147_483, 90,
  ]);
});

it('reports every state as it is entered and left', async () => {
  const told: StateEvent[] = [];
  const slow = async (input: { pipeline: object }) => {
    await clockMovesOn();
    return ok(input.pipeline);
  };
  const { history } = await run({ plan: slow }, undefined, { onState: (event) => told.push(event) });
  expect(told).toEqual(history);
  expect(told.map(({ type, state, stateType }) => `${type} ${stateType} ${state}`)).toEqual([
    'entered Task Plan',
    'exited Task Plan',
    'entered Choice Which',
    'exited Choice Which',
    'entered Wait WarmUp',
    'exited Wait WarmUp',
    'entered Task Flow',
    'exited Task Flow',
  ]);
  const [entered, exited] = told;
  expect(exited?.durationMs).toBeGreaterThan(0);
  expect(exited?.durationMs).toBe((exited?.at ?? 0) - (entered?.at ?? 0));
});

it('tells what each state gives on, also where the execution fails later', async () => {
  const told: unknown[] = [];
  const plan = () => ok({ plan: 'P', warmUpSeconds: 0 });
  const { status } = await run(
    { plan, flow: () => thrown('Broken') },
    {},
    { onDocument: (document) => told.push(document) },
  );
  expect(status).toBe('FAILED');
  expect(told[0]).toMatchObject({ plan: 'P' });
});

it('stops when it is told to', async () => {
  const abort = new AbortController();
  const plan = () => new Promise<InvocationResult>(() => abort.abort());
  expect(await run({ plan }, {}, { signal: abort.signal })).toMatchObject({ status: 'ABORTED' });
});

describe('a definition is refused', () => {
  it.each<[string, object]>([
    ['JSONata', task({}, { QueryLanguage: 'JSONata' })],
    ['JSONata in one state', task({ QueryLanguage: 'JSONata' })],
    ['variables', task({ Assign: { a: 1 } })],
    ['task tokens', task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' })],
    ['$$.State', task({ Parameters: { 'name.$': '$$.State.Name' } })],
    ['a Task without a function', task({ Resource: { Ref: 'one' } })],
    ['an integration nothing is bound to', task({ Resource: 'arn:aws:states:::dynamodb:putItem' })],
    ['a function nobody has', task({ Resource: { 'Fn::GetAtt': ['two', 'Arn'] } })],
    ['a state that is not there', task({ End: undefined, Next: 'Nowhere' })],
    [
      'JSONata inside a branch',
      {
        StartAt: 'Both',
        States: { Both: { Type: 'Parallel', End: true, Branches: [task({ QueryLanguage: 'JSONata' })] } },
      },
    ],
  ])('for %s', async (_, definition) => {
    await expect(run({}, {}, { definition, functions: ['one'] })).rejects.toMatchObject({
      name: 'DefinitionError',
    });
  });

  it('but may name its query language', async () => {
    const definition = task({ QueryLanguage: 'JSONPath' }, { QueryLanguage: 'JSONPath' });
    expect(await run({}, {}, { definition, functions: ['one'] })).toMatchObject({ status: 'SUCCEEDED' });
  });
});
