// How `npm run test:deployed` runs: one file, one test after the other, each building on the one before.
import { defineConfig } from 'vitest/config';
import { LIMITS, reporters } from '../../vitest.config.ts';

export default defineConfig({
  test: {
    include: ['test/deployed/*.test.ts'],
    pool: 'forks',
    // What could not be made is not asked for any further.
    bail: 1,
    reporters: reporters('deployed-results'),
    ...LIMITS,
  },
});
