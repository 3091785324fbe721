// Objects in a folder of this machine.
import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { type Objects, tooLarge } from './objects.ts';

const PAGE_OBJECTS = 1_000;
const TEMPORARY = '.tmp';

export function objectsInFolder(folder: string): Objects {
  const at = (key: string) => join(folder, key);
  const read = async (key: string) => {
    const found = await ifFileThere(stat(at(key)));
    if (found !== undefined && found.size > MAX_OBJECT_BYTES) throw tooLarge(key, found.size);
    const text = await ifFileThere(readFile(at(key), 'utf8'));
    return text === undefined ? undefined : { text, version: versionOf(text) };
  };
  return {
    read,
    async list(prefix, after) {
      const found = (await ifFileThere(readdir(at(prefix), { recursive: true, withFileTypes: true }))) ?? [];
      const keys = found
        .filter((entry) => entry.isFile() && !entry.name.endsWith(TEMPORARY))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const page = keys
        .slice(0, PAGE_OBJECTS)
        .map(async (key) => ({ key, bytes: (await stat(at(key))).size }));
      return { objects: await Promise.all(page), more: keys.length > PAGE_OBJECTS };
    },
    // Renamed when it is complete and on the disk: a listing never shows half a document.
    write: (key, text) => written(at(key), text, (temporary) => rename(temporary, at(key))),
    async create(key, text) {
      try {
        // Unlike a renaming, a link does not replace an existing file.
        await written(at(key), text, (temporary) => link(temporary, at(key)));
        return true;
      } catch (error) {
        if (systemCode(error) === 'EEXIST') return false;
        throw error;
      }
    },
    async replace(key, version, text) {
      if ((await read(key))?.version !== version) return false;
      await this.write(key, text);
      return true;
    },
    async remove(key, version) {
      const there = await read(key);
      if (there !== undefined && there.version !== version) return false;
      await rm(at(key), { force: true });
      return true;
    },
  };
}

/** Writes a file beside `path` durably, then moves it there. */
async function written(path: string, text: string, put: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}${TEMPORARY}`;
  try {
    await writeThrough(temporary, text);
    await put(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

async function writeThrough(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w');
  await file.writeFile(text);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function ifFileThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
