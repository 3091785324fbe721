// Remembers every request and its answer, without the secrets in them.

import type { Answer } from './answer.ts';
import { ExactNumber } from './exact-number.ts';
import { type Call, mediaType } from './http.ts';
import { createTries, type TriedRequest, type Try } from './inlet/tries.ts';
import { type Json, type JsonObject, parseExactly } from './json.ts';

export interface Entry {
  readonly number: number;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: JsonObject;
  readonly headers: JsonObject;
  readonly body: Json;
  /** 0 when the connection was cut. */
  readonly status: number;
  readonly replyHeaders: JsonObject;
  readonly reply: Json;
  readonly durationMs: number;
  /** Kinds of the faults that struck. */
  readonly faults: readonly string[];
}

export interface JournalFilter {
  readonly method?: string | undefined;
  /** A part of the path. */
  readonly path?: string | undefined;
  readonly status?: number | undefined;
  /** Entries after this number. */
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
}

/** Requests that an inlet has refused since it last took one, whatever they held; and with what the last of them. */
export interface Refusals {
  readonly requests: number;
  readonly status: number;
}

const MASK = '***';
/** Names whose value is a secret wherever it appears; `sasKeyName` and `accessKeyId` are not. */
const SECRET =
  /^(authorization|cookie|password|passphrase|privatekey|private_key|.*secret.*|(access_?|refresh_?|id_?)?token|x-user-token|sas_?key|credentials|assertion|jwt_token)$/i;
const BODY_LIMIT = 16_384;

export interface Journal {
  /** A copy with the same entries, independent of this one. */
  copy(): Journal;
  record(call: Call, answer: Answer, at: number, durationMs: number, faults: readonly string[]): void;
  /** Requests that came and are not kept any more. */
  readonly forgotten: number;
  /** What the inlets answered to all messages with a key of `messageKey`, the oldest first. The newest 100,000 are kept. */
  tries(key: string): Try[];
  /** `undefined` where the inlet has taken the last request that it answered. */
  refusals(inletId: string): Refusals | undefined;
  /** Newest last. */
  entries(filter?: JournalFilter): Entry[];
  clear(): void;
}

/** @param limit how many entries are kept; the others are what a copy begins with */
export function createJournal(
  limit: number,
  first: readonly Entry[] = [],
  before = 0,
  tries = createTries(),
  refusals: ReadonlyMap<string, Refusals> = new Map(),
): Journal {
  const refusing = new Map(refusals);
  let kept = [...first];
  let number = before;
  return {
    copy: () => createJournal(limit, kept, number, tries.copy(), refusing),
    record(call, answer, at, durationMs, faults) {
      const entry = { number: ++number, ...entryOf(call, answer, at, durationMs, faults) };
      kept.push(entry);
      if (isOfInlet(call)) {
        tries.record(call, answer, triedOf(entry, call));
        countRefusal(refusing, entry);
      }
      // Trimmed in blocks: shifting an array on every request would be quadratic.
      if (kept.length > limit * 1.5) kept = kept.slice(-limit);
    },
    get forgotten() {
      return number - Math.min(kept.length, limit);
    },
    entries(filter = {}) {
      const found = kept.slice(-limit).filter((entry) => isWanted(entry, filter));
      return filter.limit === undefined ? found : found.slice(-filter.limit);
    },
    tries: (key) => tries.of(key),
    refusals: (inletId) => refusing.get(inletId),
    clear() {
      kept = [];
      tries.clear();
      refusing.clear();
    },
  };
}

const isOfInlet = ({ path }: Call) => path.startsWith('/collection/');

/** Refusals of whatever is sent. */
const OF_THE_INLET: ReadonlySet<number> = new Set([401, 403, 404, 408, 429]);

function countRefusal(refusing: Map<string, Refusals>, { path, status }: Entry): void {
  const inletId = path.split('/').at(-1) ?? '';
  if (status >= 200 && status < 300) refusing.delete(inletId);
  // A lost answer says nothing. Other refusals are about the messages of that request.
  else if (status >= 500 || OF_THE_INLET.has(status))
    refusing.set(inletId, { status, requests: (refusing.get(inletId)?.requests ?? 0) + 1 });
}

function triedOf(entry: Entry, { notes = {} }: Call): TriedRequest {
  const { number, at, path, status, durationMs, faults } = entry;
  return { number, at, path, status, durationMs, faults, request: notes };
}

function entryOf(
  call: Call,
  answer: Answer,
  at: number,
  durationMs: number,
  faults: readonly string[],
): Omit<Entry, 'number'> {
  const inlet = isOfInlet(call);
  return {
    at,
    method: call.method,
    path: call.path,
    query: masked(Object.fromEntries(call.query)) as JsonObject,
    headers: masked(call.headers) as JsonObject,
    body: inlet ? { ...call.notes, bytes: call.body.length } : bodyOf(call),
    status: answer.dropped ? 0 : answer.status,
    replyHeaders: masked(answer.headers) as JsonObject,
    reply: inlet ? summarised(answer) : replyOf(answer),
    durationMs: Math.round(durationMs * 10) / 10,
    faults,
  };
}

function isWanted(entry: Entry, { method, path, status, after }: JournalFilter): boolean {
  return (
    (method === undefined || entry.method === method.toUpperCase()) &&
    (path === undefined || entry.path.includes(path)) &&
    (status === undefined || entry.status === status) &&
    (after === undefined || entry.number > after)
  );
}

/** What was found of each name: the same few come with every request. */
const secrets = new Map<string, boolean>();
const MAX_NAMES = 10_000;

function isSecret(name: string): boolean {
  const known = secrets.get(name);
  if (known !== undefined) return known;
  const found = SECRET.test(name);
  if (secrets.size < MAX_NAMES && name.length < 100) secrets.set(name, found);
  return found;
}

/** The value with every secret replaced; also those a JSON Patch puts at a secret's path. */
export function masked(value: unknown): Json {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value as Json;
  const patchTarget = 'path' in value && 'value' in value ? String(value.path).split('/').at(-1) : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const hidden = isSecret(key) || (key === 'value' && patchTarget !== undefined && isSecret(patchTarget));
      return [key, hidden && inner !== null && inner !== '' ? MASK : masked(inner)];
    }),
  );
}

function bodyOf(call: Call): Json {
  if (call.body.length === 0) return null;
  if (call.body.length > BODY_LIMIT) return { bytes: call.body.length };
  const content = call.body.toString('utf8');
  if (mediaType(call) === 'application/x-www-form-urlencoded') {
    return masked(Object.fromEntries(new URLSearchParams(content)));
  }
  try {
    return masked(parseExactly(content));
  } catch {
    // Not JSON, or none that can be walked through: there is no telling what in it is secret.
    return { bytes: call.body.length };
  }
}

function replyOf(answer: Answer): Json {
  if (answer.text !== undefined) return { bytes: answer.text.length };
  return answer.body === undefined ? null : masked(answer.body);
}

function summarised(answer: Answer): Json {
  const body = answer.body;
  if (typeof body !== 'object' || body === null || !('responses' in body)) return replyOf(answer);
  const responses = Array.isArray(body.responses) ? body.responses : [];
  const failed = responses.filter(
    (each) => typeof each === 'object' && each !== null && ('status' in each || 'statusCode' in each),
  );
  return { responses: responses.length, failed: failed.length };
}
