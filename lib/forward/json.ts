// JSON as bytes: how deep it goes, and where a member stands, without building or rewriting anything.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
const COLON = 0x3a;
const COMMA = 0x2c;

/** Whether arrays and objects are nested in more than `limit` levels. The bytes need not be JSON. */
export function isDeeperThan(json: Uint8Array, limit: number): boolean {
  // Each level takes a bracket at either end.
  if (json.length <= 2 * limit) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) at = endOfString(json, at) - 1;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limit) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

export interface Span {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/**
 * Where the value of the member `name` stands in the object that begins at `start`. Of several members of that name
 * the last, as `JSON.parse` has it. The bytes must be JSON; whitespace around the value may be part of the span.
 */
export function memberSpan(json: Buffer, name: string, start = 0): Span | undefined {
  let found: Span | undefined;
  let at = json.indexOf('{', start) + 1;
  for (;;) {
    const open = json.indexOf(QUOTE, at);
    const brace = json.indexOf('}', at);
    if (open === -1 || (brace !== -1 && brace < open)) return found;
    const close = endOfString(json, open);
    const key = JSON.parse(json.toString('utf8', open, close)) as string;
    const value = { start: json.indexOf(COLON, close) + 1, end: 0 };
    value.end = endOfValue(json, value.start);
    if (key === name) found = value;
    if (json[value.end] !== COMMA) return found;
    at = value.end + 1;
  }
}

/** Where the value that begins at `at` ends: at a comma or a closing bracket that is not its own. */
function endOfValue(json: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  for (; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) at = endOfString(json, at) - 1;
    else if (OPENING.has(byte)) depth++;
    else if (CLOSING.has(byte)) {
      if (depth === 0) break;
      depth--;
    } else if (byte === COMMA && depth === 0) break;
  }
  return at;
}

/** Behind the closing quotation mark of the string that opens at `start`. */
function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === BACKSLASH) at++;
    else if (json[at] === QUOTE) return at + 1;
  }
  return json.length;
}
