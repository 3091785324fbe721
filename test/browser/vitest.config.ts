// How `npm run test:browser` runs: a real browser, one file after the other, since each has windows of its own.
import { defineConfig } from 'vitest/config';
import { BUNDLE_FUNCTIONS, depthOr, ENV, LIMITS, reporters, TODAY } from '../../vitest.config.ts';

export default defineConfig({
  test: {
    include: ['test/browser/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    reporters: reporters('browser-results'),
    ...LIMITS,
    env: { NODE_COMPILE_CACHE: ENV.NODE_COMPILE_CACHE },
    provide: { depth: depthOr('deep'), day: TODAY },
    globalSetup: [BUNDLE_FUNCTIONS],
    expect: { poll: { timeout: 240_000 } },
  },
});
