// The files of the manifests that a stack was started with: read, and written where nobody has changed or moved them since.
import { isUtf8 } from 'node:buffer';
import { hash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesWithin } from '../../lib/bounded-file.ts';
import { MAX_FILE_BYTES } from '../../lib/bounds.ts';

export interface NamedFile {
  /** Of the pipeline. */
  readonly name: string;
  /** As somebody typed it. */
  readonly file: string;
}

export interface ReadFile {
  readonly file: string;
  readonly text: string;
  /** Another text has another one. */
  readonly version: string;
}

export interface ManifestFiles {
  /**
   * @returns `undefined` where no file of that pipeline is known
   * @throws ManifestFileError
   */
  read(name: string): Promise<ReadFile | undefined>;
  /**
   * Writes all of it, or nothing.
   * @param version what was read. @returns `undefined` where the file has another text by now
   * @throws ManifestFileError
   */
  replace(name: string, version: string, text: string): Promise<ReadFile | undefined>;
}

/** The file cannot be read or written, in words. */
export class ManifestFileError extends Error {}

/** A file, and where it was when the stack was started. */
interface Place {
  readonly file: string;
  readonly real: string;
}

/** Files are known by their pipeline alone: no path comes from outside. Of two of one pipeline the later counts. */
export async function openManifestFiles(files: readonly NamedFile[]): Promise<ManifestFiles> {
  const places = new Map<string, Place>();
  for (const { name, file } of files) {
    const real = await realpath(file);
    // A pipe or a device can be read once, and not be replaced.
    if ((await stat(real)).isFile()) places.set(name, { file, real });
  }
  const turns = new Map<string, Promise<unknown>>();
  /** One after the other: of two that have read the same, the second finds another text. */
  const inTurn = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(name) ?? Promise.resolve()).then(work);
    turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  };
  const read = async (name: string) => {
    const place = places.get(name);
    return place && inWords(place, () => readAt(place));
  };
  return {
    read,
    replace: (name, version, text) =>
      inTurn(name, async () => {
        const place = places.get(name);
        if (place === undefined || (await read(name))?.version !== version) return undefined;
        await inWords(place, () => writeWhole(place.real, text));
        return readOf(place, text);
      }),
  };
}

const readOf = ({ file }: Place, text: string): ReadFile => ({ file, text, version: hash('sha256', text) });

async function readAt(place: Place): Promise<ReadFile> {
  // A link that was put in its way since then leads somewhere else.
  if ((await realpath(place.file)) !== place.real)
    throw new ManifestFileError(`${place.file} is another file than at the start. Start again to use it.`);
  const bytes = await bytesWithin(place.real, MAX_FILE_BYTES);
  if (bytes === undefined)
    throw new ManifestFileError(`${place.file} has more than ${MAX_FILE_BYTES} bytes.`);
  // Written again, each of them would be lost.
  if (!isUtf8(bytes))
    throw new ManifestFileError(
      `${place.file} has bytes that are not UTF-8. Save it as UTF-8 in your editor.`,
    );
  return readOf(place, bytes.toString());
}

/** Beside it, and then moved there: whoever reads it meanwhile has all of the old or all of the new. */
async function writeWhole(path: string, text: string): Promise<void> {
  // To move a file there asks for no right to write that file.
  await access(path, constants.W_OK);
  const { mode } = await stat(path);
  const temporary = join(dirname(path), `.penstock-${randomUUID()}.tmp`);
  try {
    await writeNew(temporary, text, mode);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** `wx`: it follows no link that somebody has put there. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await using file = await open(path, 'wx');
  await file.chmod(mode);
  await file.writeFile(text);
  await file.sync();
}

/** @throws ManifestFileError for an error of the file system */
async function inWords<T>({ file }: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ManifestFileError(`${file} cannot be read or written (${code}).`, { cause: error });
  }
}
