// The limits of one inlet: requests at once, requests and messages a second, and the retry budget. They live as long
// as the container.
import type { Clock } from '../../aep/transport.ts';
import type { Rate } from '../../rate.ts';
import { createCeiling } from './ceiling.ts';

/** As many as three events of 6 MB have. Lambda gives one at a time, which has at most `MAX_LANES`. */
export const MAX_AT_ONCE = 16;

/** As in the AWS SDKs' standard mode: a bucket of 500. A retry takes 14, or 5 after a throttled answer. */
export const RETRY_BUDGET = {
  capacity: 500,
  cost: 14,
  throttledCost: 5,
  /** Each success gives one back; otherwise a container that only retries would never retry again. */
  perSecond: 0.5,
} as const;

/** The longest break that an inlet can ask for, in ms; then it is asked again. */
export const MAX_HELD_OFF_MS = 900_000;

/** `pushed-back`: the inlet asks for fewer requests. */
export type RequestOutcome = 'accepted' | 'pushed-back' | 'other';

/** A request that is under way. */
export interface Slot {
  /** Call once, with the outcome of the request. */
  leave(outcome: RequestOutcome): void;
}

export interface Limits {
  /**
   * Waits for a free place among the requests, for the end of a break, and for the rate; `stopped` ends the wait. If
   * the time does not suffice: `'held-off'` where the inlet asked for a break, else `'late'`.
   */
  enter(
    messages: number,
    budgetMs: () => number,
    stopped: Promise<void>,
  ): Promise<Slot | 'late' | 'held-off'>;
  /** The inlet gets a break of so many ms, at most `MAX_HELD_OFF_MS`. */
  holdOff(ms: number): void;
  /** Whether the retry budget allows another retry; if so, the retry is paid. */
  payRetry(throttled: boolean): boolean;
  /** How many requests may be under way now. One that waits for a break or the rate counts as such. */
  readonly atOnce: number;
}

/**
 * Each container keeps the rate for itself: Lambda runs one for each shard that is read at the same time.
 * Additive increase, multiplicative decrease. When the inlet pushes back (429, 503), the limit becomes half of the most
 * that were under way since the last time. That is done once for all of these requests. It is one more after as many
 * successes as there are places.
 */
export function createLimits(clock: Clock, rate: Rate = {}, most = MAX_AT_ONCE): Limits {
  const waiting: (() => void)[] = [];
  const ceiling = createCeiling(clock, rate);
  let heldUntil = Number.NEGATIVE_INFINITY;
  let [limit, open, peak, successes, generation] = [most, 0, 0, 0, 0];
  let [retries, paidAt] = [RETRY_BUDGET.capacity as number, clock.now()];

  const begin = (): void => {
    open++;
    peak = Math.max(peak, open);
  };
  const place = async (): Promise<void> => {
    if (open >= limit) await new Promise<void>((go) => waiting.push(go));
    else begin();
  };
  const next = (): void => {
    open--;
    while (open < limit && waiting.length > 0) {
      begin();
      waiting.shift()?.();
    }
  };
  const slower = (begun: number): void => {
    if (begun !== generation) return;
    generation++;
    successes = 0;
    limit = Math.max(1, Math.floor(Math.min(limit, peak) / 2));
    peak = open;
  };
  const faster = (): void => {
    retries = Math.min(RETRY_BUDGET.capacity, retries + 1);
    if (++successes < limit) return;
    successes = 0;
    limit = Math.min(most, limit + 1);
  };

  const heldOffMs = (): number => {
    // A time from before the clock was set back means nothing.
    if (heldUntil - clock.now() > MAX_HELD_OFF_MS) heldUntil = Number.NEGATIVE_INFINITY;
    return Math.max(0, heldUntil - clock.now());
  };

  return {
    get atOnce() {
      return limit;
    },
    async enter(count, budgetMs, stopped) {
      await place();
      const halted = stopped.then(() => 'stopped' as const);
      // A request under way may have been told to wait for longer meanwhile.
      for (let heldMs = heldOffMs(); heldMs > 0; heldMs = heldOffMs()) {
        if (heldMs > budgetMs()) {
          next();
          return 'held-off';
        }
        if ((await Promise.race([clock.sleep(heldMs), halted])) === 'stopped') break;
      }
      const share = await ceiling?.take(count, budgetMs, stopped);
      if (share === 'late') {
        next();
        return 'late';
      }
      const begun = generation;
      return {
        leave(outcome) {
          share?.();
          if (outcome === 'pushed-back') slower(begun);
          if (outcome === 'accepted') faster();
          next();
        },
      };
    },
    holdOff(ms) {
      heldUntil = Math.max(heldUntil, clock.now() + Math.min(ms, MAX_HELD_OFF_MS));
    },
    payRetry(throttled) {
      const { capacity, perSecond, throttledCost } = RETRY_BUDGET;
      const cost = throttled ? throttledCost : RETRY_BUDGET.cost;
      const now = clock.now();
      retries = Math.min(capacity, retries + (Math.max(0, now - paidAt) * perSecond) / 1_000);
      paidAt = now;
      if (retries < cost) return false;
      retries -= cost;
      return true;
    },
  };
}
