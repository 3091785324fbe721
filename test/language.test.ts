// Holds comments and texts of the code to plain language: short sentences, and the words of the glossary.

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LONGEST_SENTENCE, sentences, words } from './support/sentences.ts';
import { textsOf } from './support/texts.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Written in plain sentences. Add a folder, or a pattern of files, once it is. */
const PLAIN: readonly string[] = [
  'cli/init',
  'lib/aep',
  'lib/aws',
  'lib/forward',
  'lib/reconcile',
  'lib/redrive',
  'lib/where',
  'lib/provision',
  'lib/hook',
  'lib/doctor',
  'lib/*.ts',
  'functions',
  'local/start',
  'local/check',
  'local/aws',
  'local/aep',
  'local/page',
  'scripts',
  'terminal',
];

/** Words that the glossary has replaced, and phrases that say too little. */
const OLD =
  /\b(?:undelivered store|intakes?|g[ai]ven? up|gives up|the doctor|worth another try|needs? a hand|nobody knows)\b/i;

/** What is wrong with the texts of a source file, each with its line. */
function mistakesOf(source: string): string[] {
  return textsOf(source).flatMap(({ line, text }) =>
    // A line of a help that begins with an option is a text of its own, and so is each cell of a row.
    sentences(
      text.replace(/\n {2,}(?=--|[A-Z]{3})/g, '\n\n').replace(/^.* \| .*$/gm, (row) => `\n\n| ${row}\n\n`),
    ).flatMap((sentence) => {
      const count = words(sentence);
      const old = OLD.exec(sentence)?.[0];
      return [
        ...(count > LONGEST_SENTENCE ? [`${line}: ${count} words: ${sentence}`] : []),
        ...(old === undefined ? [] : [`${line}: "${old}": ${sentence}`]),
      ];
    }),
  );
}

/** The name of a test, or of a group of them. */
const NAME = /\b(?:it|describe|test)(?:\.each\([^\n]*\))?\(\s*(['"`])(.*?)\1\s*,/g;

describe('13 A 1, 13 A 2: comments and texts are plain', () => {
  it('and so are the names of tests', () => {
    const files = globSync('test/**/*.ts', { cwd: ROOT }).sort();
    const names = files.flatMap((file) =>
      Array.from(readFileSync(`${ROOT}${file}`, 'utf8').matchAll(NAME), ([, , name = '']) => ({
        file,
        name,
      })),
    );
    expect(names.length).toBeGreaterThan(2_000);
    const long = names.flatMap(({ file, name }) =>
      sentences(name)
        .filter((sentence) => words(sentence) > LONGEST_SENTENCE)
        .map((sentence) => `${file}: ${sentence}`),
    );
    expect(long).toEqual([]);
  });

  it.each(PLAIN)('in %s', (pattern) => {
    const files = globSync(pattern.endsWith('.ts') ? pattern : `${pattern}/**/*.ts`, {
      cwd: ROOT,
    }).sort();
    expect(files.length).toBeGreaterThan(0);
    const mistakes = files.flatMap((file) =>
      mistakesOf(readFileSync(`${ROOT}${file}`, 'utf8')).map((mistake) => `${file}:${mistake}`),
    );
    expect(mistakes).toEqual([]);
  });

  it('is seen, in comments, strings and templates', () => {
    const long = `one ${'word '.repeat(25)}is too many`;
    const source = `// First ${long},
// over two lines. Short.
const a = 'http://nowhere';
/**
 * Short.
 * @param b ${long}
 */
const c = (b: string) => \`\${b} // \${'is \`given up\` here'} ${long}\`;
const d = /[/]\\/\\/ ${long}/;
const e = 'a thing was given up';
`;
    expect(mistakesOf(source)).toEqual([
      expect.stringMatching(/^1: 33 words: First one /),
      expect.stringMatching(/^4: 30 words: b one /),
      expect.stringMatching(/^8: 31 words: CODE /),
      '10: "given up": a thing was given up',
    ]);
  });
});
