// The one reader of a secret's JSON. It tells mistakes by the names of fields, never by a value.
import { parse } from './aep/exchange.ts';
import { Failure, type FailureDetails, issuesText } from './failure.ts';
import { checkVersion } from './kept.ts';

/** A schema of either form of zod. Its messages must not quote what they refuse. */
export interface SecretSchema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: Parameters<typeof issuesText>[0] } };
}

export interface SecretWords {
  /** What it is, within a sentence: `the secret a/b`. */
  readonly what: string;
  /** What a message says of one that the schema refuses: `is not usable`, or the like. */
  readonly refused: string;
  /** What a message says of a text that is not JSON; left out, the schema says what it misses. */
  readonly notJson?: string;
  /** What to do then, where it is not what the code says. */
  readonly next?: string;
  /** The newest version that is known of it, where it has one. */
  readonly version?: number;
}

/**
 * The secret's text as a value of the schema.
 * @throws Failure `SECRET_INVALID` naming the fields that are wrong, never their values; `NEWER_VERSION`
 */
export function parseSecret<T>(text: string, schema: SecretSchema<T>, words: SecretWords): T {
  const { what, refused, notJson, next, version } = words;
  const options: FailureDetails = next === undefined ? {} : { next };
  const value = parse(text);
  // What the parser itself says would quote the text.
  if (value === undefined && notJson !== undefined)
    throw new Failure('SECRET_INVALID', `${what} ${notJson}`, options);
  if (version !== undefined) checkVersion(what, value, version);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Failure('SECRET_INVALID', `${what} ${refused}:\n${issuesText(result.error.issues)}`, options);
}

/** The words for a secret that a person has written. */
export function writtenSecret(id: string): SecretWords {
  return { what: `the secret ${id}`, refused: 'is not usable', notJson: 'is not JSON' };
}
