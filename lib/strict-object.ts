// Objects of a user's input: strict, and helpful about an unknown key.
import * as z from 'zod';
import * as lean from './zod.ts';

/** An object that refuses unknown keys, and names the known ones. */
export function object<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, { error: unknownKeys(shape) });
}

/** The same with the lean zod, for what the forwarder reads too. */
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
 * The message, with the allowed words beside it. zod passes on what is written on an issue. lib/mistakes.ts
 * then looks for the nearest word.
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
