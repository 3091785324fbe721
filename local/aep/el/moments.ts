// A point in time with its offset, as the mapping language's date functions pass it around.

import { zone } from './date-patterns.ts';
import { readDate } from './date-reader.ts';
import { ExpressionError } from './tokens.ts';
import { offsetAt, offsetOfWall } from './zones.ts';

/** ECMA-262, "Time Values and Time Range", less a day for the offset. */
const FARTHEST = 8.64e15 - 86_400_000;

export class Moment {
  readonly ms: number;
  /** Minutes east of UTC. */
  readonly offset: number;
  /** `Europe/Paris`, where it is known. */
  readonly zoneId: string | undefined;

  /** @throws ExpressionError where JavaScript's clock does not go that far: to the year 275760 */
  constructor(ms: number, offset = 0, zoneId?: string) {
    if (!(Math.abs(ms) <= FARTHEST)) throw new ExpressionError(`${ms} ms since 1970 is not a date`);
    this.ms = ms;
    this.offset = offset;
    this.zoneId = zoneId;
  }

  /** The same instant, with its wall clock in the UTC fields. */
  get wall(): Date {
    return new Date(this.ms + this.offset * 60_000);
  }

  /** `yyyy-MM-ddTHH:mm:ss[.SSS]Z`, as a date-time field takes it. */
  toString(): string {
    const clock = this.wall
      .toISOString()
      .slice(-14, -1)
      .replace(/\.000$/, '');
    return `${this.toDay()}${clock}${this.offset === 0 ? 'Z' : zone(this.offset, true)}`;
  }

  /** `yyyy-MM-dd`, as a date field takes it; of a year beyond 9999 `+yyyyy-MM-dd`, as Java has it: microseconds are taken for milliseconds. */
  toDay(): string {
    return this.wall
      .toISOString()
      .slice(0, -14)
      .replace(/^([+-])0(?=\d{5}-)/, '$1');
  }
}

/** The formats Data Prep tries in turn when none is given. */
const DEFAULT_FORMATS = [
  "yyyy-MM-dd'T'HH:mm:ssX",
  "yyyy-MM-dd'T'HH:mm:ss.SSSX",
  "yyyy-MM-dd'T'HH:mm:ss",
  "yyyy-MM-dd'T'HH:mm:ss.SSS",
  'yyyy-MM-dd HH:mm:ssX',
  'yyyy-MM-dd HH:mm:ss.SSSX',
  'yyyy-MM-dd HH:mm:ss.SSS',
  'yyyy-MM-dd HH:mm:ss',
  'yyyy-MM-dd HH:mm',
  'yyyy-MM-dd',
  'yyyy/MM/dd',
  'yyyy.MM.dd',
  'yyyy-MMM-dd',
  'yyyyMMdd',
  'MM-dd-yyyy',
  'MMddyyyy',
  'M/dd/yyyy',
  'dd.M.yyyy',
  'M/dd/yyyy hh:mm:ss a',
  'dd.M.yyyy hh:mm:ss a',
  'dd.MMM.yyyy',
  'dd-MMM-yyyy',
];

export function parseMoment(text: string, format?: string): Moment {
  if (format !== undefined) {
    const found = tryFormat(text, format);
    if (found) return found;
    throw new ExpressionError(`'${text}' is not a date of the format '${format}'`);
  }
  for (const candidate of DEFAULT_FORMATS) {
    const found = tryFormat(text, candidate);
    if (found) return found;
  }
  throw new ExpressionError(`'${text}' is not a date in any of the known formats`);
}

function tryFormat(text: string, format: string): Moment | undefined {
  const found = readDate(text.trim(), format);
  if (found?.zoneId !== undefined) return momentIn(found.zoneId, found.wall);
  return found && new Moment(found.wall - found.offset * 60_000, found.offset);
}

/**
 * The moment at which a clock on the wall of this zone shows `wall`. A time that the clock skips becomes later by the gap.
 * @param wall what the clock shows, in ms, as if it were UTC
 * @throws ExpressionError
 */
export function momentIn(zone: string, wall: number): Moment {
  const ms = wall - offsetOfWall(zone, wall) * 60_000;
  return new Moment(ms, offsetAt(zone, ms), zone);
}
