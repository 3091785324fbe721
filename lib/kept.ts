// Whether what was kept was written by a version that this one knows: what a newer one means, nobody here can say.
import { Failure } from './failure.ts';

/**
 * @param what says what it is, within a sentence
 * @param value with a `version`, a whole number; what has none is as old as can be, or no document at all: its reader says so
 * @throws Failure `NEWER_VERSION`
 */
export function checkVersion(what: string, value: unknown, known: number): void {
  const version = (value as { readonly version?: unknown } | null | undefined)?.version;
  if (typeof version !== 'number' || version <= known) return;
  throw new Failure('NEWER_VERSION', `${what} has version ${version}, and this one knows ${known}`);
}
