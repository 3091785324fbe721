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
  const words = Object.keys(shape);
  return allowing(words, (issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; allowed: ${words.join(', ')}`
      : undefined,
  );
}

/**
 * The message, and beside it the words that are allowed: zod hands on what is written on an issue, and who tells it looks
 * for the nearest (lib/mistakes.ts).
 */
export function allowing(
  words: readonly string[],
  said: (issue: z.core.$ZodRawIssue) => string | undefined,
): (issue: z.core.$ZodRawIssue) => string | undefined {
  return (issue) => {
    const message = said(issue);
    if (message !== undefined) Object.assign(issue, { allowed: words });
    return message;
  };
}
