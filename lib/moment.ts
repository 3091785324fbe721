// Points in time as text, with all their digits: ISO 8601 as far as RFC 3339 has it, and days.
import { trimZeros } from './digits.ts';

export interface Moment {
  /** Whole seconds since the epoch. */
  readonly seconds: number;
  /** The digits behind the point, without zeros at the end. */
  readonly fraction: string;
}

const DAY = '(\\d{4}-(\\d\\d)-(\\d\\d))';
const TIME = '([01]\\d|2[0-3]):([0-5]\\d)(?::([0-5]\\d)(?:\\.(\\d+))?)?';
const ZONE = '(?:Z|([+-])([01]\\d|2[0-3]):?([0-5]\\d))';
const ISO = new RegExp(`^${DAY}(?:T${TIME}${ZONE})?$`);

/**
 * The moment that `text` names: a time with its zone, or a day, which begins in UTC. `undefined` for any other text. A
 * time without a zone is none, because nobody says where it was so late.
 */
export function momentIn(text: string): Moment | undefined {
  const found = ISO.exec(text);
  if (found === null) return undefined;
  const [
    ,
    date,
    ,
    day,
    hours = '00',
    minutes = '00',
    seconds = '00',
    fraction = '',
    sign,
    east = '0',
    more = '0',
  ] = found;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse makes 30 February the second of March.
  if (Number.isNaN(midnight) || new Date(midnight).getUTCDate() !== Number(day)) return undefined;
  const offset = (Number(east) * 60 + Number(more)) * (sign === '-' ? -60 : 60);
  const local = midnight / 1_000 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  return { seconds: local - offset, fraction: trimZeros(fraction) };
}

/** Less than 0 if `a` is before `b`, 0 if they are the same. */
export function compareMoments(a: Moment, b: Moment): number {
  if (a.seconds !== b.seconds) return a.seconds - b.seconds;
  return a.fraction < b.fraction ? -1 : a.fraction > b.fraction ? 1 : 0;
}
