// What the dead-letter store of a stage has: documents by pipeline and day, the messages of one, and a message whole.
import { type OnFailure, readOnFailure } from '../../lib/forward/read/on-failure.ts';
import { streamNameOf } from '../../lib/published.ts';
import type { DeadLetterDocument, StoredKind, StoredObject } from '../../lib/runtime.ts';
import { detailOf, lineOf as messageLine } from '../../local/page/areas/dead-letters.ts';
import type { Stored } from '../../local/page/store.ts';
import type { DeadLetterDetail } from '../../local/page/told.ts';
import type { DocumentLine, DocumentLines, StageDocument, StoreKind } from '../../local/page/told-stage.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { DeadLettersSeen, Target } from '../target.ts';

type Storing = Pick<Target, 'deadLetters'>;

/** Of one document, the page lists so many messages. */
const MOST_MESSAGES = 1_000;
/** Of a text that only stands in a line, in characters. */
const MOST_TEXT = 500;

export interface DocumentsAsked {
  /** Nothing for batches that Lambda has discarded: they are of a stream. */
  readonly pipeline: string;
  readonly kind: StoreKind;
  /** A day, ISO 8601; empty for all. */
  readonly since: string;
  /** The last key that is known; empty for the first. */
  readonly after: string;
}

/** As many as S3 gives at once, the oldest first. */
export async function documentsOf(
  target: Storing,
  { pipeline, kind, since, after }: DocumentsAsked,
): Promise<DocumentLines> {
  const store = await target.deadLetters();
  const what: StoredKind =
    kind === 'on-failure' ? { kind } : { kind, pipeline, ...(since !== '' && { since }) };
  const { objects, more } = await store.list(what, after);
  const last = objects.at(-1)?.key;
  // Lambda's keys begin with the trigger and the shard, and not with the day.
  const documents = objects.map(lineOf).filter(({ day }) => day === '' || day >= since);
  return { documents, ...(more && last !== undefined && { next: last }) };
}

/** `rejected/orders/2026/11/29/shardId-000000000000-495….json` */
const DAY = /\/(\d{4})\/(\d{2})\/(\d{2})\/([^/]+)$/;

function lineOf({ key, bytes }: StoredObject): DocumentLine {
  const [, year, month, day, name = key] = DAY.exec(key) ?? [];
  return { key, bytes, name, day: year === undefined ? '' : `${year}-${month}-${day}` };
}

/** @returns `null` where there is none any more: it was sent again, or its time is over */
export async function documentOf(target: Storing, key: string): Promise<StageDocument | null> {
  const found = await read(await target.deadLetters(), key);
  if (found === undefined) return null;
  const { document, of, note, total } = found;
  const { entries, storedAt } = document;
  const messages = entries.slice(0, MOST_MESSAGES).map((_, index) => {
    const line = messageLine(storedOf(document, key, index));
    return { ...line, message: line.message.slice(0, MOST_TEXT) };
  });
  return { key, of, storedAt, total, note, messages };
}

/** @returns `null` where there is no such message any more */
export async function messageOf(
  target: Storing,
  key: string,
  index: number,
): Promise<DeadLetterDetail | null> {
  const { document } = { ...(await read(await target.deadLetters(), key)) };
  return document?.entries[index] === undefined ? null : detailOf(storedOf(document, key, index));
}

/** What somebody has chosen to send again: a message, a document, or all of a pipeline from a day on. */
export interface Chosen {
  readonly kind: StoreKind;
  /** Whose route it is sent by; empty where the stream has only one. */
  readonly pipeline: string;
  /** A document; left out for all. */
  readonly key?: string | undefined;
  /** A message in it. */
  readonly number?: number | undefined;
  /** A day, ISO 8601; empty for all. */
  readonly since: string;
}

export interface RedriveWanted extends Readonly<Record<string, unknown>> {
  readonly stream: string;
}

/**
 * As redrive takes it. The page names a document, and the document itself says the rest.
 * @throws MistakeError `NOT_FOUND`
 */
export async function chosenRequest(target: Storing, chosen: Chosen): Promise<RedriveWanted> {
  const { kind: source, pipeline, number, since } = chosen;
  const store = await target.deadLetters();
  const key = chosen.key ?? (await documentsOf(target, { ...chosen, after: '' })).documents[0]?.key;
  const found = key === undefined ? undefined : await read(store, key);
  if (found === undefined) throw gone();
  const { streamArn: stream, shardId, storedAt, entries } = found.document;
  const base = { stream, source, ...(pipeline !== '' && { pipeline }) };
  if (chosen.key === undefined)
    return { ...base, where: since === '' ? {} : { stored: { from: `${since}T00:00:00Z` } } };
  const stored = { from: storedAt, to: storedAt };
  if (number === undefined) return { ...base, where: { stored, sequence: { shardId, ...found.stretch } } };
  const entry = entries[number];
  if (entry === undefined) throw gone();
  const { reason, sequenceNumber: at } = entry;
  return { ...base, where: { stored, reasons: [reason], sequence: { shardId, from: at, to: at } } };
}

function gone(): MistakeError {
  return new MistakeError(
    'NOT_FOUND',
    'it is not in the store any more: it was sent again, or its time is over',
    'Look again at the dead letters.',
  );
}

function stretchOf(entries: Document['entries']): Read['stretch'] {
  const numbers = entries
    .map(({ sequenceNumber }) => BigInt(sequenceNumber))
    .toSorted((a, b) => (a < b ? -1 : 1));
  return { from: String(numbers[0] ?? 0), to: String(numbers.at(-1) ?? 0) };
}

function storedOf(document: Document, file: string, index: number): Stored {
  const { pipeline, streamArn, shardId, storedAt, entries } = document;
  const entry = entries[index] as Stored['entry'];
  return { id: String(index), pipeline, streamArn, shardId, storedAt, file, entry };
}

type Document = Pick<DeadLetterDocument, 'pipeline' | 'streamArn' | 'shardId' | 'storedAt' | 'entries'>;

interface Read extends Pick<StageDocument, 'of' | 'note' | 'total'> {
  readonly document: Document;
  /** Of its records, both ends included. */
  readonly stretch: { readonly from: string; readonly to: string };
}

/** @throws MistakeError of what is no document that this version reads */
async function read(store: DeadLettersSeen, key: string): Promise<Read | undefined> {
  const found = await store.read(key);
  if (found === undefined) return undefined;
  const value = parsed(found.text) as Partial<DeadLetterDocument> | undefined;
  if (value?.version === 1 && Array.isArray(value.entries)) {
    const document = value as DeadLetterDocument;
    return {
      ...{ document, of: document.pipeline, note: '', total: document.entries.length },
      stretch: stretchOf(document.entries),
    };
  }
  const discarded = readOnFailure(value);
  if (discarded !== 'damaged') return discardedBatch(discarded);
  throw new MistakeError(
    'NOT_FOUND',
    `${key} is no document of this version`,
    'docs/rejects.md, "passed over".',
  );
}

/** The batch as a document of the same form: each record is a message that was not taken apart. */
function discardedBatch(batch: OnFailure): Read {
  const { streamArn, shardId, storedAt, condition: reason, first, last, count, records } = batch;
  const entries = (records ?? []).map(({ record: { kinesis } }) => ({
    reason,
    message: 'Lambda has discarded its batch',
    sequenceNumber: kinesis.sequenceNumber,
    ...(typeof kinesis.partitionKey === 'string' && { partitionKey: kinesis.partitionKey }),
    ...(typeof kinesis.approximateArrivalTimestamp === 'number' && {
      arrivedAt: kinesis.approximateArrivalTimestamp,
    }),
    data: kinesis.data ?? '',
  }));
  return {
    document: { pipeline: '', streamArn, shardId, storedAt, entries },
    stretch: { from: first, to: last },
    of: streamNameOf(streamArn),
    total: records?.length ?? count ?? 0,
    note:
      records === undefined
        ? `It only names its records: ${first} to ${last} of ${shardId}. Redrive reads them from the stream while it has them.`
        : 'They are as they came to the stream: no pipeline has redacted them.',
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
