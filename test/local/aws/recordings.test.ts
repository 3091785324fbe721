// What AWS was recorded doing, replayed against a local mapping and stream: invocations, documents, their exact shape.
import { type KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import type { KinesisStreamEvent } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { failure, type InvocationResult } from '../../../local/aws/function-errors.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { createMappings, type Mappings } from '../../../local/aws/mappings.ts';
import { createOnFailure, type OnFailureDocument } from '../../../local/aws/on-failure.ts';
import { LOCAL_ACCOUNT } from '../../../local/aws/server.ts';
import { settledBy } from '../../support/checkpoint-oracle.ts';
import { FAILURES, RECORDED_SETTINGS, SUCCESSES, THROWS } from '../../support/esm-recordings.ts';
import { clientOf, createStream } from '../../support/streams.ts';
import { type SharedTime, VirtualTime } from '../../support/virtual-time.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:failures';
const SHARD = 'shardId-000000000000';

let kinesis: LocalKinesis;
let client: KinesisClient;
let time: SharedTime;
let mappings: Mappings;
let streams = 0;
let StreamName = '';
let events: KinesisStreamEvent[] = [];
let documents: OnFailureDocument[] = [];
let answer: (event: KinesisStreamEvent) => unknown;

beforeAll(async () => {
  kinesis = await startKinesis();
  client = clientOf(kinesis);
});
beforeEach(async () => {
  streams += 1;
  StreamName = `recorded-${streams}`;
  [events, documents] = [[], []];
  time = { now: Date.now() };
  // The stream lives in this process: what is put later in a test arrives later.
  vi.spyOn(Date, 'now').mockImplementation(() => time.now);
  mappings = createMappings({
    account: LOCAL_ACCOUNT,
    kinesis: client,
    functions: ['forward'],
    clock: new VirtualTime(time),
    transitionMs: 0,
    pace: { idleMs: 10 },
    invoke: async (_, event) => {
      events.push(event as KinesisStreamEvent);
      return result(answer(event as KinesisStreamEvent));
    },
    onFailure: createOnFailure({ onDelivery: ({ document }) => documents.push(document) }),
  });
  await createStream(client, StreamName);
});
afterEach(async () => {
  await mappings.close();
  vi.restoreAllMocks();
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const result = (given: unknown): InvocationResult =>
  given === THROWS ? failure('handled', 'ZeroDivisionError', 'division by zero') : { ok: given };

async function put(...data: string[]): Promise<string[]> {
  const numbers: string[] = [];
  for (const [i, one] of data.entries()) {
    const record = { StreamName, PartitionKey: `test_${i}`, Data: Buffer.from(one) };
    numbers.push((await client.send(new PutRecordCommand(record))).SequenceNumber ?? '');
  }
  return numbers;
}

/** Makes a mapping as the recording did, and waits until everything is delivered or given up on. */
async function map(settings: object): Promise<void> {
  await mappings.create({
    EventSourceArn: kinesis.streamArn(StreamName),
    FunctionName: 'forward',
    StartingPosition: 'TRIM_HORIZON',
    DestinationConfig: { OnFailure: { Destination: QUEUE } },
    ...settings,
  });
  await mappings.drained(StreamName);
}

const batches = () =>
  events.map(({ Records }) => Records.map(({ kinesis: { data } }) => Buffer.from(data, 'base64').toString()));

const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** The document as it was recorded, with this recording's differences. */
function recorded(
  condition: string,
  approximateInvokeCount: number,
  numbers: readonly (string | undefined)[],
  functionError?: 'Unhandled' | null,
) {
  return {
    requestContext: {
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:forward',
      condition,
      approximateInvokeCount,
    },
    ...(functionError !== undefined && {
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError },
    }),
    version: '1.0',
    timestamp: moment,
    KinesisBatchInfo: {
      shardId: SHARD,
      startSequenceNumber: numbers[0],
      endSequenceNumber: numbers.at(-1),
      approximateArrivalOfFirstRecord: moment,
      approximateArrivalOfLastRecord: moment,
      batchSize: numbers.length,
      streamArn: kinesis.streamArn(StreamName),
    },
  };
}

describe('A 6: full success', () => {
  it.each(SUCCESSES)('%s', async (_, given) => {
    answer = () => given;
    const numbers = await put('hello');
    await map(RECORDED_SETTINGS);
    expect(batches()).toEqual([['hello']]);
    expect(documents).toEqual([]);
    expect(mappings.progress(StreamName).shards).toMatchObject([{ checkpoint: numbers[0] }]);
    expect(settledBy(numbers, JSON.stringify(given))).toBe(1);
  });
});

describe('A 6: failure of the whole batch', () => {
  it.each(FAILURES)('%s', async (_, given, functionError) => {
    answer = () => given;
    const numbers = await put('hello');
    await map(RECORDED_SETTINGS);
    expect(batches()).toEqual([['hello'], ['hello'], ['hello']]);
    expect(documents).toEqual([recorded('RetryAttemptsExhausted', 3, numbers, functionError)]);
    expect(mappings.progress(StreamName)).toMatchObject({
      discarded: 1,
      shards: [{ checkpoint: numbers[0] }],
    });
    expect(settledBy(numbers, given === THROWS ? undefined : JSON.stringify(given))).toBe(0);
  });
});

// test_kinesis_report_batch_item_failures
it('A 6: six records in batches of three, of which the last always fails: four invocations of the second batch', async () => {
  answer = ({ Records }) => ({
    batchItemFailures: Records.filter(
      ({ kinesis: { data } }) => Buffer.from(data, 'base64').toString() === '5',
    ).map(({ kinesis: { sequenceNumber } }) => ({ itemIdentifier: sequenceNumber })),
  });
  const numbers = await put('0', '1', '2', '3', '4', '5');
  await map({ ...RECORDED_SETTINGS, BatchSize: 3, MaximumRetryAttempts: 3 });
  expect(batches()).toEqual([['0', '1', '2'], ['3', '4', '5'], ['5'], ['5'], ['5']]);
  expect(documents).toEqual([recorded('RetryAttemptsExhausted', 4, numbers.slice(5), null)]);
});

// test_kinesis_event_source_mapping_with_on_failure_destination_config
it('a function that throws, and one retry', async () => {
  answer = () => THROWS;
  const numbers = await put('hello');
  await map({ BatchSize: 1, MaximumRetryAttempts: 1 });
  expect(documents).toEqual([recorded('RetryAttemptsExhausted', 2, numbers, 'Unhandled')]);
});

// test_kinesis_maximum_record_age_exceeded
describe('a record that becomes too old', () => {
  it('expire-while-retrying', async () => {
    answer = () => THROWS;
    const numbers = await put('stream-data');
    await map({ BatchSize: 1, MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: 60 });
    expect(documents).toEqual([recorded('RecordAgeExceeded', 8, numbers)]);
  });

  it('expire-before-ingestion', async () => {
    answer = () => THROWS;
    const numbers = await put('stream-data');
    time.now += 61_000;
    await map({ BatchSize: 1, MaximumRetryAttempts: 0, MaximumRecordAgeInSeconds: 60 });
    expect(events).toEqual([]);
    expect(documents).toEqual([recorded('RecordAgeExceeded', 0, numbers)]);
  });
});

// test_kinesis_maximum_record_age_exceeded_discard_records
it('one record of a batch is too old: it is discarded, the other five are processed', async () => {
  answer = () => null;
  const [old] = await put('stream-data');
  time.now += 80_000;
  await put('1', '2', '3', '4', '5');
  await map({ BatchSize: 10, MaximumRetryAttempts: 0, MaximumRecordAgeInSeconds: 60 });
  expect(batches()).toEqual([['1', '2', '3', '4', '5']]);
  expect(documents).toEqual([recorded('RecordAgeExceeded', 0, [old])]);
});
