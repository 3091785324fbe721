// CloudWatch Logs on loopback: a group for each function, with what it has printed, to be read as AWS has it read.
import { type Calls, noCalls } from './calls.ts';
import { filterOf } from './filter-pattern.ts';
import { pageOf } from './paging.ts';
import {
  type Account,
  AwsError,
  checkScope,
  LOCAL_ACCOUNT,
  notSimulated,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

/** Of each function; older ones are dropped. */
const MAX_LINES = 100_000;
/** CloudWatch gives at most so many events in an answer. */
const MAX_EVENTS = 10_000;
/** Groups or streams in an answer: API reference of DescribeLogGroups, `limit`. */
const MAX_GROUPS = 50;
/** Of every group: the environment of the functions names it too. */
const STREAM = 'local';

interface Line {
  /** Counted from 0, in its group. */
  readonly number: number;
  readonly timestamp: number;
  readonly message: string;
}

interface Group {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  lines: Line[];
  printed: number;
}

type Input = Readonly<Record<string, unknown>>;

export interface LocalLogs extends RunningServer {
  /** Keeps a line that a function has printed. */
  put(functionName: string, line: string): void;
}

/**
 * @param calls told of what functions ask for
 * @param functions names of those that have a group before they have printed anything, as a stack makes them
 */
export async function startLogsApi(
  { region, accountId }: Account = LOCAL_ACCOUNT,
  calls: Calls = noCalls,
  functions: readonly string[] = [],
): Promise<LocalLogs> {
  const groups = new Map<string, Group>();
  const groupOf = (functionName: string): Group => {
    const name = `/aws/lambda/${functionName}`;
    const arn = `arn:aws:logs:${region}:${accountId}:log-group:${name}`;
    const group = groups.get(name) ?? { name, arn, createdAt: Date.now(), lines: [], printed: 0 };
    groups.set(name, group);
    return group;
  };
  for (const name of functions) groupOf(name);
  const server = await serve('application/x-amz-json-1.1', (request) => {
    checkScope(request, 'logs');
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const answer = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (answer === undefined) throw notSimulated(`${operation} of CloudWatch Logs`);
    const input = parseBody(request.body);
    calls.request(request.headers.authorization, () => [
      {
        api: `cloudwatch-logs:${operation}`,
        action: `logs:${operation}`,
        // AWS names a stream of the group where it says that this is denied, an empty one.
        resource: `arn:aws:logs:${region}:${accountId}:log-group:${input.logGroupName}:log-stream:`,
      },
    ]);
    return { status: 200, body: answer(input, groups) };
  });
  return {
    ...server,
    put(functionName, message) {
      const group = groupOf(functionName);
      group.lines.push({ number: group.printed++, timestamp: Date.now(), message });
      if (group.lines.length > MAX_LINES) group.lines.splice(0, MAX_LINES / 10);
    },
  };
}

const OPERATIONS: Readonly<Record<string, (input: Input, groups: ReadonlyMap<string, Group>) => object>> = {
  DescribeLogGroups(input, groups) {
    const { logGroupNamePrefix: prefix = '', logGroupNamePattern: part = '' } = input;
    const found = [...groups.values()]
      .filter(({ name }) => name.startsWith(String(prefix)))
      // "not case sensitive": API reference.
      .filter(({ name }) => name.toLowerCase().includes(String(part).toLowerCase()))
      .toSorted((a, b) => a.name.localeCompare(b.name));
    const { items, next } = paged(found, input, MAX_GROUPS);
    const logGroups = items.map((group) => ({
      logGroupName: group.name,
      arn: `${group.arn}:*`,
      logGroupArn: group.arn,
      creationTime: group.createdAt,
      metricFilterCount: 0,
      storedBytes: bytesOf(group),
      logGroupClass: 'STANDARD',
    }));
    return { logGroups, ...next };
  },

  DescribeLogStreams(input, groups) {
    const group = groupIn(input, groups);
    const [first, last] = [group.lines[0], group.lines.at(-1)];
    const has = first !== undefined && STREAM.startsWith(String(input.logStreamNamePrefix ?? ''));
    const stream = {
      logStreamName: STREAM,
      arn: `${group.arn}:log-stream:${STREAM}`,
      creationTime: group.createdAt,
      firstEventTimestamp: first?.timestamp,
      lastEventTimestamp: last?.timestamp,
      lastIngestionTime: last?.timestamp,
      storedBytes: bytesOf(group),
    };
    return { logStreams: has ? [stream] : [] };
  },

  FilterLogEvents(input, groups) {
    const { lines } = groupIn(input, groups);
    const isWanted = filterOf(String(input.filterPattern ?? ''));
    const streams = input.logStreamNames as string[] | undefined;
    const isOfStream =
      (streams?.includes(STREAM) ?? true) && STREAM.startsWith(String(input.logStreamNamePrefix ?? ''));
    const found = isOfStream ? within(lines, input, 0).filter(({ message }) => isWanted(message)) : [];
    const { items, next } = paged(found, input, MAX_EVENTS);
    const events = items.map((line) => ({
      ...eventOf(line),
      logStreamName: STREAM,
      eventId: String(line.number),
    }));
    return { events, searchedLogStreams: [], ...next };
  },

  GetLogEvents(input, groups) {
    const { lines } = groupIn(input, groups);
    if (input.logStreamName !== STREAM)
      throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    const found = within(lines, input, 1);
    const size = sizeOf(input, MAX_EVENTS);
    // `f/17`: from the line 17 on; `b/17`: those before it. At an end the token stays the same, which ends the CLI's pages.
    const [, way, number] = /^([fb])\/(\d+)$/.exec(String(input.nextToken ?? '')) ?? [];
    if (input.nextToken !== undefined && way === undefined) throw invalidToken();
    const at = way === undefined ? undefined : found.findIndex((line) => line.number >= Number(number));
    const from = at === -1 ? found.length : at;
    const isForward = way === 'f' || (way === undefined && input.startFromHead === true);
    const start = isForward ? (from ?? 0) : Math.max((from ?? found.length) - size, 0);
    const end = isForward ? start + size : (from ?? found.length);
    const page = found.slice(start, end);
    const [first, last] = [page[0], page.at(-1)];
    return {
      events: page.map(eventOf),
      nextForwardToken: last === undefined ? `f/${number ?? 0}` : `f/${last.number + 1}`,
      nextBackwardToken: first === undefined ? `b/${number ?? 0}` : `b/${first.number}`,
    };
  },
};

function groupIn({ logGroupName, logGroupIdentifier }: Input, groups: ReadonlyMap<string, Group>): Group {
  const name = String(logGroupName ?? logGroupIdentifier).replace(/^arn:.*:log-group:([^:]+).*$/, '$1');
  const group = groups.get(name);
  if (group !== undefined) return group;
  throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
}

/** What is at `endTime` FilterLogEvents gives, and GetLogEvents does not: `before` is 0 or 1 ms. */
function within(lines: readonly Line[], { startTime, endTime }: Input, before: 0 | 1): readonly Line[] {
  const from = Number(startTime ?? 0);
  const until = Number(endTime ?? Number.POSITIVE_INFINITY) - before;
  return lines.filter(({ timestamp }) => timestamp >= from && timestamp <= until);
}

function paged<T>(all: readonly T[], input: Input, most: number) {
  const { items, next } = pageOf(all, input.nextToken, sizeOf(input, most), 'InvalidParameterException');
  return { items, next: next === undefined ? {} : { nextToken: next } };
}

function sizeOf({ limit }: Input, most: number): number {
  return Math.min(Number(limit ?? most), most);
}

function eventOf({ timestamp, message }: Line) {
  return { timestamp, message, ingestionTime: timestamp };
}

function bytesOf({ lines }: Group): number {
  return lines.reduce((sum, { message }) => sum + message.length, 0);
}

function invalidToken(): AwsError {
  return new AwsError('InvalidParameterException', 'The specified nextToken is invalid.');
}
