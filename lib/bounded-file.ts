// Reads a file of bounded size, and no more of it: its name may stand for a device or a pipe without end.
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';

/**
 * @param most bytes
 * @returns `undefined` where the file has more
 * @throws the error of the file system
 */
export async function bytesWithin(file: string, most: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  // `end` is the last byte that is read: one more than the file may have.
  for await (const part of createReadStream(file, { end: most })) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  return bytes.length > most ? undefined : bytes;
}

/** The same as text: bytes that are not UTF-8 become U+FFFD. */
export async function textWithin(file: string, most: number): Promise<string | undefined> {
  return (await bytesWithin(file, most))?.toString();
}

/** The text, at once. */
export function textWithinSync(file: string, most: number): string | undefined {
  const bytes = Buffer.alloc(most + 1);
  const opened = openSync(file, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length <= most; length += read)
      read = readSync(opened, bytes, length, bytes.length - length, null);
    return length > most ? undefined : bytes.toString('utf8', 0, length);
  } finally {
    closeSync(opened);
  }
}
