// Step Functions on loopback: StartExecution and DescribeExecution of one state machine, for the SDK.
import { type Calls, noCalls } from './calls.ts';
import type { Execution, Executions } from './executions.ts';
import { AwsError, type AwsResponse, checkScope, parseBody, type RunningServer, serve } from './server.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, in bytes. */
const LARGEST_INPUT = 262_144;

/** What the API is asked about; made after it, where the functions that an execution calls need its address. */
export interface StateMachines {
  readonly stateMachineArn: string;
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
    if (operation === 'StartExecution') return start(input, machines);
    if (operation === 'DescribeExecution') return describe(input, machines);
    throw new AwsError('UnknownOperationException', `Not available locally: ${operation}`);
  });
  return {
    ...server,
    inject: (operation, type, times) => void injected.push({ operation, type, left: times }),
  };
}

function start(request: Record<string, unknown>, machines: StateMachines): AwsResponse {
  const { stateMachineArn, name, input = '{}' } = request as Partial<Record<string, string>>;
  if (stateMachineArn !== machines.stateMachineArn)
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
  if (Buffer.byteLength(input) > LARGEST_INPUT)
    throw new AwsError('ValidationException', `'input' has more than ${LARGEST_INPUT} bytes`);
  const { executionArn, startDate } = machines.executions().start(parsed(input), name);
  return { status: 200, body: { executionArn, startDate: seconds(startDate) } };
}

function parsed(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    throw new AwsError('InvalidExecutionInput', 'The input is not JSON');
  }
}

function describe({ executionArn }: Record<string, unknown>, machines: StateMachines): AwsResponse {
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
