// The executions of the state machine: the list of them, and one with all that is known of it.
import type { HistoryEvent, SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionLine, ExecutionSeen, ExecutionsPage } from '../target.ts';
import { asked } from './asked.ts';
import { newsOf } from './execution.ts';

/** So many at once: nobody reads more. */
const PAGE = 100;
/** Of one history, at most so often as many events as AWS gives at once. */
const HISTORY_PAGES = 3;
const HISTORY_PAGE = 1_000;

/** API reference of DescribeExecution: a name that no execution can have makes no ARN. */
const NONE: ReadonlySet<string> = new Set(['ExecutionDoesNotExist', 'InvalidArn']);

/** The newest first. */
export async function executionsOf(
  client: SFNClient,
  stateMachineArn: string,
  nextToken: string | undefined,
): Promise<ExecutionsPage> {
  const { ListExecutionsCommand } = await import('@aws-sdk/client-sfn');
  const command = new ListExecutionsCommand({ stateMachineArn, maxResults: PAGE, nextToken });
  const page = await asked({ what: 'listing the executions', action: 'states:ListExecutions' }, () =>
    client.send(command),
  );
  return {
    executions: (page.executions ?? []).map(lineOf),
    ...(page.nextToken !== undefined && { next: page.nextToken }),
  };
}

/** @returns `undefined` where AWS has no such execution; it keeps one for 90 days after its end */
export async function executionSeen(
  client: SFNClient,
  executionArn: string,
): Promise<ExecutionSeen | undefined> {
  const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn');
  const described = await asked(
    { what: 'looking at the execution', action: 'states:DescribeExecution' },
    () =>
      client.send(new DescribeExecutionCommand({ executionArn })).catch((error: unknown) => {
        if (error instanceof Error && NONE.has(error.name)) return undefined;
        throw error;
      }),
  );
  if (described === undefined) return undefined;
  const { input = '', output, error, cause } = described;
  const { events, isCut } = await newestOf(client, executionArn);
  return {
    ...lineOf(described),
    input,
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
    news: events.flatMap((event) => newsOf(event) ?? []),
    isCut,
  };
}

interface Listed {
  readonly name?: string | undefined;
  readonly status?: string | undefined;
  readonly startDate?: Date | undefined;
  readonly stopDate?: Date | undefined;
}

function lineOf({ name = '', status = '', startDate, stopDate }: Listed): ExecutionLine {
  return {
    name,
    status,
    startedAt: startDate?.getTime() ?? 0,
    ...(stopDate !== undefined && { endedAt: stopDate.getTime() }),
  };
}

/** In the order in which they happened; of a very long history the newest. */
async function newestOf(client: SFNClient, executionArn: string) {
  const { GetExecutionHistoryCommand } = await import('@aws-sdk/client-sfn');
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < HISTORY_PAGES; page++) {
    const command = new GetExecutionHistoryCommand({
      executionArn,
      reverseOrder: true,
      maxResults: HISTORY_PAGE,
      // What travels from state to state can be 256 KB each time.
      includeExecutionData: false,
      nextToken,
    });
    const answer = await asked(
      { what: 'reading what has happened in the execution', action: 'states:GetExecutionHistory' },
      () => client.send(command),
    );
    events.push(...(answer.events ?? []));
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return { events: events.reverse(), isCut: nextToken !== undefined };
}
