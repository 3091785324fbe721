// Translates Java's regular expressions, as people write them in mappings, to JavaScript's.

import { inTime } from './in-time.ts';
import { ExpressionError } from './tokens.ts';

/** Classes that have another name in Java. */
const CLASSES: { readonly [name: string]: string } = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7F',
  Alpha: 'A-Za-z',
  Digit: '0-9',
  Alnum: 'A-Za-z0-9',
  Punct: '!-\\/:-@\\[-`\\{-~',
  Graph: '!-~',
  Print: ' -~',
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1F\\x7F',
  XDigit: '0-9A-Fa-f',
  Space: ' \\t\\n\\x0B\\f\\r',
};

const EDGES: { readonly [letter: string]: string } = {
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
};

const NEEDLESS = /[^A-Za-z0-9^$\\.*+?()[\]{}|/]/;

const patterns = new Map<string, RegExp>();

/** @throws ExpressionError that shows the pattern */
export function javaRegex(source: string, whole = false): RegExp {
  const key = `${whole} ${source}`;
  const known = patterns.get(key);
  if (known) return known;
  const translated = translate(source);
  const made = compiled(whole ? `^(?:${translated})$` : translated, source);
  // Patterns may come from records, so the cache is bounded.
  if (patterns.size > 1_000) patterns.clear();
  patterns.set(key, made);
  return made;
}

/** Whether all of a text is of the pattern. @throws ExpressionError that shows the pattern */
export function matches(text: string, source: string): boolean {
  const regex = javaRegex(source, true);
  return inTime(regex, text, () => regex.test(text));
}

/** With `u` JavaScript knows `\\p{L}`, but refuses escapes that Java lets pass. */
function compiled(translated: string, source: string): RegExp {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(translated, flags);
    } catch {}
  }
  throw new ExpressionError(`'${source}' is not a regular expression`);
}

/** `(?i)` holds to the end of its group: JavaScript has it around a group alone. */
function translate(source: string): string {
  let text = '';
  /** How many groups of ours end where each open group ends. */
  const open = [0];
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const rest = source.slice(at);
    const behind = /^\\(?:Q([\s\S]*?)(?:\\E|$)|[pP]\{(?:Is)?(\w+)\}|([\s\S]))/.exec(rest);
    if (behind) {
      text += escaped(behind, inClass);
      at += behind[0].length - 1;
      continue;
    }
    const letter = source[at] as string;
    const flags = inClass ? null : /^\(\?([imsuxU]+)\)/.exec(rest);
    if (flags) {
      text += `(?${javaScriptFlags(flags[1] as string, source)}:`;
      open.push((open.pop() ?? 0) + 1);
      at += flags[0].length - 1;
      continue;
    }
    if (inClass) inClass = letter !== ']';
    else if (letter === '[') inClass = true;
    else if (letter === '(') open.push(0);
    else if (letter === ')') text += ')'.repeat(open.pop() ?? 0);
    text += letter;
  }
  return text + ')'.repeat(open[0] ?? 0);
}

function escaped([all, quoted, name, letter]: RegExpExecArray, inClass: boolean): string {
  if (quoted !== undefined) return quoted.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  if (name !== undefined) {
    const members = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
    if (!members) return all.replace('{Is', '{');
    return inClass ? members : `[${all[1] === 'P' ? '^' : ''}${members}]`;
  }
  const edge = letter !== undefined && Object.hasOwn(EDGES, letter) ? EDGES[letter] : undefined;
  if (edge) return edge;
  // With `u` JavaScript refuses a backslash that is not needed; Java lets it pass before any sign.
  return letter && NEEDLESS.test(letter) && !(inClass && letter === '-') ? letter : all;
}

function javaScriptFlags(flags: string, source: string): string {
  if (flags.includes('x')) throw new ExpressionError(`'${source}': the flag x is not simulated`);
  return [...new Set(flags)].filter((flag) => 'ims'.includes(flag)).join('');
}
