// Time for tests of Lambda's polling: it moves by the pauses that are asked for, and by hand.
import type { Clock } from '../../local/aws/clock.ts';

export interface MovingClock extends Clock {
  /** Every pause that was asked for, in milliseconds. */
  readonly pauses: number[];
  advance(milliseconds: number): void;
}

/** @param start milliseconds since 1970, or a clock to run ahead of */
export function movingClock(start: number | (() => number)): MovingClock {
  const pauses: number[] = [];
  let lead = 0;
  return {
    pauses,
    now: () => (typeof start === 'number' ? start : start()) + lead,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
      lead += milliseconds;
    },
    advance: (milliseconds) => {
      lead += milliseconds;
    },
  };
}
