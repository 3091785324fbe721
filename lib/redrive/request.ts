// The request and the answer of redrive: both plain JSON. The answer's `next` is a request again.
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

/** A stretch of one shard, both ends included. */
const Stretch = z
  .strictObject({ shardId: z.string().min(1), from: sequenceNumber, to: sequenceNumber })
  .refine(({ from, to }) => BigInt(from) <= BigInt(to), { error: 'expected from before to' });

/** All conditions must hold. */
const Where = z.strictObject({
  /** A reject has a reason; a document of Lambda's has a condition. */
  reasons: z.array(z.string().min(1)).min(1).optional(),
  /** When it was put into the store, both ends included. */
  stored: TimeSpan.optional(),
  /** When the record came to the stream, both ends included. */
  arrived: TimeSpan.optional(),
  sequence: Stretch.optional(),
  /** A field of the record, by JSON Pointer (RFC 6901), and its required value. */
  field: z
    .strictObject({
      pointer: z.string().regex(/^(\/([^~/]|~[01])*)*$/, 'expected a JSON Pointer, such as /contact/country'),
      equals: z.json(),
    })
    .optional(),
});

/** Records that are lost, by what is known of them. */
const LostRange = z.strictObject({
  shardId: z.string(),
  /** The first sequence number that is gone. */
  from: z.string(),
  /** The last one, where the whole range is gone. */
  to: z.string().optional(),
  /** The first one that is still there. */
  before: z.string().optional(),
  /** Their number, where a document says it. */
  records: wholeCount.optional(),
});
export type LostRange = z.infer<typeof LostRange>;

/** Counts of messages, unless said otherwise. */
const Tally = z.strictObject({
  /** Objects of the store of which something was chosen. */
  documents: wholeCount,
  /** Messages for which the conditions hold. */
  chosen: wholeCount,
  /** Acknowledged by Experience Platform. */
  delivered: wholeCount,
  /** Rejected again, and stored with the new reason. */
  rejectedAgain: wholeCount,
  /** Filtered out by the pipeline as it is now. */
  filtered: wholeCount,
  /** Not sent or not acknowledged: they stay where they were. In a dry run, what would be sent. */
  left: wholeCount,
  /**
   * What could not be redacted: entries without bytes, which only the stream still has, and messages that stay in
   * documents of Lambda's.
   */
  withheld: wholeCount,
  lost: z.strictObject({ records: wholeCount, ranges: z.array(LostRange) }),
  /** Objects that were skipped, by the reason. */
  skipped: z.record(z.string(), wholeCount),
  /** The first of them. */
  skippedObjects: z.array(z.strictObject({ key: z.string(), reason: z.string() })),
});
export type Tally = z.infer<typeof Tally>;

/**
 * The place to go on from. In the store: behind an object, and behind a record in the next one. In the stream: at or
 * behind a record of a shard.
 */
const Cursor = z.union([
  z.strictObject({
    after: z.string(),
    /**
     * An object that was done in part. The place is a sequence number, because the object's entries change between
     * two runs.
     */
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
    /** Name or ARN. Everything is sent through the route as it is published now. */
    stream: z.string().min(1),
    /** The pipeline through whose route it is sent. Needed if the stream has several. */
    pipeline: z.string().min(1).optional(),
    /**
     * `rejected`: the pipeline's rejects. `parked`: what waits for its inlet. `unrouted`: what was kept once for all
     * pipelines of the stream, because none takes it or it could not be read. `on-failure`: batches that Lambda
     * discarded. `stream`: the stream itself.
     */
    source: z.enum(['rejected', 'parked', 'unrouted', 'on-failure', 'stream']),
    /** The sandbox that the sender has in mind. A pipeline of another one is refused. */
    sandbox: z.string().min(1).optional(),
    where: Where.default({}),
    /** The most records; records with one sequence number are not divided. */
    limit: z.int().min(1).optional(),
    /** The most messages a second. The pipeline's own rate holds besides. */
    rate: z.number().min(0.1).max(100_000).optional(),
    /** Says what would be done, and does nothing: no request to Experience Platform, no change in the store. */
    dryRun: z.boolean().default(false),
    /** Whether redrive starts its next invocation when its time is up. Otherwise the answer holds the next request. */
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
   * Whether everything was sent that was asked for, or in a dry run would be. Nothing is lost, left, skipped, or
   * still to be looked at.
   */
  readonly complete: boolean;
  /** Why it ended early. */
  readonly stopped?: { readonly why: string; readonly code?: string; readonly next?: string };
  /** The request that goes on. */
  readonly next?: RedriveRequest;
  /** Whether it has started its next invocation; the log tells the end. */
  readonly continues?: true;
}

/** @throws Failure `EVENT_INVALID` */
export function readRequest(event: unknown): RedriveRequest {
  const result = RedriveRequest.safeParse(event);
  if (result.success) return result.data;
  throw notAccepted('redrive', 'this is not a valid redrive request', result.error.issues);
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
