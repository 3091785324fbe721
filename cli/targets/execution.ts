// Follows an execution of the state machine: what it tells, state by state, until it ends or nobody looks any more.
import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryEvent, SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionEnd, StateNews, Watching } from '../target.ts';
import { asked } from './asked.ts';

/** @returns how it has ended; `RUNNING` where the signal came first */
export async function follow(
  client: SFNClient,
  executionArn: string,
  { onState, signal }: Watching,
  pollMs: number,
): Promise<ExecutionEnd> {
  let last = 0;
  for (;;) {
    // The status first: what happened before it is in the history.
    const end = await describe(client, executionArn);
    for (const event of await newerThan(client, executionArn, last)) {
      last = event.id ?? last;
      const news = newsOf(event);
      if (news !== undefined) onState?.(news);
    }
    if (end.status !== 'RUNNING' || signal?.aborted) return end;
    await sleep(pollMs, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  }
}

async function describe(client: SFNClient, executionArn: string): Promise<ExecutionEnd> {
  const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn');
  const command = new DescribeExecutionCommand({ executionArn });
  const {
    status = 'RUNNING',
    output,
    error,
    cause,
  } = await asked({ what: 'looking at the execution', action: 'states:DescribeExecution' }, () =>
    client.send(command),
  );
  return {
    executionArn,
    status,
    ...(output !== undefined && { output: JSON.parse(output) as unknown }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  };
}

const READING = {
  what: 'reading what has happened in the execution',
  action: 'states:GetExecutionHistory',
};

/** In the order in which they happened. The newest come first from AWS: a long history is not read again. */
async function newerThan(client: SFNClient, executionArn: string, last: number): Promise<HistoryEvent[]> {
  const { GetExecutionHistoryCommand } = await import('@aws-sdk/client-sfn');
  const newer: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const command = new GetExecutionHistoryCommand({
      executionArn,
      reverseOrder: true,
      includeExecutionData: false,
      nextToken,
    });
    const page = await asked(READING, () => client.send(command));
    const events = page.events ?? [];
    newer.push(...events.filter(({ id = 0 }) => id > last));
    nextToken = events.some(({ id = 0 }) => id <= last) ? undefined : page.nextToken;
  } while (nextToken !== undefined);
  return newer.reverse();
}

/** `undefined` for what is no news for people. */
export function newsOf(event: HistoryEvent): StateNews | undefined {
  const { type = '', timestamp, stateEnteredEventDetails, stateExitedEventDetails } = event;
  const at = timestamp?.getTime() ?? 0;
  const entered = /^(\w+)StateEntered$/.exec(type)?.[1];
  if (entered !== undefined)
    return { type: 'entered', state: stateEnteredEventDetails?.name ?? '', stateType: entered, at };
  const exited = /^(\w+)StateExited$/.exec(type)?.[1];
  if (exited !== undefined)
    return { type: 'exited', state: stateExitedEventDetails?.name ?? '', stateType: exited, at };
  const failed =
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.lambdaFunctionScheduleFailedEventDetails ??
    event.lambdaFunctionStartFailedEventDetails ??
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails;
  if (failed === undefined) return undefined;
  const { error = type, cause = '' } = failed;
  return { type: 'failed', state: '', error, cause, at };
}
