// Who may ask this server what: this machine's programs may, and of the pages in a browser only the one that was given the token.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Answer } from './answer.ts';
import { Refusal } from './errors.ts';
import { type Call, callHeader, mediaType } from './http.ts';

/** The header in which a page shows the token. Its name makes a browser ask first before another site may send it. */
export const TOKEN_HEADER = 'x-penstock-token';

/** What is asked for. */
export type Area =
  /** Experience Platform's own endpoints. */
  | 'platform'
  /** What tells or changes something of the simulator: all of `/_simulator`. */
  | 'simulator'
  /** The address alone, and files of a page that are the same for everybody: they hold nothing. */
  | 'files';

export interface Access {
  /** Known to whoever reads the terminal, and to the page that was opened from there. */
  readonly token: string;
  /** Whether programs need the token too, for all of `/_simulator`. */
  readonly isForAll: boolean;
}

/** What of a call decides. */
export type Asked = Pick<Call, 'method' | 'headers' | 'query'>;

/** @param known the token itself, where somebody has chosen it; otherwise it is drawn, with 192 bits */
export function createAccess(isForAll = false, known?: string): Access {
  return { token: known ?? randomBytes(24).toString('base64url'), isForAll };
}

/** A token that somebody has chosen, for tests that cannot read it off the terminal. @throws Error where it is none */
export function tokenFrom({ PENSTOCK_ADMIN_TOKEN: token }: NodeJS.ProcessEnv): string | undefined {
  if (token === undefined || /^[\w.~-]{16,200}$/.test(token)) return token;
  throw new Error('PENSTOCK_ADMIN_TOKEN: expected 16 to 200 letters, digits and any of -._~');
}

/** An address to click at: a browser shows the token by it. */
export function insideOf(origin: string, { token }: Access): string {
  return `${origin}/_simulator/?token=${token}`;
}

/** The same for every server, so that two of them on one machine agree. */
export function areaOf(path: string): Area {
  if (path === '/') return 'files';
  return path.startsWith('/_simulator') ? 'simulator' : 'platform';
}

/**
 * The answer to a call that may not be made; nothing where it may. `title` says which rule it breaks: `HostNotAllowed` (403),
 * `TokenNeeded` (401), `UnsupportedMediaTypeError` (415).
 *
 * Whatever is served on this machine beside the platform asks it before it does anything, with the same `Access`:
 * `startServer` hands it out as `access`. The page's files are `files`. All that the page reads or sends is `simulator`. There
 * the page shows the token in the header `x-penstock-token`. It was given in the address's fragment (`#token=…`), which no
 * browser sends to a server. An EventSource and the address bar can set no header: they name it in the query (`?token=…`).
 */
export function refusal(asked: Asked, area: Area, access: Access): Answer | undefined {
  return broken(asked, area, access)?.answer;
}

function broken(call: Asked, area: Area, access: Access): Refusal | undefined {
  if (!isHostOf(callHeader(call, 'host') ?? '', area)) return hostNotAllowed();
  if (area === 'files') return undefined;
  const needsToken = isOfBrowser(call) || (access.isForAll && area === 'simulator');
  if (needsToken && !showsToken(call, access.token)) return tokenNeeded();
  if (area === 'simulator' && isChange(call.method) && mediaType(call) !== 'application/json')
    return notJson();
  return undefined;
}

/** What no name server can give to somebody else (RFC 6761, section 6.3). */
const LOOPBACK = /^(?:(?:[a-z\d-]+\.)*localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d+)?$/i;

/** For clients that are led here by a name of Adobe's: no other site's page has one. */
const ADOBE = /^(?:[a-z\d-]+\.)+(?:adobe\.io|adobelogin\.com|adobedc\.net)(?::\d+)?$/i;

/** A page whose name was led to this machine afterwards (DNS rebinding) still has that name in `Host`. */
function isHostOf(host: string, area: Area): boolean {
  return LOOPBACK.test(host) || (area === 'platform' && ADOBE.test(host));
}

/** Scripts cannot leave these out, and programs have no reason to send them (Fetch, sections 3.2 and 3.7). */
function isOfBrowser(call: Asked): boolean {
  return callHeader(call, 'origin') !== undefined || callHeader(call, 'sec-fetch-site') !== undefined;
}

function showsToken(call: Asked, token: string): boolean {
  const shown = callHeader(call, TOKEN_HEADER) ?? call.query.get('token') ?? '';
  return timingSafeEqual(digest(shown), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isChange = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

function hostNotAllowed(): Refusal {
  return Refusal.problem(
    403,
    'HostNotAllowed',
    'The header Host names another machine. Ask 127.0.0.1, [::1] or localhost.',
  );
}

function tokenNeeded(): Refusal {
  const refused = Refusal.problem(
    401,
    'TokenNeeded',
    `This needs the token that the terminal shows: as the header ${TOKEN_HEADER}, or as ?token= in the address.`,
  );
  refused.answer.headers['www-authenticate'] = TOKEN_HEADER;
  return refused;
}

function notJson(): Refusal {
  return Refusal.problem(
    415,
    'UnsupportedMediaTypeError',
    'A change needs the header Content-Type: application/json, also where it has no body.',
  );
}

/** For the answers of the simulator's own pages: no other page may embed them, and no browser takes them for a script. */
export const OWN_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
