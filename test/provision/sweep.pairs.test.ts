// Kill anywhere (docs/promises.md, A 20), twice: a seeded 2,000 of all pairs (400 by `npm test`) of faults, in one execution or in the one that goes on.
import { afterAll, describe, expect, it } from 'vitest';
import { depth, longRuns } from '../support/depth.ts';
import { fresh, swap } from '../support/scenarios.ts';
import { pairs, swept } from '../support/sweep.ts';
import { report } from '../support/sweep-report.ts';

const SEED = 20_260_213;
const { tally, end } = report(`sweep, pairs of seed ${SEED}`, [
  'in doubt, found',
  'resumed',
  'taken over',
  'fenced writer',
  'swapped',
]);

/** There are fewer pairs than single faults. */
const LEAST = { quick: 3, deep: 8, whole: 30 }[depth];

const scenarios = [
  { ...fresh, most: longRuns(1_200) },
  { ...(await swap()), most: longRuns(800) },
];

describe('kill anywhere, twice', () => {
  it.each(scenarios)('$most pairs: $name', async ({ most, ...scenario }) => {
    expect(await swept(scenario, (golden) => pairs(golden, SEED), tally, most)).toEqual([]);
  });
});

afterAll(() => end(LEAST));
