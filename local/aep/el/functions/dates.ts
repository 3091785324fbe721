// Date and time functions of the mapping language.

import { own } from '../../json.ts';
import { dayOfYear, isoWeek, quarter } from '../calendar.ts';
import { formatMoment } from '../date-format.ts';
import { Moment, parseMoment } from '../moments.ts';
import { ExpressionError } from '../tokens.ts';
import { asMoment, asNumber, asText } from '../values.ts';
import { offsetAt, offsetOfWall } from '../zones.ts';
import { type Definition, define, unlessNull } from './definition.ts';

const DATE = 'Date / Time';

type Part = (wall: Date) => number;

const PARTS: { readonly [name: string]: Part } = {
  year: (wall) => wall.getUTCFullYear(),
  quarter,
  month: (wall) => wall.getUTCMonth() + 1,
  dayofyear: dayOfYear,
  // Which weeks are meant is not documented: ISO's, as the pattern letters have them.
  week: (wall) => isoWeek(wall).week,
  day: (wall) => wall.getUTCDate(),
  weekday: (wall) => wall.getUTCDay() + 1,
  hour: (wall) => wall.getUTCHours(),
  minute: (wall) => wall.getUTCMinutes(),
  second: (wall) => wall.getUTCSeconds(),
  millisecond: (wall) => wall.getUTCMilliseconds(),
};

const SHORT: { readonly [name: string]: string } = {
  yyyy: 'year',
  yy: 'year',
  qq: 'quarter',
  q: 'quarter',
  mm: 'month',
  m: 'month',
  dy: 'dayofyear',
  y: 'dayofyear',
  dd: 'day',
  d: 'day',
  ww: 'week',
  dw: 'weekday',
  // On Adobe's page `w` stands beside "week" and beside "weekday".
  w: 'weekday',
  hh: 'hour',
  hh24: 'hour',
  mi: 'minute',
  n: 'minute',
  ss: 'second',
  s: 'second',
  ms: 'millisecond',
  sss: 'millisecond',
};

export const DATES: readonly Definition[] = [
  define(DATE, 'now()', (_inputs, around) => new Moment(around.now())),
  define(DATE, 'timestamp()', (_inputs, around) => around.now()),
  define(DATE, 'date(DATE, [FORMAT], [DEFAULT_DATE])', ([date, format, fallback]) => {
    if (date === null || date === undefined || date === '') return fallback ?? null;
    if (typeof date !== 'string') return asMoment(date);
    return parseMoment(date, format === undefined || format === null ? undefined : asText(format));
  }),
  define(
    DATE,
    'format(DATE, FORMAT)',
    unlessNull((date, [format]) => formatMoment(asMoment(date), asText(format ?? ''))),
  ),
  define(
    DATE,
    'dformat(TIMESTAMP, FORMAT)',
    unlessNull((timestamp, [format]) => formatMoment(new Moment(asNumber(timestamp)), asText(format ?? ''))),
  ),
  define(DATE, 'date_part(COMPONENT, DATE)', ([component, date]) => {
    if (date === null || date === undefined) return null;
    const name = asText(component ?? '').toLowerCase();
    const wall = asMoment(date).wall;
    if (name === 'hh12') return wall.getUTCHours() % 12 || 12;
    return part(name)(wall);
  }),
  define(DATE, 'set_date_part(COMPONENT, VALUE, DATE)', ([component, value, date]) =>
    date === null || date === undefined
      ? null
      : withPart(asText(component ?? ''), asNumber(value ?? null), asMoment(date)),
  ),
  ...['make_date_time', 'make_timestamp'].map((name) =>
    define(DATE, `${name}(YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, NANOSECOND, [TIMEZONE])`, (inputs) => {
      const [year, month, day, hour, minute, second, nano] = inputs.slice(0, 7).map(asNumber) as number[] as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const wall = Date.UTC(year, month - 1, day, hour, minute, second, Math.floor(nano / 1e6));
      const shown = new Date(wall);
      if (shown.getUTCDate() !== day || shown.getUTCSeconds() !== second || shown.getUTCHours() !== hour)
        throw new ExpressionError(`${year}-${month}-${day} ${hour}:${minute}:${second} is not a date`);
      const zone = asText(inputs[7] ?? 'UTC');
      const ms = wall - offsetOfWall(zone, wall) * 60_000;
      return new Moment(ms, offsetAt(zone, ms), zone);
    }),
  ),
  define(
    DATE,
    'zone_date_to_utc(DATE)',
    unlessNull((date) => new Moment(asMoment(date).ms)),
  ),
  define(
    DATE,
    'zone_date_to_zone(DATE, ZONE)',
    unlessNull((date, [zone]) => {
      const { ms } = asMoment(date);
      const name = asText(zone ?? 'UTC');
      return new Moment(ms, offsetAt(name, ms), name);
    }),
  ),
];

function part(name: string): Part {
  const found = own(PARTS, own(SHORT, name) ?? name);
  if (found) return found;
  throw new ExpressionError(`'${name}' is not a part of a date`);
}

function withPart(component: string, value: number, moment: Moment): Moment {
  const name = own(SHORT, component.toLowerCase()) ?? component.toLowerCase();
  const wall = moment.wall;
  if (name === 'year') wall.setUTCFullYear(value);
  else if (name === 'month') wall.setUTCMonth(value - 1);
  else if (name === 'day') wall.setUTCDate(value);
  else if (name === 'hour') wall.setUTCHours(value);
  else if (name === 'minute') wall.setUTCMinutes(value);
  else if (name === 'second') wall.setUTCSeconds(value);
  else throw new ExpressionError(`'${component}' is not a part of a date that can be set`);
  return new Moment(wall.getTime() - moment.offset * 60_000, moment.offset);
}
