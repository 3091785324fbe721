// Lints of a manifest: what AEP or Penstock refuses of it, or what cannot be meant, each with the edit that mends it.
import { fieldLints } from './fields.ts';
import { mappingLints } from './mapping.ts';
import { nameLints } from './names.ts';
import { recordLints } from './records.ts';
import { schemaLints } from './schema.ts';
import { wordLints } from './words.ts';
import { asObject, type Lint, type WrittenManifest } from './written.ts';

const LINT_RULES: readonly ((written: WrittenManifest) => Lint[])[] = [
  wordLints,
  nameLints,
  schemaLints,
  fieldLints,
  mappingLints,
  recordLints,
];

/** The lints of a manifest as it was written, which need not be a valid one. Pure. */
export function lintsOf(written: unknown): Lint[] {
  const manifest = asObject(written);
  return manifest === undefined ? [] : LINT_RULES.flatMap((rule) => rule(manifest));
}
