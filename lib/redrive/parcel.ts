// An object of the dead-letter store as records that can be sent again, and as what is to stay of it afterwards.
import * as z from 'zod';
import { fromBase64 } from '../forward/read/decode.ts';
import type { KinesisRecord } from '../forward/read/event.ts';
import type { History } from '../forward/read/message.ts';
import { type DiscardedRecord, type OnFailure, readOnFailure } from '../forward/read/on-failure.ts';
import type { DeadLetter, StoredKind } from '../runtime.ts';

/** One thing to send: an entry of a document, or a record. */
export interface Item {
  readonly shardId: string;
  /** Why it is where it is; none for a record of the stream. */
  readonly reason: string | undefined;
  /** As the decoder takes it. */
  readonly record: KinesisRecord;
  /** What is known of it, whatever that is: it goes with it wherever it is stored again. */
  readonly entry?: StoredEntry;
  /** Of an entry that was redacted: under which rules. */
  readonly redacted?: History;
  /** Of an entry that is what Experience Platform had. */
  readonly asReceived?: true;
  /** The same in Lambda's document. */
  readonly givenUp?: DiscardedRecord;
}

interface DiscardedItem extends Item {
  readonly givenUp: DiscardedRecord;
}

const StoredEntry = z.looseObject({
  reason: z.string(),
  message: z.string(),
  sequenceNumber: z.string().regex(/^(0|[1-9]\d{0,127})$/),
  subSequenceNumber: z.int().min(0).optional(),
  partitionKey: z.string().optional(),
  arrivedAt: z.number().optional(),
  // Not by a pattern: it may have many megabytes.
  data: z.string().refine((text) => fromBase64(text) !== undefined, { error: 'expected base64' }),
  /** `data` is what was left of the record when it was redacted. */
  redacted: z.literal(true).optional(),
  rules: z.string().optional(),
  asReceived: z.literal(true).optional(),
  /** There are no bytes to send. */
  withheld: z.literal(true).optional(),
  /** The bytes are what became of the record on its way, and not to be sent on the same way again. */
  processed: z.literal(true).optional(),
});
export type StoredEntry = z.infer<typeof StoredEntry>;

const StoredRule = z.object({
  field: z.string(),
  action: z.enum(['drop', 'mask', 'hash']),
  salt: z.string().optional(),
});

const StoredDocument = z.looseObject({
  version: z.literal(1),
  pipeline: z.string().min(1),
  streamArn: z.string().min(1),
  shardId: z.string().min(1),
  storedAt: z.iso.datetime({ offset: true }),
  rules: z.record(z.string(), z.array(StoredRule)).optional(),
  entries: z.array(StoredEntry),
});
type StoredDocument = z.infer<typeof StoredDocument>;

interface Common {
  readonly storedAt: string;
}

/** The forwarder's: what cannot be sent stays in the document, with a new reason. */
export interface RejectedParcel extends Common {
  readonly kind: 'rejected';
  readonly document: StoredDocument;
  readonly items: readonly Item[];
}

/** Lambda's: what cannot be sent becomes a reject, and the rest stays as Lambda wrote it, with a note where it needs one. */
export interface OnFailureParcel extends Common {
  readonly kind: 'on-failure';
  readonly document: OnFailure;
  readonly items: readonly DiscardedItem[];
}

export type Parcel = RejectedParcel | OnFailureParcel;

/** Why an object is passed over. */
export type Skip =
  | 'too-large'
  | 'empty'
  | 'not-json'
  | 'wrong-version'
  | 'damaged'
  | 'another-stream'
  | 'another-pipeline'
  /** Somebody else works on it. */
  | 'claimed'
  /** Somebody changed it in the meantime. */
  | 'changed';

/** The object's text as a parcel of this pipeline, or why it is passed over. */
export function readParcel(
  text: string,
  kind: StoredKind['kind'],
  { pipeline, streamArn }: { readonly pipeline: string; readonly streamArn: string },
): Parcel | Skip {
  if (text.trim() === '') return 'empty';
  const value = parcelJson(text);
  if (!isObject(value)) return 'not-json';
  if (value.version !== (kind === 'rejected' ? 1 : '1.0')) return 'wrong-version';
  if (kind === 'on-failure') {
    const found = readOnFailure(value);
    if (found === 'damaged') return 'damaged';
    if (found.streamArn !== streamArn) return 'another-stream';
    return onFailureParcel(found, found.records ?? []);
  }
  const found = StoredDocument.safeParse(value);
  if (!found.success) return 'damaged';
  const document = found.data;
  if (document.pipeline !== pipeline) return 'another-pipeline';
  if (document.streamArn !== streamArn) return 'another-stream';
  const items = document.entries.map((entry) => itemOf(entry, document));
  return { kind: 'rejected', document, storedAt: document.storedAt, items };
}

/** Lambda's document with its records, from wherever they come. */
export function onFailureParcel(document: OnFailure, records: readonly DiscardedRecord[]): OnFailureParcel {
  const { shardId, condition: reason, storedAt } = document;
  return {
    kind: 'on-failure',
    document,
    storedAt,
    items: records.map((givenUp) => ({ shardId, reason, record: givenUp.record, givenUp })),
  };
}

/** A record as the decoder takes it. */
export function recordFor(
  where: { readonly shardId: string; readonly streamArn: string },
  of: Pick<DeadLetter, 'sequenceNumber' | 'data'> & {
    readonly partitionKey?: string | undefined;
    readonly arrivedAt?: number | undefined;
  },
): KinesisRecord {
  return {
    eventID: `${where.shardId}:${of.sequenceNumber}`,
    eventSourceARN: where.streamArn,
    kinesis: {
      sequenceNumber: of.sequenceNumber,
      ...(of.partitionKey !== undefined && { partitionKey: of.partitionKey }),
      data: of.data,
      ...(of.arrivedAt !== undefined && { approximateArrivalTimestamp: of.arrivedAt }),
    },
  };
}

function itemOf(entry: StoredEntry, document: StoredDocument): Item {
  // Of these the field's text was kept, not what it stands for.
  const data =
    entry.reason === 'not-base64' ? Buffer.from(entry.data, 'base64').toString('utf8') : entry.data;
  return {
    shardId: document.shardId,
    reason: entry.reason,
    record: recordFor(document, { ...entry, data }),
    entry,
    ...(entry.redacted === true && { redacted: historyOf(entry, document) }),
    ...(isAsReceived(entry) && { asReceived: true }),
  };
}

/** What says that it is redacted, and not how, says nothing: version 0.1.0 said so of rows that nobody had redacted. */
function historyOf({ rules }: StoredEntry, document: StoredDocument): History {
  const all = document.rules ?? {};
  return rules !== undefined && Object.hasOwn(all, rules) ? (all[rules] ?? 'unknown') : 'unknown';
}

/** 0.1.0 did not say it, and wrote an empty key: what came from the stream has one that is not empty, or none. */
function isAsReceived({ asReceived, reason, partitionKey }: StoredEntry): boolean {
  return asReceived === true || (reason === 'refused-later' && partitionKey === '');
}

function parcelJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
