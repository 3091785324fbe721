// A manifest as it was written, and what a lint says of it.
import type { Edit } from './json-edit.ts';

/** What is wrong at a place, and how it is mended. */
export interface Lint {
  readonly rule: string;
  /** JSON Pointer of the place. */
  readonly at: string;
  /** What was found there, and what AEP or Penstock takes. */
  readonly says: string;
  /** What the edits do, in a few words. Absent, as they are, where only the author can know. */
  readonly does?: string;
  readonly edits?: readonly Edit[];
}

/** A manifest as it was written, whatever it is: a lint looks for what it knows. */
export type WrittenManifest = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): WrittenManifest | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as WrittenManifest)
    : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
