// JSON as a type, and the few questions every service asks of a body it did not write.

import { ExactNumber } from './exact-number.ts';

export type Json = null | boolean | number | ExactNumber | string | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

/** What a table itself holds: `constructor` and its kin come from strangers too. */
export function own<T>(table: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The string at a key, or undefined: bodies come from strangers. */
export function textAt(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}

export function objectAt(value: unknown, key: string): JsonObject | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : undefined;
}

export function arrayAt(value: unknown, key: string): Json[] {
  const found = isObject(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}

/** Every value a dotted path leads to; `name[]` and arrays in between fan out, as in `sourceConnectionIds[]`. */
export function valuesAt(value: Json | undefined, path: string): Json[] {
  let level: Json[] = value === undefined ? [] : [value];
  for (const step of path.split('.')) {
    const key = step.replace(/\[\]$/, '');
    level = level.flatMap((each) => {
      const found = isObject(each) ? own(each, key) : undefined;
      if (found === undefined) return [];
      return Array.isArray(found) ? found : [found];
    });
  }
  return level;
}
