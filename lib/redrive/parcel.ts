// An object of the dead-letter store: the records in it that can be sent again, and what stays of it afterwards.
import * as z from 'zod';
import { fromBase64 } from '../forward/read/decode.ts';
import type { KinesisRecord } from '../forward/read/event.ts';
import type { History } from '../forward/read/message.ts';
import {
  type DiscardedRecord,
  type OnFailure,
  readOnFailure,
  SettledByRoute,
} from '../forward/read/on-failure.ts';
import type { DeadLetter, DocumentKind, StoredKind } from '../runtime.ts';

/** One thing to send: an entry of a document, or a record of the stream. */
export interface Item {
  readonly shardId: string;
  /** Why it is in the store; absent for a record of the stream. */
  readonly reason: string | undefined;
  /** As the decoder takes it. */
  readonly record: KinesisRecord;
  /** What is known of it. A new dead letter of it keeps this. */
  readonly entry?: StoredEntry;
  /** By pipeline, what its route has settled in runs before this one. */
  readonly settled?: z.infer<typeof SettledByRoute>;
  /** The rules under which an entry was redacted. */
  readonly redacted?: History;
  /** The entry holds what Experience Platform had. */
  readonly asReceived?: true;
  /** The record in Lambda's document. */
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
  // Not a regular expression: the text may have many megabytes.
  data: z.string().refine((text) => fromBase64(text) !== undefined, { error: 'expected base64' }),
  /** `data` is one message that a format took out of the record. */
  piece: z.literal(true).optional(),
  /** `data` is what redaction left of the record. */
  redacted: z.literal(true).optional(),
  rules: z.string().optional(),
  asReceived: z.literal(true).optional(),
  /** There are no bytes to send. */
  withheld: z.literal(true).optional(),
  /** Which routes have settled it, if it belongs to several. */
  routes: SettledByRoute.optional(),
  /** The bytes are in another form than the producer's, so they must not be transformed again. */
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

/** A document of rejects: what cannot be sent stays in it, with a new reason. Of parked ones: it becomes a reject. */
export interface OwnParcel extends Common {
  readonly kind: DocumentKind;
  readonly document: StoredDocument;
  readonly items: readonly Item[];
}

/**
 * Lambda's document: what cannot be sent becomes a reject. The rest stays as Lambda wrote it, with a note where it
 * needs one.
 */
export interface OnFailureParcel extends Common {
  readonly kind: 'on-failure';
  readonly document: OnFailure;
  readonly items: readonly DiscardedItem[];
}

export type Parcel = OwnParcel | OnFailureParcel;

/** Why an object is skipped. */
export type Skip =
  | 'too-large'
  | 'empty'
  | 'not-json'
  | 'wrong-version'
  | 'damaged'
  | 'another-stream'
  | 'another-pipeline'
  /** Another run works on it. */
  | 'claimed'
  /** It was changed in the meantime. */
  | 'changed';

/** The object's text as a parcel of this pipeline, or why it is skipped. */
export function readParcel(
  text: string,
  kind: StoredKind['kind'],
  { pipeline, streamArn }: { readonly pipeline: string; readonly streamArn: string },
): Parcel | Skip {
  if (text.trim() === '') return 'empty';
  const value = parcelJson(text);
  if (!isObject(value)) return 'not-json';
  if (value.version !== (kind === 'on-failure' ? '1.0' : 1)) return 'wrong-version';
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
  return { kind, document, storedAt: document.storedAt, items };
}

/** Lambda's document with its records, from the document or from the stream. */
export function onFailureParcel(document: OnFailure, records: readonly DiscardedRecord[]): OnFailureParcel {
  const { shardId, condition: reason, storedAt } = document;
  return {
    kind: 'on-failure',
    document,
    storedAt,
    items: records.map((givenUp) => ({
      shardId,
      reason,
      record: givenUp.record,
      givenUp,
      ...(givenUp.note.routes !== undefined && { settled: givenUp.note.routes }),
    })),
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
  // For these records the text of the `data` field was kept, not the bytes that it encodes.
  const data =
    entry.reason === 'not-base64' ? Buffer.from(entry.data, 'base64').toString('utf8') : entry.data;
  return {
    shardId: document.shardId,
    reason: entry.reason,
    record: recordFor(document, { ...entry, data }),
    entry,
    ...(entry.routes !== undefined && { settled: entry.routes }),
    ...(entry.redacted === true && { redacted: historyOf(entry, document) }),
    ...(isAsReceived(entry) && { asReceived: true }),
  };
}

/**
 * An entry that says it is redacted, but not by which rules, proves nothing: 0.1.0 wrote that for rows that were not
 * redacted.
 */
function historyOf({ rules }: StoredEntry, document: StoredDocument): History {
  const all = document.rules ?? {};
  return rules !== undefined && Object.hasOwn(all, rules) ? (all[rules] ?? 'unknown') : 'unknown';
}

/**
 * 0.1.0 did not write the source, and wrote an empty partition key. A record of the stream has a key that is not
 * empty, or none.
 */
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
