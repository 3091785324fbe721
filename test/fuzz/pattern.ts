// The search in linear time against ECMAScript's own, on expressions and texts that are small enough for both.
import fc from 'fast-check';
import { linearPattern } from '../../lib/linear-pattern.ts';
import { each, ensure, type Property } from './property.ts';

const atom = fc.constantFrom(
  ...[
    'a',
    'b',
    '.',
    '\\d',
    '\\w',
    '\\S',
    '[ab]',
    '[^a]',
    '[a-c_-]',
    '[\\d\\s]',
    '^',
    '$',
    '\\.',
    '\\u{1f600}',
  ],
  ...['😀', '\\n', '-', '[^]', '[]', '\\x61', '\\u0062', '\\/'],
);
const quantifier = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '{2}', '{0,2}', '{1,}', '{0}');
const { expression } = fc.letrec<{ expression: string; term: string }>((tie) => ({
  term: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(atom, quantifier).map(([one, times]) => one + times) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('(', '(?:'), tie('expression'), quantifier)
        .map(([open, inner, times]) => `${open}${inner})${times}`),
    },
  ),
  expression: fc
    .array(
      fc.array(tie('term'), { maxLength: 3 }).map((terms) => terms.join('')),
      { minLength: 1, maxLength: 2 },
    )
    .map((all) => all.join('|')),
}));
const text = fc
  .array(
    fc.constantFrom('a', 'b', 'c', '1', '_', '.', '-', ' ', '\n', '\u2028', '😀', '\ud83d', '\ude00', '/'),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''));

/** Signs of the syntax in any order: nearly all are no expressions. */
const junk = fc
  .array(fc.constantFrom(...'ab()[]{}|*+?^$\\.-,:=!<>01dwsSkpPux'), { maxLength: 10 })
  .map((parts) => parts.join(''));

/** `undefined` for no expression. */
function compiled(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u');
  } catch {
    return undefined;
  }
}

function agree(source: string, texts: readonly string[]): void {
  const [own, theirs] = [linearPattern(source), compiled(source)];
  if (theirs === undefined) ensure(own === 'expected a regular expression', `${source} is taken`);
  if (theirs === undefined || typeof own === 'string') return;
  for (const one of texts)
    ensure(
      own.test(one) === theirs.test(one),
      `${source} in ${JSON.stringify(one)}: not ${theirs.test(one)}`,
    );
}

/** By name. */
export const PATTERNS: Readonly<Record<string, Property>> = {
  'an expression finds in linear time what ECMAScript finds': each(
    fc.tuple(expression, fc.array(text, { minLength: 1, maxLength: 4 })),
    ([source, texts]) => {
      ensure(
        compiled(source) === undefined || typeof linearPattern(source) === 'object',
        `${source} is refused`,
      );
      agree(source, texts);
    },
  ),
  'what is no expression is refused, and what is taken finds the same': each(
    fc.tuple(junk, fc.array(text, { minLength: 1, maxLength: 2 })),
    ([source, texts]) => agree(source, texts),
  ),
};
