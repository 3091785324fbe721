// C 4: a message about a word that is not known names the known one that is near, and none where none is.
import { describe, expect, it } from 'vitest';
import { nearest } from '../lib/nearest.ts';

const WORDS = ['schema', 'source', 'sandbox', 'dataset', 'mapping', 'allowIrreversible'];

describe('C 4: the nearest known word', () => {
  it.each([
    ['shema', 'schema'],
    ['Schema', 'schema'],
    ['dataSet', 'dataset'],
    ['mappings', 'mapping'],
    ['allowIrreversable', 'allowIrreversible'],
  ])('%s → %s', (word, meant) => {
    expect(nearest(word, WORDS)).toBe(meant);
  });

  it.each(['colour', '', 'x', 'constructor', '__proto__'])('is none where none is near: %j', (word) => {
    expect(nearest(word, WORDS)).toBeUndefined();
    expect(nearest(word, [])).toBeUndefined();
  });
});
