// Regular expressions that come to an end: one that tries every way to divide a text would stop the platform for hours.

import { createContext, Script } from 'node:vm';
import { ExpressionError } from './tokens.ts';

/** Ours: how long AEP looks is not documented. Long enough for a busy machine, and for every pattern that is meant to match. */
const LONGEST_MS = 1_000;

/** Shorter texts are done in time whatever the pattern; the watch itself takes a fraction of a millisecond. */
const SHORT = 20;
const LONG = 10_000;

/** What a pattern may try in several ways. */
const CHOICE = /[*+?|{]/g;

const context = createContext({ work: undefined });
const script = new Script('work()');

/**
 * What `work` makes of the pattern and the text.
 * @throws ExpressionError where that takes more than a second
 */
export function inTime<T>(regex: RegExp, text: string, work: () => T): T {
  if (!mayTakeLong(regex, text)) return work();
  context.work = work;
  try {
    return script.runInContext(context, { timeout: LONGEST_MS }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new ExpressionError(`the regular expression '${regex.source}' takes too long on this text`);
  } finally {
    context.work = undefined;
  }
}

function mayTakeLong({ source }: RegExp, { length }: string): boolean {
  if (length <= SHORT) return false;
  const choices = source.match(CHOICE)?.length ?? 0;
  return choices > (length > LONG ? 0 : 1);
}
