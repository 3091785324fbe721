// How long an execution waits, where somebody wants another time than the functions' own. The functions judge what is too short.
import { MAX_DRAIN_SECONDS, MAX_WARM_UP_SECONDS } from '../lib/shared-rules.ts';
import { MistakeError } from '../terminal/mistake.ts';
import { type Given, textOf } from './words.ts';

/** As the state machine's input has them. */
export interface Waits {
  readonly warmUpSeconds?: number;
  readonly drainSeconds?: number;
}

/** @throws MistakeError `USAGE` */
export function waitsOf(given: Given): Waits {
  const warmUpSeconds = secondsIn(given, 'warm-up', MAX_WARM_UP_SECONDS);
  const drainSeconds = secondsIn(given, 'drain', MAX_DRAIN_SECONDS);
  return {
    ...(warmUpSeconds !== undefined && { warmUpSeconds }),
    ...(drainSeconds !== undefined && { drainSeconds }),
  };
}

function secondsIn(given: Given, name: string, most: number): number | undefined {
  const text = textOf(given, name);
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= most) return seconds;
  throw new MistakeError(
    'USAGE',
    `--${name}: expected seconds from 0 to ${most}; found "${text}"`,
    'Leave it out, or name another time.',
  );
}
