// Functions on objects, maps and arrays of the mapping language.

import { parseJson } from '../../exact-number.ts';
import { pathSteps, readPath } from '../paths.ts';
import { ExpressionError } from '../tokens.ts';
import { asNumber, asText, asTruth, exactly, inside, isMap, order, type Value } from '../values.ts';
import { type Definition, define, unlessNull } from './definition.ts';

const OBJECTS = 'Hierarchies - Objects';
const ARRAYS = 'Hierarchies - Arrays';
const MAPS = 'Hierarchies - Map';

export const HIERARCHIES: readonly Definition[] = [
  define(OBJECTS, 'size_of(INPUT)', ([input]) => size(input ?? null)),
  define(OBJECTS, 'is_empty(INPUT)', ([input]) => size(input ?? null) === 0),
  define(OBJECTS, 'to_object(INPUT…)', (inputs) => pairs(inputs)),
  define(OBJECTS, 'arrays_to_objects(INPUT…)', arraysToObjects),
  define(OBJECTS, 'arrays_to_object(INPUT…)', arraysToObjects),
  define(
    OBJECTS,
    'str_to_object(STRING, [VALUE_DELIMITER], [FIELD_DELIMITER])',
    unlessNull((subject, [value, field]) =>
      parsed(asText(subject), asText(value ?? null) || ':', asText(field ?? null) || ','),
    ),
  ),
  define(
    OBJECTS,
    'get_values(STRING, KEY, VALUE_DELIMITER, [FIELD_DELIMITER])',
    unlessNull((subject, [key, value, field]) =>
      inside(
        parsed(asText(subject), asText(value ?? null) || ':', asText(field ?? null) || ','),
        asText(key ?? null),
      ),
    ),
  ),
  ...['contains_key', 'is_set'].map((name) =>
    define(OBJECTS, `${name}(INPUT)`, ([path], around, row) => {
      return readPath(pathSteps(asText(path ?? null)))(row, around) !== null;
    }),
  ),
  define(OBJECTS, 'nullify()', () => null),
  define(
    OBJECTS,
    'get_keys(OBJECT)',
    unlessNull((subject) => (isMap(subject) ? Object.keys(subject) : [])),
  ),
  define(
    OBJECTS,
    'map_get_values(MAP, KEY)',
    unlessNull((subject, [key]) =>
      Array.isArray(key)
        ? key.map((each) => inside(subject, asText(each))).filter((each) => each !== null)
        : inside(subject, asText(key ?? null)),
    ),
  ),
  define(
    OBJECTS,
    'map_has_keys(MAP, KEY)',
    unlessNull((subject, [key]) =>
      [key ?? null].flat().some((each) => isMap(subject) && Object.hasOwn(subject, asText(each))),
    ),
  ),
  define(OBJECTS, 'add_to_map(MAPS…)', (inputs) =>
    objectOf(inputs.filter((each) => isMap(each)).flatMap((each) => Object.entries(each))),
  ),
  define(MAPS, 'object_to_map(INPUT…)', objectToMap),
  define(MAPS, 'to_map(INPUT…)', (inputs) => pairs(inputs)),
  define(MAPS, 'array_to_map(INPUTS, KEY)', objectToMap),
  define(ARRAYS, 'coalesce(INPUT…)', (inputs) => inputs.flat().find((each) => each !== null) ?? null),
  define(ARRAYS, 'first(INPUT…)', (inputs) => spread(inputs)[0] ?? null),
  define(ARRAYS, 'last(INPUT…)', (inputs) => spread(inputs).at(-1) ?? null),
  define(ARRAYS, 'to_array(INCLUDE_NULLS, VALUES…)', ([nulls, ...values]) =>
    asTruth(nulls ?? null) ? values : values.filter((each) => each !== null),
  ),
  define(ARRAYS, 'add_to_array(ARRAY, VALUES…)', ([array, ...values]) => [...list(array ?? null), ...values]),
  define(ARRAYS, 'join_arrays(ARRAY, VALUES…)', (inputs) => inputs.flatMap((each) => list(each))),
  // Only updates treat these two differently; on inserts the input comes back as it is.
  define(ARRAYS, 'upsert_array_append(ARRAY)', ([array]) => array ?? null),
  define(ARRAYS, 'upsert_array_replace(ARRAY, [INDEX])', ([array]) => array ?? null),
  define('Aggregation', 'min(OPTIONS…)', (inputs) => extreme(inputs, -1)),
  define('Aggregation', 'max(OPTIONS…)', (inputs) => extreme(inputs, 1)),
  define('Type conversions', 'to_bigint(STRING)', unlessNull(exactly)),
  define('Type conversions', 'to_decimal(STRING)', unlessNull(asNumber)),
  define(
    'Type conversions',
    'to_float(STRING)',
    unlessNull((subject) => Number(Math.fround(asNumber(subject)).toPrecision(7))),
  ),
  define(
    'Type conversions',
    'to_integer(STRING)',
    unlessNull((subject) => Math.trunc(asNumber(subject))),
  ),
  define(
    'JSON',
    'json_to_object(STRING)',
    unlessNull((subject) => {
      try {
        return parseJson(asText(subject)) as Value;
      } catch {
        throw new ExpressionError('the text is not JSON');
      }
    }),
  ),
];

function size(value: Value): number {
  if (value === null) return 0;
  if (Array.isArray(value) || typeof value === 'string') return value.length;
  return isMap(value) ? Object.keys(value).length : 1;
}

function pairs(inputs: readonly Value[]): { [key: string]: Value } {
  if (inputs.length % 2 !== 0) throw new ExpressionError('keys and values must come in pairs');
  const entries: [string, Value][] = [];
  for (let at = 0; at < inputs.length; at += 2)
    entries.push([asText(inputs[at] ?? null), inputs[at + 1] ?? null]);
  return objectOf(entries);
}

/** Of a key that comes twice the first counts; a key may be called `constructor` or `__proto__`. */
function objectOf(entries: readonly (readonly [string, Value])[]): { [key: string]: Value } {
  const first = new Map<string, Value>();
  for (const [key, value] of entries) if (!first.has(key)) first.set(key, value);
  return Object.fromEntries(first);
}

function arraysToObjects(inputs: readonly Value[]): Value {
  const columns = Object.entries(pairs(inputs)).map(([key, values]) => [key, list(values)] as const);
  const length = Math.max(0, ...columns.map(([, values]) => values.length));
  return Array.from({ length }, (_, row) =>
    Object.fromEntries(columns.map(([key, values]) => [key, values[row] ?? null])),
  );
}

/** One object as it is; a list of objects by the attribute named second; else pairs. */
function objectToMap(inputs: readonly Value[]): Value {
  const [first = null, attribute] = inputs;
  if (first === null) return null;
  if (Array.isArray(first)) {
    return Object.fromEntries(first.map((each) => [asText(inside(each, asText(attribute ?? null))), each]));
  }
  return isMap(first) ? first : pairs(inputs);
}

function parsed(text: string, valueDelimiter: string, fieldDelimiter: string): { [key: string]: Value } {
  const fields = text.split(fieldDelimiter).map((field) => {
    const at = field.indexOf(valueDelimiter);
    return at < 0
      ? [field.trim(), '']
      : [field.slice(0, at).trim(), field.slice(at + valueDelimiter.length).trim()];
  });
  return Object.fromEntries(fields);
}

function list(value: Value): Value[] {
  return Array.isArray(value) ? value : value === null ? [] : [value];
}

/** One array counts as the list of its elements. */
function spread(inputs: readonly Value[]): readonly Value[] {
  return inputs.length === 1 && Array.isArray(inputs[0]) ? inputs[0] : inputs;
}

function extreme(inputs: readonly Value[], sign: number): Value {
  const present = spread(inputs).filter((each) => each !== null);
  return present.reduce<Value>(
    (best, each) => (best === null || sign * order(each, best) > 0 ? each : best),
    null,
  );
}
