// 13 A 3: what happened in an execution, and which there are, by the SDK's own client.
import {
  DescribeStateMachineCommand,
  ExecutionDoesNotExist,
  HistoryEventType,
  ListActivitiesCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Executions, localExecutions } from '../../../local/aws/executions.ts';
import { runStateMachine } from '../../../local/aws/state-machine.ts';
import { type LocalStates, startStatesApi } from '../../../local/aws/states-api.ts';

const stateMachineArn = 'arn:aws:states:eu-west-1:123456789012:stateMachine:history';
const task = (key: string) => ({ Type: 'Task', Resource: { 'Fn::GetAtt': [key, 'Arn'] } });
const definition = {
  StartAt: 'first',
  States: {
    first: {
      ...task('flaky'),
      Retry: [{ ErrorEquals: ['Flaky'], IntervalSeconds: 1, MaxAttempts: 1 }],
      Next: 'choice',
    },
    choice: {
      Type: 'Choice',
      Choices: [{ Variable: '$.ok', BooleanEquals: true, Next: 'write' }],
      Default: 'wait',
    },
    write: {
      Type: 'Task',
      Resource: 'arn:aws:states:::dynamodb:putItem',
      Parameters: { TableName: 't', Item: {} },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'wait' }],
      End: true,
    },
    wait: { Type: 'Wait', Seconds: 1, Next: 'failed' },
    failed: { Type: 'Fail', Error: 'Done', Cause: 'why' },
  },
};

let api: LocalStates;
let client: SFNClient;
let tries: number;
let executions: Executions;

beforeAll(async () => {
  tries = 0;
  executions = localExecutions(stateMachineArn, (executionName, input, watched) =>
    runStateMachine({
      ...watched,
      definition,
      input,
      executionName,
      waitScale: 0,
      tasks: async (_, given) =>
        (given as { hold?: boolean }).hold === true
          ? new Promise(() => undefined)
          : ++tries % 2 === 1
            ? { kind: 'handled', error: { errorType: 'Flaky', errorMessage: 'no', trace: [] } }
            : { ok: { ok: true } },
      integrations: {
        'arn:aws:states:::dynamodb:putItem': () =>
          Promise.reject(Object.assign(new Error('taken'), { name: 'DynamoDB.Taken' })),
      },
    }),
  );
  api = await startStatesApi({
    stateMachineArn,
    definition: async () => JSON.stringify(definition),
    executions: () => executions,
  });
  client = new SFNClient({
    endpoint: api.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  for (const name of ['a', 'b', 'c']) {
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn, name, input: '{"n":1}' }),
    );
    await executions.find(executionArn ?? '')?.result;
  }
});
afterAll(async () => {
  client.destroy();
  await api.close();
});

const arnOf = (name: string) => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;

async function history(name: string, more: object = {}) {
  const events = [];
  const request = { executionArn: arnOf(name), ...more };
  for await (const page of paginateGetExecutionHistory({ client, pageSize: 4 }, request))
    events.push(...(page.events ?? []));
  return events;
}

it('each state is entered and left, with what a task and the whole failed with', async () => {
  const events = await history('a');
  expect(events.map(({ type }) => type)).toEqual([
    'ExecutionStarted',
    'TaskStateEntered',
    'LambdaFunctionFailed',
    'TaskStateExited',
    'ChoiceStateEntered',
    'ChoiceStateExited',
    'TaskStateEntered',
    'TaskFailed',
    'TaskStateExited',
    'WaitStateEntered',
    'WaitStateExited',
    'FailStateEntered',
    'ExecutionFailed',
  ]);
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  expect(events[0]?.executionStartedEventDetails?.input).toBe('{"n":1}');
  expect(events[1]?.stateEnteredEventDetails?.name).toBe('first');
  expect(events[2]?.lambdaFunctionFailedEventDetails?.error).toBe('Flaky');
  expect(events[7]?.taskFailedEventDetails).toMatchObject({
    resourceType: 'dynamodb',
    resource: 'putItem',
    error: 'DynamoDB.Taken',
  });
  expect(events.at(-1)?.executionFailedEventDetails).toEqual({ error: 'Done', cause: 'why' });
  for (const { type } of events) expect(Object.values(HistoryEventType)).toContain(type);
});

it('the newest event comes first with reverseOrder', async () => {
  const ids = (await history('a', { reverseOrder: true })).map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted((x, y) => Number(y) - Number(x)));
  await expect(history('none')).rejects.toBeInstanceOf(ExecutionDoesNotExist);
});

it('executions are listed, the newest first, in pages and by status', async () => {
  const pages = [];
  for await (const { executions: found } of paginateListExecutions(
    { client, pageSize: 2 },
    { stateMachineArn },
  ))
    pages.push(found?.map(({ name, status }) => `${name} ${status}`));
  expect(pages).toEqual([['c FAILED', 'b FAILED'], ['a FAILED']]);
  const list = (more: object) => client.send(new ListExecutionsCommand({ stateMachineArn, ...more }));
  expect((await list({ statusFilter: 'RUNNING' })).executions).toEqual([]);
  await expect(list({ stateMachineArn: `${stateMachineArn}s` })).rejects.toBeInstanceOf(
    StateMachineDoesNotExist,
  );
});

it('the state machine is described, and an execution is stopped', async () => {
  const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
  expect(stateMachines).toMatchObject([{ stateMachineArn, name: 'history', type: 'STANDARD' }]);
  const machine = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
  expect(JSON.parse(machine.definition ?? '')).toEqual(definition);
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn, name: 'd', input: '{"hold":true}' }),
  );
  const { stopDate } = await client.send(new StopExecutionCommand({ executionArn }));
  expect(stopDate).toBeInstanceOf(Date);
  expect((await history('d')).at(-1)?.type).toBe('ExecutionAborted');
});

it('an operation that is not simulated is refused as such', async () => {
  await expect(client.send(new ListActivitiesCommand({}))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: 'The local AWS does not simulate ListActivities of Step Functions.',
  });
});
