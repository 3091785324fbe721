// Where the documents of discarded records go: a folder that stands for buckets, and a list for queues and topics.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventRecord, kinesisEvent } from '../../../local/aws/kinesis-event.ts';
import { createOnFailure, type OnFailureDelivery, onFailureDocument } from '../../../local/aws/on-failure.ts';

const BUCKET = 'arn:aws:s3:::dead-letters';
const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:failures';
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:failures';
const UUID = '3f2a7c1e-0000-4000-8000-000000000001';

let folder = '';
let deliveries: OnFailureDelivery[] = [];
beforeEach(async () => {
  deliveries = [];
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const arrivals = ['2026-11-23T10:00:00.120Z', '2026-11-23T10:00:01.500Z'];
const records = arrivals.map((at, i) =>
  eventRecord(
    { eventSourceArn: 'arn:stream', region: 'eu-west-1', roleArn: 'arn:role' },
    'shardId-000000000003',
    {
      SequenceNumber: `${i + 7}`,
      PartitionKey: 'key',
      Data: Buffer.from(`{"n":${i}}`),
      ApproximateArrivalTimestamp: new Date(at),
    },
  ),
);
const document = onFailureDocument(
  { condition: 'RetryAttemptsExhausted', records, invocations: 4, lastResult: 'answer' },
  {
    functionArn: 'arn:function',
    streamArn: 'arn:stream',
    shardId: 'shardId-000000000003',
    now: Date.UTC(2026, 10, 23, 10, 5, 9, 78),
  },
);
const { payload, ...metadata } = document;
const onDelivery = (one: OnFailureDelivery) => void deliveries.push(one);

it('writes the document with the whole event below the key Lambda gives it in S3', async () => {
  await createOnFailure({ folder, onDelivery }).send(BUCKET, UUID, document);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  );
  const keys = files.map((file) => relative(folder, join(file.parentPath, file.name)));
  expect(keys).toEqual([
    expect.stringMatching(
      `^aws/lambda/${UUID}/shardId-000000000003/2026/11/23/2026-11-23T10\\.05\\.09-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
    ),
  ]);
  const written = JSON.parse(await readFile(join(folder, keys[0] ?? ''), 'utf8'));
  expect(written).toEqual({
    requestContext: {
      requestId: expect.any(String),
      functionArn: 'arn:function',
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 4,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: null },
    version: '1.0',
    timestamp: '2026-11-23T10:05:09.078Z',
    KinesisBatchInfo: {
      shardId: 'shardId-000000000003',
      startSequenceNumber: '7',
      endSequenceNumber: '8',
      approximateArrivalOfFirstRecord: arrivals[0],
      approximateArrivalOfLastRecord: arrivals[1],
      batchSize: 2,
      streamArn: 'arn:stream',
    },
    payload: kinesisEvent(records),
  });
  expect(deliveries).toEqual([{ destination: BUCKET, key: keys[0], document }]);
});

it.each([QUEUE, TOPIC])('sends metadata alone to %s', async (destination) => {
  await createOnFailure({ folder, onDelivery }).send(destination, UUID, document);
  expect(deliveries).toEqual([{ destination, document: metadata }]);
  expect(payload?.Records).toHaveLength(2);
  expect(await readdir(folder)).toEqual([]);
});

it('fails while the folder cannot be written to', async () => {
  await writeFile(join(folder, 'aws'), 'in the way');
  await expect(createOnFailure({ folder, onDelivery }).send(BUCKET, UUID, document)).rejects.toThrow();
  expect(deliveries).toEqual([]);
});

it.each([
  [BUCKET, undefined],
  [QUEUE, undefined],
  [TOPIC, undefined],
  [`${QUEUE}.fifo`, 'standard queue'],
  [`${TOPIC}.fifo`, 'standard topic'],
  ['arn:aws:lambda:eu-west-1:123456789012:function:other', 'not the ARN'],
  ['dead-letters', 'not the ARN'],
])('%s as a destination', (destination, refusal) => {
  const found = createOnFailure({ folder }).refusal(destination);
  if (refusal === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(refusal);
});

it('refuses a bucket without a folder', () => {
  const { refusal } = createOnFailure({});
  expect(refusal(BUCKET)).toContain('no folder');
  expect(refusal(QUEUE)).toBeUndefined();
});
