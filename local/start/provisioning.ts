// The provisioning state machine on local AWS: its executions, and what its Tasks and service integrations reach.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Calls, noCalls } from '../aws/calls.ts';
import { type Executions, localExecutions } from '../aws/executions.ts';
import type { FunctionHost } from '../aws/function-host.ts';
import { serviceIntegrations } from '../aws/integrations.ts';
import { LOCAL_ACCOUNT } from '../aws/server.ts';
import { runStateMachine, type StateEvent } from '../aws/state-machine.ts';
import { type Definition, functionsOnWay, startAhead } from './ahead.ts';
import { FUNCTION_KEYS, functionName } from './functions.ts';

const DEFINITION = new URL('../../functions/provision/states.asl.json', import.meta.url);

/** What an execution reaches. */
export interface Provisioning {
  readonly stage: string;
  readonly functions: FunctionHost;
  readonly dynamoDb: DynamoDBClient;
  /** Name of the function that sends what comes. */
  readonly forwarder: string;
  /** Name of the table of the pipelines. */
  readonly table: string;
  /** What a flow of this platform's takes to be warm: waited for where a request says nothing of its own. */
  readonly warmUpSeconds: number;
  /** Told of each step that an execution makes. */
  readonly onState?: (event: StateEvent) => void;
  /** Told of what the state machine asks for. */
  readonly calls?: Calls;
}

/** Where a request says nothing of its own. */
const DRAIN_SECONDS = 2;

/** Whom the local AWS takes the state machine for. */
export const MACHINE = 'provision';

/** Of the local state machine of a stage. */
export function provisioningArn(stage: string): string {
  return `arn:aws:states:${LOCAL_ACCOUNT.region}:${LOCAL_ACCOUNT.accountId}:stateMachine:${nameOf(stage)}`;
}

function nameOf(stage: string): string {
  return `penstock-${stage}-provision`;
}

/** The state machine in Amazon States Language, with the names that CloudFormation puts in where it is deployed. */
export async function definitionWith(functionArn: (key: string) => string, table: string): Promise<string> {
  const filled = (_: string, value: { 'Fn::GetAtt'?: string[]; Ref?: string } | null) => {
    const [key] = value?.['Fn::GetAtt'] ?? [];
    if (key !== undefined) return functionArn(key);
    return value?.Ref === 'PipelineTable' ? table : value;
  };
  return JSON.stringify(JSON.parse(await readFile(DEFINITION, 'utf8'), filled));
}

export function createProvisioning({
  stage,
  functions,
  dynamoDb,
  forwarder,
  table,
  warmUpSeconds,
  onState,
  calls = noCalls,
}: Provisioning): Executions {
  const stateMachineName = nameOf(stage);
  const integrations = serviceIntegrations({
    dynamoDb,
    describe(arn) {
      calls.by(MACHINE, { api: 'sfn:DescribeExecution', action: 'states:DescribeExecution', resource: arn });
      return executions.find(arn);
    },
  });
  const executions = localExecutions(provisioningArn(stage), async (executionName, input, watched) => {
    const definition = JSON.parse(await readFile(DEFINITION, 'utf8')) as Definition;
    const { mode = 'apply' } = { ...(input as { readonly mode?: unknown } | null) };
    // The other modes leave the usual way early.
    const way = mode === 'apply' ? [...functionsOnWay(definition).map(functionName), forwarder] : [];
    const ahead = startAhead(way, functions);
    return runStateMachine({
      ...watched,
      onState(event) {
        onState?.(event);
        watched.onState?.(event);
      },
      definition,
      // A laptop does not wait for five minutes, nor for what `pass` waits for by itself.
      input: { warmUpSeconds, drainSeconds: DRAIN_SECONDS, ...(input as object) },
      executionName,
      stateMachineName,
      functions: FUNCTION_KEYS,
      tasks({ functionKey }, document) {
        const name = functionName(functionKey);
        ahead.called(name);
        calls.by(MACHINE, { action: 'lambda:InvokeFunction', resource: functions.arn(name) });
        return functions.invoke(name, document);
      },
      integrations,
      refs: { PipelineTable: table },
      wait(milliseconds, state) {
        ahead.waiting();
        return pass(milliseconds, state, { functions, forwarder, ...watched });
      },
    });
  });
  return executions;
}

/**
 * A wait of the state machine. In the cloud a drain is longer than an invocation may be. Here it is short, so an invocation
 * that still uses the old flow is waited for.
 */
export async function pass(
  milliseconds: number,
  state: string,
  {
    functions,
    forwarder,
    signal,
  }: { functions: Pick<FunctionHost, 'ended'>; forwarder: string; signal: AbortSignal },
): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  if (state === 'drain') await functions.ended(forwarder);
}
