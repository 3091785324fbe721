// A loopback HTTP server for a local AWS service, and the checks every AWS service makes first.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whose and where the local resources are; it appears in every ARN. */
export interface Account {
  region: string;
  accountId: string;
}

/** The account id AWS's own documentation uses for examples. */
export const LOCAL_ACCOUNT: Account = { region: 'eu-west-1', accountId: '123456789012' };

export interface AwsRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface AwsResponse {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** Sent as it is, in the place of `body`. */
  text?: string;
}

/** An error as an AWS service reports it: `type` is the name the SDK gives the exception. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** What AWS has and the local one has not. AWS says so of an operation that a service does not know. */
export function notSimulated(what: string, status = 400): AwsError {
  return new AwsError('UnknownOperationException', `The local AWS does not simulate ${what}.`, status);
}

export interface RunningServer {
  endpoint: string;
  close(): Promise<void>;
}

/** Serves `answer` on a free port of 127.0.0.1; `contentType` is the service's own. */
export async function serve(
  contentType: string,
  answer: (request: AwsRequest) => Promise<AwsResponse> | AwsResponse,
): Promise<RunningServer> {
  const server = createServer((request, response) => {
    void respond(contentType, answer, request, response);
  });
  // Longer than any pause between requests, so that a client does not reuse a connection that is being closed.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // SDK clients keep their connections open; without this, close would wait for them.
        server.closeAllConnections();
      }),
  };
}

async function respond(
  contentType: string,
  answer: (request: AwsRequest) => Promise<AwsResponse> | AwsResponse,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let result: AwsResponse;
  try {
    result = await answer(await readRequest(request));
  } catch (error) {
    result = errorResponse(error);
  }
  const text = result.text ?? (result.body === undefined ? '' : JSON.stringify(result.body));
  response.writeHead(result.status, {
    'content-type': contentType,
    'x-amzn-requestid': crypto.randomUUID(),
    ...result.headers,
  });
  response.end(text);
}

async function readRequest(request: IncomingMessage): Promise<AwsRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', 'http://localhost');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

// JSON 1.1 services name the error in the body (`__type`), REST services in a header: we send both.
function errorResponse(error: unknown): AwsResponse {
  const known = error instanceof AwsError;
  const type = known ? error.type : 'InternalFailure';
  const message = error instanceof Error ? error.message : String(error);
  return {
    status: known ? error.status : 500,
    headers: { 'x-amzn-errortype': type },
    body: { __type: type, message, Message: message },
  };
}

/**
 * Refuses a request whose SigV4 credential scope does not name this service.
 *
 * The signature itself is not verified: local credentials are fake. The scope catches what matters on a
 * laptop, a client pointed at the wrong endpoint.
 */
export function checkScope(request: AwsRequest, service: string): void {
  const authorization = request.headers.authorization;
  if (authorization === undefined) {
    throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
  }
  const scope = /Credential=[^/,]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization);
  if (scope?.[1] !== service) {
    throw new AwsError(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: '${service}'.`,
      403,
    );
  }
}

/** The JSON object in a request body. */
export function parseBody(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = body === '' ? {} : JSON.parse(body);
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AwsError('SerializationException', 'The request body is not a JSON object.');
  }
  return value as Record<string, unknown>;
}
