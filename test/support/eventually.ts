// Waiting in tests for what happens in its own time: no limit but that of the test, so that only a hang ends it.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';

/** Below the limit of a test, so that a failure still shows what was found last, in ms. */
const AS_LONG_AS_A_TEST_MS = 240_000;
/** Between two looks, in ms. */
const PAUSE_MS = 20;

/** `expect.poll` for as long as a test may take: how long it takes is the machine's affair. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: AS_LONG_AS_A_TEST_MS, interval: PAUSE_MS });
}

/** The same for hooks and what they call, where there is no `expect.poll`. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(PAUSE_MS);
}

/** Resolves when the clock shows a later millisecond: what is stamped after it bears a later time than what was before. */
export async function clockMovesOn(): Promise<void> {
  const now = Date.now();
  while (Date.now() <= now) await turn();
}

/** Resolves in a later turn of the event loop, when everything that was ready has had its own. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
