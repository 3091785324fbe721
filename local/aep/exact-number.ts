// Numbers that JavaScript's own would change: 64-bit integers and long decimals keep the digits they came with.

import type { Json } from './json.ts';

/** TypeScript's own lists do not know of these two yet: https://github.com/tc39/proposal-json-parse-with-source */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
type Revive = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

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

/** A run of digits that may be too long for a double, or an exponent that may be too large: most texts have neither. One beginning for both: looked for apart they take four times as long. */
const SUSPECT = /[\d.](?:[\d.]{15}|[eE][+-]?\d{3})/;

/** As JSON.parse, and as quick where no number is long. @throws SyntaxError */
export function parseJson(text: string): Json {
  return JSON.parse(text, SUSPECT.test(text) ? (kept as Revive as never) : undefined) as Json;
}

function kept(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined ? numberOf(source) : value;
}

/** The number a text writes: JavaScript's own where that loses nothing. */
export function numberOf(text: string): number | ExactNumber {
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

/** The same value with JavaScript's numbers, for whoever knows no others; the very same where it has no others. */
export function plainNumbers<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ExactNumber) return Number(value.text) as T;
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
