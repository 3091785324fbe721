// C 4: a message about a word that is not known names the known one that is near, and none where none is.
import { describe, expect, it } from 'vitest';
import { didYouMeanId, nearest } from '../lib/nearest.ts';

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

describe('12 B 9: the nearest known $id', () => {
  const KNOWN = [
    'https://a.b/x/web-details',
    'https://a.b/y/loyalty',
    'https://a.b/y/z/loyalty',
    'https://a.b/x/phones',
  ];

  it.each([
    ['https://a.b/x/web-detials', 'https://a.b/x/web-details'],
    ['https://a.b/y/loyalti', 'https://a.b/y/loyalty'],
    ['https://a.b/y/z/loyalti', 'https://a.b/y/z/loyalty'],
  ])('%s → %s', (id, meant) => {
    expect(didYouMeanId(id, KNOWN)).toBe(`; did you mean "${meant}"?`);
  });

  it.each(['https://a.b/x/fax', 'https://a.b/x/', 'x', ''])(
    'is none where no last part is near: %j',
    (id) => {
      expect(didYouMeanId(id, KNOWN)).toBe('');
      expect(didYouMeanId(id, [])).toBe('');
    },
  );
});
