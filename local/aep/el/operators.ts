// The operators of the mapping language. The right side is evaluated only where it matters.

import { ExactNumber, numberOf } from '../exact-number.ts';
import { matches } from './java-regex.ts';
import { ExpressionError } from './tokens.ts';
import { asIntegers, asNumber, asText, asTruth, order, same, type Value } from './values.ts';

export type Binary = (left: () => Value, right: () => Value) => Value;

const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

type Exactly = (left: bigint, right: bigint) => bigint;

/** Whole numbers that JavaScript's own would change are calculated by `exactly`. */
const numeric =
  (operate: (left: number, right: number) => number, exactly?: Exactly): Binary =>
  (left, right) => {
    const [a, b] = [left(), right()];
    const result = operate(asNumber(a), asNumber(b));
    if (!Number.isFinite(result)) throw new ExpressionError('the number is too large');
    const long = a instanceof ExactNumber || b instanceof ExactNumber || Math.abs(result) > MAX_INTEGER;
    const whole = exactly && long ? asIntegers(a, b) : undefined;
    return exactly && whole ? numberOf(String(exactly(...whole))) : result;
  };

function divisor(value: number): number {
  if (value === 0) throw new ExpressionError('division by zero');
  return value;
}

const sum = numeric(
  (left, right) => left + right,
  (left, right) => left + right,
);

const comparing =
  (decide: (order: number) => boolean): Binary =>
  (left, right) => {
    const [a, b] = [left(), right()];
    return a !== null && b !== null && decide(order(a, b));
  };

export const BINARY = {
  or: (left, right) => asTruth(left()) || asTruth(right()),
  and: (left, right) => asTruth(left()) && asTruth(right()),
  eq: (left, right) => same(left(), right()),
  ne: (left, right) => !same(left(), right()),
  lt: comparing((result) => result < 0),
  gt: comparing((result) => result > 0),
  le: comparing((result) => result <= 0),
  ge: comparing((result) => result >= 0),
  matches: (left, right) => matches(asText(left()), asText(right())),
  unlike: (left, right) => !matches(asText(left()), asText(right())),
  starts: (left, right) => asText(left()).startsWith(asText(right())),
  add: (left, right) => {
    const [a, b] = [left(), right()];
    if (typeof a === 'string' || typeof b === 'string') return asText(a) + asText(b);
    return sum(
      () => a,
      () => b,
    );
  },
  subtract: numeric(
    (left, right) => left - right,
    (left, right) => left - right,
  ),
  multiply: numeric(
    (left, right) => left * right,
    (left, right) => left * right,
  ),
  divide: numeric((left, right) => left / divisor(right)),
  modulo: numeric(
    (left, right) => left % divisor(right),
    (left, right) => left % right,
  ),
} as const satisfies { readonly [name: string]: Binary };

/** For the catalogue at `…/languages/el/operators`. */
export const OPERATOR_LIST = [
  ['+', 'add', 2, 'Addition, or joining when one side is a text', '1 + 2'],
  ['-', 'subtract', 2, 'Subtraction', '3 - 2'],
  ['*', 'multiply', 2, 'Multiplication', '3 * 2'],
  ['/', 'divide', 2, 'Division; also div', '4 / 2'],
  ['%', 'mod', 2, 'Remainder; also mod', '5 % 2'],
  ['-', 'negate', 1, 'The opposite number', '-12'],
  ['!', 'not', 1, 'The opposite truth; also not', '!flag'],
  ['&&', 'and', 2, 'Both; also and', 'a && b'],
  ['||', 'or', 2, 'Either; also or', 'a || b'],
  ['==', 'equals', 2, 'Equality; also eq', 'a == b'],
  ['!=', 'notEquals', 2, 'Inequality; also ne', 'a != b'],
  ['<', 'lessThan', 2, 'Also lt', 'a < b'],
  ['<=', 'lessThanOrEqual', 2, 'Also le', 'a <= b'],
  ['>', 'greaterThan', 2, 'Also gt', 'a > b'],
  ['>=', 'greaterThanOrEqual', 2, 'Also ge', 'a >= b'],
  ['=~', 'matches', 2, 'Matches a regular expression', 'a =~ "x.*"'],
  ['?:', 'ternary', 3, 'Choice', 'a ? b : c'],
] as const;
