// The event a Lambda function receives for Kinesis records, and how large it is.
import type { _Record } from '@aws-sdk/client-kinesis';
import type { KinesisStreamRecord } from 'aws-lambda';
import { MAX_PAYLOAD_BYTES } from './function-errors.ts';

/**
 * As the types of aws-lambda have it, but for the key, which is `null` where there is none. AWS: "AWS Lambda triggers with
 * service-managed streams".
 */
export type StreamRecord = Omit<KinesisStreamRecord, 'kinesis'> & {
  kinesis: Omit<KinesisStreamRecord['kinesis'], 'partitionKey'> & { partitionKey: string | null };
};

export interface StreamEvent {
  Records: StreamRecord[];
}

/** A record as it stands in the event, and the bytes it takes there. */
export interface EventRecord {
  record: StreamRecord;
  bytes: number;
  sequenceNumber: string;
  arrivedAt: number;
}

export interface EventSource {
  eventSourceArn: string;
  region: string;
  roleArn: string;
}

const ENVELOPE_BYTES = Buffer.byteLength('{"Records":[]}');

export function eventRecord(source: EventSource, shardId: string, record: _Record): EventRecord {
  const sequenceNumber = record.SequenceNumber ?? '';
  const arrivedAt = record.ApproximateArrivalTimestamp?.getTime() ?? 0;
  const data = Buffer.from(record.Data ?? []).toString('base64');
  const inEvent: StreamRecord = {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: record.PartitionKey ?? null,
      sequenceNumber,
      data,
      approximateArrivalTimestamp: arrivedAt / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: source.roleArn,
    awsRegion: source.region,
    eventSourceARN: source.eventSourceArn,
  };
  // base64 needs no escaping, so the data's part of the size is its length; only the rest is encoded to be counted.
  const rest = JSON.stringify({ ...inEvent, kinesis: { ...inEvent.kinesis, data: '' } });
  return { record: inEvent, bytes: Buffer.byteLength(rest) + data.length + 1, sequenceNumber, arrivedAt };
}

export function kinesisEvent(batch: readonly EventRecord[]): StreamEvent {
  return { Records: batch.map(({ record }) => record) };
}

/**
 * How many records from the front make a batch: at most `batchSize`, and no more than fit a synchronous payload.
 *
 * `full` tells that the batch cannot grow, so that nothing is gained by waiting. A single record that is too large still
 * makes a batch; the invocation then says so.
 */
export function takeBatch(
  waiting: readonly EventRecord[],
  batchSize: number,
): { count: number; full: boolean } {
  let bytes = ENVELOPE_BYTES;
  let count = 0;
  for (const { bytes: more } of waiting) {
    if (count === batchSize) return { count, full: true };
    bytes += more;
    if (bytes > MAX_PAYLOAD_BYTES && count > 0) return { count, full: true };
    count += 1;
  }
  return { count, full: count >= batchSize || bytes >= MAX_PAYLOAD_BYTES };
}
