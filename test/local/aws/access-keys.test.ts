// A stranger's key at the local Kinesis: who it is, what it may ask for, and how much a shard gives to all its readers.
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAccessKeys } from '../../../local/aws/access-keys.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { LOCAL_ACCOUNT } from '../../../local/aws/server.ts';
import { createShardLimits } from '../../../local/aws/shard-limits.ts';

const StreamName = 'orders';
const ShardId = 'shardId-000000000000';
const KEY = 'AKIAFAKEFAKEFAKEFAKE';
const SECRET = 'fake-secret-key';
const READ = ['kinesis:GetShardIterator', 'kinesis:GetRecords', 'kinesis:DescribeStream'];

const keys = createAccessKeys();
let now = 0;
let kinesis: LocalKinesis;
const clients: KinesisClient[] = [];

function client(accessKeyId: string, secretAccessKey: string, region = 'eu-west-1'): KinesisClient {
  const { endpoint } = kinesis;
  const one = new KinesisClient({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  clients.push(one);
  return one;
}

const mayRead = (actions = READ, stream = StreamName) =>
  keys.put({
    accessKeyId: KEY,
    secretKey: SECRET,
    user: 'reader',
    statements: [
      { actions, resources: [`arn:aws:kinesis:eu-west-1:${LOCAL_ACCOUNT.accountId}:stream/${stream}`] },
    ],
  });

const describe = (by: KinesisClient) => by.send(new DescribeStreamCommand({ StreamName }));

beforeAll(async () => {
  kinesis = await startKinesis({ keys, limits: createShardLimits(() => now) });
  await client('local', 'local').send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
});
afterAll(async () => {
  for (const one of clients) one.destroy();
  await kinesis.close();
});

it('12 A: a key that is not known, another secret, and a stream of another region are refused as AWS does', async () => {
  await expect(describe(client(KEY, SECRET))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  mayRead();
  await expect(describe(client(KEY, 'another'))).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  expect((await describe(client(KEY, SECRET))).StreamDescription?.StreamStatus).toBe('ACTIVE');
  mayRead(READ, '*');
  expect((await describe(client(KEY, SECRET))).StreamDescription?.StreamStatus).toBe('ACTIVE');
  keys.put({
    accessKeyId: KEY,
    secretKey: SECRET,
    user: 'reader',
    statements: [{ actions: ['kinesis:*'], resources: ['*'] }],
  });
  await expect(describe(client(KEY, SECRET, 'us-west-2'))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

it('12 A: a stream that the key may not read is denied, also by its shard iterator', async () => {
  mayRead(['kinesis:DescribeStream', 'kinesis:GetShardIterator']);
  const reader = client(KEY, SECRET);
  const { ShardIterator } = await reader.send(
    new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  const refused = reader.send(new GetRecordsCommand({ ShardIterator }));
  await expect(refused).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect(refused).rejects.toThrow(
    /kinesis:GetRecords on resource: arn:aws:kinesis:eu-west-1:\d+:stream\/orders/,
  );
});

it('12 A: a shard gives all its readers together five reads and 2 MB a second', async () => {
  mayRead();
  const [one, another] = [client(KEY, SECRET), client('local', 'local')];
  const { ShardIterator } = await one.send(
    new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  const read = (by: KinesisClient) => by.send(new GetRecordsCommand({ ShardIterator }));
  for (const by of [one, another, one, another, one]) await read(by);
  await expect(read(another)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
  now += 1_000;
  const large = { Data: Buffer.alloc(1_000_000), PartitionKey: 'a' };
  await another.send(new PutRecordsCommand({ StreamName, Records: [large, large, large, large] }));
  await read(one);
  now += 1_000;
  await expect(read(another)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
  now += 1_000;
  expect((await read(another)).Records).toHaveLength(4);
});
