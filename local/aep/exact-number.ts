// Numbers that JavaScript's own would change: 64-bit integers and long decimals keep the digits they came with.

/** TypeScript's own lists do not know of it yet: https://github.com/tc39/proposal-json-parse-with-source */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Written as JSON, in arithmetic and as text it is the number it stands for. */
export class ExactNumber {
  /** As JSON writes numbers. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }

  toJSON(): unknown {
    return rawJSON(this.text);
  }
}

/**
 * A number of 16 digits or more, or with an exponent of three digits. It must follow a sign of JSON, which leaves out a text in
 * quotes such as an ECID, of 38 digits. Most texts have no such number, and are parsed as quickly as ever.
 */
const LONG = /(?:^|[:,[\s])-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;

/** Quick, and true of every text in which `LONG` finds something. Both alternatives share a beginning: apart they take twice as long. */
const SUSPECT = /[\d.](?:[\d.]{15}|[eE][+-]?\d{3})/;

/** Whether a JSON text may hold a number that JavaScript's own would change. */
export function mayHoldLong(text: string): boolean {
  return SUSPECT.test(text) && LONG.test(text);
}

/** Longer numbers are kept as they are: it costs too much to find out whether a double would do. */
const MAX_DIGITS = 400;

/** The number a text writes: JavaScript's own where that loses nothing. */
export function numberOf(text: string): number | ExactNumber {
  if (text.length > MAX_DIGITS) return new ExactNumber(text);
  const number = Number(text);
  if (text.length <= 15 && !/[eE]/.test(text)) return number;
  return canonical(text) === canonical(String(number)) ? number : new ExactNumber(text);
}

/** `1.50e3` and `1500` are one number. */
function canonical(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!parts) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

/**
 * The same value with JavaScript's numbers, for whoever knows no others; the very same where it has no others. A whole number
 * becomes the next double away from zero, so that one beyond a limit stays beyond it: 2^53 + 1 is no XDM `long`.
 */
export function plainNumbers<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ExactNumber) return outward(value.text) as T;
  if (Array.isArray(value)) return plainList(value) as T;
  return plainObject(value as Record<string, unknown>) as T;
}

function plainList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (const [index, each] of list.entries()) {
    const plain = plainNumbers(each);
    if (plain === each) continue;
    copy ??= [...list];
    copy[index] = plain;
  }
  return copy ?? list;
}

function plainObject(object: Record<string, unknown>): Record<string, unknown> {
  let changed: [string, unknown][] | undefined;
  for (const key of Object.keys(object)) {
    const plain = plainNumbers(object[key]);
    if (plain === object[key]) continue;
    changed ??= [];
    changed.push([key, plain]);
  }
  return changed ? Object.fromEntries([...Object.entries(object), ...changed]) : object;
}

function outward(text: string): number {
  const number = Number(text);
  if (text.length > MAX_DIGITS || !Number.isFinite(number) || !/^-?\d+$/.test(text)) return number;
  const [exact, near] = [BigInt(text), BigInt(number)];
  const isCloser = exact < 0n ? near > exact : near < exact;
  // Doubles this large are an even distance apart, at most this far.
  return isCloser ? number + Math.sign(number) * 2 ** (Math.floor(Math.log2(Math.abs(number))) - 52) : number;
}
