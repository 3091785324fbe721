// The lines of a file, one at a time: what is longer than any record is passed over and told, and never held.
import { createReadStream } from 'node:fs';
import { type Encoding, fromBase64, MAX_LINE_BYTES as MAX_BASE64_BYTES } from '../../local/start/records.ts';

/** A record as it stands in the stream, or the length of a line that no record can have. */
export type Line =
  | { readonly number: number; readonly bytes: Buffer }
  | { readonly number: number; readonly tooLong: number };

/** AWS: "Quotas and limits" of Kinesis Data Streams. The largest record. */
export const MAX_LINE_BYTES = 10 * 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * The lines of each chunk together. Empty ones are passed over and counted: a number is the one that an editor shows.
 * @param most bytes of a line
 */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  most: number = MAX_LINE_BYTES,
): AsyncGenerator<readonly Line[]> {
  let number = 1;
  let held: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length > most) held = [];
    else if (part.length > 0) held.push(part);
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      lines.push(...lineOf(number++, held, length, most));
      [held, length] = [[], 0];
      from = end + 1;
    }
    add(chunk.subarray(from));
    yield lines;
  }
  yield lineOf(number, held, length, most);
}

function lineOf(number: number, held: readonly Buffer[], length: number, most: number): Line[] {
  if (length > most) return [{ number, tooLong: length }];
  const whole = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held);
  const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
  return bytes.length > 0 ? [{ number, bytes }] : [];
}

/**
 * The lines of a file.
 * @throws the error of the file system; EncodingError that names the first line that is no base64
 */
export async function* linesOfFile(
  file: string,
  encoding: Encoding = 'text',
): AsyncGenerator<readonly Line[]> {
  const chunks = createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
  if (encoding === 'text') yield* linesOf(chunks);
  else for await (const lines of linesOf(chunks, MAX_BASE64_BYTES)) yield lines.map(decodedLine);
}

function decodedLine(line: Line): Line {
  if ('tooLong' in line) return line;
  return { number: line.number, bytes: fromBase64(line.number, line.bytes.toString('latin1').trim()) };
}
