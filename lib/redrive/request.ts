// What may be asked of redrive, and what it answers: both plain JSON, the answer's `next` a request again.
import * as z from 'zod';
import { notAccepted } from '../accepted.ts';

const moment = z.iso.datetime({ offset: true });
const sequenceNumber = z.string().regex(/^(0|[1-9]\d{0,127})$/, 'expected a sequence number');
const wholeCount = z.int().min(0);

const TimeSpan = z
  .strictObject({ from: moment.optional(), to: moment.optional() })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) <= Date.parse(to), {
    error: 'expected from before to',
  });

/** A stretch of one shard, both ends in it. */
const Stretch = z
  .strictObject({ shardId: z.string().min(1), from: sequenceNumber, to: sequenceNumber })
  .refine(({ from, to }) => BigInt(from) <= BigInt(to), { error: 'expected from before to' });

/** Every condition that is there must hold. */
const Where = z.strictObject({
  /** Of a reject its reason, of a document of Lambda's its condition. */
  reasons: z.array(z.string().min(1)).min(1).optional(),
  /** When it was put into the store; both ends belong to it. */
  stored: TimeSpan.optional(),
  /** When the record came to the stream; both ends belong to it. */
  arrived: TimeSpan.optional(),
  sequence: Stretch.optional(),
  /** A field of the record, by JSON Pointer (RFC 6901), and the value it must have. */
  field: z
    .strictObject({
      pointer: z.string().regex(/^(\/([^~/]|~[01])*)*$/, 'expected a JSON Pointer, such as /contact/country'),
      equals: z.json(),
    })
    .optional(),
});

/** Records that are nowhere any more, by what is known of them. */
const LostRange = z.strictObject({
  shardId: z.string(),
  /** The first sequence number that is gone. */
  from: z.string(),
  /** The last one, where nothing is left of the range. */
  to: z.string().optional(),
  /** The first one that is still there. */
  before: z.string().optional(),
  /** How many there were, where a document says so. */
  records: wholeCount.optional(),
});
export type LostRange = z.infer<typeof LostRange>;

/** Counts of messages, unless said otherwise. */
const Tally = z.strictObject({
  /** Objects of the store of which something was chosen. */
  documents: wholeCount,
  /** Those that the conditions hold for. */
  chosen: wholeCount,
  /** Acknowledged by Experience Platform. */
  delivered: wholeCount,
  /** Rejected anew, and stored with the new reason. */
  rejectedAgain: wholeCount,
  /** Not wanted by the pipeline as it is now. */
  filtered: wholeCount,
  /** Where they were: not sent, or not acknowledged. In a dry run, what would be sent. */
  left: wholeCount,
  /**
   * What could not be redacted: entries without bytes, which can be had from the stream alone, and messages in documents of
   * Lambda's, which stay in them.
   */
  withheld: wholeCount,
  lost: z.strictObject({ records: wholeCount, ranges: z.array(LostRange) }),
  /** Objects that were passed over, by the reason. */
  skipped: z.record(z.string(), wholeCount),
  /** The first of them. */
  skippedObjects: z.array(z.strictObject({ key: z.string(), reason: z.string() })),
});
export type Tally = z.infer<typeof Tally>;

/** Behind an object of the store, and behind a record in the one that follows; or at or behind a record of a shard. */
const Cursor = z.union([
  z.strictObject({
    after: z.string(),
    /** An object that was done in part: by number, because its entries change between two runs. */
    within: z.strictObject({ key: z.string(), through: sequenceNumber }).optional(),
  }),
  z.strictObject({
    shardId: z.string(),
    at: sequenceNumber.optional(),
    after: sequenceNumber.optional(),
  }),
]);
export type Cursor = z.infer<typeof Cursor>;
export type StoreCursor = Extract<Cursor, { after: string; within?: unknown }>;

const RedriveRequest = z
  .strictObject({
    /** Name or ARN. Everything is sent by the pipeline that is published for it now. */
    stream: z.string().min(1),
    /** `rejected`: what could not be delivered. `on-failure`: batches that Lambda discarded. `stream`: the stream itself. */
    source: z.enum(['rejected', 'on-failure', 'stream']),
    where: Where.default({}),
    /** Records at most; what has one sequence number is not divided. */
    limit: z.int().min(1).optional(),
    /** Messages a second at most. The pipeline's own rate holds besides. */
    rate: z.number().min(0.1).max(100_000).optional(),
    /** Says what would be done, and does nothing: no request to Experience Platform, no change in the store. */
    dryRun: z.boolean().default(false),
    /** Whether it goes on by itself when its time is up; otherwise the answer says how to. */
    continue: z.boolean().default(true),
    /** Written by redrive itself, to go on from there. */
    cursor: Cursor.optional(),
    soFar: Tally.optional(),
  })
  .refine(
    ({ source, where }) => source !== 'stream' || (where.sequence ?? where.arrived?.from) !== undefined,
    {
      error: 'a stream needs where.arrived.from or where.sequence',
    },
  )
  .refine(({ source, where }) => source !== 'stream' || (where.reasons ?? where.stored) === undefined, {
    error: 'a record of the stream has neither a reason nor a time of storage',
  });

export type RedriveRequest = z.infer<typeof RedriveRequest>;
export type Conditions = RedriveRequest['where'];

export interface RedriveAnswer extends Tally {
  readonly stream: string;
  readonly pipeline: string;
  readonly source: RedriveRequest['source'];
  readonly dryRun: boolean;
  /**
   * Whether everything that was asked for has been sent, or of a dry run would be: nothing lost, left, passed over, or still to be
   * looked at.
   */
  readonly complete: boolean;
  /** Why it ended early. */
  readonly stopped?: { readonly why: string; readonly code?: string; readonly next?: string };
  /** What to call it with to go on. */
  readonly next?: RedriveRequest;
  /** Whether it goes on by itself; the log tells the end. */
  readonly continues?: true;
}

/** @throws Failure `EVENT_INVALID` */
export function readRequest(event: unknown): RedriveRequest {
  const result = RedriveRequest.safeParse(event);
  if (result.success) return result.data;
  throw notAccepted('redrive', 'this is no request to send again', result.error.issues);
}

export function emptyTally(): Tally {
  return {
    documents: 0,
    chosen: 0,
    delivered: 0,
    rejectedAgain: 0,
    filtered: 0,
    left: 0,
    withheld: 0,
    lost: { records: 0, ranges: [] },
    skipped: {},
    skippedObjects: [],
  };
}
