// Step Functions on loopback: one state machine, its executions, and what happened in them.
import { type Calls, noCalls } from './calls.ts';
import { historyOf } from './execution-history.ts';
import type { Execution, Executions } from './executions.ts';
import { pageOf } from './paging.ts';
import {
  AwsError,
  type AwsResponse,
  checkScope,
  notSimulated,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

/** API reference of ListExecutions, `maxResults`: as many where 0 or nothing is said, and at most. */
const PAGE = { usual: 100, most: 1_000 };

/** When the state machine was made: with this process. */
const MADE_AT = new Date();

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, in bytes. */
const MAX_INPUT_BYTES = 262_144;

/** What the API is asked about; made after it, where the functions that an execution calls need its address. */
export interface StateMachines {
  readonly stateMachineArn: string;
  /** In Amazon States Language; left out, nobody can look at it. */
  definition?(): Promise<string>;
  executions(): Executions;
}

export interface LocalStates extends RunningServer {
  /** The next calls of this operation fail with this error, as often as `times` says. */
  inject(operation: string, type: string, times: number): void;
}

/** @param calls told of what functions ask for */
export async function startStatesApi(machines: StateMachines, calls: Calls = noCalls): Promise<LocalStates> {
  const injected: { operation: string; type: string; left: number }[] = [];
  const strike = (operation: string) => {
    const error = injected.find((one) => one.left > 0 && one.operation === operation);
    if (error === undefined) return;
    error.left -= 1;
    throw new AwsError(error.type, 'Injected by the local Step Functions.');
  };
  const server = await serve('application/x-amz-json-1.0', (request) => {
    checkScope(request, 'states');
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const input = parseBody(request.body);
    const resource = String(input.executionArn ?? input.stateMachineArn);
    calls.request(request.headers.authorization, () => [
      { api: `sfn:${operation}`, action: `states:${operation}`, resource },
    ]);
    strike(operation);
    const answer = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (answer === undefined) throw notSimulated(`${operation} of Step Functions`);
    return answer(input, machines);
  });
  return {
    ...server,
    inject: (operation, type, times) => void injected.push({ operation, type, left: times }),
  };
}

type Input = Record<string, unknown>;
type Operation = (input: Input, machines: StateMachines) => AwsResponse | Promise<AwsResponse>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  StartExecution: start,
  DescribeExecution: describe,
  StopExecution: stop,
  ListExecutions: list,
  GetExecutionHistory: history,
  ListStateMachines: (_, machines) => ({ status: 200, body: { stateMachines: [machineOf(machines)] } }),
  DescribeStateMachine: describeMachine,
};

function start(request: Input, machines: StateMachines): AwsResponse {
  const { stateMachineArn, name, input = '{}' } = request as Partial<Record<string, string>>;
  checkMachine(stateMachineArn, machines);
  if (Buffer.byteLength(input) > MAX_INPUT_BYTES)
    throw new AwsError('ValidationException', `'input' has more than ${MAX_INPUT_BYTES} bytes`);
  const { executionArn, startDate } = machines.executions().start(parsed(input), name);
  return { status: 200, body: { executionArn, startDate: seconds(startDate) } };
}

/** @throws AwsError StateMachineDoesNotExist */
function checkMachine(arn: unknown, machines: StateMachines): void {
  if (arn !== machines.stateMachineArn)
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

function stop({ executionArn, error, cause }: Input, machines: StateMachines): AwsResponse {
  if (error !== undefined || cause !== undefined)
    throw notSimulated('an execution stopped with error or cause');
  const executions = machines.executions();
  executions.stop(String(executionArn));
  const { stopDate } = executions.describe(String(executionArn));
  return { status: 200, body: { stopDate: seconds(stopDate ?? new Date()) } };
}

/** "sorted by time, with the most recent execution first": API reference. */
function list(input: Input, machines: StateMachines): AwsResponse {
  checkMachine(input.stateMachineArn, machines);
  const all = machines
    .executions()
    .all.filter(({ status }) => input.statusFilter === undefined || input.statusFilter === status)
    .toReversed();
  const { items, next } = pageOf(all, input.nextToken, sizeOf(input), 'InvalidToken');
  const executions = items.map(({ executionArn, name, status, startDate, stopDate }) => ({
    executionArn,
    stateMachineArn: machines.stateMachineArn,
    name,
    status,
    startDate: seconds(startDate),
    ...(stopDate && { stopDate: seconds(stopDate) }),
  }));
  return { status: 200, body: { executions, ...(next && { nextToken: next }) } };
}

function history(input: Input, machines: StateMachines): AwsResponse {
  const events = historyOf(machines.executions().describe(String(input.executionArn)));
  const all = input.reverseOrder === true ? events.toReversed() : events;
  const { items, next } = pageOf(all, input.nextToken, sizeOf(input), 'InvalidToken');
  return { status: 200, body: { events: items, ...(next && { nextToken: next }) } };
}

function sizeOf({ maxResults }: Input): number {
  return Math.min(Number(maxResults || PAGE.usual), PAGE.most);
}

function machineOf({ stateMachineArn }: StateMachines) {
  const name = stateMachineArn.slice(stateMachineArn.lastIndexOf(':') + 1);
  return { stateMachineArn, name, type: 'STANDARD', creationDate: seconds(MADE_AT) };
}

async function describeMachine({ stateMachineArn }: Input, machines: StateMachines): Promise<AwsResponse> {
  checkMachine(stateMachineArn, machines);
  if (machines.definition === undefined) throw notSimulated('the definition of this state machine');
  const roleArn = `arn:aws:iam::${machines.stateMachineArn.split(':')[4]}:role/${machineOf(machines).name}`;
  const body = { ...machineOf(machines), status: 'ACTIVE', roleArn, definition: await machines.definition() };
  return { status: 200, body };
}

function parsed(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    throw new AwsError('InvalidExecutionInput', 'The input is not JSON');
  }
}

function describe({ executionArn }: Input, machines: StateMachines): AwsResponse {
  return { status: 200, body: described(machines.executions().describe(String(executionArn)), machines) };
}

function described(execution: Execution, { stateMachineArn }: StateMachines): object {
  const { executionArn, name, status, startDate, stopDate, input, output, error, cause } = execution;
  return {
    executionArn,
    stateMachineArn,
    name,
    status,
    startDate: seconds(startDate),
    ...(stopDate && { stopDate: seconds(stopDate) }),
    input: JSON.stringify(input),
    inputDetails: { included: true },
    ...(output !== undefined && { output: JSON.stringify(output), outputDetails: { included: true } }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  };
}

/** As the protocol has times: seconds since the epoch. */
function seconds(date: Date): number {
  return date.getTime() / 1_000;
}
