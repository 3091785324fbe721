// The functions and the state machine through AWS's APIs: of a deployed stage, or of the local AWS, which has the same.
import type { SFNClient } from '@aws-sdk/client-sfn';
import { readCause } from '../../lib/failure.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { plainText } from '../../terminal/plain-text.ts';
import type { Target } from '../target.ts';
import { asked, noStack } from './asked.ts';
import { clientsOf, type Where } from './clients.ts';
import { follow } from './execution.ts';
import { logLines } from './log-lines.ts';

export interface AwsOptions {
  readonly name: string;
  readonly kind: Target['kind'];
  readonly stage: string;
  readonly where: Where;
  readonly warmUpSeconds: number;
  readonly outlives: boolean;
  /** Between two looks at an execution or a log, in ms. */
  readonly pollMs: number;
  prepare(manifest: unknown): Promise<void>;
  close(): Promise<void>;
}

export function awsTarget({
  name,
  kind,
  stage,
  where,
  pollMs,
  warmUpSeconds,
  outlives,
  prepare,
  close,
}: AwsOptions): Target {
  const clients = clientsOf(where);
  const functionNamed = (key: string) => `penstock-${stage}-${key}`;
  let machine: Promise<string> | undefined;
  const machineArn = async () => {
    machine ??= machineNamed(await clients.sfn(), `penstock-${stage}-provision`);
    return machine;
  };
  return {
    name,
    kind,
    warmUpSeconds,
    outlives,
    prepare,
    async invoke(key, event) {
      const { InvokeCommand } = await import('@aws-sdk/client-lambda');
      const functionName = functionNamed(key);
      const client = await clients.lambda();
      const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) });
      const answer = await asked(`calling the function ${functionName}`, () => client.send(command));
      const text = answer.Payload === undefined ? '' : Buffer.from(answer.Payload).toString('utf8');
      if (answer.FunctionError !== undefined) throw functionFailure(functionName, text);
      return text === '' ? null : (JSON.parse(text) as unknown);
    },
    async execute(input, watching = {}) {
      const stateMachineArn = await machineArn();
      const { StartExecutionCommand } = await import('@aws-sdk/client-sfn');
      const client = await clients.sfn();
      const command = new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) });
      const { executionArn = '' } = await asked('starting the state machine', () => client.send(command));
      watching.onStarted?.(executionArn);
      return follow(client, executionArn, watching, pollMs);
    },
    async records(stream, most, signal) {
      const { takeRecords } = await import('./take-records.ts');
      return takeRecords(await clients.kinesis(), stream, most, signal);
    },
    logs: (wanted) => logLines(clients, functionNamed, wanted, pollMs),
    close,
  };
}

async function machineNamed(client: SFNClient, name: string): Promise<string> {
  const { ListStateMachinesCommand } = await import('@aws-sdk/client-sfn');
  let nextToken: string | undefined;
  do {
    const command = new ListStateMachinesCommand({ maxResults: 1_000, nextToken });
    const page = await asked('listing the state machines', () => client.send(command));
    const found = page.stateMachines?.find((one) => one.name === name)?.stateMachineArn;
    if (found !== undefined) return found;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  throw noStack(`there is no state machine ${name} here`);
}

/** What a function that has failed says: its own code and advice, where it gives them. */
function functionFailure(functionName: string, payload: string): MistakeError {
  const { text, code = 'FUNCTION_FAILED', next } = readCause(payload);
  return new MistakeError(
    code,
    plainText(text, code, next),
    next ?? `Look at the log of ${functionName}: penstock logs`,
  );
}
