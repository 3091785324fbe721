// The forwarder's promises under whatever goes wrong: seeded stories, 10,000 and more by `npm run fuzz`.
import { expect, it } from 'vitest';
import { FAULTS, tellStories, tellTwice } from '../fuzz/forward-model.ts';
import { deep, runs } from '../support/depth.ts';

const SEED = 20_260_301;
const RUNS = runs(500);
/** So often each of the faults strikes. */
const LEAST = deep ? 50 : 3;

it(`F1 to F17 and F19 hold in ${RUNS} stories of seed ${SEED}`, { timeout: 300_000 }, async () => {
  const counts = await tellStories(RUNS, SEED);
  console.log(`${RUNS} stories: ${[...counts].map(([what, times]) => `${what} ${times}`).join(', ')}`);
  const seldom = Object.keys(FAULTS).filter((name) => (counts.get(name) ?? 0) < LEAST);
  expect(seldom).toEqual([]);
  const sometimes = [
    'duplicate',
    'bisected',
    'expired',
    'the store failed',
    'reshard',
    'killed',
    'answer lost',
    'refresh race',
  ];
  const partial = ['partial, first', 'partial, middle', 'partial, last'];
  expect([...sometimes, ...partial].filter((what) => (counts.get(what) ?? 0) === 0)).toEqual([]);
});

it('F18: the same story ends the same way', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const [first, second] = await tellTwice(seed);
    expect(second).toEqual(first);
  }
});
