// What Data Prep makes of a value on its way into a field: strings become booleans and dates, numbers become text (contract §5.2).
//
// Strings: Adobe's page "Handling data formats with Data Prep". Numbers: the sample of `POST /mappingSets/preview` in Adobe's API
// guide, where `{"id": 1234}` becomes `"_id": "1234"`. Three cases are not documented: a boolean for a string
// field, a string for a number field, and a number for a date field. The value stays as it is.

import { Moment, parseMoment } from '../el/moments.ts';
import { ExpressionError } from '../el/tokens.ts';
import { asJson, isMap, isNumber, type Value } from '../el/values.ts';
import { type Json, own } from '../json.ts';
import type { Field } from '../xdm/field.ts';

export type Coerce = (value: Value) => Json;

const TRUE = new Set(['y', 'Y', 'yes', 'YES', 'on', 'ON', 'true', 'TRUE']);
const FALSE = new Set(['n', 'N', 'no', 'NO', 'off', 'OFF', 'false', 'FALSE']);
const DAY = /^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export function coercion(field: Field | undefined): Coerce {
  if (field?.type === 'boolean') return toBoolean;
  if (field?.type === 'string' && field.format === 'date') return toDay;
  if (field?.type === 'string' && field.format === 'date-time') return toInstant;
  if (field?.type === 'string') return toText;
  if (field?.type === 'array') return listOf(coercion(field.items));
  if (field?.type === 'object' && field.properties) return copyOf(field);
  if (typeof field?.additionalProperties === 'object') return mapOf(coercion(field.additionalProperties));
  return asJson;
}

function toBoolean(value: Value): Json {
  if (typeof value !== 'string') return asJson(value);
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw new ExpressionError(`'${value}' cannot be converted to a boolean`);
}

function toText(value: Value): Json {
  return isNumber(value) ? String(value) : asJson(value);
}

function toDay(value: Value): Json {
  if (value instanceof Moment) return value.toDay();
  if (typeof value !== 'string' || DAY.test(value)) return asJson(value);
  return parseMoment(value).toDay();
}

function toInstant(value: Value): Json {
  if (typeof value !== 'string' || INSTANT.test(value)) return asJson(value);
  return parseMoment(value).toString();
}

const listOf =
  (element: Coerce): Coerce =>
  (value) =>
    Array.isArray(value) ? value.map(element) : asJson(value);

const mapOf =
  (element: Coerce): Coerce =>
  (value) =>
    isMap(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, element(inner)]))
      : asJson(value);

/** Copies an object: attributes that the schema has are copied, others are left out. */
function copyOf(field: Field): Coerce {
  const inner = Object.entries(field.properties ?? {}).map(([name, each]) => [name, coercion(each)] as const);
  return (value) => {
    if (!isMap(value)) return asJson(value);
    const copy: [string, Json][] = [];
    for (const [name, coerce] of inner) {
      const given = own(value, name);
      if (given === undefined || given === null) continue;
      const made = coerce(given);
      if (made !== null) copy.push([name, made]);
    }
    return Object.fromEntries(copy);
  };
}
