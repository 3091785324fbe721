// Date and time functions of the mapping language.

import { own } from '../../json.ts';
import { dayOfYear, isoWeek, quarter } from '../calendar.ts';
import { formatMoment } from '../date-format.ts';
import { Moment, momentIn, parseMoment } from '../moments.ts';
import { ExpressionError } from '../tokens.ts';
import { asMoment, asNumber, asText } from '../values.ts';
import { offsetAt } from '../zones.ts';
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
      const [year, month, day, hour, minute, second, nano] = inputs.slice(0, 7).map(asNumber) as [
        number,
        ...number[],
      ];
      const clock = { hour, minute, second, millisecond: Math.floor((nano ?? 0) / 1e6) };
      return momentIn(asText(inputs[7] ?? 'UTC'), wallOf({ year, month, day, ...clock } as Clock));
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

/** What a clock on the wall shows; the month from 1 on. */
interface Clock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** As if it were UTC, in ms. @throws ExpressionError where no clock shows that: JavaScript's rolls on to the next month */
function wallOf({ year, month, day, hour, minute, second, millisecond }: Clock): number {
  const wall = new Date(Date.UTC(2000, month - 1, day, hour, minute, second, millisecond));
  // By itself, for `Date.UTC` takes 99 for 1999.
  wall.setUTCFullYear(year, month - 1, day);
  const shown = clockOf(wall);
  const isReal =
    shown.year === year &&
    shown.month === month &&
    shown.day === day &&
    shown.hour === hour &&
    shown.minute === minute &&
    shown.second === second &&
    shown.millisecond === millisecond;
  if (isReal) return wall.getTime();
  throw new ExpressionError(`${year}-${month}-${day} ${hour}:${minute}:${second} is not a date`);
}

function clockOf(wall: Date): Clock {
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    millisecond: wall.getUTCMilliseconds(),
  };
}

const SETTABLE: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour', 'minute', 'second']);

/**
 * As Java's ZonedDateTime, which Adobe's page names. Another year or month keeps the day, or takes the last of the month
 * (`withYear`, `withMonth`). Any other value that no clock shows is refused.
 */
function withPart(component: string, value: number, moment: Moment): Moment {
  const name = own(SHORT, component.toLowerCase()) ?? component.toLowerCase();
  if (!SETTABLE.has(name))
    throw new ExpressionError(`'${component}' is not a part of a date that can be set`);
  const clock: Clock = { ...clockOf(moment.wall), [name]: value };
  const last = new Date(Date.UTC(clock.year, clock.month, 0)).getUTCDate();
  const wall = wallOf(name === 'day' ? clock : { ...clock, day: Math.min(clock.day, last) });
  if (moment.zoneId !== undefined) return momentIn(moment.zoneId, wall);
  return new Moment(wall - moment.offset * 60_000, moment.offset);
}
