// The forms in which records write a time, each with the pattern by which Data Prep reads it.

/** A time as it was written: the clock on the wall, and its distance from UTC. */
export interface Written {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
  /** The digits behind the point. */
  readonly fraction?: string;
  /** Minutes east of UTC; left out where no zone is written. */
  readonly offset?: number;
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
    { day: 'yyyy-MM-dd', between: "'T'", zone: 'X' },
  ),
  reader(
    String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d) ${CLOCK}(?<blank> ?)(?<zone>Z|[+-]\d\d(?::?\d\d)?)?`,
    { day: 'yyyy-MM-dd', between: ' ', zone: 'X' },
  ),
  reader(String.raw`(?<year>\d{4})/(?<month>\d\d)/(?<day>\d\d)(?: ${CLOCK})?`, {
    day: 'yyyy/MM/dd',
    between: ' ',
  }),
  reader(String.raw`(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4})(?: ${CLOCK})?`, {
    day: 'M/d/yyyy',
    between: ' ',
  }),
  reader(String.raw`(?<day>\d{1,2})/(?<month>\d{1,2})/(?<year>\d{4})(?: ${CLOCK})?`, {
    day: 'd/M/yyyy',
    between: ' ',
  }),
  reader(String.raw`(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})(?: ${CLOCK})?`, {
    day: 'd.M.yyyy',
    between: ' ',
  }),
  reader(String.raw`(?<day>\d{1,2})-(?<name>${MONTH})-(?<year>\d{4})(?: ${CLOCK})?`, {
    day: 'd-MMM-yyyy',
    between: ' ',
  }),
  reader(
    String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{1,2}) (?<name>${MONTH}) (?<year>\d{4}) ${CLOCK}(?<blank> )(?<zone>[+-]\d{4})`,
    { day: 'EEE, d MMM yyyy', between: ' ', zone: 'Z' },
  ),
  reader(
    String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{1,2}) (?<name>${MONTH}) (?<year>\d{4}) ${CLOCK}(?<blank> )(?<zone>GMT|UTC)`,
    { day: 'EEE, d MMM yyyy', between: ' ', zone: 'z' },
  ),
  reader(String.raw`(?<day>\d\d)/(?<name>${MONTH})/(?<year>\d{4}):${CLOCK}(?<blank> )(?<zone>[+-]\d{4})`, {
    day: 'dd/MMM/yyyy',
    between: ':',
    zone: 'Z',
  }),
];

const COMPACT =
  /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)(?<zone>Z|[+-]\d{4})$/;

/** The forms that a text has: none, one, or two where day and month cannot be told apart. */
export function dateForms(text: string): DateForm[] {
  // Most texts are no times, and are told from one by two looks.
  if (text.length < 8 || text.length > 40) return [];
  const first = text.charCodeAt(0);
  const isDigit = first >= 48 && first <= 57;
  if (!isDigit && text[3] !== ',') return [];
  const compact = COMPACT.exec(text)?.groups;
  if (compact !== undefined) {
    const written = real(writtenIn(compact));
    return written === undefined ? [] : [{ pattern: "yyyyMMdd'T'HHmmssX", written }];
  }
  return READERS.flatMap((one) => {
    const groups = one.regex.exec(text)?.groups;
    const written = groups && real(writtenIn(groups));
    return written === undefined ? [] : [{ pattern: patternOf(one, groups ?? {}), written }];
  });
}

type Groups = Readonly<Record<string, string | undefined>>;

function patternOf({ day, between = '', zone = '' }: Reader, groups: Groups): string {
  if (groups.hour === undefined) return day;
  const second = groups.second === undefined ? '' : ':ss';
  const fraction = groups.fraction === undefined ? '' : `.${'S'.repeat(groups.fraction.length)}`;
  const ending = groups.zone === undefined ? '' : `${groups.blank ?? ''}${zone}`;
  return `${day}${between}HH:mm${second}${fraction}${ending}`;
}

function writtenIn(groups: Groups): Written {
  const number = (name: string) => (groups[name] === undefined ? undefined : Number(groups[name]));
  const [hour, minute, second] = [number('hour'), number('minute'), number('second')];
  const month = groups.name === undefined ? number('month') : MONTHS.indexOf(groups.name) + 1;
  return {
    year: number('year') ?? 0,
    month: month ?? 0,
    day: number('day') ?? 0,
    ...(hour !== undefined && { hour }),
    ...(minute !== undefined && { minute }),
    ...(second !== undefined && { second }),
    ...(groups.fraction !== undefined && { fraction: groups.fraction }),
    ...(groups.zone !== undefined && { offset: offsetOf(groups.zone) }),
  };
}

function offsetOf(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

/** `undefined` of a time that no calendar and no clock shows. */
function real(written: Written): Written | undefined {
  const { year, month, day, hour = 0, minute = 0, second = 0, offset = 0 } = written;
  const there = new Date(Date.UTC(year, month - 1, day));
  const isDay = there.getUTCMonth() === month - 1 && there.getUTCDate() === day && year >= 1000;
  return isDay && hour < 24 && minute < 60 && second < 60 && Math.abs(offset) <= 14 * 60
    ? written
    : undefined;
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

/** What a whole number may count; `undefined` where it is no time of this century. */
export function epochOf(value: number): Epoch | undefined {
  for (const [name, each] of Object.entries(EPOCHS) as [Epoch, number][])
    if (value >= FIRST * each && value < LAST * each) return name;
  return undefined;
}

const LAST_WORD =
  /^(?:ts|time|timestamp|stamp|date|datetime|day|at|on|when|since|until|epoch|created|updated|modified|expires|expiry|dob|birthday|birthdate)$/;
const UNIT = /^(?:ms|millis|milliseconds|s|sec|secs|seconds|us|micros|microseconds|utc|gmt|unix|epoch)$/;

/** Whether a name is that of a time: `createdAt`, `event_time_ms`. A number alone does not say that it is one. */
export function isTimeName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  while (words.length > 1 && UNIT.test(words.at(-1) ?? '') && words.at(-1) !== 'epoch') words.pop();
  return LAST_WORD.test(words.at(-1) ?? '');
}
