// `property=` filters: the small query language of Schema Registry, Catalog and Flow Service, with small differences.

import { inTime } from './el/in-time.ts';
import { ExpressionError } from './el/tokens.ts';
import { Refusal } from './errors.ts';
import { type Json, valuesAt } from './json.ts';

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>', '~'] as const;
type Operator = (typeof OPERATORS)[number];

export interface Condition {
  readonly path: string;
  /** Without an operator the question is whether the property exists. */
  readonly operator: Operator | 'exists' | 'absent';
  readonly value: string;
}

export function condition(text: string): Condition {
  const found = OPERATORS.map((operator) => ({ operator, at: text.indexOf(operator) }))
    .filter(({ at }) => at > 0)
    .sort((a, b) => a.at - b.at || b.operator.length - a.operator.length)[0];
  if (!found) {
    return text.startsWith('!')
      ? { path: text.slice(1), operator: 'absent', value: '' }
      : { path: text, operator: 'exists', value: '' };
  }
  return {
    path: text.slice(0, found.at).trim(),
    operator: found.operator,
    value: text.slice(found.at + found.operator.length),
  };
}

/** Adobe's pages write `name=="Steam data with transformation"` and mean the words inside (sources/tutorials/api/collect/streaming.md). */
const unquoted = (text: string): string => /^\s*"([^"]*)"\s*$/.exec(text)?.[1] ?? text;

/** The parts between separators; what stands in quotes is one, whatever is in it. That quotes protect a comma is ours. */
export function partsOf(text: string, separator: RegExp): string[] {
  const parts = [''];
  for (const [index, piece] of text.split('"').entries()) {
    const [first = '', ...others] = index % 2 === 0 ? piece.split(separator) : [piece];
    parts[parts.length - 1] += index === 0 ? first : `"${first}`;
    parts.push(...others);
  }
  return parts;
}

/** True when any value at the path fits; `!=` and `absent` ask that none does. */
export function fits(subject: Json, { path, operator, value }: Condition, commaIsOr = false): boolean {
  const values = valuesAt(subject, path).filter((each) => each !== null);
  if (operator === 'exists') return values.length > 0;
  if (operator === 'absent') return values.length === 0;
  const several = commaIsOr && (operator === '==' || operator === '!=') ? partsOf(value, /,/) : [];
  const options = [value, ...several].map(unquoted);
  if (operator === '!=') return !values.some((each) => options.includes(String(each)));
  return values.some((each) => options.some((option) => compare(each, operator, option)));
}

function compare(given: Json, operator: Operator, value: string): boolean {
  const text = String(given);
  if (operator === '==') return text === value;
  if (operator === '~') return safeMatch(value, text);
  const numbers = [Number(text), Number(value)] as const;
  const order = numbers.some(Number.isNaN) ? text.localeCompare(value) : numbers[0] - numbers[1];
  if (operator === '<') return order < 0;
  if (operator === '>') return order > 0;
  return operator === '<=' ? order <= 0 : order >= 0;
}

/** What is no regular expression matches nothing. @throws Refusal where one takes too long: that it is a 400 is ours */
function safeMatch(expression: string, text: string): boolean {
  try {
    const regex = new RegExp(expression);
    return inTime(regex, text, () => regex.test(text));
  } catch (error) {
    if (error instanceof ExpressionError) throw Refusal.problem(400, 'BadRequestError', error.message);
    return false;
  }
}
