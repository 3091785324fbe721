// C 2: DescribeExecution of the local Step Functions says what AWS's says, by the SDK's own client.
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, expect, it } from 'vitest';
import { localExecutions } from '../../../local/aws/executions.ts';
import type { ExecutionResult } from '../../../local/aws/state-machine.ts';
import { type LocalStates, startStatesApi } from '../../../local/aws/states-api.ts';

const stateMachineArn = 'arn:aws:states:eu-west-1:123456789012:stateMachine:provision';
let api: LocalStates | undefined;
let client: SFNClient | undefined;

afterEach(async () => {
  client?.destroy();
  await api?.close();
});

/** What DescribeExecution says of an execution that comes to this. */
async function described(run: () => Promise<ExecutionResult>) {
  const executions = localExecutions(stateMachineArn, run);
  api = await startStatesApi({ stateMachineArn, executions: () => executions });
  client = new SFNClient({
    endpoint: api.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
  });
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn, input: '{"a":1}' }),
  );
  await executions.find(executionArn ?? '')?.result.catch(() => undefined);
  return client.send(new DescribeExecutionCommand({ executionArn }));
}

// The fields of https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
it('C 2: one that failed has its error and its cause', async () => {
  const found = await described(async () => ({
    status: 'FAILED',
    error: 'Penstock.RolledBack',
    cause: 'why',
    history: [],
  }));
  expect(found).toMatchObject({
    status: 'FAILED',
    error: 'Penstock.RolledBack',
    cause: 'why',
    input: '{"a":1}',
  });
  expect(found.stopDate).toBeInstanceOf(Date);
  expect(found.output).toBeUndefined();
});

it('C 2: one whose definition cannot run has its error too', async () => {
  const found = await described(() => Promise.reject(new Error('no such state')));
  expect(found).toMatchObject({ status: 'FAILED', error: 'States.Runtime', cause: 'no such state' });
});

it('one that succeeded has its output alone', async () => {
  const found = await described(async () => ({ status: 'SUCCEEDED', output: { b: 2 }, history: [] }));
  expect(found).toMatchObject({ status: 'SUCCEEDED', output: '{"b":2}' });
  expect([found.error, found.cause]).toEqual([undefined, undefined]);
});
