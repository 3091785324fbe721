// A loopback stand-in of GitHub's REST API: pull requests, their files and comments, as its documentation has them.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChangedFile, PullOfCommit } from '../../cli/action/github.ts';

export const REPOSITORY = 'octo-org/pipelines';
export const GITHUB_TOKEN = 'fake-github-token';

export interface KeptComment {
  readonly id: number;
  body: string;
  readonly user: { readonly login: string } | null;
}

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  readonly files: Map<number, ChangedFile[]>;
  readonly between: Map<string, ChangedFile[]>;
  readonly pulls: Map<string, PullOfCommit[]>;
  readonly comments: Map<number, KeptComment[]>;
  /** `GET /repos/…`, in order. */
  readonly asked: string[];
  /** The next answers: before anything is done, or after it. */
  readonly failures: (number | Refusal)[];
  /** The next answers to a comment that is written. */
  readonly onComment: Refusal[];
  /** Whom the token belongs to. */
  login: string;
  /** Where the links of lists lead; this server where it is empty. */
  readonly links: string[];
}

export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What was asked is done all the same: only the answer is lost. */
  readonly isDone?: true;
}

/** As GitHub says it: "body is too long (maximum is 65536 characters)". */
const TOO_LONG = {
  message: 'Validation Failed',
  errors: [{ resource: 'IssueComment', code: 'unprocessable', field: 'data' }],
};

export async function standIn(): Promise<StandIn> {
  const files: StandIn['files'] = new Map();
  const between: StandIn['between'] = new Map();
  const pulls: StandIn['pulls'] = new Map();
  const comments: StandIn['comments'] = new Map();
  const asked: string[] = [];
  const failures: StandIn['failures'] = [];
  const onComment: StandIn['onComment'] = [];
  const links: string[] = [];
  let lastId = 1_000_000;
  const answer = (method: string, path: string, body: { body?: string }): [number, unknown] => {
    const inner = path.replace(`/repos/${REPOSITORY}`, '');
    const [, part, key = '', last] =
      /^\/(pulls|commits|compare|issues)\/(.+?)(?:\/(files|pulls|comments))?$/.exec(inner) ?? ['', '', ''];
    const number = Number(key);
    const tooLong = [...(body.body ?? '')].length > 65_536;
    if (method === 'GET' && part === 'pulls') return [200, files.get(number) ?? []];
    if (method === 'GET' && part === 'commits') return [200, pulls.get(key) ?? []];
    if (method === 'GET' && part === 'compare') return [200, { files: between.get(key) ?? [] }];
    if (method === 'GET' && last === 'comments') return [200, comments.get(number) ?? []];
    if (tooLong) return [422, TOO_LONG];
    if (method === 'POST' && last === 'comments') {
      const made = { id: ++lastId, body: body.body ?? '', user: { login: own.login } };
      comments.set(number, [...(comments.get(number) ?? []), made]);
      return [201, made];
    }
    const id = Number(/^comments\/(\d+)$/.exec(key)?.[1]);
    const found = [...comments.values()].flat().find((one) => one.id === id);
    if (method !== 'PATCH' || found === undefined) return [404, { message: 'Not Found' }];
    found.body = body.body ?? '';
    return [200, found];
  };
  const server = createServer(async (request, response) => {
    const address = new URL(request.url ?? '', 'http://127.0.0.1');
    asked.push(`${request.method} ${address.pathname}`);
    const body = await bodyOf(request);
    const isKnown = request.headers.authorization === `Bearer ${GITHUB_TOKEN}`;
    const ofKind = request.method === 'POST' ? onComment : failures;
    const next = isKnown ? ofKind.shift() : 401;
    const failed = typeof next === 'number' ? { status: next } : next;
    if (failed?.isDone) answer(request.method ?? '', address.pathname, body);
    const [status, value] =
      failed === undefined
        ? answer(request.method ?? '', address.pathname, body)
        : [failed.status, { message: 'no' }];
    const headers: Record<string, string> = { 'content-type': 'application/json', ...failed?.headers };
    const size = Number(address.searchParams.get('per_page') ?? 30);
    const page = Number(address.searchParams.get('page') ?? 1);
    const isList = Array.isArray(value);
    if (isList && value.length > page * size) {
      address.searchParams.set('page', String(page + 1));
      const next = `${links[0] ?? url()}${address.pathname}${address.search}`;
      headers.link = `<${next}>; rel="next", <${next}>; rel="last"`;
    }
    response.writeHead(status, headers);
    response.end(JSON.stringify(isList ? value.slice((page - 1) * size, page * size) : value));
  });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const own: StandIn = {
    url: url(),
    login: 'github-actions[bot]',
    files,
    between,
    pulls,
    comments,
    asked,
    failures,
    onComment,
    links,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return own;
}

async function bodyOf(request: IncomingMessage): Promise<{ body?: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as { body?: string });
}
