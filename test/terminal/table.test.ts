// Tables of what the command line and `npm start` show.

import * as fc from 'fast-check';
import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../terminal/output.ts';
import { tableLines } from '../../terminal/table.ts';
import { runs } from '../support/depth.ts';

const PLAIN = createColors(false);

describe('15: no table is wider than the terminal', () => {
  const cell = fc.string({ unit: 'grapheme-ascii', maxLength: 120 });

  it('whatever is in it, and no letter of it is lost', async () => {
    await fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 40, max: 200 }),
        (rows, width) => {
          const lines = tableLines(['Resource', 'Plan', 'Name', 'Why'], rows, width, PLAIN);
          expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(width);
          const letters = (text: string) => text.replaceAll(/\s/g, '').split('').toSorted().join('');
          expect(letters(lines.slice(1).join(''))).toBe(letters(rows.flat().join('')));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('breaks between words, and within a word that is longer than its column', () => {
    const lines = tableLines(['A', 'B'], [['arn:aws:kinesis:eu-west-1:1', 'one two three four']], 30, PLAIN);
    expect(lines.slice(1)).toEqual(['arn:aws:kines  one two three', 'is:eu-west-1:  four', '1']);
  });
});
