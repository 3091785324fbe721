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
