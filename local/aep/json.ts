// JSON as a type, and the few questions every service asks of a body it did not write.

import { ExactNumber, parseJson } from './exact-number.ts';

export type Json = null | boolean | number | ExactNumber | string | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

/** Ours: Adobe names no limit. It is the one of Jackson, the usual reader in Java (`StreamReadConstraints`). */
export const DEEPEST = 1_000;

/** What a text says. Throws a SyntaxError where it is no JSON, or is nested so deep that walking through it would end the stack. */
export function readJson(text: string): Json {
  const value = parseJson(text);
  // Each level takes two characters: what is short needs no look.
  if (text.length > 2 * DEEPEST && isDeeper(value, DEEPEST))
    throw new SyntaxError(`nested more than ${DEEPEST} levels deep`);
  return value;
}

function isDeeper(value: Json, most: number): boolean {
  if (Array.isArray(value)) return most === 0 || value.some((each) => isDeeper(each, most - 1));
  if (!isObject(value)) return false;
  if (most === 0) return true;
  for (const key in value) if (isDeeper(value[key] as Json, most - 1)) return true;
  return false;
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
