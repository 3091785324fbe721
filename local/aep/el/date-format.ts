// Writes a moment the way a date pattern says.

import { dayOfWeek, dayOfYear, isoWeek, quarter, weekOfMonth } from './calendar.ts';
import { DAYS, MONTHS, type Piece, pieces, zone } from './date-patterns.ts';
import type { Moment } from './moments.ts';
import { nameAt } from './zones.ts';

/** @throws ExpressionError where a letter means nothing */
export function formatMoment(moment: Moment, format: string): string {
  return piecesOf(format)
    .map(
      (piece) => piece.literal ?? LETTERS[piece.letter as string]?.(moment, piece.count, moment.wall) ?? '',
    )
    .join('');
}

const cut = new Map<string, Piece[]>();

/** Formats may come from records, so the cache is bounded. */
function piecesOf(format: string): Piece[] {
  const known = cut.get(format);
  if (known) return known;
  const made = pieces(format);
  if (cut.size > 1_000) cut.clear();
  cut.set(format, made);
  return made;
}

type Letter = (moment: Moment, count: number, wall: Date) => string;

const padded =
  (read: (wall: Date) => number): Letter =>
  (_moment, count, wall) =>
    String(read(wall)).padStart(count, '0');

const year =
  (read: (wall: Date) => number): Letter =>
  (_moment, count, wall) =>
    count === 2 ? String(read(wall)).slice(-2) : String(read(wall)).padStart(count, '0');

const month: Letter = (_moment, count, wall) => {
  const name = MONTHS[wall.getUTCMonth()] as string;
  if (count < 3) return String(wall.getUTCMonth() + 1).padStart(count, '0');
  return count === 3 ? name.slice(0, 3) : count === 4 ? name : name.slice(0, 1);
};

const ORDINALS = ['1st', '2nd', '3rd', '4th'];

const quarterText: Letter = (_moment, count, wall) => {
  const number = quarter(wall);
  if (count < 3) return String(number).padStart(count, '0');
  return count === 3 ? `Q${number}` : `${ORDINALS[number - 1]} quarter`;
};

const era: Letter = (_moment, count, wall) => {
  const after = wall.getUTCFullYear() > 0;
  if (count === 4) return after ? 'Anno Domini' : 'Before Christ';
  return (after ? 'AD' : 'BC').slice(0, count === 5 ? 1 : 2);
};

const hour = (wall: Date) => wall.getUTCHours();

/** `Z` for none, `-08`, `-0800`, `-08:00`. */
const isoZone: Letter = ({ offset }, count) => {
  if (offset === 0) return 'Z';
  return count === 1 && offset % 60 === 0 ? zone(offset, false).slice(0, 3) : zone(offset, count > 2);
};

const general: Letter = ({ ms, offset, zoneId }, count) => {
  if (zoneId) return nameAt(zoneId, ms, count > 3 ? 'long' : 'short');
  return offset === 0 ? 'UTC' : `GMT${zone(offset, true)}`;
};

const localized: Letter = ({ offset }, count) => {
  if (offset === 0) return 'GMT';
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const short = `${offset < 0 ? '-' : '+'}${hours}${minutes === 0 ? '' : `:${minutes}`}`;
  return `GMT${count === 1 ? short : zone(offset, true)}`;
};

const LETTERS: { readonly [letter: string]: Letter } = {
  G: era,
  y: year((wall) => wall.getUTCFullYear()),
  Y: year((wall) => isoWeek(wall).year),
  M: month,
  L: month,
  w: padded((wall) => isoWeek(wall).week),
  W: padded(weekOfMonth),
  D: padded(dayOfYear),
  d: padded((wall) => wall.getUTCDate()),
  F: padded((wall) => Math.ceil(wall.getUTCDate() / 7)),
  E: (_moment, count, wall) => (DAYS[wall.getUTCDay()] as string).slice(0, count > 3 ? undefined : 3),
  u: padded(dayOfWeek),
  a: (_moment, _count, wall) => (hour(wall) < 12 ? 'AM' : 'PM'),
  H: padded(hour),
  k: padded((wall) => hour(wall) || 24),
  K: padded((wall) => hour(wall) % 12),
  h: padded((wall) => hour(wall) % 12 || 12),
  m: padded((wall) => wall.getUTCMinutes()),
  s: padded((wall) => wall.getUTCSeconds()),
  S: (_moment, count, wall) =>
    String(wall.getUTCMilliseconds()).padStart(3, '0').padEnd(count, '0').slice(0, count),
  z: general,
  V: (moment) => moment.zoneId ?? (moment.offset === 0 ? 'Z' : zone(moment.offset, true)),
  Z: ({ offset }, count) => (count > 4 ? (offset === 0 ? 'Z' : zone(offset, true)) : zone(offset, false)),
  X: isoZone,
  x: ({ offset }, count) =>
    count === 1 && offset % 60 === 0 ? zone(offset, false).slice(0, 3) : zone(offset, count > 2),
  O: localized,
  Q: quarterText,
  q: quarterText,
};
