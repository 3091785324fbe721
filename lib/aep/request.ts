// The one function through which every call to platform.adobe.io goes.
import type * as z from 'zod';
import { Failure, isFailure } from '../failure.ts';
import { type Answer, exchange, failureOf, parse } from './exchange.ts';
import { CONTROL_PLANE, type RetryPolicy, withRetry } from './retry.ts';
import type { Session, Sessions } from './token.ts';
import type { Transport } from './transport.ts';

export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the platform's host, its parts percent-encoded already (see `pathPart`). */
  readonly path: string;
  /** A name may be repeated: `property` is. */
  readonly query?: readonly (readonly [string, string])[];
  readonly accept?: string;
  readonly contentType?: string;
  readonly ifMatch?: string;
  readonly body?: unknown;
  /** What the answer must look like; further members are ignored. */
  readonly answer: z.ZodType<T>;
  /** Reads the answer's JSON, if its numbers must keep their digits. */
  readonly read?: (text: string) => unknown;
  /** Repeating the change does no harm, so a call in doubt is simply repeated. Reads always are. */
  readonly repeatable?: boolean;
  /** A POST that changes nothing, such as a preview: repeated like a GET, and never in doubt. */
  readonly reads?: boolean;
  /** Values within the body that no message may repeat, even if the service does. */
  readonly secrets?: readonly string[];
  /** By the answer's JSON, what of the body is refused (`AEP_REFUSED`): the message opens with it. */
  readonly placeOf?: (answer: unknown) => string;
}

export interface Reply<T> {
  readonly value: T;
  /** The `E-Tag` or `ETag` header, as it came. */
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
}

export type Request = <T>(call: Call<T>) => Promise<Reply<T>>;

export interface RequestOptions {
  readonly platformUrl: string;
  readonly sandbox: string;
  readonly sessions: Sessions;
  readonly transport: Transport;
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  /**
   * Told of every answer: service path without query, status, duration, whether it was to a change. For logs and
   * reports.
   */
  readonly onAnswer?: (seen: {
    label: string;
    status: number;
    ms: number;
    requestId: string | undefined;
    change: boolean;
  }) => void;
  /**
   * Awaited directly before each attempt at a call that may change something. If it throws, nothing is sent and the
   * error is passed on. Only a retryable `Failure` that is not in doubt is retried like any other.
   */
  readonly beforeChange?: () => Promise<void>;
}

/**
 * A request function for one sandbox. It sends the headers of contract §0, and repeats what is safe to repeat. It
 * renews the token once if it is rejected, and parses the answer by the call's schema.
 * @throws Failure for every answer that is not a success; `inDoubt` if a change may or may not have been made
 */
export function createRequest(options: RequestOptions): Request {
  const { transport } = options;
  return async (call) => {
    const policy = options.retry ?? CONTROL_PLANE;
    const change = mayChange(call);
    const harmless = !change || call.repeatable === true;
    // Fetching a token has its own tries: they must not multiply with those of the call.
    let session = await options.sessions.current();
    let withoutToken = false;
    let forbidden: unknown;
    const renew = async () => {
      options.sessions.reject(session);
      withoutToken = true;
      session = await options.sessions.current();
      withoutToken = false;
    };
    const ask = async () => {
      try {
        if (change) await options.beforeChange?.();
      } catch (error) {
        forbidden = error;
        throw error;
      }
      const reply = await exchangeOnce(options, call, session);
      options.sessions.accept(session);
      return reply;
    };
    const mayRetry = (failure: { inDoubt: boolean; code: string }) => {
      if (withoutToken) return false;
      if (failure === forbidden) return !failure.inDoubt;
      // The same condition on the same version fails again: the caller has to read the new version first.
      return failure.code !== 'AEP_CHANGED' && (harmless || !failure.inDoubt);
    };
    return withRetry(policy, transport, mayRetry, async () => {
      try {
        return await ask();
      } catch (error) {
        if (!isFailure(error) || error.code !== 'AEP_UNAUTHORIZED' || error === forbidden) throw error;
        await renew();
        return await ask();
      }
    });
  };
}

function mayChange(call: Pick<Call<unknown>, 'method' | 'reads'>): boolean {
  return call.method !== 'GET' && call.reads !== true;
}

async function exchangeOnce<T>(options: RequestOptions, call: Call<T>, session: Session): Promise<Reply<T>> {
  const { clock } = options.transport;
  const url = new URL(call.path, options.platformUrl);
  for (const [name, value] of call.query ?? []) url.searchParams.append(name, value);
  const request = {
    method: call.method,
    url: url.href,
    label: `${call.method} ${url.pathname}`,
    timeoutMs: options.timeoutMs ?? 20_000,
    headers: headersFor(call, session, options.sandbox),
    changes: mayChange(call),
    secrets: call.secrets ?? [],
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
  };
  const started = clock.now();
  const answer = await exchange(options.transport, request);
  const requestId = answer.headers.get('x-request-id') ?? undefined;
  const { status } = answer;
  options.onAnswer?.({
    label: request.label,
    status,
    ms: clock.now() - started,
    requestId,
    change: request.changes,
  });
  if (status < 200 || status > 299) throw placed(call, answer, failureOf(answer, request, clock.now()));
  return {
    value: parsedReply(call, request.label, answer, requestId),
    etag: answer.headers.get('e-tag') ?? answer.headers.get('etag') ?? undefined,
    requestId,
  };
}

function placed({ placeOf }: Pick<Call<unknown>, 'placeOf'>, { text }: Answer, failure: Failure): Failure {
  return placeOf === undefined || failure.code !== 'AEP_REFUSED' ? failure : failure.at(placeOf(parse(text)));
}

/** The headers of contract §0. */
export function headersFor(
  call: Pick<Call<unknown>, 'accept' | 'body' | 'contentType' | 'ifMatch'>,
  session: Session,
  sandbox: string,
): Record<string, string> {
  return {
    authorization: `Bearer ${session.accessToken}`,
    'x-api-key': session.clientId,
    'x-gw-ims-org-id': session.organizationId,
    'x-sandbox-name': sandbox,
    accept: call.accept ?? 'application/json',
    ...(call.body !== undefined && { 'content-type': call.contentType ?? 'application/json' }),
    ...(call.ifMatch !== undefined && { 'if-match': call.ifMatch }),
  };
}

function parsedReply<T>(call: Call<T>, label: string, answer: Answer, requestId: string | undefined): T {
  const result = call.answer.safeParse(answer.text === '' ? undefined : parse(answer.text, call.read));
  if (result.success && !answer.cut) return result.data;
  const where =
    result.error?.issues.map((issue) => issue.path.join('.') || 'the body').join(', ') ?? 'its length';
  // A success that cannot be read does not show whether the change was made.
  throw new Failure(
    'AEP_UNEXPECTED',
    `${label} answered ${answer.status}, but not as documented (${where})`,
    {
      status: answer.status,
      inDoubt: mayChange(call),
      ...(requestId !== undefined && { requestId }),
    },
  );
}

/** An id or URI as one part of a path. Refuses one that would lead out of it. */
export function pathPart(id: string): string {
  if (id === '' || id === '.' || id === '..')
    throw new Failure('AEP_UNEXPECTED', `"${id}" is not an id`, { retryable: false });
  return encodeURIComponent(id);
}
