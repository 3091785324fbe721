// A text's bytes in the character sets that Adobe lists for hashing, as Java writes them.

import { ExpressionError } from './tokens.ts';
import { asText, type Value } from './values.ts';

const UTF_16: (text: string) => Buffer = (text) =>
  // Java's: big-endian, with a byte order mark.
  Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();

const CHARSETS: ReadonlyMap<string, (text: string) => Buffer> = new Map([
  ['UTF-8', (text: string) => Buffer.from(text.toWellFormed(), 'utf8')],
  ['UTF-16', UTF_16],
  ['ISO-8859-1', (text: string) => Buffer.from(within(text, 0xff), 'latin1')],
  ['US-ASCII', (text: string) => Buffer.from(within(text, 0x7f), 'latin1')],
]);

/** @throws ExpressionError for any other set */
export function bytesIn(text: string, charset: Value | undefined): Buffer {
  const name = asText(charset ?? null) || 'UTF-8';
  const encode = CHARSETS.get(name.toUpperCase());
  if (encode) return encode(text);
  throw new ExpressionError(`the character set '${name}' is none of ${[...CHARSETS.keys()].join(', ')}`);
}

/** What the set does not have becomes a question mark. */
function within(text: string, last: number): string {
  return [...text].map((letter) => ((letter.codePointAt(0) ?? 0) > last ? '?' : letter)).join('');
}
