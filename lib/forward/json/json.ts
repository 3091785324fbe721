// Finds members and items in the bytes of JSON, without building or rewriting anything.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

export interface Span {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

export interface Member {
  readonly name: string;
  /** Of its value. */
  readonly span: Span;
}

/**
 * The place of the value of the member `name` in the object that begins at `start`. Of several members of that name
 * it is the last, as with `JSON.parse`. The bytes must be JSON.
 */
export function memberSpan(json: Buffer, name: string, start = 0): Span | undefined {
  return membersOf(json, [name], start).at(-1)?.span;
}

/** Every member with one of these names in that object, in the order of the text. The bytes must be JSON. */
export function membersOf(json: Buffer, names: readonly string[], start = 0): Member[] {
  const found: Member[] = [];
  let at = skipSpace(json, skipSpace(json, start) + 1);
  while (json[at] === QUOTE) {
    const close = endOfString(json, at);
    const value = skipSpace(json, skipSpace(json, close) + 1);
    const end = endOfValue(json, value);
    const name = nameAt(json, at, close);
    if (names.includes(name)) found.push({ name, span: { start: value, end: trimSpace(json, end) } });
    at = json[end] === COMMA ? skipSpace(json, end + 1) : end;
  }
  return found;
}

/** The value of the string from `start` to `end`, quotation marks included. */
function nameAt(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start, end);
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
}

/** The place of the item `index` in the array that begins at `start`. The bytes must be JSON. */
export function itemSpan(json: Buffer, index: number, start = 0): Span | undefined {
  let passed = 0;
  for (const span of itemSpans(json, start)) if (passed++ === index) return span;
  return undefined;
}

/** The places of all items of that array, in order. */
export function* itemSpans(json: Buffer, start = 0): Generator<Span> {
  let at = skipSpace(json, skipSpace(json, start) + 1);
  while (at < json.length && !closes(json[at] as number)) {
    const end = endOfValue(json, at);
    yield { start: at, end: trimSpace(json, end) };
    at = json[end] === COMMA ? skipSpace(json, end + 1) : end;
  }
}

/**
 * Where a text that begins at `start` ends, among texts one after the other. The bytes need not be JSON. An object or
 * an array ends with its last bracket, and a string with its quotation mark. Anything else ends where one of those
 * begins.
 */
export function endOfText(bytes: Uint8Array, start: number): number {
  const first = bytes[start] as number;
  if (first === QUOTE) return endOfString(bytes, start);
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (!opens(first)) {
      if (at > start && (byte === QUOTE || opens(byte))) return at;
    } else if (byte === QUOTE) at = endOfString(bytes, at) - 1;
    else if (opens(byte)) depth++;
    else if (closes(byte) && --depth === 0) return at + 1;
  }
  return bytes.length;
}

/** The first byte from `at` on that is not whitespace. */
export function skipSpace(json: Uint8Array, at: number): number {
  let found = at;
  while (isSpace(json[found])) found++;
  return found;
}

/** The place behind the last byte before `end` that is not whitespace. */
function trimSpace(json: Uint8Array, end: number): number {
  let found = end;
  while (isSpace(json[found - 1])) found--;
  return found;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The end of the value that begins at `start`: at a comma or a closing bracket that is not its own. */
function endOfValue(json: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  for (; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) at = endOfString(json, at) - 1;
    else if (opens(byte)) depth++;
    else if (closes(byte)) {
      if (depth === 0) break;
      depth--;
    } else if (byte === COMMA && depth === 0) break;
  }
  return at;
}

/** The place behind the closing quotation mark of the string that opens at `start`. */
function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === BACKSLASH) at++;
    else if (json[at] === QUOTE) return at + 1;
  }
  return json.length;
}

function opens(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b;
}

function closes(byte: number): boolean {
  return byte === 0x7d || byte === 0x5d;
}
