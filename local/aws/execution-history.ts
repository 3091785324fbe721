// What GetExecutionHistory tells of an execution: its events as Step Functions numbers and names them.
import type { Execution } from './executions.ts';
import type { StateEvent } from './state-machine.ts';

interface Told {
  /** Of the API's model: `TaskStateEntered`, `ExecutionFailed`, … */
  readonly type: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  /** `stateEnteredEventDetails` and so on: which of them, the type says. */
  readonly [details: string]: unknown;
}

export interface HistoryEvent extends Told {
  readonly id: number;
  readonly previousEventId: number;
}

/**
 * In the order in which they happened. Only ours: the predecessor of an event is the one with the number
 * before, also in parallel branches. The input and output of a state are not told.
 */
export function historyOf(execution: Execution): HistoryEvent[] {
  const told = [startOf(execution), ...execution.events.flatMap(eventOf), ...endOf(execution)];
  return told.map((event, index) => ({ id: index + 1, previousEventId: index, ...event }));
}

function startOf({ startDate, input }: Execution): Told {
  const executionStartedEventDetails = { input: JSON.stringify(input), inputDetails: { truncated: false } };
  return { type: 'ExecutionStarted', timestamp: seconds(startDate), executionStartedEventDetails };
}

function eventOf({ type, state, stateType, at, error, cause, resource }: StateEvent): Told[] {
  const timestamp = at / 1_000;
  if (type === 'entered')
    return [{ type: `${stateType}StateEntered`, timestamp, stateEnteredEventDetails: { name: state } }];
  // A state that fails the execution is entered and not exited.
  if (type === 'exited' && stateType !== 'Fail')
    return [{ type: `${stateType}StateExited`, timestamp, stateExitedEventDetails: { name: state } }];
  // That it is tried again, or was caught, is told by what comes next.
  if (stateType !== 'Task' || type !== 'failed') return [];
  if (resource === undefined)
    return [{ type: 'LambdaFunctionFailed', timestamp, lambdaFunctionFailedEventDetails: { error, cause } }];
  // `arn:aws:states:::dynamodb:putItem`
  const [resourceType = '', action = ''] = resource.split(':').slice(-2);
  const taskFailedEventDetails = { resourceType, resource: action, error, cause };
  return [{ type: 'TaskFailed', timestamp, taskFailedEventDetails }];
}

function endOf({ status, stopDate, output, error, cause }: Execution): Told[] {
  if (stopDate === undefined) return [];
  const timestamp = seconds(stopDate);
  const details = { error, cause };
  switch (status) {
    case 'SUCCEEDED': {
      const executionSucceededEventDetails = {
        output: JSON.stringify(output),
        outputDetails: { truncated: false },
      };
      return [{ type: 'ExecutionSucceeded', timestamp, executionSucceededEventDetails }];
    }
    case 'FAILED':
      return [{ type: 'ExecutionFailed', timestamp, executionFailedEventDetails: details }];
    case 'TIMED_OUT':
      return [{ type: 'ExecutionTimedOut', timestamp, executionTimedOutEventDetails: details }];
    default:
      return [{ type: 'ExecutionAborted', timestamp, executionAbortedEventDetails: details }];
  }
}

function seconds(date: Date): number {
  return date.getTime() / 1_000;
}
