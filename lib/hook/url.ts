// A request to the function's URL as Lambda passes it on, and the limits that are checked first.
import type { Headers } from './sender.ts';

/** Large enough for all that a hook sends, a manifest too, but not for GitHub's largest events. In bytes. */
export const MAX_BODY_BYTES = 65_536;

export interface UrlAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
export interface UrlRequest {
  readonly requestContext: { readonly http: { readonly method: string } };
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

export function isUrlRequest(event: unknown): event is UrlRequest {
  const { requestContext, headers, body } = (event ?? {}) as Partial<Record<keyof UrlRequest, unknown>>;
  const { http } = (requestContext ?? {}) as { http?: { method?: unknown } };
  return (
    typeof http?.method === 'string' &&
    (headers === undefined || (typeof headers === 'object' && headers !== null)) &&
    (body === undefined || body === null || typeof body === 'string')
  );
}

/** The headers and the exact bytes of the body, or the answer that refuses the request. */
export function admit(request: UrlRequest): { headers: Headers; body: Buffer } | UrlAnswer {
  if (request.requestContext.http.method !== 'POST')
    return answer(405, { error: 'only POST' }, { allow: 'POST' });
  const body = bodyBytes(request);
  if (body === undefined) return answer(413, { error: `at most ${MAX_BODY_BYTES} bytes` });
  const headers = lowerCase(request.headers ?? {});
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return answer(415, { error: 'only application/json' });
  return { headers, body };
}

/** `undefined` if it is too large; a text that is far too long is not decoded. */
function bodyBytes({ body, isBase64Encoded }: UrlRequest): Buffer | undefined {
  const text = body ?? '';
  // Base64 of n bytes has 4n/3 characters, and up to 2 more.
  if (text.length > (isBase64Encoded === true ? Math.ceil(MAX_BODY_BYTES / 3) * 4 : MAX_BODY_BYTES))
    return undefined;
  const bytes = Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8');
  return bytes.length > MAX_BODY_BYTES ? undefined : bytes;
}

/**
 * Lambda writes names in lower case. Other callers may not, and then one name in two cases is a repeated
 * header.
 */
function lowerCase(headers: NonNullable<UrlRequest['headers']>): Headers {
  const lower = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') continue;
    const key = name.toLowerCase();
    const before = lower.get(key);
    lower.set(key, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(lower);
}

export function answer(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): UrlAnswer {
  const fixed = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  return { statusCode, headers: { ...fixed, ...headers }, body: JSON.stringify(body) };
}
