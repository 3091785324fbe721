// Reads what the page sends, up to a bound.
import type { IncomingMessage } from 'node:http';

/** A file of records that somebody puts in by hand fits, in bytes. */
const MOST = 8 * 1024 * 1024;

/** @returns `undefined` where there is more of it: then it is read to its end and not kept */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= MOST) parts.push(part);
  }
  return size <= MOST ? Buffer.concat(parts) : undefined;
}
