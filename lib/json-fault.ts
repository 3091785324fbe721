// Says why a text is no JSON: what it is instead, or the line and column of the first fault. Quotes no more than a letter of it.

/** What the scan awaits next. */
type Awaited =
  | 'value'
  | 'first item'
  | 'name'
  | 'first name'
  | 'colon'
  | 'more members'
  | 'more items'
  | 'end';

const JSON_PARTS: Readonly<Record<Awaited, string>> = {
  value: 'a value',
  'first item': 'a value or "]"',
  name: 'a name in double quotes',
  'first name': 'a name in double quotes or "}"',
  colon: '":"',
  'more members': '"," or "}"',
  'more items': '"," or "]"',
  end: 'nothing more',
};

interface JsonFault {
  /** In UTF-16 units from 0. */
  readonly at: number;
  readonly says: string;
}

/**
 * For the end of a sentence: `it is empty`, `line 4, column 1: expected a value; found "}"`.
 * The parser's own message quotes the text, which may hold records, and often has no place.
 * @param text as it was read in UTF-8, without a byte order mark
 */
export function jsonFault(text: string): string {
  const other = otherThanText(text);
  if (other !== undefined) return other;
  const { at, says } = faultIn(text) ?? { at: text.length, says: 'a parser refuses it' };
  const before = text.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${says}${isYaml(text) ? '. It looks like YAML' : ''}`;
}

/** Bytes that are no UTF-8 are read as U+FFFD: the first ones still tell what it is. */
function otherThanText(text: string): string | undefined {
  if (/^[ \t\r\n]*$/.test(text)) return 'it is empty';
  if (text.startsWith('\u001f\ufffd')) return 'it is compressed by gzip';
  if (text.startsWith('PK\u0003\u0004')) return 'it is a zip archive';
  if (text.startsWith('\ufffd\ufffd') || /^(?:.\0|\0.)/s.test(text)) return 'it is UTF-16. Save it as UTF-8';
  return undefined;
}

function isYaml(text: string): boolean {
  return /^(?:#.*\n|\s*\n)*(?:---|[A-Za-z_][\w-]*:(?:\s|$))/.test(text);
}

const JSON_BLANKS = /[ \t\n\r]*/y;
const JSON_NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const JSON_WORD = /true|false|null/y;
const JSON_ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Goes through the tokens with a stack of its own: what is nested deeply does not exhaust the program's. */
function faultIn(text: string): JsonFault | undefined {
  const open: ('{' | '[')[] = [];
  let awaited: Awaited = 'value';
  let isAfterComma = false;
  const ended = (): Awaited =>
    open.length === 0 ? 'end' : open.at(-1) === '{' ? 'more members' : 'more items';
  for (
    let at = endOfMatch(JSON_BLANKS, text, 0) ?? 0;
    at < text.length;
    at = endOfMatch(JSON_BLANKS, text, at) ?? at
  ) {
    const letter = text[at] as string;
    const closed = open.at(-1) === '{' ? '}' : ']';
    const mayClose = awaited.startsWith('first') || awaited.startsWith('more');
    const isValue: boolean = awaited === 'value' || awaited === 'first item';
    if (letter === closed && mayClose) {
      open.pop();
      awaited = ended();
      at++;
    } else if (letter === ',' && awaited.startsWith('more')) {
      awaited = awaited === 'more members' ? 'name' : 'value';
      isAfterComma = true;
      at++;
      continue;
    } else if (letter === ':' && awaited === 'colon') {
      awaited = 'value';
      at++;
    } else if (letter === '"' && (isValue || awaited.endsWith('name'))) {
      const end = endOfQuoted(text, at);
      if (typeof end !== 'number') return end;
      awaited = isValue ? ended() : 'colon';
      at = end;
    } else if ((letter === '{' || letter === '[') && isValue) {
      open.push(letter);
      awaited = letter === '{' ? 'first name' : 'first item';
      at++;
    } else {
      const end = isValue
        ? (endOfMatch(JSON_WORD, text, at) ?? endOfMatch(JSON_NUMBER, text, at))
        : undefined;
      if (end === undefined) return { at, says: unexpectedLetter(letter, awaited, isAfterComma) };
      awaited = ended();
      at = end;
    }
    isAfterComma = false;
  }
  if (awaited === 'end') return undefined;
  return { at: text.length, says: `it ends here; expected ${JSON_PARTS[awaited]}` };
}

function unexpectedLetter(letter: string, awaited: Awaited, isAfterComma: boolean): string {
  if (isAfterComma && (letter === '}' || letter === ']'))
    return `expected ${JSON_PARTS[awaited]} after ","; found ${shownLetter(letter)}`;
  const more = letter === '/' || letter === '#' ? '. JSON has no comments' : '';
  return `expected ${JSON_PARTS[awaited]}; found ${shownLetter(letter)}${more}`;
}

/** The index behind a text in double quotes. */
function endOfQuoted(text: string, from: number): number | JsonFault {
  for (let at = from + 1; at < text.length; ) {
    const letter = text[at] as string;
    if (letter === '"') return at + 1;
    if (letter < ' ') return { at, says: `a text in double quotes has ${shownLetter(letter)} in it` };
    if (letter !== '\\') at++;
    else {
      const end = endOfMatch(JSON_ESCAPE, text, at);
      if (end === undefined) return { at, says: 'JSON has no such escape' };
      at = end;
    }
  }
  return { at: text.length, says: 'it ends here, within a text in double quotes' };
}

/** The index behind what a sticky pattern finds there. */
function endOfMatch(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function shownLetter(letter: string): string {
  if (letter === '\n' || letter === '\r') return 'the end of the line';
  if (/[!-~]/.test(letter)) return letter === '"' ? "'\"'" : `"${letter}"`;
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
