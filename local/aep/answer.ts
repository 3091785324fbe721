// What a service of the simulator answers, and the usual ways to make it.

import type { Json } from './json.ts';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Sent as JSON. */
  body?: Json | undefined;
  /** Sent as it is, instead of `body`. */
  text?: string | undefined;
  /** The connection is cut and nobody gets an answer. */
  dropped?: boolean;
  /** The connection is cut when so many bytes of the body are out. */
  breaksAfter?: number;
}

export function json(status: number, body: Json, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json;charset=UTF-8', ...headers }, body };
}

export function empty(status: number): Answer {
  return { status, headers: {} };
}

export function text(status: number, body: string, type: string): Answer {
  return { status, headers: { 'content-type': type }, text: body };
}
