// Serves a page on this machine: its files, what it asks for, and news of what it looks at. A source says what there is.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Access, createAccess, refusal } from '../aep/access.ts';
import { bodyOf } from './body.ts';
import { type Feed, follow } from './events.ts';
import { fileAt, SECURITY_HEADERS } from './files.ts';
import type { About } from './told-stage.ts';

export type Query = URLSearchParams;

/** What a page shows: of what runs on this machine, or of a deployed stage. Both have names that are looked up. */
export interface Source {
  readonly about: About;
  /** What can be followed, by its name. */
  readonly feeds: Readonly<Record<string, (query: Query) => Feed>>;
  /** What can be asked for once. `undefined` is answered with 404. */
  readonly answers: Readonly<Record<string, (query: Query) => unknown>>;
  /** What can be changed, by its name. What is only looked at has none. */
  readonly acts?: Readonly<Record<string, Act>>;
}

/** A change that the page asks for. */
export interface Asked {
  readonly method: string;
  /** What stands behind the name of the act, without a slash at its beginning. */
  readonly path: string;
  readonly body: Buffer;
}

export interface Acted {
  readonly status: number;
  /** As JSON. */
  readonly body?: unknown;
}

/** Does it, and says what came of it. `undefined` is answered with 404. */
export type Act = (asked: Asked) => Promise<Acted | undefined>;

export interface Page {
  /** With the token: for whoever may look. */
  readonly address: string;
  readonly origin: string;
  close(): Promise<void>;
}

export interface PageOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The same as the simulated platform's: a token for both. Without it, one is drawn. */
  readonly access?: Access;
  /** Where the built files are. */
  readonly folder?: string;
}

const BUILT = fileURLToPath(new URL('../../dist/page', import.meta.url));
const API = '/api/';
const NOT_BUILT = 'The page is not built: npm run prepare builds it.';

/** @throws the error of Node where nobody can listen on the port */
export async function servePage(source: Source, options: PageOptions = {}): Promise<Page> {
  const { port = 0, access = createAccess(), folder = BUILT } = options;
  const server = createServer((request, response) => {
    answer({ source, access, folder }, request, response).catch((error: unknown) =>
      reply(response, 500, { why: String(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // This machine only: what it shows must not be reachable from a network.
    server.listen(port, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    // Behind a hash no browser sends it to anybody.
    address: `${origin}/#${access.token}`,
    origin,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Pages that follow something would keep it open for ever.
        server.closeAllConnections();
      }),
  };
}

interface Served {
  readonly source: Source;
  readonly access: Access;
  readonly folder: string;
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', headers, url = '/' } = request;
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  const { pathname, searchParams: query } = new URL(`http://page${url.replace(/^\/+/, '/')}`);
  const isFile = !pathname.startsWith(API);
  const refused = refusal({ method, headers, query }, isFile ? 'files' : 'simulator', served.access);
  if (refused !== undefined) return reply(response, refused.status, refused.body, refused.headers);
  if (isFile) return sendFile(served.folder, pathname, method, response);
  const [what = '', name = '', ...more] = pathname.slice(API.length).split('/');
  const { about, feeds, answers, acts = {} } = served.source;
  if (method !== 'GET') {
    if (!Object.hasOwn(acts, what)) return reply(response, 405, { why: `${method} changes nothing here.` });
    const path = [name, ...more].join('/');
    return change(acts[what] as Act, { method, path }, request, response);
  }
  if (what === 'follow' && Object.hasOwn(feeds, name)) return follow(response, feeds[name]?.(query) as Feed);
  if (what === 'about') return reply(response, 200, about);
  const found = Object.hasOwn(answers, what) ? await answers[what]?.(query) : undefined;
  if (found === undefined) return reply(response, 404, { why: `There is nothing at ${pathname}.` });
  reply(response, 200, found);
}

async function change(
  act: Act,
  asked: Pick<Asked, 'method' | 'path'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  if (body === undefined) return reply(response, 413, { why: 'That is too large.' });
  const acted = await act({ ...asked, body });
  if (acted === undefined) return reply(response, 404, { why: `There is no ${asked.path} to change.` });
  reply(response, acted.status, acted.body);
}

async function sendFile(folder: string, path: string, method: string, response: ServerResponse) {
  if (method !== 'GET' && method !== 'HEAD') return reply(response, 405, { why: 'A file can only be read.' });
  const file = await fileAt(folder, path);
  if (file === undefined) return reply(response, 404, { why: `${NOT_BUILT} Or there is no ${path}.` });
  response.writeHead(200, file.headers).end(method === 'HEAD' ? undefined : file.content);
}

function reply(response: ServerResponse, status: number, value: unknown, headers: object = {}): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}
