// The requests that the simulated platform got: as lines that grow, and one of them whole, as a command of curl.
import type { Entry } from '../../aep/journal.ts';
import type { Feed } from '../events.ts';
import type { RequestDetail, RequestLine, RequestsUpdate } from '../told.ts';
import type { Watched } from '../watched.ts';

/** New requests since the one of this number. */
export function requestsFeed({ platform: { platform } }: Watched, after: number): Feed {
  let last = after;
  let isFirst = true;
  return (): RequestsUpdate | undefined => {
    const { journal } = platform;
    const newest = journal.entries({ limit: 1 })[0]?.number;
    const again = newest === undefined ? last > 0 : newest < last;
    if (again) last = 0;
    const added = newest === last ? [] : journal.entries({ after: last }).map(lineOf);
    last = added.at(-1)?.number ?? last;
    if (added.length === 0 && !again && !isFirst) return undefined;
    isFirst = false;
    return { added, forgotten: journal.forgotten, ...(again && { again }) };
  };
}

export function lineOf({ number, at, method, path, status, durationMs, faults }: Entry): RequestLine {
  return { number, at, method, path, status, ms: durationMs, faults };
}

/** `undefined` where it is not kept any more. */
export function requestDetail({ platform }: Watched, number: number): RequestDetail | undefined {
  const [entry] = platform.platform.journal.entries({ after: number - 1 });
  if (entry?.number !== number) return undefined;
  return {
    ...lineOf(entry),
    curl: curlOf(entry, platform.origin),
    requestHeaders: headersOf(entry.headers),
    requestBody: textOf(entry.body),
    replyHeaders: headersOf(entry.replyHeaders),
    reply: textOf(entry.reply),
  };
}

const headersOf = (headers: object): [string, string][] =>
  Object.entries(headers).map(([name, value]) => [name, String(value)]);

const textOf = (value: unknown) => (value === null ? '' : JSON.stringify(value, null, 2));

/** What curl says by itself, or what its own connection has. */
const NOT_TOLD = /^(host|connection|content-length|accept-encoding|transfer-encoding|user-agent)$/;

/** The request as a command for a shell. What the journal keeps no text of is left out, and secrets are masked there. */
export function curlOf({ method, path, query, headers, body }: Entry, origin: string): string {
  const search = new URLSearchParams(query as Record<string, string>).toString();
  const lines = [`curl ${quoted(`${origin}${path}${search && `?${search}`}`)}`];
  if (method !== 'GET') lines.push(`--request ${quoted(method)}`);
  for (const [name, value] of headersOf(headers))
    if (!NOT_TOLD.test(name)) lines.push(`--header ${headerOf(name, value)}`);
  if (body !== null && !isSize(body)) lines.push(`--data-raw ${quoted(JSON.stringify(body))}`);
  return lines.join(' \\\n  ');
}

/** The journal masks the token. A shell puts in one that the caller has. */
function headerOf(name: string, value: string): string {
  return name === 'authorization' ? '"authorization: Bearer $TOKEN"' : quoted(`${name}: ${value}`);
}

/** In place of a body the journal may have kept its size alone. */
function isSize(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'bytes');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
