// NDJSON: a JSON text on each line. https://github.com/ndjson/ndjson-spec
import { withoutBom } from '../../json/check.ts';
import { skipSpace } from '../../json/json.ts';
import { rejected } from '../../verdict.ts';
import { type Expander, expanderOf } from './expander.ts';
import { createTextReader, type ListOptions } from './json-text.ts';

const NEWLINE = 0x0a;

/** Each line is read by itself, so that a bad one harms no other. */
export function createJsonLines(options: ListOptions): Expander {
  const readText = createTextReader(options);
  return expanderOf((bytes, add) => {
    let found = false;
    for (const line of textLines(withoutBom(bytes))) {
      found = true;
      const verdict = readText(line, add);
      if (verdict !== undefined) add({ bytes: line, verdict });
    }
    return found ? undefined : rejected('empty', 'no line has anything in it');
  });
}

/**
 * The lines that are not blank, which the specification allows to skip. It also takes CRLF, because JSON allows space
 * around a text. The last line needs no end.
 */
export function* textLines(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    if (skipSpace(line, 0) < line.length) yield line;
    start = end + 1;
  }
}
