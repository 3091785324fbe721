import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTableCall, type DynamoDbAccess } from '../../lib/aws/dynamodb.ts';
import { createMarks } from '../../lib/aws/marks.ts';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { memoryMarks } from '../support/marks.ts';

// The port against DynamoDB's protocol, beside the one in memory that other tests use.

const TABLE = 'pipelines';
const SHARD = { stream: 'orders', shardId: 'shardId-000000000001' };
const OTHER = { stream: 'orders', shardId: 'shardId-000000000002' };
const NOW = Date.parse('2026-01-31T12:00:00Z');
let server: RunningServer;
let client: DynamoDBClient;
let access: DynamoDbAccess;

beforeAll(async () => {
  server = await startDynamoDb({ tables: { [TABLE]: 'pipeline' } });
  const own = { accessKeyId: 'local', secretAccessKey: 'fake-secret-key' };
  access = { endpoint: server.endpoint, region: 'us-east-1', ...own };
  client = new DynamoDBClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: own });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

const inDynamoDb = () =>
  createMarks(
    TABLE,
    createTableCall(() => access),
    { now: () => NOW },
  );
const mark = (datasetId: string, bytes: number) => ({
  datasetId,
  through: '49590338271490256608559692538361571095921575989136588898',
  keys: Buffer.alloc(bytes, 7),
});

describe.each([
  ['in DynamoDB', inDynamoDb],
  ['in memory', () => memoryMarks()],
])('issue 14 A 3: the marks of a shard, %s', (_, port) => {
  it('are kept by route, each written without the others, and removed by route', async () => {
    const marks = port();
    expect(await marks.read(SHARD)).toEqual({ marks: new Map(), outages: new Map() });
    await Promise.all([
      marks.write(SHARD, 'one', mark('d1', 8)),
      marks.write(SHARD, 'two', mark('d2', 16)),
      marks.write(OTHER, 'one', mark('d1', 24)),
    ]);
    await marks.write(SHARD, 'one', mark('d1', 320_000));
    const { marks: read } = await marks.read(SHARD);
    expect([...read.keys()].sort()).toEqual(['one', 'two']);
    expect(read.get('one')?.keys).toHaveLength(320_000);
    expect(read.get('two')).toMatchObject({ datasetId: 'd2', through: mark('', 0).through });
    expect(Buffer.from(read.get('two')?.keys ?? [])).toEqual(Buffer.alloc(16, 7));
    await marks.clear(SHARD, ['one']);
    await marks.clear(SHARD, []);
    expect([...(await marks.read(SHARD)).marks.keys()]).toEqual(['two']);
    expect([...(await marks.read(OTHER)).marks.keys()]).toEqual(['one']);
  });

  it('and beside them, the outages by route, until each has ended', async () => {
    const [marks, shard] = [port(), { ...SHARD, stream: 'outages' }];
    expect(await marks.outageLasts(shard, 'one')).toBe(false);
    await marks.outageEnded(shard, 'one');
    const waiting = { from: '1', through: mark('', 0).through };
    await marks.outage(shard, 'one', { since: 1_000, waiting });
    expect((await marks.read(shard)).outages.get('one')).toEqual({ since: 1_000, waiting });
    await marks.outage(shard, 'two', { since: 2_000 });
    await marks.write(shard, 'one', mark('d1', 8));
    await marks.outage(shard, 'one', { since: 1_000, parkedSince: 3_000 });
    await marks.clear(shard, ['one']);
    expect(await marks.read(shard)).toEqual({
      marks: new Map(),
      outages: new Map<string, object>([
        ['one', { since: 1_000, parkedSince: 3_000 }],
        ['two', { since: 2_000 }],
      ]),
    });
    expect(await marks.outageLasts(shard, 'one')).toBe(true);
    await marks.outageEnded(shard, 'one');
    expect(await marks.outageLasts(shard, 'one')).toBe(false);
    expect([...(await marks.read(shard)).outages.keys()]).toEqual(['two']);
  });
});

it('a mark expires, and one that is damaged counts as none', async () => {
  const marks = inDynamoDb();
  const key = { TableName: TABLE, Key: { pipeline: { S: `${SHARD.stream}#${SHARD.shardId}#marks` } } };
  await marks.write(SHARD, 'one', mark('d1', 8));
  const { Item } = await client.send(new GetItemCommand(key));
  expect(Item?.expires).toEqual({ N: String(NOW / 1_000 + 8 * 86_400) });
  await client.send(
    new UpdateItemCommand({
      ...key,
      UpdateExpression: 'SET #a = :a, #b = :b, #c = :c, #d = :d',
      ExpressionAttributeNames: {
        '#a': 'mark one',
        '#b': 'mark three',
        '#c': 'outage one',
        '#d': 'outage three',
      },
      ExpressionAttributeValues: {
        ':a': { M: { datasetId: { S: 'd' }, through: { S: 'x' }, keys: { B: Buffer.alloc(8) } } },
        ':b': { S: 'no mark' },
        ':c': { M: { since: { N: '1' } } },
        ':d': { M: { parkedSince: { N: '1' } } },
      },
    }),
  );
  const read = await marks.read(SHARD);
  const names = [...read.marks.keys()];
  expect(names).not.toContain('one');
  expect(names).not.toContain('three');
  expect([...read.outages]).toEqual([['one', { since: 1 }]]);
});

it('is refused without the name of a table', async () => {
  const marks = createMarks(undefined, async () => ({}));
  await expect(marks.read(SHARD)).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
});
