// Writes a moment the way a date pattern says.

import { DAYS, MONTHS, pieces, zone } from './date-patterns.ts';
import type { Moment } from './moments.ts';

export function formatMoment(moment: Moment, format: string): string {
  const wall = moment.wall;
  return pieces(format)
    .map((piece) => piece.literal ?? letterText(piece.letter as string, piece.count, wall, moment.offset))
    .join('');
}

function letterText(letter: string, count: number, wall: Date, offset: number): string {
  const padded = (value: number): string => String(value).padStart(count, '0');
  const hour = wall.getUTCHours();
  switch (letter) {
    case 'y':
    case 'u':
      return count === 2 ? String(wall.getUTCFullYear()).slice(-2) : padded(wall.getUTCFullYear());
    case 'M':
    case 'L': {
      const name = MONTHS[wall.getUTCMonth()] as string;
      return count < 3 ? padded(wall.getUTCMonth() + 1) : count === 3 ? name.slice(0, 3) : name;
    }
    case 'd':
      return padded(wall.getUTCDate());
    case 'H':
      return padded(hour);
    case 'h':
      return padded(hour % 12 || 12);
    case 'm':
      return padded(wall.getUTCMinutes());
    case 's':
      return padded(wall.getUTCSeconds());
    case 'S':
      return String(wall.getUTCMilliseconds()).padStart(3, '0').padEnd(count, '0').slice(0, count);
    case 'a':
      return hour < 12 ? 'AM' : 'PM';
    case 'E': {
      const name = DAYS[wall.getUTCDay()] as string;
      return count > 3 ? name : name.slice(0, 3);
    }
    case 'X':
      return offset === 0 ? 'Z' : zone(offset, count > 2);
    default:
      return zone(offset, false);
  }
}
