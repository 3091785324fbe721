// A declared rate as a ceiling: never more requests or messages than that in any second.
import type { Clock } from '../../aep/transport.ts';
import type { Rate } from '../../rate.ts';
import { createInTurn } from '../in-turn.ts';

/** The rate holds for every stretch of this length, in ms. */
const WINDOW_MS = 1_000;

const UNDER_WAY = Number.POSITIVE_INFINITY;

/** To be called once, when the request has ended. */
type Share = () => void;

export interface Ceiling {
  /** Waits for the share of a request with so many messages; `undefined` if the request never leaves. */
  take(messages: number, budgetMs: () => number, stopped: Promise<void>): Promise<Share | 'late' | undefined>;
}

/**
 * A request, and until when it counts. It arrives at some time before its answer does, so it counts for a second
 * after the answer.
 */
interface Counted {
  readonly messages: number;
  until: number;
}

/**
 * Keeps the declared rate in every second, as the inlet sees it: also after idle times, and whatever the network's
 * delays. The real rate is therefore lower, by the time that a request takes. Requests get their shares one after the
 * other.
 */
export function createCeiling(clock: Clock, rate: Rate): Ceiling | undefined {
  const { requestsPerSecond = Number.POSITIVE_INFINITY, messagesPerSecond = Number.POSITIVE_INFINITY } = rate;
  if (requestsPerSecond === Number.POSITIVE_INFINITY && messagesPerSecond === Number.POSITIVE_INFINITY)
    return undefined;
  let counted: Counted[] = [];
  const inTurn = createInTurn();

  /** The shortest wait until a request of so many messages fits, in ms. */
  const waitMs = (messages: number): number => {
    const now = clock.now();
    for (const one of counted) {
      // Only a clock that was set back makes it longer.
      if (one.until !== UNDER_WAY) one.until = Math.min(one.until, now + WINDOW_MS);
    }
    // A request under way counts for at least a second from now.
    const left = ({ until }: Counted) => Math.min(until - now, WINDOW_MS);
    counted = counted.filter((one) => left(one) > 0).sort((a, b) => left(a) - left(b));
    let [requestsOver, messagesOver] = [
      counted.length + 1 - requestsPerSecond,
      counted.reduce((sum, one) => sum + one.messages, messages) - messagesPerSecond,
    ];
    let wait = 0;
    for (const one of counted) {
      if (requestsOver <= 0 && messagesOver <= 0) break;
      wait = left(one);
      requestsOver--;
      messagesOver -= one.messages;
    }
    return wait;
  };

  const wait = async (
    messages: number,
    budgetMs: () => number,
    stopped: Promise<void>,
  ): Promise<Share | 'late' | undefined> => {
    const halted = stopped.then(() => 'stopped' as const);
    for (let ms = waitMs(messages); ms > 0; ms = waitMs(messages)) {
      if (ms > budgetMs()) return 'late';
      if ((await Promise.race([clock.sleep(ms), halted])) === 'stopped') return undefined;
    }
    const one: Counted = { messages, until: UNDER_WAY };
    counted.push(one);
    return () => {
      one.until = clock.now() + WINDOW_MS;
    };
  };

  return {
    take: (messages, budgetMs, stopped) => inTurn(() => wait(messages, budgetMs, stopped)),
  };
}
