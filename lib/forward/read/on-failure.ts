// Lambda's own document about a discarded batch of a stream. It holds the batch, or only says where to find it.
import * as z from 'zod';
import { streamArnIn } from '../../published.ts';
import { type KinesisRecord, readEvent } from './event.ts';

/**
 * AWS: "Retain discarded batch records for a Kinesis Data Streams event source in Lambda". AWS publishes no model of
 * it, so every member that is not needed is optional.
 */
const OnFailureDocument = z.looseObject({
  version: z.literal('1.0'),
  timestamp: z.iso.datetime({ offset: true }),
  requestContext: z.looseObject({ condition: z.string().nullish() }).nullish(),
  KinesisBatchInfo: z.looseObject({
    shardId: z.string().min(1),
    startSequenceNumber: z.string().regex(/^\d{1,128}$/),
    endSequenceNumber: z.string().regex(/^\d{1,128}$/),
    batchSize: z.int().min(0).nullish(),
    streamArn: z.string().min(1),
  }),
});

/** By pipeline, what its route has settled of a record: sub-sequence numbers, or `true` for all of it. */
export const SettledByRoute = z.record(z.string(), z.union([z.literal(true), z.array(z.int().min(0))]));

/**
 * The note that redrive adds to a record that stays in the document, or to a document that only points to its
 * records. Lambda's own have no such member.
 */
const RedriveNote = z.object({
  /** Sub-sequence numbers of its messages that are done, as 0.1.0 noted them: for all routes of the stream. */
  done: z.array(z.int().min(0)).optional(),
  routes: SettledByRoute.optional(),
});
export type RedriveNote = z.infer<typeof RedriveNote>;
const NOTE = 'penstock';

/** A record of the batch. */
export interface DiscardedRecord {
  readonly record: KinesisRecord;
  /** As it stands in the document, or will: Lambda's record, and the note. */
  readonly raw: object;
  readonly note: RedriveNote;
}

/** The same record, to be put into the document for the first time. `note`: the document's own. */
export function asDiscarded(record: KinesisRecord, note: RedriveNote): DiscardedRecord {
  return { record, raw: record, note };
}

export function noted({ record, raw }: DiscardedRecord, note: RedriveNote): DiscardedRecord {
  return { record, raw: { ...raw, [NOTE]: note }, note };
}

export interface OnFailure {
  readonly streamArn: string;
  readonly shardId: string;
  /** Why Lambda discarded it, e.g. `RetryAttemptsExhausted`. */
  readonly condition: string;
  readonly storedAt: string;
  readonly first: string;
  readonly last: string;
  /** The number of records in the batch, where the document says it. */
  readonly count: number | undefined;
  /** `undefined` where they must be read from the stream, while it still has them. */
  readonly records: readonly DiscardedRecord[] | undefined;
  /** What holds for all of its records. */
  readonly note: RedriveNote;
  /** The same document with these records. */
  with(records: readonly DiscardedRecord[]): string;
  /** The same document without records: it names the stretch from `first` to `last`, their number and their note. */
  about(first: string, last: string, count: number, note: RedriveNote): string;
}

/** @returns what is wrong with it, in a word, where it cannot be used */
export function readOnFailure(value: unknown): OnFailure | 'damaged' {
  const result = OnFailureDocument.safeParse(value);
  if (!result.success) return 'damaged';
  const document = result.data;
  const { streamArn: eventSourceArn, shardId, ...batch } = document.KinesisBatchInfo;
  const [first, last] = [batch.startSequenceNumber, batch.endSequenceNumber];
  const ownNote = RedriveNote.safeParse(document[NOTE] ?? {});
  const payload = payloadOf(document.payload, ownNote.data ?? {});
  if (payload === 'damaged' || !ownNote.success) return 'damaged';
  const records = payload?.records.filter(isBetween(BigInt(first), BigInt(last)));
  if (records?.length === 0) return 'damaged';
  return {
    streamArn: streamArnIn(eventSourceArn),
    shardId,
    condition: document.requestContext?.condition ?? 'unknown',
    storedAt: document.timestamp,
    first,
    last,
    count: batch.batchSize ?? undefined,
    records,
    note: ownNote.data,
    about(startSequenceNumber, endSequenceNumber, batchSize, note) {
      const stretch = { startSequenceNumber, endSequenceNumber, batchSize };
      return JSON.stringify({
        ...document,
        KinesisBatchInfo: { ...document.KinesisBatchInfo, ...stretch },
        payload: undefined,
        ...(Object.keys(note).length > 0 && { [NOTE]: note }),
      });
    },
    with(kept) {
      const event = { ...payload?.event, Records: kept.map(({ raw }) => raw) };
      return JSON.stringify({
        ...document,
        payload: typeof document.payload === 'string' ? JSON.stringify(event) : event,
      });
    },
  };
}

/** The payload is the whole event, including records that the function's answer had settled. */
function isBetween(first: bigint, last: bigint): (one: DiscardedRecord) => boolean {
  return ({ record }) => {
    const number = BigInt(record.kinesis.sequenceNumber);
    return number >= first && number <= last;
  };
}

interface Payload {
  readonly event: Record<string, unknown>;
  readonly records: readonly DiscardedRecord[];
}

/** The event in it, which is an object or the text of one. */
function payloadOf(payload: unknown, ofAll: RedriveNote): Payload | undefined | 'damaged' {
  if (payload === undefined || payload === null || payload === '') return undefined;
  try {
    const event = (typeof payload === 'string' ? JSON.parse(payload) : payload) as Record<string, unknown>;
    const raw = event.Records as readonly Record<string, unknown>[];
    const records = (readEvent(event)?.records ?? []).map((record, at) => ({
      record,
      raw: raw[at] ?? record,
      note: bothNotes(ofAll, RedriveNote.parse(raw[at]?.[NOTE] ?? {})),
    }));
    return { event, records };
  } catch {
    return 'damaged';
  }
}

/** A document that now has its records may have pointed to them before. */
function bothNotes(ofAll: RedriveNote, own: RedriveNote): RedriveNote {
  if (ofAll.routes === undefined) return own;
  return { ...own, routes: { ...own.routes, ...ofAll.routes } };
}
