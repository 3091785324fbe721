// JSON Patch (RFC 6902) as the platform's services take it: add, replace, remove and test.

import { Refusal } from './errors.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/** Says what is wrong with a patch; the service puts it into its own words. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly operation: string | undefined;

  constructor(message: string, operation?: string) {
    super(message);
    this.operation = operation;
  }
}

/** A changed copy; the document itself stays as it is. */
export function patched(document: JsonObject, patch: Json): JsonObject {
  if (!Array.isArray(patch)) throw new PatchError('The patch must be an array of operations.');
  const copy = structuredClone(document);
  for (const operation of patch) apply(copy, operation);
  return copy;
}

function apply(document: JsonObject, operation: Json): void {
  if (!isObject(operation)) throw new PatchError('Each operation must be an object.');
  // Lower case in Adobe's pages, upper case in its OpenAPI, `Add` in aepp: all are taken (contract §4.2).
  const op = String(operation.op ?? '').toLowerCase();
  const path = operation.path;
  if (op !== 'add' && op !== 'replace' && op !== 'remove') {
    throw new PatchError(`Unsupported operation '${op}' received.`, op);
  }
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new PatchError(`Missing or invalid path '${String(path)}'.`);
  const steps = path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop() as string;
  const parent = steps.reduce<Json>((level, step) => child(level, step, path), document);
  const value = operation.value;
  if (op !== 'remove' && value === undefined)
    throw new PatchError(`Operation '${op}' on '${path}' needs a value.`);
  if (Array.isArray(parent)) changeArray(parent, last, op, value ?? null, path);
  else if (isObject(parent)) changeObject(parent, last, op, value ?? null, path);
  else throw new PatchError(`Missing field "${path}".`);
}

function child(level: Json, step: string, path: string): Json {
  const found = Array.isArray(level)
    ? level[Number(step)]
    : isObject(level) && Object.hasOwn(level, step)
      ? level[step]
      : undefined;
  if (found === undefined) throw new PatchError(`Missing field "${step}" in '${path}'.`);
  return found;
}

function changeObject(parent: JsonObject, key: string, op: string, value: Json, path: string): void {
  if (op !== 'add' && !Object.hasOwn(parent, key))
    throw new PatchError(`Missing field "${key}" in '${path}'.`);
  if (op === 'remove') delete parent[key];
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

function changeArray(parent: Json[], key: string, op: string, value: Json, path: string): void {
  const at = key === '-' ? parent.length : Number(key);
  const limit = op === 'add' ? parent.length : parent.length - 1;
  if (!Number.isInteger(at) || at < 0 || at > limit) throw new PatchError(`No element ${key} in '${path}'.`);
  if (op === 'add') parent.splice(at, 0, value);
  else if (op === 'replace') parent[at] = value;
  else parent.splice(at, 1);
}

/** A changed copy, or the legacy problem that says why there is none: for the services that answer with that. */
export function patchedOrRefused(document: JsonObject, patch: Json): JsonObject {
  try {
    return patched(document, patch);
  } catch (error) {
    if (error instanceof PatchError) throw Refusal.problem(400, 'BadRequestError', error.message);
    throw error;
  }
}
