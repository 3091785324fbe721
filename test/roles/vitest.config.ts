// How `npm run check:roles` runs: the calls of the tests that ran before it, and of a journey of its own, against the packaged roles.
import { defineConfig } from 'vitest/config';
import { LIMITS, reporters } from '../../vitest.config.ts';

export default defineConfig({
  test: {
    include: ['test/roles/*.test.ts'],
    pool: 'forks',
    reporters: reporters('roles-results'),
    ...LIMITS,
  },
});
