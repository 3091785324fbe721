// JSON texts one after the other in a record, with or without the record separator of RFC 7464.
import { withoutBom } from '../../json/check.ts';
import { endOfText, skipSpace } from '../../json/json.ts';
import { rejected } from '../../verdict.ts';
import { type Expander, expanderOf } from './expander.ts';
import { createTextReader, type ListOptions } from './json-text.ts';

/** It stands before each text. No JSON text can have this byte in it. RFC 7464 §2.2 */
const SEPARATOR = 0x1e;

/**
 * A text ends where its brackets are closed. So one with a mistake is rejected alone, as long as its brackets and
 * quotation marks are in order. Otherwise the reject is all up to the next separator, or to the end.
 */
export function createJsonSequence(options: ListOptions): Expander {
  const readText = createTextReader(options);
  return expanderOf((bytes, add) => {
    let found = false;
    for (const text of textsIn(withoutBom(bytes))) {
      found = true;
      const verdict = readText(text, add);
      if (verdict !== undefined) add({ bytes: text, verdict });
    }
    return found ? undefined : rejected('empty', 'there is no JSON text in it');
  });
}

/** The texts, without the space around them. Separators with nothing between them are one. RFC 7464 §2.3 */
export function* textsIn(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(SEPARATOR, start);
    const end = found === -1 ? bytes.length : found;
    const element = bytes.subarray(start, end);
    for (let at = skipSpace(element, 0); at < element.length; ) {
      const close = endOfText(element, at);
      yield element.subarray(at, close);
      at = skipSpace(element, close);
    }
    start = end + 1;
  }
}
