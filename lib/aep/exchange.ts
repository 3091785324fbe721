// One HTTP exchange: sends a request and reads a bounded answer, or throws a Failure.
import { Failure, type FailureCode } from '../failure.ts';
import { retryAfterMs } from './retry.ts';
import type { FetchAnswer, Transport } from './transport.ts';

export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Whether it may have changed something when its answer is lost; by default everything but a GET may. */
  readonly changes?: boolean;
  /** The timeout for headers and body together, in ms. */
  readonly timeoutMs: number;
  /** Its name in messages, e.g. `flow-service POST /flows`; it holds no ids of persons and no secrets. */
  readonly label: string;
  /** Values within the body that no message may repeat. */
  readonly secrets?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: FetchAnswer['headers'];
  /** At most `MAX_ANSWER_BYTES` of the body. */
  readonly text: string;
  /** Whether the body went on beyond what was read. */
  readonly cut: boolean;
}

/** More than any real answer of these APIs; an endless page must not fill the memory. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Sends one request and reads the whole answer. A redirect is an answer like any other, and is never followed.
 * @throws Failure `AEP_UNREACHABLE` if no complete answer came; `inDoubt` unless the method only reads
 */
export async function exchange(transport: Transport, request: Exchange): Promise<Answer> {
  try {
    const response = await transport.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, Math.trunc(request.timeoutMs))),
      ...(request.body !== undefined && { body: request.body }),
    });
    const { text, cut } = await readBounded(response);
    return { status: response.status, headers: response.headers, text, cut };
  } catch (error) {
    throw new Failure('AEP_UNREACHABLE', `${request.label} got no complete answer: ${fetchReason(error)}`, {
      cause: error,
      inDoubt: mayChange(request),
    });
  }
}

/** At most `MAX_ANSWER_BYTES` of a body, as text. */
export async function readBounded(response: FetchAnswer): Promise<{ text: string; cut: boolean }> {
  if (response.body === null) return { text: '', cut: false };
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) return { text, cut: true };
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), cut: false };
}

/** Why a fetch failed, in a few words: undici hides the real reason one or two causes deep. */
function fetchReason(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (at.name === 'TimeoutError') return 'it took too long';
    if (typeof code === 'string') return code;
  }
  // Its message can quote a header, and with it the token.
  return error instanceof Error ? error.name : 'unknown';
}

interface Problem {
  readonly code: string | undefined;
  readonly message: string;
  readonly requestId: string | undefined;
}

/**
 * The Failure for an answer that is not a success. Contract §0 has the error bodies: the gateway's, Schema
 * Registry's, Flow Service's two, the legacy problem, the inlet's, and OAuth's. Any other text is understood, too.
 */
export function failureOf(
  answer: Answer,
  request: Pick<Exchange, 'label' | 'method' | 'changes' | 'secrets'>,
  now: number,
): Failure {
  const problem = problemOf(answer, request.secrets ?? []);
  // Another resource that is being deleted still refers to it.
  const inUse = request.method === 'DELETE' && answer.status === 409;
  const code = inUse ? 'AEP_BUSY' : codeFor(answer.status, problem.code);
  const named = problem.code === undefined ? '' : ` ${problem.code}`;
  const wait = retryAfterMs(answer.headers.get('retry-after'), now);
  return new Failure(code, `${request.label} answered ${answer.status}${named}: ${problem.message}`, {
    status: answer.status,
    inDoubt: mayChange(request) && saysNothingOfItself(answer.status),
    ...(problem.code !== undefined && { serviceCode: problem.code }),
    ...(problem.requestId !== undefined && { requestId: problem.requestId }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

function mayChange({ changes, method }: Pick<Exchange, 'changes' | 'method'>): boolean {
  return changes ?? method !== 'GET';
}

/** Statuses after which a change may have been made or not. */
function saysNothingOfItself(status: number): boolean {
  return (status >= 500 && status !== 501) || status === 408;
}

/** Flow Service's "state in motion" and "still in use" codes: contract §4.2 and §7. */
const BUSY = /^FLOW-(1416|1418|1420|1421|1422|1447)-400$/;

function codeFor(status: number, serviceCode: string | undefined): FailureCode {
  if (serviceCode !== undefined && BUSY.test(serviceCode)) return 'AEP_BUSY';
  if (status >= 300 && status < 400) return 'AEP_REDIRECTED';
  switch (status) {
    case 401:
      return 'AEP_UNAUTHORIZED';
    case 403:
      return 'AEP_FORBIDDEN';
    case 404:
    case 410:
      return 'AEP_NOT_FOUND';
    case 409:
      return 'AEP_EXISTS';
    case 412:
      return 'AEP_CHANGED';
    case 408:
    case 425:
      return 'AEP_UNAVAILABLE';
    case 429:
      return 'AEP_THROTTLED';
    case 501:
      return 'AEP_REFUSED';
    default:
      return status >= 500 ? 'AEP_UNAVAILABLE' : status >= 400 ? 'AEP_REFUSED' : 'AEP_UNEXPECTED';
  }
}

function problemOf(answer: Answer, secrets: readonly string[]): Problem {
  const body = asRecord(parse(answer.text));
  const header = answer.headers.get('x-request-id') ?? undefined;
  if (body === undefined) {
    const text = withoutSecrets(answer.text, secrets);
    const said = text.trim() === '' ? '(no body)' : `(not a service error) ${excerpt(text, 120)}`;
    return { code: undefined, message: said, requestId: header };
  }
  const report = asRecord(body.report) ?? {};
  const type = string(body.type)?.split('/').at(-1);
  const code =
    string(body.error_code) ??
    (type !== undefined && /\d{3}$/.test(type) ? type : undefined) ??
    string(body.error);
  const message =
    string(report['detailed-message']) ??
    string(report.message) ??
    string(body.detail) ??
    string(body.errorMessage) ??
    string(body.error_description) ??
    string(body.message) ??
    string(body.title) ??
    string(body.error) ??
    '(no message)';
  const requestId =
    string(report['request-id']) ?? string(report.registryRequestId) ?? string(body.requestId) ?? header;
  const shown = (text: string, length: number) => excerpt(withoutSecrets(text, secrets), length);
  return {
    code: code === undefined ? undefined : shown(code, 100),
    message: shown(message, 500),
    requestId,
  };
}

/** A service may repeat what it was sent, as it was or as JSON. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const written = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return (
    written
      .filter((secret) => secret !== '')
      // Longest first: a shorter value may be a part of a longer one.
      .sort((a, b) => b.length - a.length)
      .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
  );
}

/** JSON or nothing. */
export function parse(text: string, read: (text: string) => unknown = JSON.parse): unknown {
  try {
    return read(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== ''
    ? value
    : typeof value === 'number'
      ? String(value)
      : undefined;
}

/** More than any message needs. It bounds the text that patterns must search. */
const MAX_LOOKED_AT = 4_000;

/**
 * One line of a text from outside, no longer than `length` and without anything like a token. It ends in logs, causes
 * and the store.
 */
export function excerpt(text: string, length: number): string {
  const line = text
    .slice(0, MAX_LOOKED_AT)
    .replace(/-----BEGIN[\s\S]*?(-----END[^-]*-----|$)/g, '***')
    .replace(/eyJ[\w-]+\.[\w-]+(\.[\w-]+)?|p8e-[\w-]+|Bearer\s+\S+/g, '***')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
