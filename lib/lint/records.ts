// Conditions on records that can never all hold: the pipeline would send nothing.
import { isDeepStrictEqual } from 'node:util';
import { type Edit, jsonPointer } from './json-edit.ts';
import { asList, asObject, type Lint, type WrittenManifest } from './written.ts';

export function recordLints(written: WrittenManifest): Lint[] {
  const records = asObject(asObject(written.source)?.records) ?? {};
  return [
    ...neverTrue(records.where, ['source', 'records', 'where']),
    ...neverTrue(asObject(records.deletions)?.where, ['source', 'records', 'deletions', 'where']),
  ];
}

/** Two conditions on one field that exclude each other; each pair once. */
function neverTrue(where: unknown, path: readonly PropertyKey[]): Lint[] {
  const all = asList(where).map((one) => asObject(one) ?? {});
  return all.flatMap((second, index) => {
    const first = all.findIndex((one, before) => before < index && excludes(one, second));
    if (first < 0) return [];
    const at = jsonPointer([...path, index]);
    const says = `is never true together with ${jsonPointer([...path, first])}: ${JSON.stringify(all[first])}; all conditions must hold`;
    const values = [...valuesIn(all[first] ?? {}), ...valuesIn(second)];
    if (!isChoice(all[first] ?? {}) || !isChoice(second)) return [{ rule: 'never-true', at, says }];
    const value = { field: second.field, oneOf: values };
    const edits: Edit[] = [
      { op: 'set', at: jsonPointer([...path, first]), value },
      { op: 'remove', at },
    ];
    return [{ rule: 'never-true', at, says, does: `makes one of both: ${JSON.stringify(value)}`, edits }];
  });
}

/** Whether it names the values that are taken. */
function isChoice(condition: WrittenManifest): boolean {
  return 'equals' in condition || Array.isArray(condition.oneOf);
}

function valuesIn(condition: WrittenManifest): readonly unknown[] {
  return 'equals' in condition ? [condition.equals] : asList(condition.oneOf);
}

function excludes(one: WrittenManifest, other: WrittenManifest): boolean {
  if (typeof one.field !== 'string' || one.field !== other.field) return false;
  return excludesOneWay(one, other) || excludesOneWay(other, one);
}

function excludesOneWay(one: WrittenManifest, other: WrittenManifest): boolean {
  const asks = isChoice(one);
  if (asks && isChoice(other)) return !valuesIn(one).some((value) => has(valuesIn(other), value));
  if (asks && 'notEquals' in other)
    return valuesIn(one).every((value) => isDeepStrictEqual(value, other.notEquals));
  if (asks && Array.isArray(other.notOneOf))
    return valuesIn(one).every((value) => has(asList(other.notOneOf), value));
  if (one.exists === false) return other.exists === true || asksForValue(other);
  const [above, below] = [one.greaterThan, other.lessThan];
  return typeof above === 'number' && typeof below === 'number' && above >= below;
}

/** A field that is absent meets none of these. */
function asksForValue(condition: WrittenManifest): boolean {
  return (
    isChoice(condition) || 'matches' in condition || 'greaterThan' in condition || 'lessThan' in condition
  );
}

function has(values: readonly unknown[], value: unknown): boolean {
  return values.some((one) => isDeepStrictEqual(one, value));
}
