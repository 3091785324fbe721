// Runs regular expressions with a time limit: one that tries every way to divide a text would stop the platform for hours.

import { createContext, Script } from 'node:vm';
import { ExpressionError } from './tokens.ts';

/** Ours: how long AEP looks is not documented. Long enough for a busy machine, and for every pattern that is meant to match. */
const MAX_MS = 1_000;
/** The limit for a pattern that took too long before. A batch may hold a thousand such texts, and other callers wait. */
const AGAIN_MS = 50;
/** After so many of these, a text that may take long is refused without a try. */
const MAX_LATE = 20;

/** So often it is tried again where the processor did something else most of the time. */
const MAX_STALLS = 3;

/** Work that is done without the limit, as setting one takes 0.1 ms: steps of about ten milliseconds. */
const MAX_STEPS = 1e7;

/** How often a pattern can be tried in another way, and what else is known of it. */
interface Cost {
  /** How many of its parts can match in more than one way. */
  readonly choices: number;
  /** Whether one of them stands in a group that is repeated: then each sign of a text may double the ways. */
  readonly nested: boolean;
  late: number;
}

const costs = new WeakMap<RegExp, Cost>();
const context = createContext({ work: undefined });
const script = new Script('work()');

/**
 * What `work` makes of the pattern and the text.
 * @throws ExpressionError where that takes more than a second
 */
export function inTime<T>(regex: RegExp, text: string, work: () => T): T {
  const cost = costOf(regex);
  if (stepsOf(cost, text.length) <= MAX_STEPS) return work();
  if (cost.late >= MAX_LATE) throw tooLong(regex);
  context.work = work;
  try {
    return withLimit(cost.late > 0 ? AGAIN_MS : MAX_MS) as T;
  } catch (error) {
    if (!isLate(error)) throw error;
    cost.late += 1;
    throw tooLong(regex);
  } finally {
    context.work = undefined;
  }
}

/** The limit is one of the clock. So a machine that stood still is not taken for a pattern that takes long. */
function withLimit(timeout: number): unknown {
  for (let stalls = 0; ; stalls++) {
    const before = process.threadCpuUsage();
    try {
      return script.runInContext(context, { timeout });
    } catch (error) {
      const { user, system } = process.threadCpuUsage(before);
      const hasWorked = (user + system) / 1_000 > timeout / 2;
      if (!isLate(error) || hasWorked || stalls === MAX_STALLS) throw error;
    }
  }
}

const isLate = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

/** Languages, countries and the like repeat: the results for so many short texts are kept. */
const MAX_KNOWN = 1_000;
const SHORT = 64;

/** Says of one text after the other whether the pattern is found in it; undefined where that takes more than a second. */
export function finder(regex: RegExp): (text: string) => boolean | undefined {
  const known = new Map<string, boolean | undefined>();
  return (text) => {
    if (stepsOf(costOf(regex), text.length) <= MAX_STEPS) return regex.test(text);
    if (known.has(text)) return known.get(text);
    const found = unlessLate(() => inTime(regex, text, () => regex.test(text)));
    if (known.size >= MAX_KNOWN) known.clear();
    if (text.length <= SHORT) known.set(text, found);
    return found;
  };
}

function unlessLate<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

const tooLong = ({ source }: RegExp) =>
  new ExpressionError(`the regular expression '${source}' takes too long on this text`);

function costOf(regex: RegExp): Cost {
  const known = costs.get(regex);
  if (known) return known;
  const made = { ...choicesIn(regex.source), late: 0 };
  costs.set(regex, made);
  return made;
}

/** At most: a choice may end at every sign, and the whole may begin at every sign. */
function stepsOf({ choices, nested }: Cost, length: number): number {
  return nested ? (choices + 2) ** length : length ** (choices + 1);
}

/** An escape, a class of signs, what opens a group, what closes it, what repeats, a fork. */
const PIECE =
  /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<\w+>|[a-z-]*:))?|\)|[*+?]\??|\{(\d+)(,?)(\d*)\}\??|\|/g;

function choicesIn(source: string): { choices: number; nested: boolean } {
  let choices = 0;
  let nested = false;
  /** How many choices there were before each open group, and before the one that has just ended. */
  const open: number[] = [];
  let before: number | undefined;
  for (const [piece, least, comma, most] of source.matchAll(PIECE)) {
    const sign = piece[0] as string;
    const repeats = '*+{'.includes(sign) && !(least === '1' && comma === '') && most !== '1';
    if (repeats && before !== undefined && choices > before) nested = true;
    if ('*+?|'.includes(sign) || comma === ',') choices += 1;
    if (sign === '(') open.push(choices);
    before = sign === ')' ? open.pop() : undefined;
  }
  return { choices, nested };
}
