// Who may start an execution under which name.
import { expect, it } from 'vitest';
import { localExecutions } from '../../../local/aws/executions.ts';
import { failure } from '../../../local/aws/function-errors.ts';
import { type ExecutionResult, runStateMachine } from '../../../local/aws/state-machine.ts';

const arn = 'arn:aws:states:eu-west-1:123456789012:stateMachine:provision';

function executions() {
  const closing: ((result: ExecutionResult) => void)[] = [];
  const started: [string, unknown][] = [];
  const all = localExecutions(arn, (name, input) => {
    started.push([name, input]);
    return new Promise((resolve) => closing.push(resolve));
  });
  return { all, closing, started };
}

it('answers the same name and input with the same execution while it runs', () => {
  const { all, started } = executions();
  const first = all.start({ pipeline: 'orders' }, 'orders-1');
  expect(first.executionArn).toBe('arn:aws:states:eu-west-1:123456789012:execution:provision:orders-1');
  expect(all.start({ pipeline: 'orders' }, 'orders-1')).toBe(first);
  expect(() => all.start({ pipeline: 'other' }, 'orders-1')).toThrow(
    expect.objectContaining({ type: 'ExecutionAlreadyExists' }),
  );
  expect(started).toEqual([['orders-1', { pipeline: 'orders' }]]);
});

it('refuses the name once the execution has closed, whatever the input', async () => {
  const { all, closing } = executions();
  const first = all.start({}, 'orders-1');
  closing[0]?.({ status: 'FAILED', history: [] });
  await first.result;
  expect(all.describe(first.executionArn).status).toBe('FAILED');
  expect(() => all.start({}, 'orders-1')).toThrow(
    expect.objectContaining({ type: 'ExecutionAlreadyExists' }),
  );
  expect(all.start({}, 'orders-2').status).toBe('RUNNING');
});

it('keeps what its last state gave on, also when it has failed', async () => {
  const all = localExecutions(arn, async (_name, _input, { onDocument }) => {
    onDocument?.({ at: 'plan' });
    onDocument?.({ at: 'report' });
    return { status: 'FAILED', history: [] };
  });
  const execution = all.start({});
  await execution.result;
  expect(execution).toMatchObject({ status: 'FAILED', document: { at: 'report' } });
});

it('stops one that runs, which then stays aborted whatever becomes of its work', async () => {
  const signals: AbortSignal[] = [];
  let close: (result: ExecutionResult) => void = () => undefined;
  const run = (_name: string, _input: unknown, { signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    return new Promise<ExecutionResult>((resolve) => {
      close = resolve;
    });
  };
  const all = localExecutions(arn, run, () => 1_000);
  const execution = all.start({});
  all.stop(execution.executionArn);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(all.describe(execution.executionArn)).toMatchObject({
    status: 'ABORTED',
    stopDate: new Date(1_000),
  });
  close({ status: 'SUCCEEDED', output: 'late', history: [] });
  await execution.result;
  expect(all.find(execution.executionArn)).toMatchObject({ status: 'ABORTED' });
  expect(all.find(execution.executionArn)?.output).toBeUndefined();
  expect(all.find(`${execution.executionArn}x`)).toBeUndefined();
});

it('closes an execution whose definition cannot run', async () => {
  const all = localExecutions(arn, () => Promise.reject(new Error('refused')));
  const execution = all.start({});
  await expect(execution.result).rejects.toThrow('refused');
  expect(execution.status).toBe('FAILED');
});

it('knows valid names and its own executions only', () => {
  const { all } = executions();
  for (const name of ['', 'a b', 'a/b', 'a:b', 'a#', 'x'.repeat(81)]) {
    expect(() => all.start({}, name)).toThrow(expect.objectContaining({ type: 'InvalidName' }));
  }
  all.start({}, 'x'.repeat(80));
  expect(() => all.describe(`${arn}:orders`)).toThrow(
    expect.objectContaining({ type: 'ExecutionDoesNotExist' }),
  );
});

const HOURS = 7_200;
const retries = { ErrorEquals: ['States.ALL'], IntervalSeconds: HOURS, MaxAttempts: 3 };
const task = { Type: 'Task', Resource: { 'Fn::GetAtt': ['one', 'Arn'] }, Retry: [retries], End: true };

it.each([
  ['waits', { Type: 'Wait', Seconds: HOURS, End: true }],
  ['waits to try again', task],
])(
  '13 A 3: Ctrl-C, so close, ends one that %s for hours',
  async (_, state) => {
    let began = () => {};
    const there = new Promise<void>((resolve) => {
      began = resolve;
    });
    const all = localExecutions(arn, (executionName, input, watched) =>
      runStateMachine({
        ...watched,
        definition: { StartAt: 'Only', States: { Only: state } },
        input,
        executionName,
        tasks: async () => failure('exit', 'Runtime.ExitError', 'it is gone'),
        onState: began,
      }),
    );
    const { executionArn } = all.start({});
    await there;
    // Until what is under way is done: then it waits.
    await new Promise((resolve) => setImmediate(resolve));
    await all.close();
    expect(all.describe(executionArn).status).toBe('ABORTED');
  },
  30_000,
);
