// Java's date patterns: the letters that Adobe's page "Handling data formats with Data Prep" lists, cut from literals.

import { ExpressionError } from './tokens.ts';

export const MONTHS =
  'January February March April May June July August September October November December'.split(' ');
export const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** `u` is the weekday's number there, as in Java's SimpleDateFormat, not the year. */
const LETTERS = new Set('GYyMLwWDdFEuaHkKhmsSzZXxVOQq');

export interface Piece {
  readonly literal?: string;
  readonly letter?: string;
  readonly count: number;
}

export function pieces(format: string): Piece[] {
  return [...format.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z']+)/g)].map(
    ([all, quoted, letter, other]) => {
      if (letter !== undefined) {
        if (LETTERS.has(letter)) return { letter, count: all.length };
        throw new ExpressionError(
          `the letter '${letter}' of the date pattern '${format}' is none of ${[...LETTERS].join(' ')}; put text between single quotes`,
        );
      }
      if (quoted !== undefined)
        return { literal: quoted === '' ? "'" : quoted.replaceAll("''", "'"), count: 0 };
      return { literal: other as string, count: 0 };
    },
  );
}

/** `+01:00`, or `+0100` without the colon. */
export function zone(offset: number, colon: boolean): string {
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(hours)}${colon ? ':' : ''}${two(minutes)}`;
}
