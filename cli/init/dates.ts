// The forms in which records write a time, each with the pattern by which Data Prep reads it.

/** A time as it was written: the clock on the wall, and its distance from UTC. */
export interface Written {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number | undefined;
  readonly minute: number | undefined;
  readonly second: number | undefined;
  /** The digits behind the point. */
  readonly fraction: string | undefined;
  /** Minutes east of UTC; `undefined` where no zone is written. */
  readonly offset: number | undefined;
}

/** A time in a text: the pattern in Java's letters, as Data Prep takes it, and what it says. */
export interface DateForm {
  readonly pattern: string;
  readonly written: Written;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = MONTHS.join('|');
const CLOCK = String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.](?<fraction>\d{1,9}))?)?`;

interface Reader {
  readonly regex: RegExp;
  /** What `beginningOf` says of its texts. */
  readonly begins: readonly string[];
  /** The pattern of the day, in front of the clock. */
  readonly day: string;
  /** What stands between day and clock, as a pattern. */
  readonly between?: string;
  /** The letter for a zone. */
  readonly zone?: string;
}

const reader = (source: string, rest: Omit<Reader, 'regex'>): Reader => ({
  regex: new RegExp(`^${source}$`),
  ...rest,
});

/** A number with slashes can be read in two ways: a form of both kinds is found, and the other records decide. */
const READERS: readonly Reader[] = [
  reader(
    String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:T${CLOCK}(?<zone>Z|[+-]\d\d(?::?\d\d)?)?)?`,
    { begins: ['4-', '4-T'], day: 'yyyy-MM-dd', between: "'T'", zone: 'X' },
  ),
  reader(
    String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d) ${CLOCK}(?<blank> ?)(?<zone>Z|[+-]\d\d(?::?\d\d)?)?`,
    { begins: ['4- '], day: 'yyyy-MM-dd', between: ' ', zone: 'X' },
  ),
  reader(String.raw`(?<year>\d{4})/(?<month>\d\d)/(?<day>\d\d)(?: ${CLOCK})?`, {
    begins: ['4/', '4/ '],
    day: 'yyyy/MM/dd',
    between: ' ',
  }),
  reader(String.raw`(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4})(?: ${CLOCK})?`, {
    begins: ['1/', '2/'],
    day: 'M/d/yyyy',
    between: ' ',
  }),
  reader(String.raw`(?<day>\d{1,2})/(?<month>\d{1,2})/(?<year>\d{4})(?: ${CLOCK})?`, {
    begins: ['1/', '2/'],
    day: 'd/M/yyyy',
    between: ' ',
  }),
  reader(String.raw`(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})(?: ${CLOCK})?`, {
    begins: ['1.', '2.'],
    day: 'd.M.yyyy',
    between: ' ',
  }),
  reader(String.raw`(?<day>\d{1,2})-(?<name>${MONTH})-(?<year>\d{4})(?: ${CLOCK})?`, {
    begins: ['1-', '2-'],
    day: 'd-MMM-yyyy',
    between: ' ',
  }),
  reader(
    String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{1,2}) (?<name>${MONTH}) (?<year>\d{4}) ${CLOCK}(?<blank> )(?<zone>[+-]\d{4})`,
    { begins: ['3,'], day: 'EEE, d MMM yyyy', between: ' ', zone: 'Z' },
  ),
  reader(
    String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{1,2}) (?<name>${MONTH}) (?<year>\d{4}) ${CLOCK}(?<blank> )(?<zone>GMT|UTC)`,
    { begins: ['3,'], day: 'EEE, d MMM yyyy', between: ' ', zone: 'z' },
  ),
  reader(String.raw`(?<day>\d\d)/(?<name>${MONTH})/(?<year>\d{4}):${CLOCK}(?<blank> )(?<zone>[+-]\d{4})`, {
    begins: ['2/'],
    day: 'dd/MMM/yyyy',
    between: ':',
    zone: 'Z',
  }),
];

/** Most texts are told by that alone. */
const READERS_BY_BEGINNING = Map.groupBy(
  READERS.flatMap((one) => one.begins.map((begins) => ({ one, begins }))),
  ({ begins }) => begins,
);

const COMPACT =
  /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)(?<zone>Z|[+-]\d{4})$/;

/**
 * Where the first character stands that is no digit, and which it is. Where a year is first, also what is behind the day.
 * Of a word it is the one behind three letters.
 */
function beginningOf(text: string): string {
  let at = 0;
  while (at <= 8 && isDigit(text.charCodeAt(at))) at++;
  if (at === 0) at = 3;
  return `${at}${text[at]}${at === 4 ? (text[10] ?? '') : ''}`;
}

/** @param unit of UTF-16 */
export function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

/** The forms that a text has: none, one, or two where day and month cannot be told apart. */
export function dateForms(text: string): DateForm[] {
  // Most texts are no times, and are told from one by two looks.
  if (text.length < 8 || text.length > 40 || !(isDigit(text.charCodeAt(0)) || text[3] === ',')) return [];
  const iso = isoIn(text);
  if (iso !== undefined) return real(iso.written) === undefined ? [] : [iso];
  const beginning = beginningOf(text);
  if (beginning === '8T') {
    const compact = COMPACT.exec(text)?.groups;
    const written = compact && real(writtenIn(compact));
    return written === undefined ? [] : [{ pattern: "yyyyMMdd'T'HHmmssX", written }];
  }
  return (READERS_BY_BEGINNING.get(beginning) ?? []).flatMap(({ one }) => {
    const groups = one.regex.exec(text)?.groups;
    const written = groups && real(writtenIn(groups));
    return written === undefined ? [] : [{ pattern: patternOf(one, groups ?? {}), written }];
  });
}

/** The pattern of a day without anything between its parts, as exports of analytics write it. */
export const DAY_IN_DIGITS = 'yyyyMMdd';

/** `20260213`: a day of 1900 to 2099. Whether it is one and no number, only its name says. */
export function dayInDigits(text: string): Written | undefined {
  if (text.length !== 8) return undefined;
  const [year, month, day] = [numberAt(text, 0, 4), numberAt(text, 4, 6), numberAt(text, 6, 8)];
  if (year < 1900 || year > 2099) return undefined;
  const none = { hour: undefined, minute: undefined, second: undefined, fraction: undefined };
  return real({ year, month, day, ...none, offset: undefined });
}

/** The patterns of a fraction, by its digits. */
const FRACTIONS = Array.from({ length: 10 }, (_, digits) => (digits === 0 ? '' : `.${'S'.repeat(digits)}`));
const [DASH, COLON, DOT, ZULU] = Array.from('-:.Z', (one) => one.charCodeAt(0));

/**
 * The two commonest forms: `2026-02-13`, and `2026-02-13T08:15:30` with or without a fraction and `Z`. They need no
 * regular expression, whose named groups take ten times as long.
 */
function isoIn(text: string): DateForm | undefined {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  const year = numberAt(text, 0, 4);
  const month = numberAt(text, 5, 7);
  const day = numberAt(text, 8, 10);
  if (year < 0 || month < 0 || day < 0) return undefined;
  const date = { year, month, day };
  if (text.length > 10) return isoClockIn(text, date);
  const none = { hour: undefined, minute: undefined, second: undefined, fraction: undefined };
  return { pattern: 'yyyy-MM-dd', written: { ...date, ...none, offset: undefined } };
}

function isoClockIn(text: string, date: Pick<Written, 'year' | 'month' | 'day'>): DateForm | undefined {
  if (text[10] !== 'T' || text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;
  const hour = numberAt(text, 11, 13);
  const minute = numberAt(text, 14, 16);
  const second = numberAt(text, 17, 19);
  if (hour < 0 || minute < 0 || second < 0) return undefined;
  let end = 19;
  if (text.charCodeAt(19) === DOT) {
    end = 20;
    while (isDigit(text.charCodeAt(end))) end++;
  }
  const digits = Math.max(0, end - 20);
  const isUtc = text.charCodeAt(end) === ZULU;
  if (end === 20 || digits > 9 || text.length !== end + (isUtc ? 1 : 0)) return undefined;
  const fraction = digits === 0 ? undefined : text.slice(20, end);
  return {
    pattern: `yyyy-MM-dd'T'HH:mm:ss${FRACTIONS[digits]}${isUtc ? 'X' : ''}`,
    written: { ...date, hour, minute, second, fraction, offset: isUtc ? 0 : undefined },
  };
}

/** The number that all these digits are; below zero where one is none. */
function numberAt(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    if (!isDigit(unit)) return -1;
    number = number * 10 + unit - 48;
  }
  return number;
}

type Groups = Readonly<Record<string, string | undefined>>;

function patternOf({ day, between = '', zone = '' }: Reader, groups: Groups): string {
  if (groups.hour === undefined) return day;
  const second = groups.second === undefined ? '' : ':ss';
  const fraction = groups.fraction === undefined ? '' : `.${'S'.repeat(groups.fraction.length)}`;
  const ending = groups.zone === undefined ? '' : `${groups.blank ?? ''}${zone}`;
  return `${day}${between}HH:mm${second}${fraction}${ending}`;
}

function writtenIn({ year, month, name, day, hour, minute, second, fraction, zone }: Groups): Written {
  return {
    year: Number(year),
    month: name === undefined ? Number(month) : MONTHS.indexOf(name) + 1,
    day: Number(day),
    hour: numberIn(hour),
    minute: numberIn(minute),
    second: numberIn(second),
    fraction,
    offset: zone === undefined ? undefined : offsetOf(zone),
  };
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

/** `undefined` of a time that no calendar and no clock shows. */
function real(written: Written): Written | undefined {
  const { year, month, day, hour = 0, minute = 0, second = 0, offset = 0 } = written;
  const isDay = year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  return isDay && hour < 24 && minute < 60 && second < 60 && Math.abs(offset) <= 14 * 60
    ? written
    : undefined;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

const two = (value: number) => String(value).padStart(2, '0');

/** As a field of a time has it: `2026-02-13T08:15:30.120+01:00`. What has no zone is taken as UTC. */
export function instantText(written: Written): string {
  const { hour = 0, minute = 0, second = 0, fraction = '', offset = 0 } = written;
  const millis = fraction.padEnd(3, '0').slice(0, 3);
  const point = millis === '000' ? '' : `.${millis}`;
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
  return `${dayText(written)}T${two(hour)}:${two(minute)}:${two(second)}${point}${zone}`;
}

/** As a field of a day has it. */
export function dayText({ year, month, day }: Written): string {
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/**
 * The patterns that Data Prep tries by itself in a field of a time. Adobe's page "Handling data formats with Data Prep".
 * Only those are listed that `dateForms` can find.
 */
const TRIED_BY_ITSELF = new Set([
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
]);

export function isTriedByItself(pattern: string): boolean {
  return TRIED_BY_ITSELF.has(pattern);
}

/** As a field of a time takes it already: nothing is made of it on the way. */
const READY = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** What Data Prep makes by itself of a text for a field of a time. */
export function instantByItself(text: string): string | undefined {
  if (READY.test(text)) return text;
  const found = dateForms(text).find(({ pattern }) => TRIED_BY_ITSELF.has(pattern));
  return found === undefined ? undefined : instantText(found.written);
}

/** What a number counts since 1970. */
export const EPOCHS = { seconds: 1, millis: 1_000, micros: 1_000_000 } as const;
export type Epoch = keyof typeof EPOCHS;

/** From 2001-09-09 to 2100: below and above it is more likely another number. */
const FIRST = 1_000_000_000;
const LAST = 4_102_444_800;

const UNITS = Object.entries(EPOCHS) as [Epoch, number][];

/** What a whole number may count; `undefined` where it is no time of this century. */
export function epochOf(value: number): Epoch | undefined {
  for (const [name, each] of UNITS) if (value >= FIRST * each && value < LAST * each) return name;
  return undefined;
}

const LAST_WORD =
  /^(?:ts|time|timestamp|stamp|date|datetime|day|at|on|when|since|until|epoch|created|updated|modified|expires|expiry|dob|birthday|birthdate)$/;
const UNIT = /^(?:ms|millis|milliseconds|s|sec|secs|seconds|us|micros|microseconds|utc|gmt|unix|epoch)$/;

const DAY_WORD = /^(?:date|day|dob|birthday|birthdate)$/;

/** Whether a name is that of a time: `createdAt`, `event_time_ms`. A number alone does not say that it is one. */
export function isTimeName(name: string): boolean {
  return LAST_WORD.test(lastWordOf(name));
}

/** Whether a name is that of a day: `event_date`, `birthday`. */
export function isDayName(name: string): boolean {
  return DAY_WORD.test(lastWordOf(name));
}

/** In small letters, without the unit behind it. */
function lastWordOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  while (words.length > 1 && UNIT.test(words.at(-1) ?? '') && words.at(-1) !== 'epoch') words.pop();
  return words.at(-1) ?? '';
}
