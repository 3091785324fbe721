// The functions and the state machine through AWS's APIs: of a deployed stage, or of the local AWS, which has the same.
import { randomUUID } from 'node:crypto';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { isNotFound } from '../../lib/aws/failure.ts';
import { executionNameOf } from '../../lib/execution-name.ts';
import { readCause } from '../../lib/failure.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { plainText } from '../../terminal/plain-text.ts';
import type { DeadLettersSeen, Target } from '../target.ts';
import { asked } from './asked.ts';
import { clientsOf, type Where } from './clients.ts';
import { follow } from './execution.ts';
import { logLines } from './log-lines.ts';

export interface AwsOptions {
  readonly name: string;
  readonly kind: Target['kind'];
  readonly words: Target['words'];
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
  words,
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
  let deadLetters: Promise<DeadLettersSeen> | undefined;
  const machineArn = async () => {
    machine ??= machineOf(await clients.sfn(), stage, name);
    return machine;
  };
  return {
    name,
    kind,
    words,
    warmUpSeconds,
    outlives,
    prepare,
    async invoke(key, event) {
      const { InvokeCommand } = await import('@aws-sdk/client-lambda');
      const functionName = functionNamed(key);
      const client = await clients.lambda();
      const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) });
      const call = { what: `calling the function ${functionName}`, action: 'lambda:InvokeFunction' };
      const answer = await asked(call, () =>
        client.send(command).catch((error: unknown) => {
          throw isNotFound(error) ? functionMissing(key, stage, name, error) : error;
        }),
      );
      const text = answer.Payload === undefined ? '' : Buffer.from(answer.Payload).toString('utf8');
      if (answer.FunctionError !== undefined) throw functionFailure(key, text, words);
      return text === '' ? null : (JSON.parse(text) as unknown);
    },
    async execute(input, watching = {}) {
      const stateMachineArn = await machineArn();
      const { StartExecutionCommand } = await import('@aws-sdk/client-sfn');
      const client = await clients.sfn();
      // By its name AWS knows a repeated call: a lost answer starts nothing twice.
      const command = new StartExecutionCommand({
        stateMachineArn,
        name: executionNameOf(pipelineOf(input), randomUUID().replaceAll('-', '')),
        input: JSON.stringify(input),
      });
      const call = { what: 'starting the state machine', action: 'states:StartExecution' };
      const { executionArn = '' } = await asked(call, () => client.send(command));
      watching.onStarted?.(executionArn);
      return follow(client, executionArn, watching, pollMs);
    },
    async executions(next) {
      const stateMachineArn = await machineArn();
      const { executionsOf } = await import('./executions.ts');
      return executionsOf(await clients.sfn(), stateMachineArn, next);
    },
    async execution(executionName) {
      const arn = (await machineArn()).replace(':stateMachine:', ':execution:');
      const { executionSeen } = await import('./executions.ts');
      return executionSeen(await clients.sfn(), `${arn}:${executionName}`);
    },
    async deadLetters() {
      const { deadLettersOf } = await import('./dead-letters.ts');
      deadLetters ??= deadLettersOf(clients, functionNamed('status')).catch((error: unknown) => {
        deadLetters = undefined;
        throw error;
      });
      return deadLetters;
    },
    async metrics(wanted) {
      const { metricsOf } = await import('./cloudwatch.ts');
      return metricsOf(await clients.sfn(), wanted);
    },
    async records(stream, most, signal) {
      const { takeRecords } = await import('./take-records.ts');
      return takeRecords(await clients.kinesis(), stream, most, signal);
    },
    logs: (wanted) => logLines(clients, functionNamed, wanted, pollMs),
    close,
  };
}

/** For whoever reads the list of executions. */
function pipelineOf(input: unknown): string {
  const { name } = { ...(input as { readonly manifest?: { readonly name?: unknown } }).manifest };
  return typeof name === 'string' && name !== '' ? name : 'cli';
}

const LISTING = { what: 'listing the state machines', action: 'states:ListStateMachines' };

async function machineOf(client: SFNClient, stage: string, targetName: string): Promise<string> {
  const name = `penstock-${stage}-provision`;
  const { ListStateMachinesCommand } = await import('@aws-sdk/client-sfn');
  let nextToken: string | undefined;
  do {
    const command = new ListStateMachinesCommand({ maxResults: 1_000, nextToken });
    const page = await asked(LISTING, () => client.send(command));
    const found = page.stateMachines?.find((one) => one.name === name)?.stateMachineArn;
    if (found !== undefined) return found;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  throw noStack(stage, targetName, `no state machine ${name}`);
}

/** Every stack has `status`: without it there is none. */
function functionMissing(key: string, stage: string, targetName: string, cause: unknown): MistakeError {
  const name = `penstock-${stage}-${key}`;
  if (key === 'status') return noStack(stage, targetName, `no function ${name}`, cause);
  return new MistakeError(
    'FUNCTION_MISSING',
    `${targetName} has no function ${name}`,
    'Deploy the stack in this version (docs/deploy.md).',
    cause,
  );
}

function noStack(stage: string, targetName: string, lacks: string, cause?: unknown): MistakeError {
  return new MistakeError(
    'NO_STACK',
    `there is no stack: ${targetName} has ${lacks}`,
    `Check --stage and --region, and whose account it is: aws sts get-caller-identity. Or deploy it: npx serverless deploy --stage ${stage} (docs/deploy.md)`,
    cause,
  );
}

/** What a function that has failed says: its own code and advice, where it gives them. */
function functionFailure(key: string, payload: string, words: Target['words']): MistakeError {
  const { text, code = 'FUNCTION_FAILED', next } = readCause(payload);
  const what = plainText(text, code, next);
  // Whoever typed a command did not name the function.
  const front = `${key}: `;
  return new MistakeError(
    code,
    what.startsWith(front) ? what.slice(front.length) : what,
    next ?? ['Look at its log: penstock logs --function', key, ...words].join(' '),
  );
}
