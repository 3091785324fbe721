// Reads a text by a date pattern.

import { DAYS, MONTHS, pieces } from './date-patterns.ts';
import { inTime } from './in-time.ts';
import { ExpressionError } from './tokens.ts';
import { offsetNamed } from './zones.ts';

export interface ReadDate {
  /** The clock on the wall, in milliseconds as if it were UTC. */
  readonly wall: number;
  /** Minutes east of UTC. */
  readonly offset: number;
  readonly zoneId: string | undefined;
}

type Read = (parts: Parts, text: string) => void;
interface Parts {
  year: number;
  month: number;
  day: number;
  dayOfYear?: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  zone?: string;
  afternoon?: boolean;
}

interface Reader {
  readonly pattern: RegExp;
  readonly reads: readonly Read[];
}

const readers = new Map<string, Reader>();

/**
 * Undefined where the text is no such date: another form, a day that does not exist, second 75.
 * @throws ExpressionError on a letter that reads nothing
 */
export function readDate(text: string, format: string): ReadDate | undefined {
  const reader = readers.get(format) ?? makeReader(format);
  const found = inTime(reader.pattern, text, () => reader.pattern.exec(text));
  if (!found) return undefined;
  const parts: Parts = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 };
  reader.reads.forEach((read, index) => {
    read(parts, found[index + 1] as string);
  });
  if (parts.afternoon !== undefined) parts.hour = (parts.hour % 12) + (parts.afternoon ? 12 : 0);
  const wall = wallOf(parts);
  if (wall === undefined) return undefined;
  const offset = parts.zone === undefined ? 0 : offsetNamed(parts.zone, wall);
  if (offset === undefined) return undefined;
  return { wall, offset, zoneId: parts.zone?.includes('/') ? parts.zone : undefined };
}

function wallOf(parts: Parts): number | undefined {
  const { year, hour, minute, second, millisecond } = parts;
  const [month, day] = parts.dayOfYear === undefined ? [parts.month, parts.day] : [1, parts.dayOfYear];
  const date = new Date(0);
  // Date.UTC takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  const real =
    date.getUTCFullYear() === year &&
    (parts.dayOfYear !== undefined || (date.getUTCMonth() === month - 1 && date.getUTCDate() === day));
  if (!real || hour > 23 || minute > 59 || second > 59) return undefined;
  return date.setUTCHours(hour, minute, second, millisecond);
}

type NumberPart = 'year' | 'month' | 'day' | 'dayOfYear' | 'hour' | 'minute' | 'second' | 'millisecond';

const number =
  (key: NumberPart, change = (value: number): number => value): Read =>
  (parts, text) => {
    parts[key] = change(Number(text));
  };

const nothing: Read = () => {};

const readZone: Read = (parts, text) => {
  parts.zone = text;
};

const readMonth: Read = (parts, text) => {
  const start = text.toLowerCase().slice(0, 3);
  parts.month = MONTHS.findIndex((month) => month.toLowerCase().startsWith(start)) + 1;
};

const readHalf: Read = (parts, text) => {
  parts.afternoon = /^p/i.test(text);
};

const named = (names: readonly string[]): string =>
  `(?i:${names.flatMap((name) => [name, name.slice(0, 3)]).join('|')})`;

/** How a letter is read from a text, and what it sets. Undefined where it can only be written. */
function letterReader(letter: string, count: number): readonly [source: string, read: Read] | undefined {
  const digits = count === 1 ? '\\d{1,2}' : `\\d{${count}}`;
  switch (letter) {
    case 'y':
      return count === 2 ? ['\\d{2}', number('year', (value) => 2000 + value)] : ['\\d{4}', number('year')];
    case 'M':
    case 'L':
      return count < 3 ? [digits, number('month')] : [named(MONTHS), readMonth];
    case 'D':
      return [count < 3 ? '\\d{1,3}' : '\\d{3}', number('dayOfYear')];
    case 'd':
      return [digits, number('day')];
    case 'H':
      return [digits, number('hour')];
    case 'k':
      return [digits, number('hour', (value) => (value === 24 ? 0 : value === 0 ? 24 : value))];
    case 'h':
    case 'K':
      return [digits, number('hour')];
    case 'm':
      return [digits, number('minute')];
    case 's':
      return [digits, number('second')];
    case 'S':
      return [
        `\\d{${count}}`,
        (parts, text) => number('millisecond')(parts, text.padEnd(3, '0').slice(0, 3)),
      ];
    case 'a':
      return ['[AaPp]\\.?[Mm]\\.?', readHalf];
    case 'E':
      return [named(DAYS), nothing];
    case 'u':
      return ['[1-7]', nothing];
    case 'G':
      return ['(?i:AD|Anno Domini)', nothing];
    case 'X':
    case 'x':
    case 'Z':
      return ['Z|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?', readZone];
    case 'z':
    case 'V':
    case 'O':
      return ['[+-]\\d{1,2}(?::?\\d{2})?|[A-Za-z][A-Za-z_/+: -]*(?:\\d{1,2}(?::?\\d{2})?)?', readZone];
    default:
      return undefined;
  }
}

function makeReader(format: string): Reader {
  let source = '';
  const reads: Read[] = [];
  for (const { literal, letter = '', count } of pieces(format)) {
    if (literal !== undefined) {
      source += literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
      continue;
    }
    const reader = letterReader(letter, count);
    if (!reader)
      throw new ExpressionError(`dates cannot be read by the pattern letter '${letter}', only written`);
    source += `(${reader[0]})`;
    reads.push(reader[1]);
  }
  const reader = { pattern: new RegExp(`^${source}$`), reads };
  // Formats may come from records, so the cache is bounded.
  if (readers.size > 1_000) readers.clear();
  readers.set(format, reader);
  return reader;
}
