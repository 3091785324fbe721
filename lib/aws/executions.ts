// Step Functions as deploy hooks use it: starts executions of one state machine by name, and reads their status.
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { Failure } from '../failure.ts';
import type { Executions } from '../hook/start.ts';
import { limited } from './client.ts';
import { awsFailure } from './failure.ts';

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createExecutions(
  stateMachineArn: string,
  client: Pick<SFNClient, 'send'> = createClient(),
): Executions {
  const arn = (name: string) => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    arn,

    async start(name, input) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
        return true;
      } catch (error) {
        if (isNamed(error, 'ExecutionAlreadyExists')) return false;
        throw failure(error, `starting the execution ${name}`);
      }
    },

    async describe(executionArn) {
      try {
        const command = new DescribeExecutionCommand({ executionArn });
        const { status, input, startDate } = await client.send(command);
        return { status: status ?? '', input: input ?? '', startedAt: startDate?.getTime() ?? 0 };
      } catch (error) {
        if (isNamed(error, 'ExecutionDoesNotExist')) return undefined;
        throw failure(error, `reading the status of the execution ${executionArn}`);
      }
    },
  };
}

/** GitHub waits for ten seconds. */
function createClient(): SFNClient {
  return limited((config) => new SFNClient(config), { connectMs: 1_000, answerMs: 2_000, attempts: 2 });
}

/** Messages of Step Functions may hold the input, so only the error's name is kept. */
function failure(error: unknown, what: string): Failure {
  const { code, retryable } = awsFailure(error, what);
  const name = error instanceof Error ? error.name : 'Error';
  return new Failure(code, `${what}: ${name}`, { retryable });
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
