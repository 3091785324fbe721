// How the tests run: every `*.test.ts` below `test/` but those of the browser, the deep and the deployed ones, strangers' clients and the judge of the roles, on every processor there is.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestUserConfig } from 'vitest/config';
import type { Depth } from './test/support/depth.ts';

/** Change what a process has only once (environment, globals, timers, the working folder), or start processes of their own. */
const APART = [
  'test/journeys/**/*.test.ts',
  'test/{accepted,package,settings,within}.test.ts',
  'test/doctor/doctor.test.ts',
  'test/aws/{client,executions,http,http-proxy,metrics}.test.ts',
  'test/cli/{console,policies,stage}.test.ts',
  'test/forward/frame/block-garbage.test.ts',
  'test/forward/promises-{hosts,network,secrets,time}.test.ts',
  'test/local/aep/server.test.ts',
  'test/local/aws/{function-host,local-aws,recordings}.test.ts',
  'test/openapi/openapi.test.ts',
  'test/template/*.test.ts',
];

/** Run by `npm run test:deep` alone: a stack or a process for each case, or each of hundreds of executions undone. */
export const DEEP = [
  'test/journeys/{account,kept,keyless,pulled,reconcile,swap}.test.ts',
  'test/cli/ending.test.ts',
  'test/provision/sweep.undone.test.ts',
];

/** What functions asked AWS for in the tests is kept here, for `npm run check:roles`. */
export const PENSTOCK_CALLS = fileURLToPath(new URL('.penstock/calls', import.meta.url));

/** What a process of a test has compiled, the next one need not: half of a start. The stacks of tests keep theirs there, too. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('.penstock/compile-cache', import.meta.url));

export const ENV = { PENSTOCK_CALLS, NODE_COMPILE_CACHE };

/** What starts processes of functions starts them from a few files (`PENSTOCK_FUNCTIONS`). */
export const BUNDLE_FUNCTIONS = fileURLToPath(new URL('test/support/bundle-functions.ts', import.meta.url));

/** No test depends on the machine's speed: a limit only ends one that hangs. */
export const LIMITS = { testTimeout: 300_000, hookTimeout: 300_000, teardownTimeout: 60_000 };

const DEPTHS: readonly string[] = ['quick', 'deep', 'whole'] satisfies Depth[];

/** What `PENSTOCK_DEPTH` asks for, else this. */
export function depthOr(usual: Depth): Depth {
  const { PENSTOCK_DEPTH: asked = usual } = process.env;
  if (DEPTHS.includes(asked)) return asked as Depth;
  throw new Error(`PENSTOCK_DEPTH: found "${asked}"; expected one of ${DEPTHS.join(', ')}`);
}

/** For what takes turns from day to day: this day, or the one of a run that is repeated. */
export function dayOr(today: number): number {
  const { PENSTOCK_DAY: asked = String(today) } = process.env;
  if (/^\d{1,6}$/.test(asked)) return Number(asked);
  throw new Error(`PENSTOCK_DAY: found "${asked}"; expected a number of days since 1970`);
}

const A_DAY_MS = 86_400_000;

/** The day whose share the deep tests and those of the browser take. */
export const TODAY = dayOr(Math.floor(Date.now() / A_DAY_MS));

/** Counts are also written to a file, for whoever sums up several runs. */
export const reporters = (file: string): NonNullable<TestUserConfig['reporters']> => [
  [fileURLToPath(new URL('test/support/reporter.ts', import.meta.url)), {}],
  ['json', { outputFile: `.penstock/${file}.json` }],
];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: '100%',
    reporters: reporters('test-results'),
    ...LIMITS,
    expect: { poll: { timeout: 240_000 } },
    provide: { depth: depthOr('quick'), day: dayOr(0) },
    env: ENV,
    globalSetup: ['test/support/forget-calls.ts', BUNDLE_FUNCTIONS],
    projects: [
      {
        extends: true,
        // They wait for processes and timers: two of them leave a processor idle.
        test: {
          name: 'apart',
          include: APART,
          exclude: DEEP,
          maxWorkers: 2 * availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...APART,
            ...DEEP,
            'test/browser/**',
            'test/deep/**',
            'test/deployed/**',
            'test/roles/**',
            'test/strangers/**',
          ],
          // They share nothing: a new process for each would cost half a second a file.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
