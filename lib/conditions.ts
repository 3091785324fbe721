// Whether a record meets the conditions that a pipeline declares.
import { compareDigits } from './digits.ts';
import { linearPattern } from './linear-pattern.ts';
import { compareMoments, momentIn } from './moment.ts';
import { stepsOf, valueAt } from './pointer.ts';
import type { Condition, FieldCondition } from './records.ts';

/** A record as it is looked at. */
export interface Looked {
  readonly value: unknown;
  /** The same with the digits of each number as text. */
  exact(): unknown;
}

/** `json` are the bytes that `value` was parsed from. They are parsed again where digits are asked for. */
export function lookedAt(value: unknown, json: Buffer): Looked {
  let exact: unknown;
  return {
    value,
    exact() {
      exact ??= parse(json.toString('utf8'), (_, one, { source }) =>
        typeof one === 'number' ? source : one,
      );
      return exact;
    },
  };
}

/** ECMAScript's access to source text, which TypeScript's library does not describe yet. */
const { parse } = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

/** An empty record: no field of it exists. */
export const NO_FIELDS: Looked = { value: undefined, exact: () => undefined };

type Holds = (record: Looked) => boolean;

/** Tests one value. A missing field has the value `undefined`. `steps` lead to the value. */
type Test = (value: unknown, record: Looked, steps: readonly string[]) => boolean;

/** Whether a parsed record meets all conditions. */
export function createConditions(conditions: readonly Condition[]): Holds {
  const all = conditions.map((condition) => {
    if (!('any' in condition)) return holdsFor(condition);
    const some = condition.any.map(holdsFor);
    return (record: Looked) => some.some((holds) => holds(record));
  });
  return (record) => all.every((holds) => holds(record));
}

function holdsFor(condition: FieldCondition): Holds {
  const steps = stepsOf(condition.field);
  const test = testOf(condition);
  if (!steps.includes('*')) return (record) => test(valueAt(record.value, steps), record, steps);
  return (record) =>
    placesOf(record.value, steps).some((place) => test(valueAt(record.value, place), record, place));
}

/**
 * The steps with a position for each `*` that stands for items. Where an array is empty or missing, the one place that
 * is left leads to nothing: the field is absent.
 */
function placesOf(value: unknown, steps: readonly string[]): readonly (readonly string[])[] {
  const star = steps.indexOf('*');
  if (star < 0) return [steps];
  const before = steps.slice(0, star);
  const items = valueAt(value, before);
  const behind = steps.slice(star + 1);
  // In an object `*` is the name of a member.
  const places = Array.isArray(items) && items.length > 0 ? Object.keys(items) : ['*'];
  return places.flatMap((place) => {
    const inner = valueAt(value, [...before, place]);
    return placesOf(inner, behind).map((rest) => [...before, place, ...rest]);
  });
}

function testOf(condition: FieldCondition): Test {
  if ('equals' in condition) return (value) => value === condition.equals;
  if ('notEquals' in condition) return (value) => value !== condition.notEquals;
  if ('exists' in condition) return (value) => (value !== undefined) === condition.exists;
  if ('matches' in condition) return matching(condition.matches);
  if ('greaterThan' in condition) return comparing(condition.greaterThan, (order) => order > 0);
  if ('lessThan' in condition) return comparing(condition.lessThan, (order) => order < 0);
  const isWanted = 'oneOf' in condition;
  const values = new Set<unknown>(isWanted ? condition.oneOf : condition.notOneOf);
  return (value) => values.has(value) === isWanted;
}

/** Only text matches. */
function matching(expression: string): Test {
  const pattern = linearPattern(expression);
  if (typeof pattern === 'string') throw new RangeError(pattern);
  return (value) => typeof value === 'string' && pattern.test(value);
}

/** Numbers are compared with numbers, and times with times. Nothing else is more or less than anything. */
function comparing(limit: number | string, isWanted: (order: number) => boolean): Test {
  if (typeof limit === 'number')
    return (value, record, steps) =>
      typeof value === 'number' && isWanted(orderOf(value, limit, record, steps));
  const other = momentIn(limit);
  if (other === undefined) throw new RangeError('a time is expected');
  return (value) => {
    const moment = typeof value === 'string' ? momentIn(value) : undefined;
    return moment !== undefined && isWanted(compareMoments(moment, other));
  };
}

/**
 * Two numbers that JavaScript holds apart have this order with all their digits, too. Only where it holds them as
 * one, the digits in the record decide.
 */
function orderOf(value: number, limit: number, record: Looked, steps: readonly string[]): number {
  if (value !== limit) return value - limit;
  return compareDigits(String(valueAt(record.exact(), steps)), String(limit));
}
