// Tables of what the command line and `npm start` show.

import * as fc from 'fast-check';
import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../terminal/columns.ts';
import { tableLines } from '../../terminal/table.ts';
import { runs } from '../support/depth.ts';

const PLAIN = createColors(false);
const BRIGHT = createColors(true);

describe('15: no table is wider than the terminal', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 120 }),
    fc.string({ unit: fc.constantFrom('東', 'é', '👍', 'a', ' '), maxLength: 60 }),
  );
  const cell = fc.oneof(word, word.map(BRIGHT.green));

  it('whatever is in it, however many columns it has, and no letter of it is lost', async () => {
    await fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }).chain((columns) =>
          fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
            minLength: 1,
            maxLength: 6,
          }),
        ),
        fc.boolean(),
        fc.integer({ min: 30, max: 200 }),
        (rows, isHeaded, width) => {
          const head = isHeaded ? (rows[0] ?? []).map((_, at) => `Column${at}`) : [];
          const lines = tableLines(head, rows, width, PLAIN);
          expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(width);
          const letters = (text: string) =>
            [...stripped(text)].filter((letter) => letter.trim() !== '').toSorted();
          const shown = letters(lines.join('').replaceAll(/Column\d/g, ''));
          expect(shown).toEqual(
            letters(
              rows
                .flat()
                .join('')
                .replaceAll(/Column\d/g, ''),
            ),
          );
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it('breaks between words, and within a word that is longer than its column', () => {
    const lines = tableLines(
      ['A', 'B'],
      [['arn:aws:kinesis:eu-west-1:1', 'one two three four five six']],
      38,
      PLAIN,
    );
    expect(lines.slice(1)).toEqual([
      'arn:aws:kinesis:eu  one two three four',
      '-west-1:1           five six',
    ]);
  });

  it('becomes lists where its columns would be too narrow to be read', () => {
    const rows = [
      ['a pipeline with a name', 'a state of some words', 'an execution of an hour ago'],
      ['another', '', 'none'],
    ];
    expect(tableLines(['Pipeline', 'State', 'Last execution'], rows, 40, PLAIN)).toEqual([
      'a pipeline with a name',
      '  State           a state of some words',
      '  Last execution  an execution of an',
      '                  hour ago',
      'another',
      '  Last execution  none',
    ]);
  });

  it('becomes lists where an address would go over many lines', () => {
    const address = `https://ns.adobe.com/acmelab/mixins/${'a'.repeat(48)}`;
    const rows = [['schema', address, 'made by an earlier execution of the same pipeline']];
    const lines = (width: number) => tableLines(['Resource', 'Id', 'Why'], rows, width, PLAIN);
    expect(lines(60).slice(0, 2)).toEqual(['schema', `  Id   ${address.slice(0, 53)}`]);
    expect(lines(80)[0]).toMatch(/^Resource +Id +Why$/);
  });

  it('has one line for a row where there is no terminal', () => {
    const rows = [['x'.repeat(300), 'y '.repeat(100).trim()]];
    expect(tableLines([], rows, Number.POSITIVE_INFINITY, PLAIN)).toEqual([rows[0]?.join('  ')]);
  });
});

function stripped(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '');
}
