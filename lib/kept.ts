// Whether this version can read a stored document: it cannot know what a newer version means.
import { Failure } from './failure.ts';

/**
 * Passes a value without a `version`: it is old, or no such document, and its reader decides.
 * @param what names the document within a sentence
 * @param value with a `version`, a whole number
 * @throws Failure `NEWER_VERSION`
 */
export function checkVersion(what: string, value: unknown, known: number): void {
  const version = (value as { readonly version?: unknown } | null | undefined)?.version;
  if (typeof version !== 'number' || version <= known) return;
  throw new Failure('NEWER_VERSION', `${what} has version ${version}, and this release knows ${known}`);
}
