// Dates, times and moments of binary formats as ISO 8601 texts, with all the digits they have.

const DAY_MS = 86_400_000n;
/** 0001-01-01 and 10000-01-01, in days since 1970. JSON schemas and AEP know the years between (RFC 3339). */
const FIRST_DAY = -719_162n;
const BEHIND_LAST_DAY = 2_932_897n;

/** `undefined` outside the years 1 to 9999. */
export function dateOf(days: bigint): string | undefined {
  if (days < FIRST_DAY || days >= BEHIND_LAST_DAY) return undefined;
  return new Date(Number(days * DAY_MS)).toISOString().slice(0, 10);
}

/** `units` since midnight, of so many digits behind the second; `undefined` if that is not within a day. */
export function timeOf(units: bigint, digits: 3 | 6 | 9): string | undefined {
  const perSecond = 10n ** BigInt(digits);
  if (units < 0n || units >= 86_400n * perSecond) return undefined;
  const time = new Date(Number(units / perSecond) * 1_000).toISOString().slice(11, 19);
  return time + fraction(units % perSecond, digits);
}

/** `units` since 1970, of so many digits behind the second; `undefined` outside the years 1 to 9999. */
export function instantOf(units: bigint, digits: 3 | 6 | 9, zone: 'Z' | ''): string | undefined {
  const perDay = 86_400n * 10n ** BigInt(digits);
  const within = ((units % perDay) + perDay) % perDay;
  const date = dateOf((units - within) / perDay);
  return date && `${date}T${timeOf(within, digits)}${zone}`;
}

/** Three digits, or as many more as there are: 3, 6 or 9, as ISO texts of protobuf have them. */
function fraction(units: bigint, digits: number): string {
  const all = units.toString().padStart(digits, '0');
  return `.${all.replace(/(?<=^(?:...)+)(?:000)+$/, '')}`;
}

/** Avro's duration: months, days and milliseconds, 32 bits each, the lowest byte first. */
export function durationOf(bytes: Buffer): string {
  const [months, days, ms] = [0, 4, 8].map((at) => bytes.readUInt32LE(at)) as [number, number, number];
  const seconds = `${Math.floor(ms / 1_000)}.${String(ms % 1_000).padStart(3, '0')}`;
  return `P${months}M${days}DT${seconds}S`;
}
