// Compares numbers by all the digits that JSON writes them with.

interface Digits {
  readonly isNegative: boolean;
  /** Without zeros at either end; none for zero. */
  readonly digits: string;
  /** The number is 0.{digits} × 10^exponent. */
  readonly exponent: number;
}

/**
 * Less than 0 if the number `a` is less than `b`, 0 if they are the same. Both are numbers as JSON writes them.
 * JavaScript's own numbers hold 15 to 17 digits; these hold any.
 */
export function compareDigits(a: string, b: string): number {
  const [one, other] = [digitsIn(a), digitsIn(b)];
  const [first, second] = [signOf(one), signOf(other)];
  if (first !== second || first === 0) return first - second;
  return first * compareMagnitudes(one, other);
}

/** More digits than any time has in milliseconds, and fewer than JavaScript rounds. */
const MAX_WHOLE_DIGITS = 15;

/**
 * The greatest whole number that is not above `text` × 10^`shift`; `NaN` where it has too many digits. `text` is a number as JSON
 * writes it. JavaScript's own number would be rounded before it is cut.
 */
export function floorDigits(text: string, shift: number): number {
  const { isNegative, digits, exponent } = digitsIn(text);
  if (digits === '') return 0;
  const places = exponent + shift;
  if (places > MAX_WHOLE_DIGITS) return Number.NaN;
  const whole = Number(digits.slice(0, Math.max(0, places)).padEnd(places, '0'));
  if (!isNegative) return whole;
  return digits.length > places ? -whole - 1 : -whole;
}

function compareMagnitudes(a: Digits, b: Digits): number {
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0;
}

function signOf({ isNegative, digits }: Digits): number {
  return digits === '' ? 0 : isNegative ? -1 : 1;
}

function digitsIn(text: string): Digits {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  return {
    isNegative: sign === '-',
    digits: trimZeros(digits),
    exponent: whole.length + Number(exponent) - (all.length - digits.length),
  };
}

/** The text without zeros at its end. An expression such as `0+$` takes the square of a long text's time. */
export function trimZeros(text: string): string {
  let end = text.length;
  while (text[end - 1] === '0') end--;
  return text.slice(0, end);
}
