// JSON as a type, and safe ways to read members of a body that a caller sent.

import { ExactNumber, mayHoldLong, numberOf } from './exact-number.ts';

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
export function parseJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  // Each level takes two characters: what is short needs no look.
  if (text.length > 2 * DEEPEST && isDeeper(value, DEEPEST))
    throw new SyntaxError(`nested more than ${DEEPEST} levels deep`);
  return value;
}

type Revive = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** As `parseJson`, of a text with records in it: their numbers keep their digits. As quick where none is long. */
export function parseExactly(text: string): Json {
  const value = parseJson(text);
  return mayHoldLong(text) ? (JSON.parse(text, exact as Revive as never) as Json) : value;
}

function exact(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined ? numberOf(source) : value;
}

function isDeeper(value: Json, most: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return false;
  if (most === 0) return true;
  if (Array.isArray(value)) return value.some((each) => isDeeper(each, most - 1));
  for (const key in value) if (isDeeper(value[key] as Json, most - 1)) return true;
  return false;
}

/** A member of the table's own: a caller may send `constructor` too. */
export function own<T>(table: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The string at a key, else undefined. */
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
