// Cuts a mapping expression into words, literals and signs.

export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

export type Token =
  | { readonly kind: 'number' | 'text' | 'quoted' | 'name'; readonly value: string; readonly at: number }
  | { readonly kind: 'sign'; readonly value: string; readonly at: number }
  | { readonly kind: 'end'; readonly value: ''; readonly at: number };

const SIGNS = [
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '=~',
  '!~',
  '=^',
  '?:',
  '??',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '>',
  '!',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '?',
  '.',
];
/** A dot that belongs to the name has a backslash before it. */
const NAME = /[\p{L}_$](?:[\p{L}\p{N}_$]|\\\.)*/uy;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[LlFfDdBbHh]?/y;
const SPACE = /\s+/y;

export function tokens(source: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const space = take(SPACE);
    if (space) {
      at += space.length;
      continue;
    }
    const token = quotedName(source, at) ?? text(source, at) ?? word(take, at) ?? sign(source, at);
    found.push(token.token);
    at = token.end;
  }
  found.push({ kind: 'end', value: '', at });
  return found;
}

interface Cut {
  readonly token: Token;
  readonly end: number;
}

/** `${First Name}`: whatever stands between the braces is one name, or a path of names. */
function quotedName(source: string, at: number): Cut | undefined {
  if (!source.startsWith('${', at)) return undefined;
  const end = source.indexOf('}', at);
  if (end < 0) throw new ExpressionError(`'\${' at position ${at + 1} is never closed`);
  return { token: { kind: 'quoted', value: source.slice(at + 2, end), at }, end: end + 1 };
}

function text(source: string, at: number): Cut | undefined {
  const quote = source[at];
  if (quote !== '"' && quote !== "'") return undefined;
  let value = '';
  for (let position = at + 1; position < source.length; position++) {
    const letter = source[position] as string;
    if (letter === quote) return { token: { kind: 'text', value, at }, end: position + 1 };
    if (letter === '\\' && position + 1 < source.length) value += unescaped(source[++position] as string);
    else value += letter;
  }
  throw new ExpressionError(`the text at position ${at + 1} is never closed`);
}

/** An escape that means nothing stays as written: patterns are full of them. */
function unescaped(letter: string): string {
  if (letter === 'n') return '\n';
  if (letter === 't') return '\t';
  return letter === '"' || letter === "'" || letter === '\\' ? letter : `\\${letter}`;
}

function word(take: (pattern: RegExp) => string | undefined, at: number): Cut | undefined {
  const name = take(NAME);
  if (name) return { token: { kind: 'name', value: name.replaceAll('\\.', '.'), at }, end: at + name.length };
  const number = take(NUMBER);
  if (number)
    return {
      token: { kind: 'number', value: number.replace(/[A-DF-Za-df-z]$/, ''), at },
      end: at + number.length,
    };
  return undefined;
}

function sign(source: string, at: number): Cut {
  const value = SIGNS.find((each) => source.startsWith(each, at));
  if (!value) throw new ExpressionError(`unexpected '${source[at]}' at position ${at + 1}`);
  return { token: { kind: 'sign', value, at }, end: at + value.length };
}
