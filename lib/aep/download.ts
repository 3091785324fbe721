// A GET from platform.adobe.io with a body that may be large: it is read as it arrives.
import { Failure, isFailure } from '../failure.ts';
import { failureOf, readBounded } from './exchange.ts';
import { headersFor, type RequestOptions } from './request.ts';
import { CONTROL_PLANE, withRetry } from './retry.ts';
import type { Session } from './token.ts';
import type { FetchAnswer } from './transport.ts';

export interface DownloadCall {
  /** Below the platform's host, its parts percent-encoded already (see `pathPart`). */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  /** The timeout for all of it, the last byte included. */
  readonly timeoutMs: number;
}

/**
 * The body, piece by piece. When the reader stops, the transfer ends. Opening is repeated like any read, and renews
 * the token once. A body that ends early is not repeated: the reader knows how far it came.
 * @throws Failure like `createRequest`, and while it is read `AEP_UNREACHABLE`
 */
export type Download = (call: DownloadCall) => Promise<AsyncIterable<Uint8Array>>;

export function createDownload(options: RequestOptions): Download {
  return async (call) => {
    let session = await options.sessions.current();
    return withRetry(
      options.retry ?? CONTROL_PLANE,
      options.transport,
      () => true,
      async () => {
        try {
          return await openDownload(options, call, session);
        } catch (error) {
          if (!isFailure(error) || error.code !== 'AEP_UNAUTHORIZED') throw error;
          options.sessions.reject(session);
          session = await options.sessions.current();
          return await openDownload(options, call, session);
        }
      },
    );
  };
}

async function openDownload(
  options: RequestOptions,
  call: DownloadCall,
  session: Session,
): Promise<AsyncIterable<Uint8Array>> {
  const { transport, sandbox } = options;
  const url = new URL(call.path, options.platformUrl);
  for (const [name, value] of call.query) url.searchParams.append(name, value);
  const label = `GET ${url.pathname}`;
  const started = transport.clock.now();
  const response = await transport
    .fetch(url.href, {
      method: 'GET',
      headers: headersFor({ accept: '*/*' }, session, sandbox),
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, Math.trunc(call.timeoutMs))),
    })
    .catch((error: unknown) => {
      throw unreachable(label, error);
    });
  const { status, headers } = response;
  const requestId = headers.get('x-request-id') ?? undefined;
  options.onAnswer?.({ label, status, ms: transport.clock.now() - started, requestId, change: false });
  if (status >= 200 && status <= 299) {
    options.sessions.accept(session);
    return pieces(response, label);
  }
  const answer = await readBounded(response).catch(() => ({ text: '', cut: true }));
  throw failureOf({ status, headers, ...answer }, { label, method: 'GET' }, transport.clock.now());
}

async function* pieces({ body }: FetchAnswer, label: string): AsyncGenerator<Uint8Array> {
  try {
    if (body !== null) yield* body;
  } catch (error) {
    throw unreachable(label, error);
  }
}

function unreachable(label: string, error: unknown): Failure {
  const name = error instanceof Error ? error.name : 'unknown';
  return new Failure('AEP_UNREACHABLE', `${label} got no complete answer: ${name}`, { cause: error });
}
