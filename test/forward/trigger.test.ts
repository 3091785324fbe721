// The properties of what comes in, a few hundred times each; `test/fuzz` is for many more.
import { describe, it } from 'vitest';
import { INTAKE } from '../fuzz/intake.ts';

describe('whatever a producer sends', () => {
  it.each(Object.entries(INTAKE))('%s', (_, property) => property(300));
});
