// Values of the mapping language and how they turn into each other.

import { ExactNumber, numberOf } from '../exact-number.ts';
import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { Moment, parseMoment } from './moments.ts';
import { ExpressionError } from './tokens.ts';

export type Value =
  | null
  | boolean
  | number
  | ExactNumber
  | string
  | Moment
  | Value[]
  | { [key: string]: Value };

/** What an expression can see besides the row. */
export interface Surroundings {
  now(): number;
  uuid(): string;
  /** `…@AdobeOrg` */
  readonly organization: string;
}

export type Evaluate = (row: JsonObject, around: Surroundings) => Value;

export function isMap(value: Value | undefined): value is { [key: string]: Value } {
  return isObject(value) && !((value as unknown) instanceof Moment);
}

export function asText(value: Value): string {
  if (value === null) return '';
  if (Array.isArray(value) || isMap(value)) return JSON.stringify(asJson(value));
  return String(value);
}

/** As Java reads numbers: `0x10` and `0b1` are JavaScript's. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export function asNumber(value: Value): number {
  if (value === null) throw new ExpressionError('null is not a number');
  const number =
    typeof value === 'string' && !DECIMAL.test(value.trim())
      ? Number.NaN
      : Number(value instanceof Moment ? value.ms : value);
  if (Number.isNaN(number)) throw new ExpressionError(`'${asText(value)}' is not a number`);
  return number;
}

/** Whether it is a number of either kind: JavaScript's own, or one with more digits. */
export function isNumber(value: Value): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** What to calculate with where the result must keep its digits: both whole, and one of them long. */
export function asIntegers(left: Value, right: Value): readonly [bigint, bigint] | undefined {
  const [a, b] = [integerOf(left), integerOf(right)];
  return a === undefined || b === undefined ? undefined : [a, b];
}

function integerOf(value: Value): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return value instanceof ExactNumber && /^-?\d+$/.test(value.text) ? BigInt(value.text) : undefined;
}

/** The number in a text, all its digits. */
export function exactly(value: Value): number | ExactNumber {
  if (isNumber(value)) return value;
  const text = asText(value).trim().replace(/^\+/, '');
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)
    ? numberOf(text.replace(/^(-?)0+(?=\d)/, '$1'))
    : asNumber(value);
}

export function negative(value: Value): number | ExactNumber {
  if (!(value instanceof ExactNumber)) return -asNumber(value);
  return numberOf(value.text.startsWith('-') ? value.text.slice(1) : `-${value.text}`);
}

/** What is before the point; a long number with an exponent is a double. */
export function whole(value: Value): number | ExactNumber {
  const number = exactly(value);
  const text = number instanceof ExactNumber ? /^-?\d+(?=\.|$)/.exec(number.text)?.[0] : undefined;
  return text === undefined ? Math.trunc(asNumber(number)) : numberOf(text);
}

export function asTruth(value: Value): boolean {
  if (typeof value === 'string') return value.toLowerCase() === 'true';
  return value !== null && value !== false && value !== 0;
}

export function asMoment(value: Value): Moment {
  if (value instanceof Moment) return value;
  if (isNumber(value)) return new Moment(Number(value));
  if (typeof value === 'string') return parseMoment(value);
  throw new ExpressionError(`${asText(value) || 'null'} is not a date`);
}

export function asJson(value: Value): Json {
  if (value instanceof Moment) return value.toString();
  if (Array.isArray(value)) return value.map(asJson);
  if (isMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asJson(inner)]));
  }
  return value;
}

export function same(left: Value, right: Value): boolean {
  if (left === null || right === null) return left === right;
  if (left instanceof Moment && right instanceof Moment) return left.ms === right.ms;
  if (isNumber(left) || isNumber(right)) return sameNumber(left, right);
  if (typeof left === 'boolean' || typeof right === 'boolean') return asTruth(left) === asTruth(right);
  return asText(left) === asText(right);
}

function sameNumber(left: Value, right: Value): boolean {
  if (!(left instanceof ExactNumber || right instanceof ExactNumber)) return Number(left) === Number(right);
  try {
    return String(exactly(left)) === String(exactly(right));
  } catch {
    return false;
  }
}

export function order(left: Value, right: Value): number {
  if (left instanceof Moment || right instanceof Moment) return asMoment(left).ms - asMoment(right).ms;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  const whole = asIntegers(left, right);
  if (whole) return whole[0] < whole[1] ? -1 : whole[0] > whole[1] ? 1 : 0;
  return asNumber(left) - asNumber(right);
}

/** One step down: a key of a map, a position in a list; a key of a list fans out over its elements. */
export function inside(value: Value | undefined, step: string): Value {
  if (Array.isArray(value)) {
    if (/^\d+$/.test(step)) return value[Number(step)] ?? null;
    return step === '*' ? value : value.map((each) => inside(each, step));
  }
  return isMap(value) && Object.hasOwn(value, step) ? (value[step] ?? null) : null;
}
