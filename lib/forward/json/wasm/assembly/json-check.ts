// Checks whether bytes are one JSON object: RFC 8259 in one pass with SIMD. AssemblyScript, compiled to WebAssembly
// by `npm run generate`.

/** A byte for each level: the bracket that closes it. */
const LEVELS: usize = 1024;
/**
 * The members of the object at the top, behind the levels. Each has 16 bytes: where its name begins and ends, where its
 * value begins, and where its text ends. The last is 0 for a value that is no text, and 1 for a text with an escape.
 */
const MEMBERS: usize = 61440;
const MAX_MEMBERS: i32 = 255;
/** The text's place. The 16 bytes behind it must be zeros. */
const TEXT: usize = 65536;
/** Where texts that lie one behind the other end: four bytes for each. */
const ENDS: usize = 1065536;

const NOT_JSON: i32 = 0;
const NOT_AN_OBJECT: i32 = 1;
const TOO_DEEP: i32 = 2;
const OBJECT: i32 = 4;
const MAYBE_HEADER: i32 = 8;
const MAYBE_BODY: i32 = 16;
/** One of the two may be there more than once. */
const MAYBE_TWICE: i32 = 32;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPENING_BRACE: u8 = 0x7b;
const CLOSING_BRACE: u8 = 0x7d;
const OPENING_BRACKET: u8 = 0x5b;

// The same in each of eight bytes.
const ONES: u64 = u64.MAX_VALUE / 255;
const UPPER: u64 = ONES * 0xf0;
const ZEROS: u64 = ONES * 0x30;
const SIXES: u64 = ONES * 6;

/** Whether the last string has an escape in it. */
let escaped = false;

/** How many members the object at the top has; more than are noted where there are too many. */
let members: i32 = 0;

export function count(): i32 {
  return members;
}

/**
 * @returns one of the four results, for an object with flags
 * @param most allowed levels, at most 60,000
 */
export function check(length: i32, most: i32): i32 {
  const end = TEXT + <usize>length;
  // JSON never contains a zero byte, so reading beyond the end stops there.
  v128.store(end, i8x16.splat(0));
  return checkText(TEXT, end, most);
}

/**
 * Checks the texts from number `from` on, up to `to`. The first of all begins at `first`. Between two of them are so
 * many bytes, and none of these is whitespace.
 * @returns the number of the first one that is no object, or may be an envelope; otherwise `to`
 */
export function checkEach(first: usize, from: i32, to: i32, between: i32, most: i32): i32 {
  v128.store(endOf(to - 1) + <usize>between, i8x16.splat(0));
  let start = from === 0 ? first : endOf(from - 1) + <usize>between;
  for (let number = from; number < to; number++) {
    const end = endOf(number);
    const result = checkText(start, end, most);
    const mayBeEnvelope = result >= OBJECT + MAYBE_TWICE || result === OBJECT + MAYBE_HEADER + MAYBE_BODY;
    if (result < OBJECT || mayBeEnvelope) return number;
    start = end + <usize>between;
  }
  return to;
}

function endOf(number: i32): usize {
  return <usize>load<u32>(ENDS + <usize>number * 4);
}

/** A zero byte, or a byte that is no whitespace, must be at `end`. */
function checkText(text: usize, end: usize, most: i32): i32 {
  let at = space(text);
  const root = load<u8>(at);
  let flags = OBJECT;
  let depth = 0;
  let closing: u8 = 0;
  let inObject = false;
  members = 0;
  while (depth >= 0) {
    if (inObject) {
      if (load<u8>(at) !== QUOTE) return NOT_JSON;
      const start = at + 1;
      at = string(start);
      if (at === 0) return NOT_JSON;
      if (depth === 1) {
        const name = named(start, <i32>(at - start) - 1);
        if ((flags & name) !== 0) flags |= MAYBE_TWICE;
        flags |= name;
      }
      const close = at - 1;
      at = space(at);
      if (load<u8>(at) !== COLON) return NOT_JSON;
      at = space(at + 1);
      if (depth === 1 && ++members <= MAX_MEMBERS) {
        const member = MEMBERS + <usize>(members - 1) * 16;
        store<u32>(member, <u32>(start - text));
        store<u32>(member + 4, <u32>(close - text));
        store<u32>(member + 8, <u32>(at - text));
        store<u32>(member + 12, 0);
      }
    }
    // A value.
    const first = load<u8>(at);
    if (first === QUOTE) {
      at = string(at + 1);
      if (at === 0) return NOT_JSON;
      if (depth === 1 && members > 0 && members <= MAX_MEMBERS)
        store<u32>(MEMBERS + <usize>(members - 1) * 16 + 12, escaped ? 1 : <u32>(at - 1 - text));
    } else if (first === OPENING_BRACE || first === OPENING_BRACKET) {
      if (++depth > most) return TOO_DEEP;
      inObject = first === OPENING_BRACE;
      closing = first + 2;
      store<u8>(LEVELS + <usize>depth, closing);
      at = space(at + 1);
      if (load<u8>(at) !== closing) continue;
      at++;
      depth--;
      closing = load<u8>(LEVELS + <usize>depth);
      inObject = closing === CLOSING_BRACE;
    } else {
      at = scalar(at, first);
      if (at === 0) return NOT_JSON;
    }
    // Behind a value.
    for (;;) {
      let next = load<u8>(at);
      if (next <= 0x20) {
        at = space(at);
        next = load<u8>(at);
      }
      if (depth === 0) {
        if (at !== end) return NOT_JSON;
        return root === OPENING_BRACE ? flags : NOT_AN_OBJECT;
      }
      at++;
      if (next === COMMA) break;
      if (next !== closing) return NOT_JSON;
      depth--;
      closing = load<u8>(LEVELS + <usize>depth);
      inObject = closing === CLOSING_BRACE;
    }
    at = space(at);
  }
  return NOT_JSON;
}

function space(at: usize): usize {
  let byte = load<u8>(at);
  // One comparison in the usual case: no whitespace.
  while (byte <= 0x20) {
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    byte = load<u8>(++at);
  }
  return at;
}

/** The place behind the closing quotation mark of the string whose first byte is at `at`; 0 for an invalid string. */
function string(at: usize): usize {
  escaped = false;
  for (;;) {
    const bytes = v128.load(at);
    // By itself, since the next string waits for the place of its end.
    const quotes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>QUOTE)));
    const others = i8x16.bitmask(
      v128.or(i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH)), i8x16.le_u(bytes, i8x16.splat(0x1f))),
    );
    // No other is before the first quotation mark.
    if ((others & (quotes ^ (quotes - 1))) === 0) {
      if (quotes !== 0) {
        at += <usize>ctz(quotes);
        break;
      }
      at += 16;
      continue;
    }
    at += <usize>ctz(others);
    if (load<u8>(at) !== BACKSLASH) return 0;
    escaped = true;
    const kind = load<u8>(at + 1);
    if (kind === 0x75) {
      if (!(hex(at + 2) && hex(at + 3) && hex(at + 4) && hex(at + 5))) return 0;
      at += 6;
    } else if (
      kind === QUOTE ||
      kind === BACKSLASH ||
      kind === 0x2f ||
      kind === 0x62 ||
      kind === 0x66 ||
      kind === 0x6e ||
      kind === 0x72 ||
      kind === 0x74
    ) {
      at += 2;
    } else return 0;
  }
  return at + 1;
}

function hex(at: usize): bool {
  const byte = load<u8>(at);
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

function digit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39;
}

/** The place behind the number or the word at `at`; 0 where there is neither. */
function scalar(at: usize, first: u8): usize {
  if (first === 0x2d || digit(first)) return number(at, first);
  const word = load<u32>(at);
  if (word === 0x65757274) return at + 4; // true
  if (word === 0x6c6c756e) return at + 4; // null
  if (word === 0x736c6166 && load<u8>(at + 4) === 0x65) return at + 5; // false
  return 0;
}

function number(at: usize, first: u8): usize {
  if (first === 0x2d) at++;
  const lead = load<u8>(at);
  if (!digit(lead)) return 0;
  at++;
  if (lead !== 0x30) at = digits(at);
  if (load<u8>(at) === 0x2e) {
    if (!digit(load<u8>(at + 1))) return 0;
    at = digits(at + 2);
  }
  if ((load<u8>(at) | 0x20) === 0x65) {
    at++;
    const sign = load<u8>(at);
    if (sign === 0x2b || sign === 0x2d) at++;
    if (!digit(load<u8>(at))) return 0;
    at = digits(at + 1);
  }
  return at;
}

/** Eight at a time: how many there are is hard to foretell, so a loop over each would be guessed wrong. */
function digits(at: usize): usize {
  let others: u64 = 0;
  do {
    const bytes = load<u64>(at);
    // Zero for a digit: its upper half is 3, and stays so with 6 more. A carry changes only what is behind another byte.
    others = ((bytes & UPPER) ^ ZEROS) | (((bytes + SIXES) & UPPER) ^ ZEROS);
    at += 8;
  } while (others === 0);
  return at - 8 + <usize>(ctz(others) >>> 3);
}

/** Which names the key may be: a key with an escape may be any. */
function named(start: usize, length: i32): i32 {
  if (escaped) return MAYBE_HEADER | MAYBE_BODY;
  if (length === 6 && load<u32>(start) === 0x64616568 && load<u16>(start + 4) === 0x7265) return MAYBE_HEADER;
  if (length === 4 && load<u32>(start) === 0x79646f62) return MAYBE_BODY;
  return 0;
}
