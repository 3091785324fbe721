// A call as it came in, and what its body and query say.

import { Refusal } from './errors.ts';
import { isObject, type Json, type JsonObject, parseExactly, parseJson } from './json.ts';
import type { Sandbox } from './state.ts';

/** A call's headers by their names in lower case, as Node reads them: to copy them into `Headers` costs more than to answer. */
export type CallHeaders = Readonly<NodeJS.Dict<string | string[]>>;

export interface Call {
  readonly method: string;
  /** Still percent-encoded: an encoded `$id` is one segment. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: CallHeaders;
  readonly body: Buffer;
  readonly requestId: string;
  readonly signal?: AbortSignal | undefined;
  /** What a service wants the journal to know. */
  readonly notes?: Notes;
}

export interface Notes {
  messages?: number;
}

/** A call that passed the gateway: it has a sandbox and a caller. */
export interface AdmittedCall extends Call {
  readonly sandbox: Sandbox;
  readonly clientId: string;
  /** How old a list may be for this call. */
  readonly staleMs: number;
  /** Where the platform itself is: links it gives lead nowhere else. */
  readonly origin: string;
}

/** @param name in lower case */
export function callHeader({ headers }: Pick<Call, 'headers'>, name: string): string | undefined {
  if (!Object.hasOwn(headers, name)) return undefined;
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The request's JSON, or a refusal that says what is wrong with it; `parse` says what becomes of long numbers. */
export function jsonBody(call: Call, parse: (text: string) => Json = parseJson): Json {
  if (call.body.length === 0) throw Refusal.problem(400, 'BadRequestError', 'The request has no body.');
  try {
    return parse(call.body.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw Refusal.problem(400, 'BadRequestError', `The request body is not valid JSON: ${reason}`);
  }
}

export function jsonObjectBody(call: Call): JsonObject {
  return objectOf(jsonBody(call));
}

/** As `jsonObjectBody`, of a body with records in it: their numbers keep their digits. */
export function recordsBody(call: Call): JsonObject {
  return objectOf(jsonBody(call, parseExactly));
}

function objectOf(body: Json): JsonObject {
  if (isObject(body)) return body;
  throw Refusal.problem(400, 'BadRequestError', 'The request body must be a JSON object.');
}

export function mediaType(call: Pick<Call, 'headers'>): string {
  return (callHeader(call, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A whole number from the query, within bounds, or the fallback when absent. */
export function wholeNumber(call: Call, name: string, fallback: number, low: number, high: number): number {
  const given = call.query.get(name);
  if (given === null) return fallback;
  const value = Number(given);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw Refusal.problem(
    400,
    'BadRequestError',
    `'${name}' must be a whole number from ${low} to ${high}; it is '${given}'.`,
  );
}
