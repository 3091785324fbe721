// Time as the platform sees it: the machine's, or a virtual one that only moves when told to.

export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

export interface PlatformClock extends Clock {
  /** Moves the platform's time forward, so that a warm-up need not be waited for. */
  advance(ms: number): void;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock for tests: starts where told, moves by `advance`, and wakes its sleepers in order. */
export function virtualClock(start = Date.UTC(2026, 1, 13, 9, 0, 0)): PlatformClock {
  let time = start;
  let sleepers: Sleeper[] = [];
  return {
    now: () => time,
    sleep: (ms) => new Promise((wake) => void sleepers.push({ until: time + ms, wake })),
    advance(ms) {
      time += ms;
      const due = sleepers.filter((sleeper) => sleeper.until <= time).sort((a, b) => a.until - b.until);
      sleepers = sleepers.filter((sleeper) => sleeper.until > time);
      for (const sleeper of due) sleeper.wake();
    },
  };
}

/** The given clock, ahead of it by what `advance` has added. A clock with an `advance` of its own is returned as it is. */
export function advancing(clock: Clock & { advance?: (ms: number) => void }): PlatformClock {
  if (clock.advance) return clock as PlatformClock;
  let lead = 0;
  return {
    now: () => clock.now() + lead,
    sleep: (ms) => clock.sleep(ms),
    advance: (ms) => {
      lead += ms;
    },
  };
}
