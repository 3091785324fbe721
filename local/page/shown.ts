// Content as text for the page: what a record is made of, up to a size that a browser can show.
import type { Shown } from './told.ts';

/** More of one text is not sent to the page, in characters. */
const MOST = 100_000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as they are: as text where they are UTF-8, else in hex, 32 a line. */
export function shownBytes(bytes: Buffer): Shown {
  try {
    return shownText(utf8.decode(bytes), bytes.length);
  } catch {
    const hex = bytes.subarray(0, MOST / 2).toString('hex');
    const text = hex.replace(/(.{2})/g, '$1 ').replace(/(.{96})/g, '$1\n');
    return { text, bytes: bytes.length, form: 'hex', isCut: bytes.length > MOST / 2 };
  }
}

/** A value as JSON with a line for each member. */
export function shownJson(value: unknown): Shown {
  return shownText(JSON.stringify(value, null, 2) ?? '');
}

/** A text as it is. */
export function shownText(text: string, bytes: number = Buffer.byteLength(text)): Shown {
  return { text: text.slice(0, MOST), bytes, form: 'text', isCut: text.length > MOST };
}
