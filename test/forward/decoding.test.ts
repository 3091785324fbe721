// The properties of what comes in, a few hundred times each; `test/fuzz` is for many more.
import { describe, it } from 'vitest';
import { TRIGGER } from '../fuzz/decoding.ts';
import { FORMATS } from '../fuzz/formats.ts';

describe('whatever a producer sends', () => {
  it.each(Object.entries(TRIGGER))('%s', (_, property) => property(300));
});

describe('14 B: whatever a producer sends in a format', () => {
  it.each(Object.entries(FORMATS))('%s', (_, property) => property(100));
});
