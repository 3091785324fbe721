// Whether a record meets the conditions that a pipeline declares.
import type { Condition, Scalar } from '../../records.ts';
import { stepsOf, valueAt } from '../json/pointer.ts';

/** Whether a parsed record meets all conditions. */
export function createConditions(conditions: readonly Condition[]): (record: unknown) => boolean {
  const tests = conditions.map((condition) => {
    const steps = stepsOf(condition.field);
    const test = testOf(condition);
    return (record: unknown) => test(valueAt(record, steps));
  });
  return (record) => tests.every((test) => test(record));
}

/** A missing field has the value `undefined`, which equals nothing. */
function testOf(condition: Condition): (value: unknown) => boolean {
  if ('equals' in condition) return (value) => value === condition.equals;
  if ('notEquals' in condition) return (value) => value !== condition.notEquals;
  if ('exists' in condition) return (value) => (value !== undefined) === condition.exists;
  const wanted = new Set<unknown>(condition.oneOf satisfies Scalar[]);
  return (value) => wanted.has(value);
}
