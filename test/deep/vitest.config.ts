// How `npm run test:deep` runs: more of what `npm test` runs a part of, another share each day, the short soak, the journeys that start many
// processes, and what depends on Adobe's behaviour under each variant of it that is in doubt.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { QUIRK_NAMES, QUIRKS } from '../../local/aep/quirks.ts';
import { BUNDLE_FUNCTIONS, DEEP, depthOr, ENV, LIMITS, reporters, TODAY } from '../../vitest.config.ts';
import { noise } from './noise/plugin.ts';

/** Every variant but the default ones, which all other tests run under. */
const OTHER_VARIANTS = QUIRK_NAMES.flatMap((quirk) =>
  QUIRKS[quirk].variants.slice(1).map((each) => [quirk, each.name] as const),
);

/** By turns, unless the whole is asked for: so each comes within two days, and all of them together would take minutes. */
function ofTheDay(at: number): boolean {
  return depthOr('deep') === 'whole' || (at + TODAY) % 2 === 0;
}

console.log(`To repeat what takes turns from day to day: PENSTOCK_DAY=${TODAY}`);

export default defineConfig({
  test: {
    pool: 'forks',
    // Half of them wait for processes and timers.
    maxWorkers: 2 * availableParallelism(),
    reporters: reporters('deep-results'),
    ...LIMITS,
    // Up to a minute and a half where nothing else runs.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    provide: { depth: depthOr('deep'), day: TODAY },
    env: ENV,
    globalSetup: [BUNDLE_FUNCTIONS],
    projects: [
      {
        extends: true,
        plugins: [noise()],
        test: {
          name: 'deep',
          include: [
            'test/deep/*.test.ts',
            'test/provision/{sweep.{fresh,lists,pairs,routes,swap},model,two-at-once,interleaved-routes}.test.ts',
            'test/forward/{after-faults,model,promises-{load,secrets}}.test.ts',
            'test/reconcile/many.test.ts',
            'test/support/sweep.test.ts',
            ...DEEP,
          ],
        },
      },
      ...OTHER_VARIANTS.filter((_, at) => ofTheDay(at)).map(([quirk, variant]) => ({
        extends: true as const,
        test: {
          name: `${quirk}=${variant}`,
          // The contract suite, and both journeys in one process, against the platform as it may be as well.
          include: [
            'test/aep/{catalog,data-access,data-prep,flow-service,schema-registry}.test.ts',
            'test/contract/assumptions.test.ts',
            'test/deep/variants/*.test.ts',
          ],
          isolate: false,
          provide: { quirks: { [quirk]: variant } },
        },
      })),
    ],
  },
});
