// Lambda's Kinesis event, checked at the edge.
import * as z from 'zod';
import { Failure, issuesText } from '../failure.ts';

const KinesisRecord = z.object({
  /** `{shardId}:{sequenceNumber}` */
  eventID: z.string().optional(),
  eventSourceARN: z.string().min(1),
  kinesis: z.object({
    // Decimal and up to 128 digits: Kinesis API, `SequenceNumber`.
    sequenceNumber: z.string().regex(/^(0|[1-9]\d{0,127})$/, 'expected a sequence number'),
    partitionKey: z.string(),
    /** base64. Where it is absent or empty the record is rejected, not the event. */
    data: z.string().nullish(),
    /** Seconds since the epoch. */
    approximateArrivalTimestamp: z.number().optional(),
  }),
});

const KinesisEvent = z.object({ Records: z.array(KinesisRecord) });

export type KinesisRecord = z.infer<typeof KinesisRecord>;

/** The records of one shard of one stream: Lambda never mixes them in a batch. */
export interface Received {
  readonly records: readonly KinesisRecord[];
  readonly streamArn: string;
  readonly shardId: string;
}

/** More mistakes than this are the same one again. */
const SHOWN_ISSUES = 5;

/**
 * The records in `event`; `undefined` where it has none.
 * @throws Failure `EVENT_INVALID` naming the fields that are wrong, never their values
 */
export function readEvent(event: unknown): Received | undefined {
  const result = KinesisEvent.safeParse(event);
  if (!result.success) {
    const issues = issuesText(result.error.issues.slice(0, SHOWN_ISSUES));
    throw new Failure('EVENT_INVALID', `this is not a Kinesis event:\n${issues}`);
  }
  const records = result.data.Records;
  const first = records[0];
  if (first === undefined) return undefined;
  const { eventSourceARN: streamArn } = first;
  if (records.some((record) => record.eventSourceARN !== streamArn)) {
    throw new Failure('EVENT_INVALID', 'the records of this event are of more than one stream');
  }
  return { records, streamArn, shardId: shardOf(first) };
}

function shardOf({ eventID = '' }: KinesisRecord): string {
  return eventID.slice(0, Math.max(0, eventID.indexOf(':'))) || 'unknown';
}
