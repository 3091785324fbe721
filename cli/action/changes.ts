// Which manifests a list of changed files is about.
import { posix } from 'node:path';
import { MistakeError } from '../../terminal/mistake.ts';
import { BESIDE, isManifestName } from '../manifest-names.ts';
import type { ChangedFile } from './github.ts';

export interface Change {
  /** From the top of the repository. */
  readonly file: string;
  readonly isGone: boolean;
  /** GitHub lists it as there, and the checkout has no such file. */
  readonly isMissing?: true;
  /** Its name before, where it was renamed. */
  readonly before?: string;
}

/**
 * The folder as GitHub's lists of files begin: no `./` before it, no `/` behind.
 * @throws MistakeError `USAGE` where it is the whole repository, or none within it
 */
export function folderOf(given: string): string {
  const folder = posix.normalize(given.trim()).replace(/\/$/, '');
  if (folder !== '.' && !folder.startsWith('/') && folder.split('/')[0] !== '..') return folder;
  throw new MistakeError(
    'USAGE',
    `the input folder is ${JSON.stringify(given)}, and no folder within the repository`,
    'Name the folder of the manifests from the top of the repository, such as pipelines.',
  );
}

/** What was taken back: the same list, seen from the other end. */
export function reversed(files: readonly ChangedFile[]): readonly ChangedFile[] {
  return files.map((one): ChangedFile => {
    const { filename, status, previous_filename: before } = one;
    if (status === 'renamed' && before !== undefined)
      return { filename: before, status, previous_filename: filename };
    const swapped: Readonly<Record<string, string>> = {
      added: 'removed',
      copied: 'removed',
      removed: 'added',
    };
    return { filename, status: swapped[status] ?? status };
  });
}

/**
 * Samples and records stand for their manifest. A file that is no JSON, such as a schema, stands for all manifests:
 * any of them may name it.
 * @param folder of the manifests
 * @param present the manifests that are there now
 */
export function changedManifests(
  files: readonly ChangedFile[],
  folder: string,
  present: readonly string[],
): readonly Change[] {
  const inFolder = (name: string) =>
    name.startsWith(`${folder}/`) && !name.slice(folder.length + 1).includes('/');
  const isManifest = (name: string) => inFolder(name) && isManifestName(name);
  const found = new Map<string, Change>();
  const there = (file: string, before?: string) => {
    const isMissing = !present.includes(file);
    found.set(file, {
      file,
      isGone: false,
      ...(before !== undefined && { before }),
      ...(isMissing && { isMissing }),
    });
  };
  for (const { filename, status, previous_filename: before } of files) {
    if (status === 'unchanged') continue;
    // A copy leaves the file that it was made of.
    const old = status === 'renamed' ? before : undefined;
    if (old !== undefined && isManifest(old) && !isManifest(filename))
      found.set(old, { file: old, isGone: true });
    if (isManifest(filename)) {
      if (status === 'removed' && !present.includes(filename))
        found.set(filename, { file: filename, isGone: true });
      else there(filename, old !== undefined && isManifest(old) ? old : undefined);
    }
  }
  for (const name of files.flatMap((one) => [one.filename, one.previous_filename ?? ''])) {
    if (!name.startsWith(`${folder}/`) || isManifest(name)) continue;
    const own = inFolder(name) && BESIDE.test(name) ? [name.replace(BESIDE, '.json')] : [];
    const named = own.length > 0 ? own : name.endsWith('.md') ? [] : present;
    for (const one of named) if (!found.has(one) && present.includes(one)) there(one);
  }
  return [...found.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}
