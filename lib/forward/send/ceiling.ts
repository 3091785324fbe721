// A declared rate as a ceiling: no more requests and messages than that in any second.
import type { Clock } from '../../aep/transport.ts';
import type { Rate } from '../../rate.ts';

/** A rate is so many in every stretch of this length, in ms. */
const WINDOW_MS = 1_000;

const UNDER_WAY = Number.POSITIVE_INFINITY;

/** To be called once, when the request has ended. */
type Share = () => void;

export interface Ceiling {
  /** The share of a request with so many messages, as soon as there is one; of one that never gets away, `undefined`. */
  take(messages: number, budgetMs: () => number, stopped: Promise<void>): Promise<Share | 'late' | undefined>;
}

/** A request, and until when it counts. It arrives at some time before its answer does: from that on a second has to pass. */
interface Counted {
  readonly messages: number;
  until: number;
}

/**
 * The declared rate as a ceiling in every second, as the inlet sees it: after idle times too, and whatever the network makes of
 * the distances. So what is sent stays below the rate by as much as a request takes. One after the other gets its share.
 */
export function createCeiling(clock: Clock, rate: Rate): Ceiling | undefined {
  const { requestsPerSecond = Number.POSITIVE_INFINITY, messagesPerSecond = Number.POSITIVE_INFINITY } = rate;
  if (requestsPerSecond === Number.POSITIVE_INFINITY && messagesPerSecond === Number.POSITIVE_INFINITY)
    return undefined;
  let counted: Counted[] = [];
  let turn: Promise<unknown> = Promise.resolve();

  /** How long it takes at least until a request of so many messages fits, in ms. */
  const waitMs = (messages: number): number => {
    const now = clock.now();
    for (const one of counted) {
      // More than that only a clock can leave that was set back.
      if (one.until !== UNDER_WAY) one.until = Math.min(one.until, now + WINDOW_MS);
    }
    // What is under way counts for a second from now at least.
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
    take(messages, budgetMs, stopped) {
      const taken = turn.then(() => wait(messages, budgetMs, stopped));
      turn = taken.catch(() => undefined);
      return taken;
    },
  };
}
