// Keeps the beginning of what comes through a pipe in a file while the command runs: init reads its records more than once.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Spooled {
  readonly file: string;
  /** Whether there was more than is kept. */
  readonly isCut: boolean;
  remove(): Promise<void>;
}

/** How much is kept of a pipe that may have no end. */
export interface Most {
  readonly records: number;
  readonly bytes: number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Reads no more of the pipe than is kept: then its writer is told that nobody reads. A line that is cut is left out.
 * @throws the error of the file system, or the reason of the signal
 */
export async function spooled(pipe: Readable, most: Most, signal: AbortSignal): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const remove = () => rm(folder, { recursive: true });
  const file = join(folder, 'records');
  const beginning = createBeginning(most);
  try {
    await pipeline(pipe, beginning.of, createWriteStream(file), { signal });
    const { isCut, whole } = beginning;
    if (isCut && whole > 0) await truncate(file, whole);
    return { file, isCut, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function createBeginning(most: Most) {
  let [records, bytes, whole, isCut] = [0, 0, 0, false];
  /** Of the line that is not ended yet. */
  let length = 0;
  let last = 0;

  /** How many bytes of the chunk are kept. */
  function keptOf(chunk: Buffer): number {
    const room = Math.min(chunk.length, most.bytes - bytes);
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1 && end < room; end = chunk.indexOf(NEWLINE, from)) {
      if (records >= most.records) return from;
      length += end - from;
      if (end > from) last = chunk[end - 1] ?? 0;
      if (length > 1 || (length === 1 && last !== RETURN)) records += 1;
      from = end + 1;
      length = 0;
      whole = bytes + from;
    }
    if (records >= most.records) return from;
    length += room - from;
    last = chunk[room - 1] ?? 0;
    return room;
  }

  return {
    get isCut() {
      return isCut;
    },
    /** Bytes up to the end of the last line that is kept as a whole. */
    get whole() {
      return whole;
    },
    async *of(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        const kept = keptOf(chunk);
        bytes += kept;
        yield chunk.subarray(0, kept);
        isCut = kept < chunk.length;
        if (isCut) return;
      }
    },
  };
}
