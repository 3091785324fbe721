// Words that the manifest does not know, and of which one is near: a misspelt member, or a misspelt value.
import { Manifest } from '../manifest.ts';
import { type MeantWord, meantWords, wording } from '../mistakes.ts';
import { jsonPointer } from './json-edit.ts';
import type { Lint, WrittenManifest } from './written.ts';

export function wordLints(written: WrittenManifest): Lint[] {
  const known = written.version === undefined ? [versionLint()] : [];
  const result = Manifest.safeParse(written, { reportInput: true, error: wording });
  return result.success ? [] : [...known, ...meantWords(result.error.issues, written).map(wordLint)];
}

function versionLint(): Lint {
  return {
    rule: 'version',
    at: '/version',
    says: 'found nothing; expected the version of the format',
    does: 'adds "version": 1',
    edits: [{ op: 'set', at: '/version', value: 1 }],
  };
}

function wordLint({ path, found, meant, isKey }: MeantWord): Lint {
  const at = jsonPointer(isKey ? [...path, found] : path);
  return {
    rule: 'word',
    at,
    says: `${JSON.stringify(found)} is not known; ${JSON.stringify(meant)} is near`,
    does: `writes ${JSON.stringify(meant)}`,
    edits: [isKey ? { op: 'rename', at, to: meant } : { op: 'set', at, value: meant }],
  };
}
