// The properties of reading an inlet's answers, a thousand times each; `npm run fuzz` is for many more.
import { describe, it } from 'vitest';
import { REPLY } from '../fuzz/reply.ts';

const SEED = 20_260_501;

describe('whatever an inlet answers', () => {
  it.each(Object.entries(REPLY))('%s', (_, property) => property(1_000, SEED), 60_000);
});
