import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStreamRange, type Kinesis } from '../../lib/aws/stream-range.ts';
import type { StreamPosition, StreamRange, StreamRecord } from '../../lib/runtime.ts';
import { type LocalKinesis, startKinesis } from '../../local/aws/kinesis.ts';
import { clockMovesOn } from '../support/eventually.ts';
import { clientOf } from '../support/streams.ts';

// Reading a stretch of a stream: against local Kinesis by the SDK's own client, and against what AWS does that it does not.

/** A clock that does not wait, and remembers what it was asked for. */
function hasty() {
  const slept: number[] = [];
  return { slept, now: () => Date.now(), sleep: async (ms: number) => void slept.push(ms) };
}

async function all(
  range: StreamRange,
  arn: string,
  shard: string,
  from: StreamPosition,
): Promise<StreamRecord[]> {
  const found: StreamRecord[] = [];
  for await (const page of range.pages(arn, shard, from)) found.push(...page.records);
  return found;
}

const texts = (records: readonly StreamRecord[]) => records.map(({ data }) => Buffer.from(data).toString());

describe('local Kinesis', () => {
  let kinesis: LocalKinesis;
  let client: KinesisClient;
  let arn: string;
  const sent: string[] = [];
  const began = Date.now();
  let middle = 0;
  const SHARD = 'shardId-000000000000';

  beforeAll(async () => {
    kinesis = await startKinesis();
    client = clientOf(kinesis);
    await client.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 2 }));
    arn = kinesis.streamArn('orders');
    for (let number = 0; number < 6; number++) {
      if (number === 3) {
        await clockMovesOn();
        middle = Date.now();
      }
      const { SequenceNumber = '' } = await client.send(
        new PutRecordCommand({
          StreamName: 'orders',
          PartitionKey: 'k',
          ExplicitHashKey: '0',
          Data: Buffer.from(`r${number}`),
        }),
      );
      sent.push(SequenceNumber);
    }
  });
  afterAll(async () => {
    client.destroy();
    await kinesis.close();
  });

  it('names its shards, and that nothing of a young stream is gone', async () => {
    const range = createStreamRange(client, hasty());
    expect(await range.shards(arn)).toEqual([SHARD, 'shardId-000000000001']);
    expect(await range.keptSince(arn)).toBe(0);
  });

  it('is read from a record on, from behind it, and from a moment on', async () => {
    const range = createStreamRange(client, hasty());
    const sequenceNumber = sent[2] ?? '';
    const at = await all(range, arn, SHARD, { kind: 'at', sequenceNumber });
    expect(texts(at)).toEqual(['r2', 'r3', 'r4', 'r5']);
    expect(at[0]).toMatchObject({
      sequenceNumber,
      partitionKey: 'k',
    });
    // In seconds. The stream lives in this process, so both go by one clock.
    expect(at[0]?.arrivedAt).toBeGreaterThanOrEqual(began / 1_000);
    expect(at[0]?.arrivedAt).toBeLessThan(middle / 1_000);
    expect(texts(await all(range, arn, SHARD, { kind: 'after', sequenceNumber }))).toEqual([
      'r3',
      'r4',
      'r5',
    ]);
    expect(texts(await all(range, arn, SHARD, { kind: 'time', time: middle }))).toEqual(['r3', 'r4', 'r5']);
    expect(await all(range, arn, 'shardId-000000000001', { kind: 'time', time: middle })).toEqual([]);
  });

  it('that is not there is a failure', async () => {
    const range = createStreamRange(client, hasty());
    await expect(range.shards(kinesis.streamArn('nothing'))).rejects.toMatchObject({ code: 'AWS_REFUSED' });
  });
});

/** A shard by a script: an answer or an error for each GetRecords, and every iterator that was asked for. */
function scripted(answers: readonly (object | Error)[], refuseFirstIterator = false) {
  const asked: object[] = [];
  let [reads, iterators] = [0, 0];
  const client = {
    async send(command: unknown) {
      if (command instanceof GetShardIteratorCommand) {
        const { StreamARN: _, ShardId: __, ...where } = command.input;
        asked.push(where);
        if (refuseFirstIterator && iterators++ === 0) throw named('InvalidArgumentException');
        return { ShardIterator: `i-${asked.length}` };
      }
      if (!(command instanceof GetRecordsCommand)) throw new Error('another command');
      const answer = answers[reads++];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as Kinesis;
  return { client, asked };
}

const named = (name: string) => Object.assign(new Error(name), { name });
const page = (numbers: readonly number[], more: object = {}) => ({
  Records: numbers.map((number) => ({
    SequenceNumber: String(number),
    PartitionKey: 'k',
    Data: Buffer.from(`r${number}`),
  })),
  NextShardIterator: 'next',
  MillisBehindLatest: 1_000,
  ...more,
});
const END = page([], { MillisBehindLatest: 0 });

describe('what AWS does besides', () => {
  it('an iterator that ran out is replaced by one behind what was read', async () => {
    const { client, asked } = scripted([page([1, 2]), named('ExpiredIteratorException'), page([3]), END]);
    const range = createStreamRange(client, hasty());
    expect(texts(await all(range, 'arn', 's', { kind: 'time', time: 0 }))).toEqual(['r1', 'r2', 'r3']);
    expect(asked).toEqual([
      { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(0) },
      { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: '2' },
    ]);
  });

  it('a throttled read is made again after growing waits, and given up at last', async () => {
    const throttled = named('ProvisionedThroughputExceededException');
    const clock = hasty();
    const patient = createStreamRange(scripted([throttled, throttled, page([1]), END]).client, clock);
    expect(texts(await all(patient, 'arn', 's', { kind: 'time', time: 0 }))).toEqual(['r1']);
    expect(clock.slept).toEqual([800, 1_600, 400]);
    const never = createStreamRange(scripted(Array(9).fill(throttled)).client, hasty());
    await expect(all(never, 'arn', 's', { kind: 'time', time: 0 })).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
    });
  });

  it('empty pages far behind the end are no end; a closed shard has one', async () => {
    const { client } = scripted([page([]), page([]), page([1], { NextShardIterator: undefined })]);
    expect(
      texts(await all(createStreamRange(client, hasty()), 'arn', 's', { kind: 'time', time: 0 })),
    ).toEqual(['r1']);
  });

  it('a record that is gone is no error: reading begins at the oldest there is', async () => {
    const { client, asked } = scripted([page([8]), END], true);
    const range = createStreamRange(client, hasty());
    expect(texts(await all(range, 'arn', 's', { kind: 'at', sequenceNumber: '3' }))).toEqual(['r8']);
    expect(asked.at(-1)).toEqual({ ShardIteratorType: 'TRIM_HORIZON' });
  });

  it('of a stream older than its retention the beginning is gone', async () => {
    const now = Date.parse('2026-01-31T12:00:00Z');
    const client = {
      send: async () => ({
        StreamDescriptionSummary: { RetentionPeriodHours: 48, StreamCreationTimestamp: new Date(0) },
      }),
    } as unknown as Kinesis;
    const range = createStreamRange(client, { now: () => now, sleep: async () => undefined });
    expect(new Date(await range.keptSince('arn')).toISOString()).toBe('2026-01-29T12:00:00.000Z');
  });
});
