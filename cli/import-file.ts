// Writes an imported manifest into a file of its own, and never over another one.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Imported } from '../lib/import/import.ts';
import { MistakeError } from '../terminal/mistake.ts';
import { makeFolder } from './new-folder.ts';

export interface WrittenImport extends Imported {
  /** Where its manifest is, relative to the working folder. */
  readonly file?: string;
  /** A file of that name is there already, and was left as it is. */
  readonly taken?: string;
}

/**
 * @param folder where manifests are written; it is made where there is none
 * @param from the folder that `folder` is relative to
 * @throws MistakeError `FILE_UNWRITABLE`
 */
export async function writeImported(one: Imported, folder: string, from: string): Promise<WrittenImport> {
  const { manifest } = one;
  if (manifest === undefined) return one;
  const file = join(folder, fileNameOf(String(manifest.name)));
  const path = resolve(from, file);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  try {
    await makeFolder(resolve(from, folder));
    await writeFile(path, text, { flag: 'wx' });
    return { ...one, file };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      return (await holds(path, text)) ? { ...one, file } : { ...one, taken: file };
    throw new MistakeError(
      'FILE_UNWRITABLE',
      `${file} cannot be written: ${(error as Error).message}`,
      'Name another folder with --out.',
      error,
    );
  }
}

/** Files of these names hold the samples and the records of a manifest, and are none. */
function fileNameOf(pipeline: string): string {
  return `${pipeline.replace(/\.(samples|records)$/, '-$1')}.json`;
}

async function holds(path: string, text: string): Promise<boolean> {
  return readFile(path, 'utf8').then(
    (there) => there === text,
    () => false,
  );
}
