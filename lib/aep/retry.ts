// When to try again, and how long to wait first: policy as data, timing as pure functions.
import { isFailure } from '../failure.ts';

/** How long to wait. */
export interface Pace {
  /** The ceiling of the first wait, in ms; it doubles with each further one. */
  readonly baseMs: number;
  /** The ceiling of the first wait after a throttled answer, in ms. */
  readonly throttledBaseMs: number;
  /** The longest wait, in ms, unless the service asks for more. */
  readonly capMs: number;
}

/** How long to wait, and when to stop. */
export interface RetryPolicy extends Pace {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** The longest Retry-After that is waited for, in ms; with a longer one, the call fails. */
  readonly patienceMs: number;
}

/** Control-plane calls. Contract §7: exponential with jitter, Retry-After honoured. */
export const CONTROL_PLANE: RetryPolicy = {
  attempts: 4,
  baseMs: 500,
  throttledBaseMs: 1_000,
  capMs: 8_000,
  patienceMs: 45_000,
};

/**
 * Milliseconds asked for by a `Retry-After` header, in either of its forms (seconds, HTTP date), never negative.
 * @returns `undefined` if there is none or it cannot be understood. RFC 9110 §10.2.3.
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  const value = header?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  // Date.parse accepts almost anything ("-5" is the year 2001 to it). An HTTP date begins with the name of a day.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(value)) return undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * The wait before try number `attempt + 1` in ms: full jitter under a doubling ceiling, added to what the service
 * asked for.
 */
export function backoffMs(
  policy: Pace,
  attempt: number,
  random: number,
  hint: { throttled?: boolean; retryAfterMs?: number | undefined } = {},
): number {
  const base = hint.throttled ? policy.throttledBaseMs : policy.baseMs;
  const jitter = random * Math.min(policy.capMs, base * 2 ** (attempt - 1));
  return Math.round((hint.retryAfterMs ?? 0) + jitter);
}

/** Runs `call` until it succeeds, fails for good, or the policy's tries are used up. */
export async function withRetry<T>(
  policy: RetryPolicy,
  world: { clock: { sleep(ms: number): Promise<void> }; random: () => number },
  mayRetry: (failure: { inDoubt: boolean; code: string }) => boolean,
  call: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isFailure(error) || !error.retryable || attempt >= policy.attempts || !mayRetry(error))
        throw error;
      // The service asks for a longer wait than a call may take: the caller decides.
      if ((error.retryAfterMs ?? 0) > policy.patienceMs) throw error;
      const wait = backoffMs(policy, attempt, world.random(), {
        throttled: error.code === 'AEP_THROTTLED',
        retryAfterMs: error.retryAfterMs,
      });
      await world.clock.sleep(wait);
    }
  }
}
