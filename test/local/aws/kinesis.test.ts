// The SDK's unmodified Kinesis client against the local Kinesis.
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { promisify } from 'node:util';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { clockMovesOn } from '../../support/eventually.ts';
import { clientOf } from '../../support/streams.ts';

const StreamName = 'orders';
const ShardId = 'shardId-000000000000';
let kinesis: LocalKinesis;
let client: KinesisClient;
/** Called when a request has come in whole. */
let onRequest: (() => void) | undefined;
let fault: { type: string; message: string; status?: number } | undefined;

beforeAll(async () => {
  kinesis = await startKinesis({
    fault: () => {
      onRequest?.();
      return fault;
    },
  });
  client = clientOf(kinesis, { maxAttempts: 1 });
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const put = (count: number) =>
  client.send(
    new PutRecordsCommand({
      StreamName,
      Records: Array.from({ length: count }, (_, i) => ({
        Data: Buffer.from(`record ${i}`),
        PartitionKey: 'a',
        ExplicitHashKey: '0',
      })),
    }),
  );

async function iterator(type: ShardIteratorType, Timestamp?: Date): Promise<string> {
  const position = { StreamName, ShardId, ShardIteratorType: type, ...(Timestamp && { Timestamp }) };
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(position));
  return ShardIterator ?? '';
}

async function count(ShardIterator: string): Promise<number> {
  const { Records } = await client.send(new GetRecordsCommand({ ShardIterator }));
  return Records?.length ?? 0;
}

it('makes streams with the shards that were asked for, in the local account', async () => {
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  expect(StreamDescriptionSummary).toMatchObject({
    StreamStatus: 'ACTIVE',
    StreamARN: kinesis.streamArn(StreamName),
  });
  const StreamARN = kinesis.streamArn(StreamName);
  const byArn = await client.send(new DescribeStreamSummaryCommand({ StreamARN }));
  expect(byArn.StreamDescriptionSummary).toMatchObject({ StreamName, StreamARN });
  const absent = client.send(new DescribeStreamSummaryCommand({ StreamARN: `${StreamARN}-not` }));
  await expect(absent).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const { Shards } = await client.send(new ListShardsCommand({ StreamName }));
  expect(Shards?.map((shard) => shard.ShardId)).toEqual([ShardId, 'shardId-000000000001']);
});

it('answers AT_TIMESTAMP whether or not a record has come since', async () => {
  await put(2);
  await clockMovesOn();
  const between = new Date();
  const early = await iterator('AT_TIMESTAMP', between);
  await put(3);
  expect(await count(early)).toBe(3);
  expect(await count(await iterator('AT_TIMESTAMP', between))).toBe(3);
  expect(await count(await iterator('AT_TIMESTAMP', new Date(between.getTime() - 3_600_000)))).toBe(5);
  expect(await count(await iterator('TRIM_HORIZON'))).toBe(5);
  await expect(iterator('AT_TIMESTAMP', new Date(Date.now() + 60_000))).rejects.toMatchObject({
    name: 'InvalidArgumentException',
  });
});

it('takes 500 records of a request and not 501, and says what is missing', async () => {
  const { FailedRecordCount, Records } = await put(500);
  expect({ FailedRecordCount, records: Records?.length }).toEqual({ FailedRecordCount: 0, records: 500 });
  await expect(put(501)).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(client.send(new DescribeStreamSummaryCommand({ StreamName: 'absent' }))).rejects.toMatchObject(
    {
      name: 'ResourceNotFoundException',
    },
  );
});

it('survives a request that its client abandons, complete or half sent', async () => {
  const abandon = new AbortController();
  onRequest = () => abandon.abort();
  const Records = [{ Data: Buffer.alloc(900_000), PartitionKey: 'a' }];
  await expect(
    client.send(new PutRecordsCommand({ StreamName, Records }), { abortSignal: abandon.signal }),
  ).rejects.toMatchObject({ name: 'AbortError' });
  onRequest = undefined;
  expect(await put(1)).toMatchObject({ FailedRecordCount: 0 });

  const session = connect(kinesis.endpoint);
  await once(session, 'connect');
  const ping = promisify(session.ping.bind(session));
  const half = session.request({ ':method': 'POST', 'x-amz-target': 'Kinesis_20131202.PutRecords' });
  half.on('error', () => undefined).write(Buffer.alloc(10_000));
  // What is answered has come through behind it.
  await ping();
  half.close(constants.NGHTTP2_CANCEL);
  await ping();
  session.destroy();
  expect(await put(1)).toMatchObject({ FailedRecordCount: 0 });
});

it('answers with the error that a test asks for', async () => {
  fault = { type: 'ProvisionedThroughputExceededException', message: 'Rate exceeded for shard.' };
  await expect(put(1)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
  fault = undefined;
  expect(await put(1)).toMatchObject({ FailedRecordCount: 0 });
});
