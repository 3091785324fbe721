// Serves the page of a running stack on this machine: its files, what it asks for, and news of what it looks at.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Access, createAccess, refusal } from '../aep/access.ts';
import { datasetDetail, datasetsFeed } from './areas/datasets.ts';
import { deadLetter, deadLettersFeed } from './areas/dead-letters.ts';
import { pictureFeed } from './areas/picture.ts';
import { pipelinesFeed } from './areas/pipelines.ts';
import { recordDetail, recordsFeed } from './areas/records.ts';
import { requestDetail, requestsFeed } from './areas/requests.ts';
import { type Feed, follow } from './events.ts';
import { fileAt, SECURITY_HEADERS } from './files.ts';
import { createStore } from './store.ts';
import type { Looked, Watched } from './watched.ts';

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

type Query = URLSearchParams;

/** What can be followed, by its name. */
const FEEDS: Readonly<Record<string, (looked: Looked, query: Query) => Feed>> = {
  pipelines: pipelinesFeed,
  picture: (looked, query) => pictureFeed(looked, query.get('source') ?? ''),
  records: (looked, query) => recordsFeed(looked, query.get('stream') ?? ''),
  datasets: datasetsFeed,
  'dead-letters': deadLettersFeed,
  requests: ({ watched }, query) => requestsFeed(watched, Number(query.get('after') ?? 0)),
};

/** What can be asked for once. `undefined` is answered with 404. */
const ANSWERS: Readonly<Record<string, (looked: Looked, query: Query) => unknown>> = {
  record: (looked, query) =>
    recordDetail(looked, {
      stream: query.get('stream') ?? '',
      shardId: query.get('shard') ?? '',
      sequenceNumber: query.get('number') ?? '',
    }),
  dataset: (looked, query) => datasetDetail(looked, query.get('id') ?? ''),
  'dead-letter': (looked, query) => deadLetter(looked, query.get('id') ?? ''),
  request: ({ watched }, query) => requestDetail(watched, Number(query.get('number'))),
};

export async function startPage(watched: Watched, options: PageOptions = {}): Promise<Page> {
  const { port = 0, access = createAccess(), folder = BUILT } = options;
  const looked = { watched, store: createStore(watched.deadLettersFolder) };
  const server = createServer((request, response) => {
    answer({ looked, access, folder }, request, response).catch((error: unknown) =>
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
  readonly looked: Looked;
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
  const [what = '', name = ''] = pathname.slice(API.length).split('/');
  if (method !== 'GET') return reply(response, 405, { why: `${method} changes nothing here.` });
  if (what === 'follow' && Object.hasOwn(FEEDS, name))
    return follow(response, FEEDS[name]?.(served.looked, query) as Feed);
  const found = Object.hasOwn(ANSWERS, what) ? await ANSWERS[what]?.(served.looked, query) : undefined;
  if (found === undefined) return reply(response, 404, { why: `There is nothing at ${pathname}.` });
  reply(response, 200, found);
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
