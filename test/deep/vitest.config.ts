// How `npm run test:deep` runs: everything that `npm test` runs a part of, in full, and the short soak.
import { defineConfig } from 'vitest/config';
import { LIMITS, PENSTOCK_CALLS, reporters } from '../../vitest.config.ts';

export default defineConfig({
  test: {
    include: [
      'test/deep/*.test.ts',
      'test/provision/{sweep.*,model,two-at-once}.test.ts',
      'test/forward/{model,promises-*}.test.ts',
    ],
    pool: 'forks',
    maxWorkers: '100%',
    reporters: reporters('deep-results'),
    ...LIMITS,
    // Up to a minute and a half where nothing else runs.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    provide: { depth: 'deep' },
    env: { PENSTOCK_CALLS },
  },
});
