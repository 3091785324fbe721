// Objects of a user's input: strict, and helpful about a key that is not known.
import * as z from 'zod';

/** An object that refuses keys it does not know, and says which it does. */
export function object<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; allowed: ${Object.keys(shape).join(', ')}`
        : undefined,
  });
}
