// What the inlets answered to each message, try by try, and which row came from which message: for whoever follows one.
import { hash } from 'node:crypto';
import type { Answer } from '../answer.ts';
import type { Call, Notes } from '../http.ts';
import { isObject, type Json, textAt } from '../json.ts';

/** A message of a request: the same object stands for the request in its tries and in its rows. */
export interface Origin {
  readonly request: Notes;
  /** Its place among the request's messages, from 0. */
  readonly index: number;
}

/** A message in one request to an inlet. */
export interface Try extends Origin {
  /** Of the request, in the journal. */
  readonly number: number;
  readonly at: number;
  readonly path: string;
  /** 0 where the connection was cut. */
  readonly status: number;
  readonly durationMs: number;
  readonly faults: readonly string[];
  /** What the answer says of this message: its entry, or all of an answer without entries. `undefined` where nothing does. */
  readonly reply: Json | undefined;
}

export type TriedRequest = Omit<Try, 'index' | 'reply'>;

export interface Tries {
  /** A copy that grows by itself. */
  copy(): Tries;
  record(call: Call, answer: Answer, request: TriedRequest): void;
  /** Of all messages with these very bytes, the oldest first. */
  of(key: string): Try[];
  clear(): void;
}

interface Kept extends TriedRequest {
  /** One for each message. */
  readonly keys: readonly string[];
  readonly answer: Answer;
}

/** Tries of so many messages are kept; the oldest requests go. */
const MOST = 100_000;
/** The inlet takes no request of that size, in bytes. */
const LARGEST = 2_000_000;
/** Of an answer that is no JSON, in characters. */
const BEGINNING = 2_000;

export function createTries(first: readonly Kept[] = []): Tries {
  let kept = [...first];
  let messages = kept.reduce((sum, one) => sum + sizeOf(one), 0);
  return {
    copy: () => createTries(kept),
    record(call, answer, request) {
      if (call.body.length > LARGEST) return;
      const keys = messagesIn(call).map(messageKey);
      const added = { ...request, keys, answer };
      kept.push(added);
      messages += sizeOf(added);
      // Trimmed in blocks: shifting an array on every request would be quadratic.
      if (messages > MOST * 1.5) {
        let from = 0;
        while (messages > MOST) messages -= sizeOf(kept[from++] as Kept);
        kept = kept.slice(from);
      }
    },
    of: (key) =>
      kept.flatMap(({ keys, answer, ...request }) =>
        keys.flatMap((one, index) =>
          one === key ? [{ ...request, index, reply: replyTo(answer, index) }] : [],
        ),
      ),
    clear() {
      kept = [];
      messages = 0;
    },
  };
}

/** One without a message counts, too: there can be any number of them. */
const sizeOf = ({ keys }: Kept) => Math.max(1, keys.length);

/** Stands for a message: the same bytes have the same one. */
export function messageKey(bytes: Uint8Array): string {
  return hash('sha1', bytes, 'base64url');
}

/** The bytes of each message. A body that is none of the inlet's has none, or pieces that nobody looks for. */
function messagesIn({ path, body }: Call): readonly Buffer[] {
  return path.startsWith('/collection/batch/') ? itemsIn(body) : [body];
}

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = Buffer.from('"\\,[]{}');

const NOTHING = Buffer.alloc(0);

/** The objects of the list in `{"messages": […]}`, without the blanks around them. Nothing is parsed. */
function itemsIn(body: Buffer): Buffer[] {
  const items: Buffer[] = [];
  let depth = 0;
  let start = 0;
  // What is no object keeps its place.
  let item: Buffer = NOTHING;
  let isText = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN || byte === OPEN_LIST) {
      if (++depth === 3) start = at;
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (--depth === 2) item = body.subarray(start, at + 1);
      else if (depth === 1) items.push(item);
    } else if (byte === COMMA && depth === 2) {
      items.push(item);
      item = NOTHING;
    }
  }
  return items;
}

/** What an answer says of the message at a place. An entry that names another place is not believed. */
function replyTo({ body, text, dropped, breaksAfter }: Answer, index: number): Json | undefined {
  if (dropped) return undefined;
  if (text !== undefined) return text.slice(0, Math.min(BEGINNING, breaksAfter ?? BEGINNING));
  if (!isObject(body) || !Array.isArray(body.responses)) return body;
  const { responses } = body;
  const own = responses.find((entry) => placeIn(entry) === index);
  const there = responses[index];
  return own ?? (placeIn(there) === undefined ? there : undefined);
}

/** The place that the end of an entry's id names (contract §6.3). */
function placeIn(entry: Json | undefined): number | undefined {
  const id = isObject(entry) ? textAt(entry, 'xactionId') : undefined;
  const place = id?.match(/[:-](\d+)$/)?.[1];
  return place === undefined ? undefined : Number(place);
}

// Rows never change once they are in a batch, and copies of a platform share them. A row that goes takes its link along.
const origins = new WeakMap<object, Origin>();

/** Says from which message a row came, or a refused one. */
export function linkRow(row: object, origin: Origin | undefined): void {
  if (origin !== undefined) origins.set(row, origin);
}

/** `undefined` of what came from no request. */
export function originOf(row: object): Origin | undefined {
  return origins.get(row);
}
