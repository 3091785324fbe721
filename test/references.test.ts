// What the code refers to by number (a section of the contract, a promise, a bad input) stands in docs/.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const files = globSync('{lib,functions,local,test,bench,scripts,cloud,mutation}/**/*.{ts,md,cjs,json}', {
  cwd: ROOT,
  exclude: (path) => String(path).includes('node_modules'),
}).filter((file) => file !== 'test/references.test.ts');

const headings = new Set(
  [...read('docs/aep-contract.md').matchAll(/^#+ §(\d+(?:\.\d+)?) /gm)].map(([, n]) => n),
);
const lines = new Set(
  [...read('docs/promises.md').matchAll(/^- ([ABFP]) ?(\d+): /gm)].map(([, a, n]) => `${a} ${n}`),
);

interface Reference {
  readonly file: string;
  readonly to: string;
}

/** Everything in the files that `pattern` finds, one reference for each of `parts` of what it found. */
function references(pattern: RegExp, parts: (found: string) => string[], among = files): Reference[] {
  return among.flatMap((file) =>
    [...read(file).matchAll(pattern)].flatMap(([found]) => parts(found).map((to) => ({ file, to }))),
  );
}

const unknown = (found: readonly Reference[], known: ReadonlySet<string | undefined>) =>
  found.filter(({ to }) => !known.has(to)).map(({ file, to }) => `${file}: ${to}`);

/** `3.1–3.3` is all three of them. */
function sections(found: string): string[] {
  return [...found.matchAll(/(\d+(?:\.\d+)?)(?:[–-](\d+)\.(\d+))?/g)].flatMap(
    ([, first = '', chapter, last]) => {
      if (last === undefined) return [first];
      const from = Number(first.split('.')[1]);
      return Array.from({ length: Number(last) - from + 1 }, (_, index) => `${chapter}.${from + index}`);
    },
  );
}

const CONTRACT = /contract(?:'s)?[\s*/]+\(?§\d[\d.–-]*\d?(?:(?:, | and |, and )§\d[\d.–-]*\d?)*/gi;

describe('12 C 4: what the code refers to', () => {
  it('as a section of the contract is a heading of docs/aep-contract.md', () => {
    const found = references(CONTRACT, sections);
    expect(found.length).toBeGreaterThan(120);
    expect(unknown(found, headings)).toEqual([]);
  });

  it('with a paragraph sign is a heading there, or says whose it is', () => {
    const loose = files.flatMap((file) =>
      [...read(file).replace(CONTRACT, '').matchAll(/.*§.*/g)]
        .map(([line]) => line.trim())
        .filter((line) => !/RFC \d+/.test(line))
        .map((line) => `${file}: ${line}`),
    );
    expect(loose).toEqual([]);
  });

  it('by the name of a test, as a promise or a bad input, is a line of docs/promises.md', () => {
    const found = references(
      /(?<=['"`])[AB] \d+(?:, \d+)*(?=:|,| \([a-d]\))|\b(?:bad inputs?|promises?) [AB]? ?\d+(?:, \d+)*/gi,
      (text) => {
        const letter = /bad input|^B /i.test(text) ? 'B' : 'A';
        return [...text.matchAll(/\d+/g)].map(([n]) => `${letter} ${n}`);
      },
    );
    expect(new Set(found.map(({ to }) => to)).size).toBeGreaterThan(80);
    expect(unknown(found, lines)).toEqual([]);
  });

  it('as a property, F or P and a number, is a line there', () => {
    const found = references(
      /\b[FP]\d{1,2}\b(?=[:,. ])/g,
      (text) => [`${text[0]} ${text.slice(1)}`],
      files.filter((file) => /^test\/(support|fuzz|provision|forward)\//.test(file)),
    );
    expect(found.length).toBeGreaterThan(30);
    expect(unknown(found, lines)).toEqual([]);
  });

  it('is in the repository: nothing names notes that are not', () => {
    const found = references(
      /\breliability(?:'s| [A-Z]\b|\.md| notes| list)|shared\/(?:contract|design)/gi,
      (text) => [text],
    );
    expect(unknown(found, new Set())).toEqual([]);
  });
});

describe('12 C 4: the lists', () => {
  it.each([
    ['A', 38],
    ['B', 100],
    ['F', 20],
    ['P', 18],
  ])('of docs/promises.md have every number of %s once, 1 to %i', (letter, last) => {
    const numbers = [...read('docs/promises.md').matchAll(/^- ([ABFP]) ?(\d+): /gm)]
      .filter(([, of]) => of === letter)
      .map(([, , n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  });
});
