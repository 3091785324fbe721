// Lambda's mappings in between two states for as long as a test wants them to be.
import { realClock } from '../../local/aws/clock.ts';

/** In ms; no pause of polling is as long. */
const TRANSITION_MS = 3_600_000;

/** `ports` for local AWS; `pass` ends what is in between now. */
export function heldTransitions() {
  let held = Promise.withResolvers<void>();
  const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> => {
    if (milliseconds !== TRANSITION_MS) return realClock.sleep(milliseconds, signal);
    const closed = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return Promise.race([held.promise, closed]);
  };
  return {
    ports: { transitionMs: TRANSITION_MS, clock: { ...realClock, sleep } },
    pass(): void {
      held.resolve();
      held = Promise.withResolvers();
    },
  };
}
