// Words that the manifest does not know, and of which one is near: a misspelt member, or a misspelt value.
import { Manifest } from '../manifest.ts';
import { type MeantWord, meantWords, wording } from '../mistakes.ts';
import { jsonPointer } from './json-edit.ts';
import type { Lint, WrittenManifest } from './written.ts';

export function wordLints(written: WrittenManifest): Lint[] {
  const known = written.version === undefined ? [versionLint()] : [];
  const result = Manifest.safeParse(written, { reportInput: true, error: wording });
  return result.success
    ? []
    : [...known, ...meantWords(result.error.issues, written).map((one) => wordLint(one, written))];
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

function wordLint({ path, found, meant, isKey }: MeantWord, written: WrittenManifest): Lint {
  const at = jsonPointer(isKey ? [...path, found] : path);
  const says = `${JSON.stringify(found)} is not known; ${JSON.stringify(meant)} is near`;
  // The member is there as well: which of both is meant only the author knows.
  if (isKey && isWritten(written, path, meant))
    return { rule: 'word', at, says: `${says}, and there already` };
  return {
    rule: 'word',
    at,
    says,
    does: `writes ${JSON.stringify(meant)}`,
    edits: [isKey ? { op: 'rename', at, to: meant } : { op: 'set', at, value: meant }],
  };
}

function isWritten(written: WrittenManifest, path: readonly PropertyKey[], name: string): boolean {
  const object = path.reduce<unknown>(
    (here, step) => (here as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step],
    written,
  );
  return typeof object === 'object' && object !== null && Object.hasOwn(object, name);
}
