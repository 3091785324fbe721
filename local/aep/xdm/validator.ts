// Compiles a resolved schema once into a function that says what is wrong with a record.

import { isIPv4, isIPv6 } from 'node:net';
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { finder } from '../el/in-time.ts';
import { javaRegex } from '../el/java-regex.ts';
import { plainNumbers } from '../exact-number.ts';
import type { JsonObject } from '../json.ts';
import type { Violation } from '../state.ts';
import type { Field } from './field.ts';
import { violations } from './violations.ts';

export type Validate = (record: JsonObject) => Violation[];

const DAY = /^\d{4}-(\d\d)-(\d\d)$/;
const MOMENT =
  /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)$/;
const EMAIL =
  /^[^\s@"(),:;<>[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/;

const NO_VIOLATIONS: Violation[] = [];

function isDay(text: string): boolean {
  const parts = DAY.exec(text);
  // A date that JavaScript moves into the next month never existed.
  return parts !== null && new Date(`${text}T00:00:00Z`).getUTCDate() === Number(parts[2]);
}

function isMoment(text: string): boolean {
  const parts = MOMENT.exec(text);
  return parts !== null && isDay(parts[1] as string);
}

/** Compiled last, by the text of what was compiled. */
const compiled = new Map<string, Validate>();
/** More than the schemas in use at once. */
const MAX_COMPILED = 32;

/** Compiling takes about 20 ms, so the same schema is compiled once, for all platforms. */
export function compileValidator(schema: Field): Validate {
  const whole = closed(schema);
  const text = JSON.stringify(whole);
  const validate = compiled.get(text) ?? compile(whole);
  compiled.delete(text);
  compiled.set(text, validate);
  for (const [oldest] of compiled) {
    if (compiled.size <= MAX_COMPILED) break;
    compiled.delete(oldest);
  }
  return validate;
}

/** A validator for these records alone: fields that none of them has are not compiled. */
export function compileValidatorFor(schema: Field, records: readonly JsonObject[]): Validate {
  return compileValidator(within(schema, records));
}

/** The field without what is inside those fields that none of the values has: a validator never looks there. */
function within(field: Field, values: readonly unknown[]): Field {
  const { properties, items, additionalProperties } = field;
  const objects = values.filter((value) => typeof value === 'object' && value !== null) as JsonObject[];
  const result: Field = { ...field };
  if (properties)
    result.properties = Object.fromEntries(
      Object.entries(properties).map(([name, inner]) => [
        name,
        withinOrAnything(inner, valuesOf(objects, name)),
      ]),
    );
  if (items) result.items = withinOrAnything(items, values.filter(Array.isArray).flat());
  if (typeof additionalProperties === 'object') {
    const others = objects.flatMap(Object.entries).filter(([name]) => !Object.hasOwn(properties ?? {}, name));
    result.additionalProperties = withinOrAnything(
      additionalProperties,
      others.map(([, value]) => value),
    );
  }
  return result;
}

function withinOrAnything(field: Field, values: readonly unknown[]): Field {
  return values.length === 0 ? {} : within(field, values);
}

/** Inherited ones, too: ajv looks at those like at any other. */
function valuesOf(objects: readonly JsonObject[], name: string): unknown[] {
  return objects.map((object) => object[name]).filter((value) => value !== undefined);
}

function compile(schema: object): Validate {
  if (ofSchemas.validateSchema(schema) !== true) throw new TypeError(`no schema: ${ofSchemas.errorsText()}`);
  const check = createAjv({ meta: false, validateSchema: false }).compile(schema);
  return (record) =>
    check(plainNumbers(record)) ? NO_VIOLATIONS : violations((check.errors ?? []).map(asGiven(record)));
}

/** Says whether a schema is one. What it needs takes as long to compile as a schema, so there is one for all. */
const ofSchemas = createAjv();

/** Formats that are not among these are none to the platform either: it says nothing against `url` or `time`. */
function createAjv(options: Options = {}): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: false,
    validateFormats: true,
    logger: false,
    // V8 makes the shorter code no faster, and a quarter of compiling is to shorten it.
    code: { optimize: false },
    ...options,
  });
  ajv.removeKeyword('pattern').addKeyword({ keyword: 'pattern', type: 'string', compile: patternCheck });
  ajv.removeKeyword('uniqueItems').addKeyword({ keyword: 'uniqueItems', type: 'array', validate: areUnique });
  ajv.addFormat('date', isDay);
  ajv.addFormat('date-time', isMoment);
  ajv.addFormat('email', EMAIL);
  ajv.addFormat('uri', URI);
  ajv.addFormat('uri-reference', true);
  ajv.addFormat('ipv4', isIPv4);
  ajv.addFormat('ipv6', isIPv6);
  return ajv;
}

interface Check {
  (value: string): boolean;
  errors?: Partial<ErrorObject>[];
}

/** A schema's patterns come from callers as well. One that takes too long on a text refuses it, with the reason: that is ours. */
function patternCheck(pattern: string): Check {
  const finds = finder(javaRegex(pattern));
  const check: Check = (value) => {
    const found = finds(value);
    if (found === true) return true;
    check.errors = [{ keyword: 'pattern', params: { pattern, late: found === undefined } }];
    return false;
  };
  return check;
}

/** ajv compares every two items, which takes minutes for a message of a megabyte. */
function areUnique(wanted: boolean, items: readonly unknown[]): boolean {
  return !wanted || new Set(items.map((item) => JSON.stringify(sorted(item)))).size === items.length;
}

/** In an order of keys that does not depend on who wrote it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, sorted(inner)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** A value in a message has all the digits that were sent. */
const asGiven =
  (record: JsonObject) =>
  (error: ErrorObject): ErrorObject =>
    typeof error.data === 'number' ? { ...error, data: valueAt(record, error.instancePath) } : error;

function valueAt(record: JsonObject, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], record);
}

/** The schema as JSON Schema in which every object lists all it may hold. */
function closed(field: Field): object {
  const {
    title: _title,
    description: _description,
    'meta:xdmType': _type,
    // Suggested values do not constrain: experienceleague.adobe.com/docs/experience-platform/xdm/tutorials/suggested-values.html
    'meta:enum': _suggested,
    properties,
    items,
    additionalProperties,
    ...rest
  } = field;
  const result: Record<string, unknown> = { ...rest };
  if (items) result.items = closed(items);
  if (typeof additionalProperties === 'object') result.additionalProperties = closed(additionalProperties);
  if (properties) {
    result.properties = Object.fromEntries(
      Object.entries(properties).map(([name, inner]) => [name, closed(inner)]),
    );
    if (additionalProperties === undefined) result.additionalProperties = false;
  }
  return result;
}
