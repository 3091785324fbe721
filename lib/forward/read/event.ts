// Lambda's Kinesis event, checked at the edge.
import { notAccepted } from '../../accepted.ts';
import { streamArnIn } from '../../published.ts';
import * as z from '../../zod.ts';

// Decimal and up to 128 digits: Kinesis API, `SequenceNumber`. A count in the expression would take twice as long.
const SEQUENCE_NUMBER = /^(?:0|[1-9]\d*)$/;
const MAX_DIGITS = 128;

const KinesisRecord = z.object({
  /** `{shardId}:{sequenceNumber}` */
  eventID: z.nullish(z.string()),
  eventSourceARN: z.string().check(z.minLength(1)),
  kinesis: z.object({
    sequenceNumber: z
      .string()
      .check(z.regex(SEQUENCE_NUMBER, 'expected a sequence number'), z.maxLength(MAX_DIGITS)),
    /** Absent in a stream with service-managed shards. AWS: "AWS Lambda triggers with service-managed streams". */
    partitionKey: z.nullish(z.string()),
    /** base64. Where it is absent or empty, only the record is rejected, not the event. */
    data: z.nullish(z.string()),
    /** Seconds since the epoch. Kinesis may leave it out: `GetRecords`, `ApproximateArrivalTimestamp`. */
    approximateArrivalTimestamp: z.nullish(z.number()),
  }),
});

export const KinesisEvent = z.object({ Records: z.array(KinesisRecord) });

export type KinesisRecord = z.infer<typeof KinesisRecord>;

/** The records of one shard: Lambda never mixes shards in a batch. */
export interface Received {
  readonly records: readonly KinesisRecord[];
  readonly streamArn: string;
  readonly shardId: string;
}

/** Further mistakes are the same one again. */
const SHOWN_ISSUES = 5;

/**
 * The records in `event`; `undefined` where it has none.
 * @throws Failure `EVENT_INVALID` naming the fields that are wrong, never their values
 */
export function readEvent(event: unknown): Received | undefined {
  const records = recordsIn(event);
  const first = records[0];
  if (first === undefined) return undefined;
  return { records, streamArn: streamArnIn(first.eventSourceARN), shardId: shardOf(first) };
}

function shardOf({ eventID }: KinesisRecord): string {
  return eventID?.slice(0, Math.max(0, eventID.indexOf(':'))) || 'unknown';
}

/** The schema would take a fifth of all the time for 10,000 records. It is used only where this quick check fails. */
function recordsIn(event: unknown): readonly KinesisRecord[] {
  const Records = (event as Loose)?.Records;
  if (Array.isArray(Records) && areOfOneStream(Records)) return Records;
  const result = KinesisEvent.safeParse(event);
  if (!result.success)
    throw notAccepted('forward', 'this is not a Kinesis event', result.error.issues.slice(0, SHOWN_ISSUES));
  const [first, ...others] = result.data.Records;
  if (others.some(({ eventSourceARN }) => eventSourceARN !== first?.eventSourceARN))
    throw notAccepted('forward', 'the records of this event are of more than one stream');
  return result.data.Records;
}

function areOfOneStream(records: readonly Loose[]): records is readonly KinesisRecord[] {
  const eventSourceARN = records[0]?.eventSourceARN;
  for (let index = 0; index < records.length; index++) {
    const record = records[index];
    if (record?.eventSourceARN !== eventSourceARN || !isRecord(record)) return false;
  }
  return true;
}

/** Any value but `null` and `undefined` has members. */
type Loose = { readonly [name: string]: unknown } | null | undefined;

/** What the schema finds. */
function isRecord(value: Loose): boolean {
  const kinesis = value?.kinesis as Loose;
  const sequenceNumber = kinesis?.sequenceNumber;
  const arrivedAt = kinesis?.approximateArrivalTimestamp;
  return (
    typeof value?.eventSourceARN === 'string' &&
    value.eventSourceARN !== '' &&
    typeof sequenceNumber === 'string' &&
    sequenceNumber.length <= MAX_DIGITS &&
    SEQUENCE_NUMBER.test(sequenceNumber) &&
    isTextOrNone(kinesis?.partitionKey) &&
    isTextOrNone(kinesis?.data) &&
    isTextOrNone(value.eventID) &&
    (arrivedAt === undefined || arrivedAt === null || Number.isFinite(arrivedAt))
  );
}

function isTextOrNone(value: unknown): boolean {
  return typeof value === 'string' || value === undefined || value === null;
}
