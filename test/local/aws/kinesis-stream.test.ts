// A mapping's polling of a real local stream: what Kinesis answers, in the terms of polling, and the events that come of it.
import {
  CreateStreamCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { realClock } from '../../../local/aws/clock.ts';
import { type KinesisFault, type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import type { StreamEvent } from '../../../local/aws/kinesis-event.ts';
import { kinesisStream } from '../../../local/aws/kinesis-stream.ts';
import { createPoller, type Poller } from '../../../local/aws/polling.ts';
import type { ReaderSettings } from '../../../local/aws/shard-reader.ts';
import type { StartingPosition, Stream } from '../../../local/aws/stream.ts';
import { clockMovesOn, eventually } from '../../support/eventually.ts';
import { createStream } from '../../support/streams.ts';

let kinesis: LocalKinesis;
let client: KinesisClient;
let fault: KinesisFault = () => undefined;
let StreamName = '';
let streams = 0;
let stream: Stream;
let poller: Poller;
let events: StreamEvent[] = [];

const batches = () =>
  events.map(({ Records }) => Records.map(({ kinesis: { data } }) => Buffer.from(data, 'base64').toString()));

const arnOf = (name: string) => `arn:aws:kinesis:eu-west-1:123456789012:stream/${name}`;

const clientFor = ({ endpoint }: LocalKinesis) =>
  new KinesisClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });

beforeAll(async () => {
  kinesis = await startKinesis({ fault: (operation) => fault(operation) });
  client = clientFor(kinesis);
});
beforeEach(async () => {
  streams += 1;
  StreamName = `stream-${streams}`;
  stream = kinesisStream(client, arnOf(StreamName));
  events = [];
  fault = () => undefined;
  await createStream(client, StreamName);
});
afterEach(() => poller.end());
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const settings: ReaderSettings = {
  batchSize: 10_000,
  windowMs: 0,
  parallelization: 1,
  reportsItemFailures: true,
  bisects: false,
  maxRetryAttempts: -1,
  maxRecordAgeSeconds: -1,
};

async function poll(start: StartingPosition = { type: 'TRIM_HORIZON' }): Promise<void> {
  poller = createPoller(
    {
      stream,
      streamName: StreamName,
      source: {
        eventSourceArn: kinesis.streamArn(StreamName),
        region: 'eu-west-1',
        roleArn: 'arn:aws:iam::1:role/r',
      },
      clock: realClock,
      pace: { idleMs: 20, firstRetryMs: 10, maxRetryMs: 40 },
      invoke: async (event) => {
        events.push(event);
        return { ok: null };
      },
      onInvocation: () => undefined,
      onDiscard: async () => undefined,
    },
    start,
  );
  await poller.start(settings);
}

/** One by one, because PutRecords does not promise the order of its entries. */
async function put(...data: string[]): Promise<string[]> {
  const numbers: string[] = [];
  for (const one of data) {
    const record = { StreamName, PartitionKey: one, Data: Buffer.from(one) };
    numbers.push((await client.send(new PutRecordCommand(record))).SequenceNumber ?? '');
  }
  return numbers;
}

async function split(ShardId: string): Promise<void> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  const range = Shards.find((shard) => shard.ShardId === ShardId)?.HashKeyRange;
  const middle = (BigInt(range?.StartingHashKey ?? 0) + BigInt(range?.EndingHashKey ?? 0)) / 2n;
  await client.send(
    new SplitShardCommand({ StreamName, ShardToSplit: ShardId, NewStartingHashKey: middle.toString() }),
  );
  const count = async () => (await client.send(new ListShardsCommand({ StreamName }))).Shards?.length;
  await eventually(count).toBe(Shards.length + 2);
}

it('hands over records in the shape in which Lambda does', async () => {
  const before = Date.now();
  const [sequenceNumber] = await put('Grüße');
  await poll();
  await poller.drained();
  expect(events).toEqual([
    {
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: 'Grüße',
            sequenceNumber,
            data: Buffer.from('Grüße').toString('base64'),
            approximateArrivalTimestamp: expect.any(Number),
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `shardId-000000000000:${sequenceNumber}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::1:role/r',
          awsRegion: 'eu-west-1',
          eventSourceARN: kinesis.streamArn(StreamName),
        },
      ],
    },
  ]);
  const arrival = Number(events[0]?.Records[0]?.kinesis.approximateArrivalTimestamp) * 1000;
  expect(arrival).toBeGreaterThanOrEqual(before - 1);
  expect(arrival).toBeLessThanOrEqual(Date.now());
});

it('begins at the starting position of the mapping', async () => {
  await put('old');
  await clockMovesOn();
  const timestamp = new Date();
  await put('new');
  await poll({ type: 'AT_TIMESTAMP', timestamp });
  await poller.drained();
  expect(batches()).toEqual([['new']]);
  await poller.end();

  events = [];
  await poll({ type: 'LATEST' });
  await poller.drained();
  await put('newest');
  await poller.drained();
  expect(batches()).toEqual([['newest']]);
});

it('reads on after an expired iterator and other failed reads', async () => {
  await put('a');
  await poll();
  await poller.drained();
  const failures = ['ProvisionedThroughputExceededException', 'InternalFailure'];
  let expired = true;
  fault = (operation) => {
    if (operation === 'GetShardIterator') expired = false;
    if (operation !== 'GetRecords') return undefined;
    const type = expired ? 'ExpiredIteratorException' : failures.pop();
    return type === undefined ? undefined : { type, message: 'not now' };
  };
  await put('b');
  await poller.drained();
  expect({ expired, failures }).toEqual({ expired: false, failures: [] });
  expect(batches()).toEqual([['a'], ['b']]);
});

it('finds the children of a shard that is split, before it polls and while it does', async () => {
  await put('a', 'b');
  await split('shardId-000000000000');
  await put('c', 'd', 'e', 'f');
  await poll();
  await poller.drained();
  expect(batches()[0]).toEqual(['a', 'b']);
  await split('shardId-000000000001');
  await put('g', 'h', 'i', 'j');
  await poller.drained();
  expect(batches().flat().sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
  expect(poller.positions.map(({ finished }) => finished)).toEqual([true, true, false, false, false]);
});

it('waits for the shards of a stream that is still being made', async () => {
  const others = { kinesis, client };
  kinesis = await startKinesis({ transitionMs: 100 });
  client = clientFor(kinesis);
  stream = kinesisStream(client, arnOf(StreamName));
  try {
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await poll();
    await put('a');
    await poller.drained();
    expect(batches()).toEqual([['a']]);
  } finally {
    await poller.end();
    client.destroy();
    await kinesis.close();
    ({ kinesis, client } = others);
  }
});

it('reads no more than 10 MB at once, once it knows how large the records are', async () => {
  const Records = Array.from({ length: 4 }, (_, i) => ({
    Data: Buffer.alloc(1_000_000, i),
    PartitionKey: `${i}`,
  }));
  for (let n = 0; n < 4; n++) await client.send(new PutRecordsCommand({ StreamName, Records }));
  const sizes: number[] = [];
  let iterator = await stream.iterator('shardId-000000000000', { type: 'TRIM_HORIZON' });
  for (const limit of [1, 10_000, 10_000]) {
    const page = await stream.read(iterator, limit);
    sizes.push(page.records.length);
    iterator = page.next ?? '';
  }
  // kinesalite gives as many as it is asked for.
  expect(sizes).toEqual([1, 11, 4]);
});
