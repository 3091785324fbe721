// Makes a folder where files are to be written, with those above it.
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Node's own way tries for ever where a file system refuses with ENOENT below a folder that is there, as `/proc` does.
 * @param folder an absolute path
 * @throws the error of the file system
 */
export async function makeFolder(folder: string): Promise<void> {
  const isThere = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  // Another may have made it just now.
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
