// String, regular-expression and hashing functions of the mapping language.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { bytesIn } from '../charsets.ts';
import { inTime } from '../in-time.ts';
import { javaRegex, matches } from '../java-regex.ts';
import { ExpressionError } from '../tokens.ts';
import { asNumber, asText, same, type Value } from '../values.ts';
import { type Definition, define, unlessNull } from './definition.ts';

const STRING = 'String';

const text = (syntax: string, change: (subject: string, rest: readonly Value[]) => Value): Definition =>
  define(
    STRING,
    syntax,
    unlessNull((subject, rest) => change(asText(subject), rest)),
  );

const trimLeft = (subject: string): string => subject.trimStart();
const trimRight = (subject: string): string => subject.trimEnd();

export const STRINGS: readonly Definition[] = [
  define(STRING, 'concat(STRINGS…)', (inputs) => inputs.map(asText).join('')),
  text('explode(STRING, [REGEX])', (subject, [regex]) => between(subject, javaRegex(asText(regex ?? ',')))),
  // Adobe's page: only `explode` returns empty parts as well.
  text('split(INPUT, SEPARATOR)', (subject, [separator]) =>
    subject.split(anyOf(asText(separator ?? ''))).filter((part) => part !== ''),
  ),
  define(STRING, 'join(SEPARATOR, OBJECTS…)', ([separator, ...objects]) =>
    objects
      .flat()
      .filter((each) => each !== null)
      .map(asText)
      .join(asText(separator ?? '')),
  ),
  text('instr(INPUT, SUBSTRING, [START_POSITION], [OCCURRENCE])', (subject, [part, start, occurrence]) => {
    let at = (start === undefined ? 0 : asNumber(start)) - 1;
    for (let count = occurrence === undefined ? 1 : asNumber(occurrence); count > 0; count--) {
      const before = at;
      at = subject.indexOf(asText(part ?? ''), at + 1);
      // Nothing is found at the end again and again.
      if (at < 0 || at === before) return -1;
    }
    return at;
  }),
  text('replacestr(INPUT, TO_FIND, TO_REPLACE)', (subject, [find, replacement]) =>
    subject.replaceAll(asText(find ?? ''), () => asText(replacement ?? '')),
  ),
  text('substr(INPUT, START_INDEX, LENGTH)', (subject, [start, length]) => {
    const from = asNumber(start ?? 0);
    if (from < 0 || from > subject.length)
      throw new ExpressionError(`substr starts outside the text, at ${from}`);
    return subject.slice(from, from + asNumber(length ?? 0));
  }),
  ...['lower', 'lcase'].map((name) => text(`${name}(INPUT)`, (subject) => subject.toLowerCase())),
  ...['upper', 'ucase'].map((name) => text(`${name}(INPUT)`, (subject) => subject.toUpperCase())),
  text('ltrim(STRING)', trimLeft),
  text('rtrim(STRING)', trimRight),
  text('trim(STRING)', (subject) => subject.trim()),
  define(STRING, 'lpad(INPUT, COUNT, PADDING)', ([input, count, padding]) =>
    asText(input ?? null).padStart(asNumber(count ?? 0), asText(padding ?? null) || ' '),
  ),
  define(STRING, 'rpad(INPUT, COUNT, PADDING)', ([input, count, padding]) =>
    asText(input ?? null).padEnd(asNumber(count ?? 0), asText(padding ?? null) || ' '),
  ),
  text('left(STRING, COUNT)', (subject, [count]) => subject.slice(0, Math.max(0, asNumber(count ?? 0)))),
  text('right(STRING, COUNT)', (subject, [count]) =>
    asNumber(count ?? 0) <= 0 ? '' : subject.slice(-asNumber(count ?? 0)),
  ),
  define(STRING, 'equals(STRING1, STRING2)', ([left, right]) => same(left ?? null, right ?? null)),
  define(
    STRING,
    'equalsIgnoreCase(STRING1, STRING2)',
    ([left, right]) => asText(left ?? null).toLowerCase() === asText(right ?? null).toLowerCase(),
  ),
  define(
    'Regular expression',
    'extract_regex(STRING, REGEX)',
    unlessNull((subject, [regex]) => {
      const [pattern, text] = [javaRegex(asText(regex ?? '')), asText(subject)];
      return [...(inTime(pattern, text, () => pattern.exec(text)) ?? [])].map((group) => group ?? null);
    }),
  ),
  define(
    'Regular expression',
    'matches_regex(STRING, REGEX)',
    unlessNull((subject, [regex]) => matches(asText(subject), asText(regex ?? ''))),
  ),
  ...['md5', 'sha1', 'sha256', 'sha512'].map((name) =>
    define(
      'Hashing',
      `${name}(INPUT, [CHARSET])`,
      unlessNull((subject, [charset]) =>
        createHash(name)
          .update(bytesIn(asText(subject), charset))
          .digest('hex'),
      ),
    ),
  ),
  define(
    'Hashing',
    'crc32(INPUT, [CHARSET])',
    unlessNull((subject, [charset]) =>
      // The lowest byte comes first, as in Adobe's sample.
      Buffer.from(new Uint32Array([crc32(bytesIn(asText(subject), charset))]).buffer).toString('hex'),
    ),
  ),
];

/** As Java splits: JavaScript would give the groups of the pattern among the parts. */
function between(subject: string, regex: RegExp): string[] {
  const groups = (new RegExp(`${regex.source}|`, regex.flags).exec('')?.length ?? 1) - 1;
  const parts = inTime(regex, subject, () => subject.split(regex));
  return parts.filter((_part, index) => index % (groups + 1) === 0);
}

const NEVER = /(?!)/;

/** Several delimiters split on any of them. Without a delimiter nothing is split. */
function anyOf(delimiters: string): RegExp | string {
  const letters = delimiters.replace(/\\(.)/g, '$1');
  if (letters === '') return NEVER;
  return letters.length === 1 ? letters : javaRegex(`[${letters.replace(/[\\\]^-]/g, '\\$&')}]`);
}
