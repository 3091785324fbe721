// What the dead-letter store of a stage has: documents by pipeline and day, the messages of one, and a message whole.
import type { DeadLetterDocument, StoredObject } from '../../lib/runtime.ts';
import { detailOf, lineOf as messageLine } from '../../local/page/areas/dead-letters.ts';
import type { Stored } from '../../local/page/store.ts';
import type { DeadLetterDetail } from '../../local/page/told.ts';
import type { DocumentLine, DocumentLines, StageDocument } from '../../local/page/told-stage.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { DeadLettersSeen, Target } from '../target.ts';

type Storing = Pick<Target, 'deadLetters'>;

/** Of one document, the page lists so many messages. */
const MOST_MESSAGES = 1_000;
/** Of a text that only stands in a line, in characters. */
const MOST_TEXT = 500;

export interface DocumentsAsked {
  readonly pipeline: string;
  readonly kind: 'rejected' | 'parked';
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
  const { objects, more } = await store.list({ kind, pipeline, ...(since !== '' && { since }) }, after);
  const last = objects.at(-1)?.key;
  return { documents: objects.map(lineOf), ...(more && last !== undefined && { next: last }) };
}

/** `rejected/orders/2026/11/29/shardId-000000000000-495….json` */
const DAY = /\/(\d{4})\/(\d{2})\/(\d{2})\/([^/]+)$/;

function lineOf({ key, bytes }: StoredObject): DocumentLine {
  const [, year, month, day, name = key] = DAY.exec(key) ?? [];
  return { key, bytes, name, day: year === undefined ? '' : `${year}-${month}-${day}` };
}

/** @returns `null` where there is none any more: it was sent again, or its time is over */
export async function documentOf(target: Storing, key: string): Promise<StageDocument | null> {
  const document = await read(await target.deadLetters(), key);
  if (document === undefined) return null;
  const { entries, pipeline, storedAt } = document;
  const messages = entries.slice(0, MOST_MESSAGES).map((_, index) => {
    const line = messageLine(storedOf(document, key, index));
    return { ...line, message: line.message.slice(0, MOST_TEXT) };
  });
  return { key, pipeline, storedAt, total: entries.length, messages };
}

/** @returns `null` where there is no such message any more */
export async function messageOf(
  target: Storing,
  key: string,
  index: number,
): Promise<DeadLetterDetail | null> {
  const document = await read(await target.deadLetters(), key);
  return document?.entries[index] === undefined ? null : detailOf(storedOf(document, key, index));
}

function storedOf(document: DeadLetterDocument, file: string, index: number): Stored {
  const { pipeline, streamArn, shardId, storedAt, entries } = document;
  const entry = entries[index] as Stored['entry'];
  return { id: String(index), pipeline, streamArn, shardId, storedAt, file, entry };
}

/** @throws MistakeError of what is no document that this version reads */
async function read(store: DeadLettersSeen, key: string): Promise<DeadLetterDocument | undefined> {
  const found = await store.read(key);
  if (found === undefined) return undefined;
  const document = parsed(found.text) as Partial<DeadLetterDocument> | undefined;
  if (document?.version === 1 && Array.isArray(document.entries)) return document as DeadLetterDocument;
  throw new MistakeError(
    'NOT_FOUND',
    `${key} is no document of this version`,
    'docs/rejects.md, "passed over".',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
