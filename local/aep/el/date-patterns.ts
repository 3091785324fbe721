// Java's date patterns, as far as Data Prep's users need them: cut into letters and literals.

export const MONTHS =
  'January February March April May June July August September October November December'.split(' ');
export const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

export interface Piece {
  readonly literal?: string;
  readonly letter?: string;
  readonly count: number;
}

export function pieces(format: string): Piece[] {
  return [...format.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z']+)/g)].map(
    ([all, quoted, letter, other]) => {
      if (letter !== undefined) return { letter, count: all.length };
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
