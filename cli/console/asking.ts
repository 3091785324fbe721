// What the console asks of AWS: an answer or an obstacle, with its time, and none oftener than it may cost.
import type { Feed } from '../../local/page/events.ts';
import type { Answered } from '../../local/page/told-stage.ts';
import { toldOf } from '../../terminal/mistake.ts';

/** Never throws: what AWS refuses is told on the page, with what to do. */
export async function askedOf<T>(ask: () => Promise<T>, now: () => number = Date.now): Promise<Answered<T>> {
  const at = now();
  try {
    return { at, found: await ask() };
  } catch (error) {
    return { at, obstacle: toldOf(error) ?? { code: 'UNFORESEEN', what: String(error) } };
  }
}

/**
 * The same answer for everybody who looks, until it is so old.
 * @param ms its longest age
 */
export function atMostEvery<T>(
  ms: number,
  ask: () => Promise<T>,
  now: () => number = Date.now,
): () => Promise<Answered<T>> {
  let at = Number.NEGATIVE_INFINITY;
  let known: Promise<Answered<T>>;
  return () => {
    if (now() - at >= ms) {
      at = now();
      known = askedOf(ask, now);
    }
    return known;
  };
}

/** Tells each new answer once. @param shown what of it the page gets */
export function feedOf<T, S>(ask: () => Promise<Answered<T>>, shown: (found: T) => S): Feed {
  let told: Answered<T> | undefined;
  return async (): Promise<Answered<S> | undefined> => {
    const answer = await ask();
    if (answer === told) return undefined;
    told = answer;
    return shownOf(answer, shown);
  };
}

/** The same answer, with what of it the page gets. */
export function shownOf<T, S>(answer: Answered<T>, shown: (found: T) => S): Answered<S> {
  return 'found' in answer ? { at: answer.at, found: shown(answer.found) } : answer;
}
