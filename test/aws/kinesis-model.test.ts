// A 2: what Kinesis' own model lets it leave out of an answer, it may leave out or send as `null`: read by the SDK's client over the wire.
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  _Record$,
  DescribeStreamSummaryOutput$,
  GetRecordsOutput$,
  KinesisClient,
  ListShardsOutput$,
  Shard$,
  StreamDescriptionSummary$,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStreamRange } from '../../lib/aws/stream-range.ts';
import { createStreams } from '../../lib/aws/streams.ts';

type Fields = Record<string, unknown>;

/** What is answered to each operation, one after the other; the last one stays. */
let answers: Record<string, Fields[]>;
let server: http2.Http2Server;
let client: KinesisClient;

beforeAll(async () => {
  server = http2.createServer((request, response) => {
    request.resume().on('end', () => {
      const left = answers[String(request.headers['x-amz-target']).split('.')[1] ?? ''] ?? [];
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(left.length > 1 ? left.shift() : left[0]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new KinesisClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** The members of a structure that the model does not require: those that are stand first, and are counted. */
function optional(schema: readonly unknown[]): string[] {
  const [, , , , names = [], , required = 0] = schema as [
    never,
    never,
    never,
    never,
    string[],
    never,
    number?,
  ];
  return names.slice(required);
}

/** Each of them left out of a whole answer, and `null` in it. */
const ways = (schema: readonly unknown[], whole: Fields) =>
  optional(schema).flatMap((name) => {
    const { [name]: _, ...left } = whole;
    return [
      [`${name} is absent`, left],
      [`${name} is null`, { ...whole, [name]: null }],
    ] as const;
  });

const ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers';
const record = (number: number): Fields => ({
  SequenceNumber: String(number),
  Data: Buffer.from(`r${number}`).toString('base64'),
  ApproximateArrivalTimestamp: 1_770_000_000.5,
  PartitionKey: 'ana',
  EncryptionType: 'KMS',
});
const page = (numbers: readonly number[], more: Fields = {}): Fields => ({
  Records: numbers.map(record),
  NextShardIterator: 'next',
  MillisBehindLatest: 1_000,
  ChildShards: [],
  ...more,
});
const closed = page([3], { NextShardIterator: null });

async function read(pages: Fields[]): Promise<string[]> {
  answers = { GetShardIterator: [{ ShardIterator: 'first' }], GetRecords: pages };
  const range = createStreamRange(client, { now: () => 0, sleep: async () => undefined });
  const found: string[] = [];
  for await (const { records } of range.pages(ARN, 's', { kind: 'time', time: 0 })) {
    for (const { data, partitionKey = 'none', arrivedAt = 'none' } of records)
      found.push(`${Buffer.from(data)} ${partitionKey} ${arrivedAt}`);
  }
  return found;
}

describe('A 2: of GetRecords', () => {
  it('names what the model does', () => {
    expect(optional(_Record$)).toEqual(['ApproximateArrivalTimestamp', 'PartitionKey', 'EncryptionType']);
    expect(optional(GetRecordsOutput$)).toEqual(['NextShardIterator', 'MillisBehindLatest', 'ChildShards']);
  });

  it.each(ways(_Record$, record(1)))('in a record %s', async (name, one) => {
    const key = name.startsWith('PartitionKey') ? 'none' : 'ana';
    const arrived = name.startsWith('Approximate') ? 'none' : '1770000000.5';
    expect(await read([page([], { Records: [one] }), closed])).toEqual([
      `r1 ${key} ${arrived}`,
      'r3 ana 1770000000.5',
    ]);
  });

  it.each(ways(GetRecordsOutput$, page([1])))('%s', async (name, one) => {
    const texts = (await read([one, closed])).map((text) => text.split(' ')[0]);
    expect(texts).toEqual(name.startsWith('NextShardIterator') ? ['r1'] : ['r1', 'r3']);
  });

  it.each(['absent', 'null'])(
    'an empty page whose distance is %s is no end, and many of them are',
    async (how) => {
      const more: Fields = { Records: [] };
      if (how === 'null') more.MillisBehindLatest = null;
      const { MillisBehindLatest: _, ...empty } = page([]);
      const nothing = { ...empty, ...more };
      expect(await read([nothing, nothing, closed])).toHaveLength(1);
      expect(await read([nothing])).toEqual([]);
    },
  );
});

describe('A 2: of ListShards', () => {
  const shard = (number: number): Fields => ({
    ShardId: `s-${number}`,
    HashKeyRange: { StartingHashKey: '0', EndingHashKey: '1' },
    SequenceNumberRange: { StartingSequenceNumber: '1', EndingSequenceNumber: '2' },
    ParentShardId: 's-8',
    AdjacentParentShardId: 's-9',
  });
  const shards = (pages: Fields[]) => {
    answers = { ListShards: pages };
    return createStreamRange(client).shards(ARN);
  };
  const last = { Shards: [shard(2)] };

  it.each(ways(Shard$, shard(1)))('in a shard %s', async (_, one) => {
    expect(await shards([{ Shards: [one], NextToken: 'more' }, last])).toEqual(['s-1', 's-2']);
  });

  it.each(ways(ListShardsOutput$, { Shards: [shard(1)], NextToken: 'more' }))('%s', async (name, one) => {
    expect(await shards([one, last])).toEqual(name.startsWith('Shards') ? ['s-2'] : ['s-1']);
  });
});

describe('A 2: of DescribeStreamSummary', () => {
  const whole: Fields = {
    StreamName: 'customers',
    StreamARN: ARN,
    StreamId: 'id',
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    RetentionPeriodHours: 48,
    StreamCreationTimestamp: 1_770_000_000,
    EnhancedMonitoring: [],
    EncryptionType: 'KMS',
    KeyId: 'key',
    OpenShardCount: 4,
    ConsumerCount: 0,
    WarmThroughput: { TargetMiBps: 1, CurrentMiBps: 1 },
    MaxRecordSizeInKiB: 1_024,
    ChannelCount: 0,
    RecordDistributionStrategy: 'AUTO',
  };

  it('requires its one member', () => expect(optional(DescribeStreamSummaryOutput$)).toEqual([]));

  it.each(ways(StreamDescriptionSummary$, whole))('%s', async (name, one) => {
    answers = { DescribeStreamSummary: [{ StreamDescriptionSummary: one }] };
    const streams = createStreams(client);
    expect(await streams.arn('customers')).toBe(ARN);
    expect(await streams.describe(ARN)).toEqual({
      state: 'ACTIVE',
      retentionHours: 48,
      mode: name.startsWith('StreamModeDetails') ? undefined : 'ON_DEMAND',
      distribution: name.startsWith('RecordDistributionStrategy') ? undefined : 'AUTO',
      maxRecordKiB: name.startsWith('MaxRecordSizeInKiB') ? undefined : 1_024,
    });
    const now = 1_770_000_000_000 + 50 * 3_600_000;
    expect(
      await createStreamRange(client, { now: () => now, sleep: async () => undefined }).keptSince(ARN),
    ).toBe(1_770_000_000_000 + 2 * 3_600_000);
  });
});
