// Records without a partition key, by the SDK's unmodified client: a stream that distributes its records by itself takes them.
import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  UpdateStreamRecordDistributionStrategyCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStreams } from '../../../lib/aws/streams.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { eventRecord } from '../../../local/aws/kinesis-event.ts';
import { clientOf, createStream } from '../../support/streams.ts';

let kinesis: LocalKinesis;
let client: KinesisClient;

beforeAll(async () => {
  kinesis = await startKinesis();
  client = clientOf(kinesis, { maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const AUTO = {
  StreamModeDetails: { StreamMode: 'ON_DEMAND' },
  RecordDistributionStrategy: 'AUTO',
} as const satisfies Partial<CreateStreamCommandInput>;

const Data = Buffer.from('{}');

/** All records of the stream, by shard. */
async function recordsOf(StreamName: string) {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  const all = Shards.map(async ({ ShardId }) => {
    const where = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    const { ShardIterator } = await client.send(new GetShardIteratorCommand(where));
    return (await client.send(new GetRecordsCommand({ ShardIterator }))).Records ?? [];
  });
  return Promise.all(all);
}

describe('A 2: an AUTO stream', () => {
  it('takes records with and without a key, places none by it, and gives back the key that there was', async () => {
    await createStream(client, 'auto', 4, AUTO);
    const Records = Array.from({ length: 40 }, (_, at) => ({
      Data,
      ...(at % 2 === 0 && { PartitionKey: 'ana' }),
    }));
    expect(await client.send(new PutRecordsCommand({ StreamName: 'auto', Records }))).toMatchObject({
      FailedRecordCount: 0,
    });
    await client.send(new PutRecordCommand({ StreamARN: kinesis.streamArn('auto'), Data }));
    const shards = await recordsOf('auto');
    // One key is in several shards, unless forty dice fall alike.
    expect(
      shards.filter((records) => records.some(({ PartitionKey }) => PartitionKey === 'ana')).length,
    ).toBeGreaterThan(1);
    const keys = shards.flat().map((record) => record.PartitionKey);
    expect(keys.filter((key) => key === 'ana')).toHaveLength(20);
    expect(keys.filter((key) => key === undefined)).toHaveLength(21);
  });

  it('hands Lambda `null` for a key that is not there', () => {
    const source = { eventSourceArn: 'arn', region: 'eu-west-1', roleArn: 'role' };
    const { record, bytes } = eventRecord(source, 's', { SequenceNumber: '1', Data });
    expect(record.kinesis.partitionKey).toBeNull();
    expect(bytes).toBe(Buffer.byteLength(JSON.stringify(record)) + 1);
  });

  it('takes no SequenceNumberForOrdering', async () => {
    await createStream(client, 'unordered', 4, AUTO);
    const put = new PutRecordCommand({ StreamName: 'unordered', Data, SequenceNumberForOrdering: '1' });
    await expect(client.send(put)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });

  it('is described by its strategy, which can be changed at any time', async () => {
    await createStream(client, 'kinds', 4, { ...AUTO, RecordDistributionStrategy: 'USER_PARTITION_KEY' });
    const streams = createStreams(client);
    const StreamARN = kinesis.streamArn('kinds');
    const kind = async () => (await streams.describe(StreamARN)).distribution;
    const put = () => client.send(new PutRecordCommand({ StreamARN, Data }));
    expect(await kind()).toBe('USER_PARTITION_KEY');
    await expect(put()).rejects.toMatchObject({ name: 'ValidationException' });
    const RecordDistributionStrategy = 'AUTO';
    await client.send(
      new UpdateStreamRecordDistributionStrategyCommand({ StreamARN, RecordDistributionStrategy }),
    );
    expect(await kind()).toBe('AUTO');
    expect(await put()).toHaveProperty('SequenceNumber');
  });

  it('must be on demand', async () => {
    const { StreamModeDetails: _, ...strategy } = AUTO;
    const create = new CreateStreamCommand({ StreamName: 'none', ShardCount: 1, ...strategy });
    await expect(client.send(create)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    await createStream(client, 'provisioned');
    const StreamARN = kinesis.streamArn('provisioned');
    expect(await createStreams(client).describe(StreamARN)).toEqual({
      state: 'ACTIVE',
      retentionHours: 24,
      mode: 'PROVISIONED',
      distribution: undefined,
    });
    const update = { StreamARN, RecordDistributionStrategy: 'AUTO' } as const;
    await expect(
      client.send(new UpdateStreamRecordDistributionStrategyCommand(update)),
    ).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    const absent = client.send(new DescribeStreamSummaryCommand({ StreamName: 'absent' }));
    await expect(absent).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
