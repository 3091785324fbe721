// What a check is, and how checks run: at the same time, each with a time limit, and none before those it
// needs.
import type { Ask } from '../ask.ts';
import { isFailure, reasonOf } from '../failure.ts';
import { within } from '../within.ts';

/**
 * `not ok`: what was found is wrong, or could not be read. `unknown`: it was not checked. Either something it
 * needs could not be read, or there was nothing to check.
 */
export type State = 'ok' | 'not ok' | 'unknown';

/** What a check says. Holds no secret, no token and no inlet's URL. */
export interface Said {
  readonly state: State;
  readonly found: string;
  /** What to do about it. */
  readonly next?: string;
  /** The call that does it or tells more, where there is one. */
  readonly ask?: Ask;
}

export interface Finding extends Said {
  readonly check: string;
}

/**
 * One thing to check. `look` returns what it found, right or wrong. It throws if that could not be read; then
 * checks that need it do not run.
 */
export interface Check<P> {
  readonly name: string;
  /** Names of checks earlier in the list. A name that is not in the list is ignored. */
  readonly needs: readonly string[];
  readonly look: (patient: P) => Promise<Said>;
}

export const ok = (found: string): Said => ({ state: 'ok', found });
export const wrong = (found: string, next: string, ask?: Ask): Said => ({
  state: 'not ok',
  found,
  next,
  ...(ask !== undefined && { ask }),
});
export const unknown = (found: string): Said => ({ state: 'unknown', found });

/** Longest time of a check, in ms. The longest chain of needs has seven checks; a function runs for 120 s. */
const LIMIT_MS = 10_000;

/** The findings, in the order of the list. */
export async function examine<P>(checks: readonly Check<P>[], patient: P): Promise<Finding[]> {
  const running = new Map<string, Promise<CheckOutcome>>();
  for (const check of checks) running.set(check.name, run(check, patient, running));
  const outcomes = await Promise.all(running.values());
  return checks.map(({ name }, at) => ({ check: name, ...(outcomes[at] as CheckOutcome).said }));
}

interface CheckOutcome {
  readonly said: Said;
  /** Whether the check could read its subject, right or wrong. */
  readonly had: boolean;
}

async function run<P>(
  { needs, look }: Check<P>,
  patient: P,
  running: ReadonlyMap<string, Promise<CheckOutcome>>,
): Promise<CheckOutcome> {
  for (const need of needs) {
    const before = await running.get(need);
    if (before?.had === false) return { said: unknown(`not checked: ${need} gave no result`), had: false };
  }
  try {
    const said = await within(LIMIT_MS, look(patient));
    return said === 'late' ? { said: LATE, had: false } : { said, had: true };
  } catch (error) {
    return { said: failedLook(error), had: false };
  }
}

const LATE = wrong(
  `no answer within ${LIMIT_MS / 1_000} s`,
  'Try again; if that stays, check the network path to it.',
);

function failedLook(error: unknown): Said {
  if (isFailure(error)) return wrong(`${error.code}: ${reasonOf(error)}`, error.next);
  // A defect: its message may hold anything.
  const name = error instanceof Error ? error.name : 'an error';
  return wrong(`the check failed: ${name}`, 'Report it: this is a defect of the program.');
}
