// The forwarder's promises under whatever goes wrong: seeded stories, 10,000 and more by `npm run fuzz`.
import { expect, it } from 'vitest';
import { FAULTS, tellStories, tellTwice } from '../fuzz/forward-model.ts';
import { depth, longRuns, runs } from '../support/depth.ts';

// Of the first part alone, which `npm test` tells, every fault strikes.
const SEED = 20_260_305;
const STORIES = 50;
const PARTS = longRuns(10);
/** So often each of the faults strikes, over all parts. */
const LEAST = { quick: 1, deep: 5, whole: 20 }[depth];

const met = new Map<string, number>();

it.each(Array.from({ length: PARTS }, (_, part) => SEED + part))(
  `F1 to F17 and F19 hold in ${STORIES} stories of seed %i`,
  async (seed) => {
    for (const [what, times] of await tellStories(STORIES, seed)) met.set(what, (met.get(what) ?? 0) + times);
  },
);

it('14 B: they hold where a record holds several messages by its format', async () => {
  await tellStories(runs(50), SEED, 'lines');
});

it('14 A 3: they hold where the pipeline parks, however often its inlet is out and answers again', async () => {
  const counts = await tellStories(longRuns(200), SEED, 'parked');
  expect(counts.get('parked')).toBeGreaterThan(50);
  expect(counts.get('an outage ended')).toBeGreaterThan(0);
});

it('every fault has struck, and all that makes a difference has happened', () => {
  console.log(
    `${PARTS * STORIES} stories: ${[...met].map(([what, times]) => `${what} ${times}`).join(', ')}`,
  );
  const seldom = Object.keys(FAULTS).filter((name) => (met.get(name) ?? 0) < LEAST);
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
  expect([...sometimes, ...partial].filter((what) => (met.get(what) ?? 0) === 0)).toEqual([]);
});

it('F18: the same story ends the same way', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const [first, second] = await tellTwice(seed);
    expect(second).toEqual(first);
  }
});
