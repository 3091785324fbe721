// How the tests run: every `*.test.ts` below `test/`, in processes of their own, two at a time.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Needs a local AWS: `npm run test:deployed`.
    exclude: ['test/deployed/**'],
    pool: 'forks',
    provide: { depth: 'quick' },
    reporters: ['default', ['json', { outputFile: '.penstock/test-results.json' }]],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
