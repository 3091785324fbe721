// Why a record is on a route more than once is told apart as it must be: a soak explains its duplicates by it.
import { expect, it } from 'vitest';
import { Copies } from './copies.ts';

const none = { afterKills: 0, parkedTwice: 0, unexplained: 0, twiceInOutage: 0, moreInOutage: 0 };

/** Takes record 1 of three at each of these times. */
function found(...times: readonly (readonly [epoch: number, outage: number])[]) {
  const copies = new Copies(3);
  for (const [epoch, outage] of times) copies.taken([1], epoch, outage);
  return copies.found();
}

it.each<[string, readonly (readonly [number, number])[], object]>([
  ['taken once', [[0, 0]], {}],
  [
    'taken again after a kill',
    [
      [0, 0],
      [2, 0],
    ],
    { afterKills: 1 },
  ],
  [
    'taken again, and nothing had died',
    [
      [0, 0],
      [0, 0],
    ],
    { unexplained: 1 },
  ],
  [
    'taken before an outage and once during it',
    [
      [0, 0],
      [2, 1],
    ],
    { afterKills: 1 },
  ],
  [
    'taken twice during an outage',
    [
      [0, 1],
      [2, 1],
    ],
    { afterKills: 1, twiceInOutage: 1 },
  ],
  [
    'taken once in each of two outages',
    [
      [0, 1],
      [2, 2],
    ],
    { afterKills: 1 },
  ],
  [
    'taken four times during an outage',
    [
      [0, 1],
      [2, 1],
      [4, 1],
      [4, 1],
    ],
    { afterKills: 2, unexplained: 1, twiceInOutage: 1, moreInOutage: 1 },
  ],
])('%s', (_, times, expected) => {
  expect(found(...times)).toEqual({ ...none, ...expected });
});

it.each<[string, readonly number[], number, object]>([
  ['parked once', [0], 2, { unexplained: 1 }],
  ['parked again, and nothing had died', [0, 0], 2, { unexplained: 1 }],
  ['parked again after a kill', [0, 2], 2, { parkedTwice: 1 }],
  ['parked again after a kill, and taken three times', [0, 2], 3, { parkedTwice: 1, unexplained: 1 }],
  ['parked after each of two kills, and taken three times', [0, 2, 4], 3, { parkedTwice: 2 }],
])('%s', (_, parkedAt, times, expected) => {
  const copies = new Copies(3);
  for (const epoch of parkedAt) copies.parked([1, 1], epoch);
  for (let time = 0; time < times; time++) copies.taken([1], 4, 0);
  expect(copies.found()).toEqual({ ...none, ...expected });
});

it('tells one record from another', () => {
  const copies = new Copies(3);
  copies.taken([0, 1], 0, 1);
  copies.taken([2], 0, 1);
  expect(copies.found()).toEqual(none);
});
