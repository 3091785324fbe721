// A function's URL on loopback: each request becomes an event of payload format 2.0, and the function's result the answer.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InvocationResult } from './function-errors.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: what a synchronous invocation takes, in bytes. */
const MAX_REQUEST_BYTES = 6 * 1024 * 1024;

export interface FunctionUrl {
  /** `http://127.0.0.1:{port}/` */
  readonly url: string;
  close(): Promise<void>;
}

export async function startFunctionUrl(
  invoke: (event: unknown) => Promise<InvocationResult>,
): Promise<FunctionUrl> {
  const server = createServer((request, response) => void respond(invoke, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  invoke: (event: unknown) => Promise<InvocationResult>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  if (body === undefined) return send(response, 413, {}, '{"Message":"Request Entity Too Large"}');
  const result = await invoke(eventOf(request, body));
  if ('error' in result) {
    const status = result.kind === 'throttled' ? 429 : 502;
    return send(response, status, {}, '{"Message":"Internal Server Error"}');
  }
  const { statusCode = 200, headers = {}, body: text = '' } = (result.ok ?? {}) as Partial<Answer>;
  send(response, statusCode, headers, text);
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html: a body is text where its type says so, else base64. */
function eventOf(request: IncomingMessage, body: Buffer): object {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const isBase64Encoded = !/^(text\/|application\/(json|xml|javascript)\b)/i.test(
    request.headers['content-type'] ?? '',
  );
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: headersOf(request),
    requestContext: {
      accountId: 'anonymous',
      domainName: request.headers.host ?? '',
      http: {
        method: request.method ?? 'GET',
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: '127.0.0.1',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: crypto.randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
}

/** Names in lower case, and what came several times joined by commas: Node would drop some of them. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(headers);
}
