// How `npm run test:strangers` runs: one file after the other, each in a process of its own, since they replace what speaks HTTP.
import { defineConfig } from 'vitest/config';
import { LIMITS, reporters } from '../../vitest.config.ts';

export default defineConfig({
  test: {
    include: ['test/strangers/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    reporters: reporters('strangers-results'),
    ...LIMITS,
  },
});
