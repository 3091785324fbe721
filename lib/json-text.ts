// What the text of a user's file says: JSON, and each thing once.
import { Failure } from './failure.ts';
import { repeatedMembers } from './json-members.ts';

/** Told at once. */
const MAX_TWICE = 30;

/**
 * The value in a file's text; a byte order mark is passed over. `origin` is what messages call it.
 * @throws Failure `MANIFEST_INVALID` where it is not JSON, or an object has a member twice: of those JSON.parse keeps the last
 */
export function jsonIn(text: string, origin: string): unknown {
  const plain = text.replace(/^\uFEFF/, '');
  const value = parsedText(plain, origin);
  const twice = repeatedMembers(plain);
  if (twice.length === 0) return value;
  const lines = twice
    .slice(0, MAX_TWICE)
    .map(({ path, first, again }) => `  ${path}: expected once; found in line ${first} and in line ${again}`);
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} says twice what an object can say once:\n${lines.join('\n')}\n`,
  );
}

/** Than what a double holds for certain. */
const longer = (source: string): boolean =>
  source.replace(/\D/g, '').length > 15 || /e[+-]?\d{3}/i.test(source);

interface JsonOfNumbers {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}

/** TypeScript's own lists do not know of these yet: https://github.com/tc39/proposal-json-parse-with-source */
const { rawJSON, isRawJSON } = JSON as unknown as JsonOfNumbers;

/** Whether this is a number that `withDigits` kept the digits of. */
export function isExact(value: unknown): boolean {
  return isRawJSON(value);
}

/** The same text for every way to write a number: `1.50e3` and `1500` are one. Undefined where it is no number of JSON's. */
export function canonicalNumber(text: string): string | undefined {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,15}))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.slice(0, digits.length - zerosAtEnd(digits));
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

function zerosAtEnd(digits: string): number {
  let count = 0;
  while (digits.at(-1 - count) === '0') count++;
  return count;
}

type Revive = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** As `JSON.parse`, but what a number of JavaScript's would change is written again with the digits it came with. */
export function withDigits(text: string): unknown {
  const revive: Revive = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && longer(source) ? rawJSON(source) : value;
  return JSON.parse(text.replace(/^\uFEFF/, ''), revive as never);
}

function parsedText(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('MANIFEST_INVALID', `${origin} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
