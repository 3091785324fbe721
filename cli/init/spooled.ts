// Keeps what comes through a pipe in a file while the command runs: init reads its records more than once.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface Spooled {
  readonly file: string;
  remove(): Promise<void>;
}

/** @throws the error of the file system, or the reason of the signal */
export async function spooled(pipe: string, signal: AbortSignal): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const remove = () => rm(folder, { recursive: true });
  const file = join(folder, 'records');
  try {
    await pipeline(createReadStream(pipe), createWriteStream(file), { signal });
    return { file, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
