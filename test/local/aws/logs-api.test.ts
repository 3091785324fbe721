// 13 A 3: the local CloudWatch Logs, read by the SDK's own client.
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  InvalidParameterException,
  PutLogEventsCommand,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noCalls } from '../../../local/aws/calls.ts';
import { filterOf } from '../../../local/aws/filter-pattern.ts';
import { type LocalLogs, startLogsApi } from '../../../local/aws/logs-api.ts';
import { LOCAL_ACCOUNT } from '../../../local/aws/server.ts';

const FUNCTIONS = ['a-forward', 'a-status', 'b-status'];
const logGroupName = '/aws/lambda/a-forward';
let logs: LocalLogs;
let client: CloudWatchLogsClient;

beforeAll(async () => {
  logs = await startLogsApi(LOCAL_ACCOUNT, noCalls, FUNCTIONS);
  client = new CloudWatchLogsClient({
    endpoint: logs.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  for (let n = 0; n < 7; n++) logs.put('a-forward', JSON.stringify({ level: n % 2 ? 'WARN' : 'INFO', n }));
});
afterAll(async () => {
  client.destroy();
  await logs.close();
});

describe('a log group', () => {
  it('is there for each function, before it has printed anything', async () => {
    const { logGroups } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePattern: 'STATUS' }));
    expect(logGroups?.map((group) => group.logGroupName)).toEqual([
      '/aws/lambda/a-status',
      '/aws/lambda/b-status',
    ]);
    const [forward] =
      (await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }))).logGroups ?? [];
    expect(forward).toMatchObject({
      arn: `arn:aws:logs:eu-west-1:123456789012:log-group:${logGroupName}:*`,
      logGroupArn: `arn:aws:logs:eu-west-1:123456789012:log-group:${logGroupName}`,
    });
    expect(forward?.creationTime).toBeGreaterThan(0);
  });

  it('is listed on exactly one page', async () => {
    const names: unknown[] = [];
    for await (const { logGroups } of paginateDescribeLogGroups({ client, pageSize: 2 }, {}))
      names.push(logGroups?.map((group) => group.logGroupName));
    expect(names).toEqual([['/aws/lambda/a-forward', '/aws/lambda/a-status'], ['/aws/lambda/b-status']]);
  });

  it('has a stream as soon as there is a line in it', async () => {
    const streams = async (name: string) =>
      (await client.send(new DescribeLogStreamsCommand({ logGroupName: name }))).logStreams;
    expect(await streams(logGroupName)).toMatchObject([{ logStreamName: 'local' }]);
    expect(await streams('/aws/lambda/b-status')).toEqual([]);
    await expect(streams('/aws/lambda/none')).rejects.toBeInstanceOf(ResourceNotFoundException);
  });
});

describe('its lines', () => {
  const numbers = (events: { message?: string | undefined }[] = []) =>
    events.map(({ message = '' }) => (JSON.parse(message) as { n: number }).n);

  it('are found by a pattern, in pages', async () => {
    const filterPattern = '{ $.level = "WARN" }';
    const { events } = await client.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
    expect(numbers(events)).toEqual([1, 3, 5]);
    expect(events?.[0]).toMatchObject({ logStreamName: 'local', eventId: '1' });
    const pages: number[][] = [];
    for await (const page of paginateFilterLogEvents({ client, pageSize: 3 }, { logGroupName }))
      pages.push(numbers(page.events));
    expect(pages).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it('are read forwards and backwards to an end, where the token stays the same', async () => {
    const read = (more: object) =>
      client.send(new GetLogEventsCommand({ logGroupName, logStreamName: 'local', limit: 3, ...more }));
    const forwards = async (more: object): Promise<number[][]> => {
      const { events, nextForwardToken } = await read(more);
      const again = await read({ nextToken: nextForwardToken });
      if (again.nextForwardToken === nextForwardToken) return [numbers(events)];
      return [numbers(events), ...(await forwards({ nextToken: nextForwardToken }))];
    };
    expect(await forwards({ startFromHead: true })).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    const last = await read({});
    expect(numbers(last.events)).toEqual([4, 5, 6]);
    const before = await read({ nextToken: last.nextBackwardToken });
    expect(numbers(before.events)).toEqual([1, 2, 3]);
    const first = await read({ nextToken: before.nextBackwardToken });
    expect(numbers(first.events)).toEqual([0]);
    expect(await read({ nextToken: first.nextBackwardToken })).toMatchObject({
      events: [],
      nextBackwardToken: first.nextBackwardToken,
    });
    await expect(read({ nextToken: 'x' })).rejects.toBeInstanceOf(InvalidParameterException);
  });

  it('cannot be put by a client: that is refused as not simulated', async () => {
    const put = new PutLogEventsCommand({ logGroupName, logStreamName: 'local', logEvents: [] });
    await expect(client.send(put)).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'The local AWS does not simulate PutLogEvents of CloudWatch Logs.',
    });
  });
});

describe('a filter pattern', () => {
  const lines = ['ERROR one two', 'WARN one', 'error 3', '{"a":{"b":"x y"},"n":7}', '{"a":{"b":"x z"}}'];

  // By the examples of AWS's page "Filter pattern syntax".
  it.each([
    ['', [0, 1, 2, 3, 4]],
    ['ERROR', [0]],
    ['one "one two"', [0]],
    ['one -ERROR', [1]],
    ['?ERROR ?WARN', [0, 1]],
    ['"\\"n\\""', [3]],
    ['{ $.a.b = "x y" }', [3]],
    ['{ $.a.b = "x*" && $.n != 8 }', [3]],
    ['{ $.n = 7 }', [3]],
    ['{$.a.b != "x y"}', [4]],
  ])('%s', (pattern, found) => {
    const isFound = filterOf(pattern);
    expect(lines.flatMap((line, index) => (isFound(line) ? [index] : []))).toEqual(found);
  });

  it.each(['[a, b]', '%x%', '{ $.n > 3 }', '{ ($.a = 1) }', '{ $.a = 1 || $.b = 2 }', '?a b', 'a.b'])(
    '%s is refused, and what there is instead',
    (pattern) => {
      expect(() => filterOf(pattern)).toThrow(/does not simulate this filter pattern: .* It knows terms/);
    },
  );
});
