// A point in time with its offset, as the mapping language's date functions pass it around.

import { zone } from './date-patterns.ts';
import { readDate } from './date-reader.ts';
import { ExpressionError } from './tokens.ts';

export class Moment {
  readonly ms: number;
  /** Minutes east of UTC. */
  readonly offset: number;
  /** `Europe/Paris`, where it is known. */
  readonly zoneId: string | undefined;

  constructor(ms: number, offset = 0, zoneId?: string) {
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
    const iso = this.wall.toISOString();
    const fraction = iso.slice(19, 23) === '.000' ? '' : iso.slice(19, 23);
    return `${iso.slice(0, 19)}${fraction}${this.offset === 0 ? 'Z' : zone(this.offset, true)}`;
  }

  /** `yyyy-MM-dd`, as a date field takes it. */
  toDay(): string {
    return this.wall.toISOString().slice(0, 10);
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
  return found && new Moment(found.wall - found.offset * 60_000, found.offset, found.zoneId);
}
