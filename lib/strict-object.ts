// Objects of a user's input: strict, and helpful about a key that is not known.
import * as z from 'zod';
import * as lean from './zod.ts';

/** An object that refuses keys it does not know, and says which it does. */
export function object<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, { error: unknownKeys(shape) });
}

/** The same in the lean form, for what the forwarder reads as well. */
export function leanObject<S extends z.core.$ZodLooseShape>(shape: S) {
  return lean.strictObject(shape, { error: unknownKeys(shape) });
}

function unknownKeys(shape: object) {
  return (issue: z.core.$ZodRawIssue): string | undefined =>
    issue.code === 'unrecognized_keys'
      ? `unknown ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; allowed: ${Object.keys(shape).join(', ')}`
      : undefined;
}
