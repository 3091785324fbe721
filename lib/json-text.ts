// Reads a user's file: JSON in which each member occurs once.
import { Failure } from './failure.ts';
import { jsonFault } from './json-fault.ts';
import { repeatedMembers } from './json-members.ts';

/** Most mistakes in one message. */
const MAX_TWICE = 30;

/**
 * The value in a file's text; a byte order mark is skipped. `origin` names the file in messages.
 * @throws Failure `MANIFEST_INVALID` if it is not JSON, or an object has a member twice. JSON.parse would
 * keep the last of those
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

/** More digits than a double holds for certain. */
const longer = (source: string): boolean =>
  source.replace(/\D/g, '').length > 15 || /e[+-]?\d{3}/i.test(source);

interface JsonOfNumbers {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}

/**
 * TypeScript's own libraries do not have these yet: https://github.com/tc39/proposal-json-parse-with-source
 */
const { rawJSON, isRawJSON } = JSON as unknown as JsonOfNumbers;

/** Whether this is a number whose digits `withDigits` kept. */
export function isExact(value: unknown): boolean {
  return isRawJSON(value);
}

/**
 * The same text for every form of a number: `1.50e3` and `1500` are equal. Undefined if it is no JSON number.
 */
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

/** Like `JSON.parse`, but a number that JavaScript would change keeps its digits. */
export function withDigits(text: string): unknown {
  const revive: Revive = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && longer(source) ? rawJSON(source) : value;
  return JSON.parse(text.replace(/^\uFEFF/, ''), revive as never);
}

function parsedText(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('MANIFEST_INVALID', `${origin} is not JSON: ${jsonFault(text)}`);
  }
}
