// A point in time with its offset, as the mapping language's date functions pass it around.

import { MONTHS, pieces, zone } from './date-patterns.ts';
import { ExpressionError } from './tokens.ts';

export class Moment {
  readonly ms: number;
  /** Minutes east of UTC. */
  readonly offset: number;

  constructor(ms: number, offset = 0) {
    this.ms = ms;
    this.offset = offset;
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

type Read = (parts: Parts, text: string) => void;
interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  offset: number;
  afternoon?: boolean;
}

interface Reader {
  readonly pattern: RegExp;
  readonly reads: readonly Read[];
}

const readers = new Map<string, Reader>();

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
  const reader = readers.get(format) ?? makeReader(format);
  const found = reader.pattern.exec(text.trim());
  if (!found) return undefined;
  const parts: Parts = {
    year: 1970,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    millisecond: 0,
    offset: 0,
  };
  reader.reads.forEach((read, index) => {
    read(parts, found[index + 1] as string);
  });
  if (parts.afternoon !== undefined) parts.hour = (parts.hour % 12) + (parts.afternoon ? 12 : 0);
  const wall = Date.UTC(
    parts.year,
    parts.month - 1,
    parts.day,
    parts.hour,
    parts.minute,
    parts.second,
    parts.millisecond,
  );
  const back = new Date(wall);
  const real =
    back.getUTCMonth() === parts.month - 1 &&
    back.getUTCDate() === parts.day &&
    parts.hour < 24 &&
    parts.minute < 60;
  return real ? new Moment(wall - parts.offset * 60_000, parts.offset) : undefined;
}

function setting<K extends keyof Parts>(key: K, read: (text: string) => Parts[K]): Read {
  return (parts, text) => {
    parts[key] = read(text);
  };
}

const number =
  (key: 'month' | 'day' | 'hour' | 'minute' | 'second'): Read =>
  (parts, text) => {
    parts[key] = Number(text);
  };

function letterReader(letter: string, count: number): readonly [source: string, read: Read] {
  const digits = count === 1 ? '\\d{1,2}' : `\\d{${count}}`;
  switch (letter) {
    case 'y':
    case 'u':
      return count === 2
        ? ['\\d{2}', setting('year', (text) => 2000 + Number(text))]
        : ['\\d{4}', setting('year', (text) => Number(text))];
    case 'M':
    case 'L':
      return count < 3 ? [digits, number('month')] : ['[A-Za-z]+', readMonth];
    case 'd':
      return [digits, number('day')];
    case 'H':
    case 'h':
    case 'k':
    case 'K':
      return [digits, number('hour')];
    case 'm':
      return [digits, number('minute')];
    case 's':
      return [digits, number('second')];
    case 'S':
      return [`\\d{${count}}`, setting('millisecond', (text) => Number(text.padEnd(3, '0').slice(0, 3)))];
    case 'a':
      return ['[AaPp]\\.?[Mm]\\.?', setting('afternoon', (text) => /^p/i.test(text))];
    case 'E':
      return ['[A-Za-z]+', () => {}];
    case 'X':
    case 'x':
    case 'Z':
    case 'z':
      return ['Z|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?', setting('offset', (text) => readZone(text))];
    default:
      throw new ExpressionError(`the pattern letter '${letter}' is not supported`);
  }
}

const readMonth: Read = (parts, text) => {
  const at = MONTHS.findIndex((month) => month.toLowerCase().startsWith(text.toLowerCase().slice(0, 3)));
  parts.month = at + 1;
};

function readZone(text: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
  if (!found) return 0;
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3] ?? 0));
}

function makeReader(format: string): Reader {
  let source = '';
  const reads: Read[] = [];
  for (const piece of pieces(format)) {
    if (piece.literal !== undefined) source += piece.literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    else {
      const [pattern, read] = letterReader(piece.letter as string, piece.count);
      source += `(${pattern})`;
      reads.push(read);
    }
  }
  const reader = { pattern: new RegExp(`^${source}$`), reads };
  readers.set(format, reader);
  return reader;
}
