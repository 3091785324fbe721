// Policy as data: what is done when a request, or a message in it, was not taken.
import type { ReplyClass } from '../../aep/inlet.ts';
import type { Pace } from '../../aep/retry.ts';

/**
 * - `again`: the unresolved messages are sent again after a wait
 * - `renew`: a new token is fetched, once per refused token, and the messages are sent again
 * - `divide`: the request is halved until the message at fault is alone; it is rejected once others are taken
 * - `stop`: no lane starts another request; nothing is rejected, and the records stay in the stream
 */
export type Action = 'again' | 'renew' | 'divide' | 'stop';

type Rule =
  | { readonly action: 'divide' }
  | { readonly action: 'stop' }
  /** Tries of one request in all. */
  | { readonly action: 'again' | 'renew'; readonly attempts: number };

/**
 * Each further try probably makes another copy. All are tried once together and once alone; then the inlet gets a
 * break.
 */
export const UNCLEAR_TRIES = 2;

/** By the class of the reply; `unknown` is a success that cannot be matched to its messages. */
export const RULES: Readonly<Record<ReplyClass | 'unknown', Rule>> = {
  throttled: { action: 'again', attempts: 6 },
  transient: { action: 'again', attempts: 5 },
  unknown: { action: 'again', attempts: UNCLEAR_TRIES },
  auth: { action: 'renew', attempts: 5 },
  data: { action: 'divide' },
  'too-large': { action: 'divide' },
  'set-up': { action: 'stop' },
};

/** Only 429 and 503 ask for fewer requests at once. Contract §6.3. */
export const PUSHING_BACK: ReadonlySet<number> = new Set([429, 503]);

/**
 * So many messages in a row may fail alone, while none is taken, and be at fault themselves. With one more, a probe
 * shows whether the inlet takes anything. If it does not, nothing more is rejected. docs/decisions/0019.
 */
export const HANDFUL = 5;

/**
 * Contract §6.3: a processing error is retried a few times; after that the record is at fault. After the tries of
 * `transient` the request is halved, and a message that fails alone is in doubt. Once others are taken, it is tried
 * so many times more: an inlet that fails one request in three must not cost a good record.
 * `probes` is how often it is checked whether the inlet takes anything; `waitMs` is the longest `Retry-After` that is
 * kept.
 */
export const SERVER_ERROR = { status: 500, passes: 5, probes: 3, waitMs: 1_000 } as const;

/**
 * The waits. Adobe asks for three retries or more with exponential backoff (contract §6.3). The number of tries
 * stands above; the invocation's remaining time ends all of them.
 */
export const PACE: Pace = {
  baseMs: 250,
  throttledBaseMs: 1_000,
  capMs: 8_000,
};

/** The timeout of a request, in ms; after it the next try is made. */
export const REQUEST_TIMEOUT_MS = 20_000;
/** With less time left than this, in ms, no request is started. */
export const MIN_REQUEST_MS = 250;
/** Time reserved to store rejects and to answer Lambda, in ms. */
export const SETTLE_RESERVE_MS = 2_000;

/** What is known of messages that were not taken. */
export interface Untaken {
  readonly class: ReplyClass | 'unknown';
  /** The class of all of them, if they share one. */
  readonly status: number | undefined;
  readonly messages: number;
  /** How many messages the request had, including those that were taken. */
  readonly asked: number;
  /** Tries of the request so far. */
  readonly attempt: number;
  /** Whether it is part of a search for the message at fault. */
  readonly searching: boolean;
}

/**
 * What is done next about messages that were not taken.
 * - `repeat`: they are sent again after a wait; `unpaid` if the retry budget is used up
 * - `renew`: they are sent again with a new token
 * - `halve`: each half is sent by itself; `searching` for the cause of a processing error, or not
 * - `single`: each is sent by itself, since then the answer can only be about it
 * - `doubt`: one is left: later requests show whether it is at fault
 * - `stop`: no lane starts another request
 */
export type Step =
  | { readonly do: 'repeat'; readonly throttled: boolean; readonly unpaid: Step }
  | { readonly do: 'renew' }
  | { readonly do: 'halve'; readonly searching: boolean }
  | { readonly do: 'single' }
  | { readonly do: 'doubt'; readonly state: 'refused' | 'failed' }
  | { readonly do: 'stop'; readonly why: 'attempts' | 'auth' | 'set-up' | 'unclear' };

export function nextStep(untaken: Untaken): Step {
  const { class: kind, status, messages, asked, attempt, searching } = untaken;
  const rule = RULES[kind];
  if (rule.action === 'stop') return { do: 'stop', why: 'set-up' };
  // Each step is progress, so tries are counted anew.
  if (rule.action === 'divide')
    return messages > 1 ? { do: 'halve', searching } : { do: 'doubt', state: 'refused' };
  const isLast = attempt >= rule.attempts;
  if (rule.action === 'renew') return isLast ? { do: 'stop', why: 'auth' } : { do: 'renew' };
  if (kind === 'unknown' && isLast) return asked > 1 ? { do: 'single' } : { do: 'stop', why: 'unclear' };
  const isLookedInto = searching && status === SERVER_ERROR.status;
  if (isLast || isLookedInto) return lookInto(untaken);
  // A search costs nothing of the retry budget: each half is sent for the first time, and a single message must fail
  // once alone.
  return { do: 'repeat', throttled: kind === 'throttled', unpaid: lookInto(untaken) };
}

/**
 * An outage is waited for outside. A processing error may be about one record: it is searched for, and in doubt once
 * it is alone. Contract §6.3.
 */
function lookInto({ status, messages }: Untaken): Step {
  if (status !== SERVER_ERROR.status) return { do: 'stop', why: 'attempts' };
  return messages > 1 ? { do: 'halve', searching: true } : { do: 'doubt', state: 'failed' };
}
