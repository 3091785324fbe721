// Writes an imported manifest into a file of its own, and never over another one.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Imported } from '../lib/import/import.ts';
import { MistakeError } from '../terminal/mistake.ts';

export interface WrittenImport extends Imported {
  /** Where its manifest is, relative to the working folder. */
  readonly file?: string;
  /** A file of that name is there already, and was left as it is. */
  readonly taken?: string;
}

/**
 * @param folder where manifests are written; it is made where there is none
 * @throws MistakeError `FILE_UNWRITABLE`
 */
export async function writeImported(one: Imported, folder: string, from: string): Promise<WrittenImport> {
  const { manifest } = one;
  if (manifest === undefined) return one;
  const file = join(folder, `${String(manifest.name)}.json`);
  try {
    await mkdir(join(from, folder), { recursive: true });
    await writeFile(join(from, file), `${JSON.stringify(manifest, null, 2)}\n`, { flag: 'wx' });
    return { ...one, file };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return { ...one, taken: file };
    throw new MistakeError(
      'FILE_UNWRITABLE',
      `${file} cannot be written: ${(error as Error).message}`,
      'Name another folder with --out.',
      error,
    );
  }
}
