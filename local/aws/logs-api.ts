// CloudWatch Logs on loopback: what the functions have printed, as far as FilterLogEvents reads it.
import { type Calls, noCalls } from './calls.ts';
import {
  type Account,
  AwsError,
  type AwsResponse,
  checkScope,
  localAccount,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

/** Of each function; older ones are dropped. */
const MOST_LINES = 100_000;
/** CloudWatch gives at most so many events in an answer. */
const MOST_EVENTS = 10_000;

interface Line {
  readonly timestamp: number;
  readonly message: string;
}

export interface LocalLogs extends RunningServer {
  /** Keeps a line that a function has printed. */
  put(functionName: string, line: string): void;
}

/** @param calls told of what functions ask for */
export async function startLogsApi(
  { region, accountId }: Account = localAccount,
  calls: Calls = noCalls,
): Promise<LocalLogs> {
  const groups = new Map<string, Line[]>();
  const server = await serve('application/x-amz-json-1.1', (request) => {
    checkScope(request, 'logs');
    const operation = String(request.headers['x-amz-target']).split('.').at(-1);
    if (operation !== 'FilterLogEvents')
      throw new AwsError('UnknownOperationException', `Not available locally: ${operation}`);
    const input = parseBody(request.body);
    calls.request(request.headers.authorization, () => [
      {
        api: `cloudwatch-logs:${operation}`,
        action: `logs:${operation}`,
        // AWS names a stream of the group where it says that this is denied, an empty one.
        resource: `arn:aws:logs:${region}:${accountId}:log-group:${input.logGroupName}:log-stream:`,
      },
    ]);
    return filter(input, groups);
  });
  return {
    ...server,
    put(functionName, message) {
      const name = `/aws/lambda/${functionName}`;
      const lines = groups.get(name) ?? [];
      lines.push({ timestamp: Date.now(), message });
      if (lines.length > MOST_LINES) lines.splice(0, MOST_LINES / 10);
      groups.set(name, lines);
    },
  };
}

function filter(input: Record<string, unknown>, groups: ReadonlyMap<string, readonly Line[]>): AwsResponse {
  const lines = groups.get(String(input.logGroupName));
  if (lines === undefined)
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  const terms = termsOf(String(input.filterPattern ?? ''));
  const from = Number(input.startTime ?? 0);
  const until = Number(input.endTime ?? Number.POSITIVE_INFINITY);
  const found = lines.filter(
    ({ timestamp, message }) =>
      timestamp >= from && timestamp <= until && terms.every((term) => message.includes(term)),
  );
  const start = Number(input.nextToken ?? 0);
  const end = start + Math.min(Number(input.limit ?? MOST_EVENTS), MOST_EVENTS);
  const events = found.slice(start, end).map((line) => ({ ...line, logStreamName: 'local' }));
  return { status: 200, body: { events, ...(end < found.length && { nextToken: String(end) }) } };
}

/** Terms in quotes, all of which a line must have. No other pattern is understood. */
function termsOf(pattern: string): string[] {
  if (!/^\s*("[^"]*"\s*)*$/.test(pattern))
    throw new AwsError(
      'InvalidParameterException',
      `Locally a filter pattern is terms in quotes: ${pattern}`,
    );
  return [...pattern.matchAll(/"([^"]*)"/g)].map(([, term]) => term ?? '');
}
