// Records on their way in: from a file or from the sample generator, as bytes with the number of their line.
import { createReadStream } from 'node:fs';
import { type SampleOptions, sampleRecords } from './samples.ts';

export interface Line {
  /** Counted from 1, empty lines included, as an editor counts. */
  readonly number: number;
  readonly bytes: Buffer;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The lines of a file as they are: no decoding, so a broken one stays as broken as it is. Empty ones are passed over. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 0;
  let open: Buffer[] = [];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      number++;
      yield* line(number, [...open, chunk.subarray(from, end)]);
      open = [];
      from = end + 1;
    }
    if (from < chunk.length) open.push(chunk.subarray(from));
  }
  if (open.length > 0) yield* line(number + 1, open);
}

function* line(number: number, parts: Buffer[]): Generator<Line> {
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
  if (bytes.length > 0) yield { number, bytes };
}

/** Sample records as lines. */
export function* sampleLines(options: SampleOptions): Generator<Line> {
  let number = 0;
  for (const text of sampleRecords(options)) yield { number: ++number, bytes: Buffer.from(text) };
}
