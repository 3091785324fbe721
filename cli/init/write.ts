// Writes files into a folder: all of them or none, and over none that is there.
import { access, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MistakeError } from '../../terminal/mistake.ts';
import { makeFolder } from '../new-folder.ts';
import type { WrittenFile } from './files.ts';

/** What became of a file. */
export interface Written {
  readonly file: string;
  readonly is: 'new' | 'the same' | 'changed';
}

/**
 * @param mayReplace whether a file that is there may be written over
 * @throws MistakeError before anything is written where one is there and differs, or where the folder cannot be written
 */
export async function writeFiles(
  folder: string,
  files: readonly WrittenFile[],
  mayReplace: boolean,
): Promise<Written[]> {
  const found = await Promise.all(
    files.map(async ({ name, text }) => {
      const file = join(folder, name);
      return { file, text, there: await textOf(file) };
    }),
  );
  const differing = found.filter(({ text, there }) => there !== undefined && there !== text);
  if (differing.length > 0 && !mayReplace)
    throw new MistakeError(
      'FILE_UNWRITABLE',
      `${differing.map(({ file }) => file).join(', ')}: there already, and not the same`,
      'Name the pipeline otherwise (--name NAME) or another folder (--out DIR), or add --overwrite to write over it.',
    );
  try {
    await makeFolder(resolve(folder));
    for (const { file, text, there } of found) if (there !== text) await writeFile(file, text);
  } catch (error) {
    throw new MistakeError(
      'FILE_UNWRITABLE',
      `${folder} cannot be written (${codeOf(error)})`,
      'Name another folder: --out DIR',
      error,
    );
  }
  return found.map(({ file, text, there }) => ({
    file,
    is: there === undefined ? 'new' : there === text ? 'the same' : 'changed',
  }));
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new MistakeError(
      'FILE_UNWRITABLE',
      `${file} cannot be written, nor read (${codeOf(error)})`,
      'Name another folder: --out DIR',
      error,
    );
  }
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

export async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
