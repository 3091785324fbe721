// Records on their way in: from a file, a folder or the sample generator, as bytes with the number of their line.
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SampleOptions, sampleRecords } from './samples.ts';

export interface Line {
  /** Counted from 1, empty lines included, as an editor counts; of a folder, which of its files it is. */
  readonly number: number;
  readonly bytes: Buffer;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The largest record, 10 MiB, in base64. AWS: "Quotas and limits" of Kinesis Data Streams. */
export const MAX_LINE_BYTES = Math.ceil((10 * 1024 * 1024) / 3) * 4;

/** A line that no record can have: no more of it is held. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

/**
 * The lines of a file as they are: no decoding, so a broken one stays as broken as it is. Empty ones are passed over.
 * @throws LineTooLongError
 */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 0;
  let open: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      number++;
      yield* line(number, [...open, chunk.subarray(from, end)]);
      [open, length] = [[], 0];
      from = end + 1;
    }
    if (from < chunk.length) open.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE_BYTES)
      throw new LineTooLongError(
        `line ${number + 1} has more than ${MAX_LINE_BYTES} bytes: no record of a stream is so long`,
      );
  }
  if (open.length > 0) yield* line(number + 1, open);
}

function* line(number: number, parts: Buffer[]): Generator<Line> {
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
  if (bytes.length > 0) yield { number, bytes };
}

/** How a record is written in its line: as it is, or in base64, since a line cannot hold just any byte. */
export type Encoding = 'text' | 'base64';

/** A line of this is no base64. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
}

/** The lines decoded. @throws EncodingError that names the first line that is no base64 */
export async function* decoded(lines: AsyncIterable<Line>, encoding: Encoding): AsyncGenerator<Line> {
  for await (const { number, bytes } of lines) {
    if (encoding === 'text') yield { number, bytes };
    else yield { number, bytes: fromBase64(number, bytes.toString('latin1').trim()) };
  }
}

/** The bytes that a line writes in base64. @throws EncodingError that names the line */
export function fromBase64(number: number, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const again = bytes.toString('base64');
  // Node passes over what is no base64.
  if (again !== text && again.replace(/=+$/, '') !== text.replace(/=+$/, ''))
    throw new EncodingError(`line ${number} is not base64`);
  return bytes;
}

/** The files of a folder in the order of their names, each one record, whatever its bytes. */
export async function* filesOf(folder: string): AsyncGenerator<Line> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
  let number = 0;
  for (const name of names.sort()) yield { number: ++number, bytes: await readFile(join(folder, name)) };
}

/** Sample records as lines. */
export function* sampleLines(options: SampleOptions): Generator<Line> {
  let number = 0;
  for (const text of sampleRecords(options)) yield { number: ++number, bytes: Buffer.from(text) };
}
