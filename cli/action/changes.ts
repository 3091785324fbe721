// Which manifests a list of changed files is about.
import type { ChangedFile } from './github.ts';

export interface Change {
  /** From the top of the repository. */
  readonly file: string;
  readonly isGone: boolean;
  /** Its name before, where it was renamed. */
  readonly before?: string;
}

const BESIDE = /\.(samples|records)\.json$/;

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
  const isManifest = (name: string) => inFolder(name) && name.endsWith('.json') && !BESIDE.test(name);
  const found = new Map<string, Change>();
  const there = (file: string, before?: string) => {
    if (present.includes(file))
      found.set(file, { file, isGone: false, ...(before !== undefined && { before }) });
  };
  for (const { filename, status, previous_filename: before } of files) {
    if (status === 'unchanged') continue;
    // A copy leaves the file that it was made of.
    const old = status === 'renamed' ? before : undefined;
    if (old !== undefined && isManifest(old) && !isManifest(filename))
      found.set(old, { file: old, isGone: true });
    if (isManifest(filename)) {
      if (status === 'removed') found.set(filename, { file: filename, isGone: true });
      else there(filename, old !== undefined && isManifest(old) ? old : undefined);
    }
  }
  for (const name of files.flatMap((one) => [one.filename, one.previous_filename ?? ''])) {
    if (!name.startsWith(`${folder}/`) || isManifest(name)) continue;
    const own = inFolder(name) && BESIDE.test(name) ? [name.replace(BESIDE, '.json')] : [];
    const named = own.length > 0 ? own : name.endsWith('.md') ? [] : present;
    for (const one of named) if (!found.has(one)) there(one);
  }
  return [...found.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}
