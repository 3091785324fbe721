// The streaming inlet: its allowed addresses, and one attempt to post a batch of messages. Contract §6.
import { Failure, isFailure } from '../failure.ts';
import { type Answer, exchange, failureOf } from './exchange.ts';
import { type Outcome, type ReplyClass, readOutcomes, replyClassOf } from './inlet-reply.ts';
import { retryAfterMs } from './retry.ts';
import type { Session } from './token.ts';
import type { Transport } from './transport.ts';

export type { Outcome, ReplyClass } from './inlet-reply.ts';

/** An inlet's two URLs, checked. Either can be a secret. */
export interface InletAddress {
  /** `POST` of one message. */
  readonly single: string;
  /** `POST` of `{"messages":[…]}`. */
  readonly batch: string;
  readonly inletId: string;
}

const PATH = /^\/collection\/(?:batch\/)?([0-9A-Za-z_-]{16,128})$/;
const LOOPBACK = /^(127\.0\.0\.1|\[::1\]|localhost)$/;
const IP_LITERAL = /^(\[.*\]|[\d.]+)$/;

/**
 * The checked address in `inletUrl`. AEP named it, so it is input from outside. Its origin must be exactly one of
 * `allowedOrigins`. Plain HTTP and IP literals are allowed only for this machine. The URL must be written as it is
 * parsed: tabs, escapes, look-alikes and `..` are refused, not normalised.
 * @throws Failure `INLET_NOT_ALLOWED`, which names the host and never the path
 */
export function inletAddress(inletUrl: string, allowedOrigins: readonly string[]): InletAddress {
  const url = URL.canParse(inletUrl) ? new URL(inletUrl) : undefined;
  if (url === undefined) throw notAllowed('is not a URL');
  if (url.username !== '' || url.password !== '') throw notAllowed('names a user');
  if (!allowedOrigins.includes(url.origin)) {
    throw notAllowed(`has the origin ${url.origin.slice(0, 300)}, which is not allowed`);
  }
  if (!LOOPBACK.test(url.hostname) && (url.protocol !== 'https:' || IP_LITERAL.test(url.hostname))) {
    throw notAllowed('has to be https, at a host with a name');
  }
  const inletId = PATH.exec(url.pathname)?.[1];
  if (inletId === undefined || inletUrl !== url.origin + url.pathname) {
    throw notAllowed('is not of the form https://{host}/collection/{inletId}');
  }
  return {
    single: `${url.origin}/collection/${inletId}`,
    batch: `${url.origin}/collection/batch/${inletId}`,
    inletId,
  };
}

function notAllowed(what: string): Failure {
  return new Failure('INLET_NOT_ALLOWED', `the inlet's URL ${what}`);
}

export interface BatchRequest {
  readonly address: InletAddress;
  /** `{"messages":[…]}`, at most 1 MB. */
  readonly body: Uint8Array;
  /** How many messages the body holds. */
  readonly messages: number;
  readonly sandbox: string;
  /** The flow for raw data; XDM names it in each message's header. */
  readonly flowId?: string | undefined;
  /** Where the inlet requires a token. */
  readonly session?: Session | undefined;
  /** The timeout for the whole exchange, in ms. */
  readonly timeoutMs: number;
}

/** The outcome of one attempt. */
export type BatchReply = AnsweredReply | FailedReply;

/** The inlet answered with a success, and mostly with an entry for each message. */
export interface AnsweredReply {
  readonly kind: 'answered';
  readonly status: number;
  /** One for each message, in the request's order. */
  readonly outcomes: readonly Outcome[];
  /** Acknowledgements counted in the reply itself. */
  readonly acknowledged: number;
  readonly retryAfterMs: number | undefined;
}

/** The request failed as a whole, or its answer never came. */
export interface FailedReply {
  readonly kind: 'failed';
  readonly class: ReplyClass;
  /** Fit for logs: holds none of the inlet's own words. */
  readonly failure: Failure;
  /** The inlet's own words, shortened. They can name what is in a record: not for logs. */
  readonly said: string;
  readonly retryAfterMs: number | undefined;
}

const LABEL = 'POST /collection/batch';

/**
 * Posts a batch once. Never throws for a failure of the network or the inlet: that is a reply.
 * A 2xx alone acknowledges nothing; each message needs an entry of its own.
 */
export async function postBatch(transport: Transport, request: BatchRequest): Promise<BatchReply> {
  const call = {
    method: 'POST',
    url: request.address.batch,
    headers: headersOf(request),
    body: request.body,
    timeoutMs: request.timeoutMs,
    label: LABEL,
  };
  try {
    const answer = await exchange(transport, call);
    return replyOf(answer, request, transport.clock.now());
  } catch (error) {
    if (!isFailure(error) || error.code !== 'AEP_UNREACHABLE') throw error;
    return { kind: 'failed', class: 'transient', failure: error, said: error.what, retryAfterMs: undefined };
  }
}

/** Both sandbox headers: Adobe's description asks for one, the known client code sends the other. Contract §6.1. */
function headersOf({ sandbox, flowId, session }: BatchRequest): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-sandbox-name': sandbox,
    'sandbox-name': sandbox,
    ...(flowId !== undefined && { 'x-adobe-flow-id': flowId }),
    ...(session !== undefined && { authorization: `Bearer ${session.accessToken}` }),
  };
}

function replyOf(answer: Answer, request: BatchRequest, now: number): BatchReply {
  const { status } = answer;
  const wait = retryAfterMs(answer.headers.get('retry-after'), now);
  if (status >= 200 && status < 300) {
    // A truncated answer could lack the entry that says "refused".
    const { outcomes, acknowledged } = readOutcomes(answer.cut ? '' : answer.text, request.messages, (said) =>
      withoutInlet(said, request),
    );
    return { kind: 'answered', status, outcomes, acknowledged, retryAfterMs: wait };
  }
  // Hidden before the text is cut: half an id is still a good part of it.
  const safe = { ...answer, text: withoutInlet(answer.text, request) };
  const problem = failureOf(safe, { label: LABEL, method: 'POST' }, now);
  return {
    kind: 'failed',
    class: replyClassOf(status, answer.text.trim() !== ''),
    failure: loggable(problem, status, answer),
    said: problem.what,
    retryAfterMs: wait,
  };
}

/** Without authentication, the inlet's id is enough to write to it, and the inlet's messages often quote it. */
function withoutInlet(said: string, { address, session }: BatchRequest): string {
  const text = said.replaceAll(address.inletId, '***');
  return session === undefined ? text : text.replaceAll(session.accessToken, '***');
}

function loggable(problem: Failure, status: number, answer: Answer): Failure {
  const requestId = problem.requestId;
  const next = adviceFor(status, answer);
  return new Failure(problem.code, `the inlet answered ${status}`, {
    status,
    ...(problem.retryAfterMs !== undefined && { retryAfterMs: problem.retryAfterMs }),
    ...(requestId !== undefined && /^[\w.:-]{1,128}$/.test(requestId) && { requestId }),
    ...(next !== undefined && { next }),
  });
}

function adviceFor(status: number, answer: Answer): string | undefined {
  if (status === 403 && answer.text.trim() === '') {
    return "Check the organization's IP allow-list: the inlet answered 403 without a body.";
  }
  if (status === 404 || status === 410) {
    return 'Provision the pipeline again: its inlet no longer exists.';
  }
  return undefined;
}
