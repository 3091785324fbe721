// Who may ask the page's server: this machine alone, and of browsers only the page that has the token.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const TOKEN_HEADER = 'x-penstock-token';

/** Names of this machine that a browser can be sent to. A name of somebody's domain that leads here is none. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** A status of HTTP, and why. */
export interface Denial {
  readonly status: 401 | 403 | 415;
  readonly why: string;
}

/**
 * Why a request is denied; `undefined` where it may be answered. A page of another site can make a browser ask, and cannot know the token.
 * Scripts and tests send neither `Origin` nor `Sec-Fetch-Site`: they need no token.
 */
export function denialOf(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  token: string,
): Denial | undefined {
  if (!isLoopback(headers.host)) return { status: 403, why: 'Host must name this machine.' };
  const isBrowser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  if (isBrowser && !isToken(headers[TOKEN_HEADER], token))
    return { status: 401, why: 'Open the address that the terminal shows: it has the token.' };
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (method !== 'GET' && type !== 'application/json')
    return { status: 415, why: 'Content-Type must be application/json.' };
  return undefined;
}

/** Whether a `Host` header names this machine, whatever the port. */
export function isLoopback(host: string | undefined): boolean {
  return LOOPBACK.has(host?.toLowerCase().replace(/:\d+$/, '') ?? '');
}

function isToken(given: string | string[] | undefined, token: string): boolean {
  const [found, wanted] = [Buffer.from(String(given)), Buffer.from(token)];
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}
