// How the tests run while a file is mutated: only those that `run.ts` names.
import { defineConfig } from 'vitest/config';
import { LIMITS } from '../vitest.config.ts';

export default defineConfig({
  test: {
    include: (process.env.MUTATION_TESTS ?? '').split(','),
    ...LIMITS,
    provide: { depth: 'quick', day: 0 },
  },
});
