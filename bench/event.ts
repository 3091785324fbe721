// Kinesis events of sample records, as Lambda hands them to a function.
import { eventRecord } from '../local/aws/kinesis-event.ts';
import { linesOf } from './records.ts';

export const STREAM_ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/bench';
/** A stream of several routes, of the same records. */
export const ROUTED_STREAM_ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/routed';

const SOURCE = {
  eventSourceArn: STREAM_ARN,
  region: 'eu-west-1',
  roleArn: 'arn:aws:iam::123456789012:role/bench',
};
/** How every record begins: what the inlet counts by, where it does not parse. */
export const MARK = Buffer.from('{"id":"cust-');
const EVENT_BYTES = 6_000_000;

/** The event's JSON. Keys are many, so that lanes are filled evenly. */
export function eventText(lines: readonly string[], eventSourceArn = STREAM_ARN): string {
  const Records = lines.map(
    (line, index) =>
      eventRecord({ ...SOURCE, eventSourceArn }, 'shardId-000000000000', {
        Data: Buffer.from(line),
        PartitionKey: `key-${index % 1_000}`,
        SequenceNumber: String(10n ** 55n + BigInt(index)),
        ApproximateArrivalTimestamp: new Date(1_767_225_600_000 + index),
      }).record,
  );
  return JSON.stringify({ Records });
}

/** How many records of this size make an event of 6 MB. */
export function recordsInFullEvent(bytes: number): number {
  const perRecord = eventText(linesOf(100, bytes)).length / 100;
  return Math.floor(EVENT_BYTES / perRecord);
}
