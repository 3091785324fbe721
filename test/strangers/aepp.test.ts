// Adobe's Python client against the simulated platform: every step of its table comes out as written.
import { afterAll, describe, expect, test } from 'vitest';
import { aeppOutcomes, aeppRows } from './aepp.ts';
import { startSimulator } from './simulator.ts';

const simulator = await startSimulator();
afterAll(() => simulator.close());
const outcomes = await aeppOutcomes(simulator.origin);

test('12: every step of aepp was taken, and most of them without a difference', () => {
  expect(outcomes.map(({ call }) => call)).toEqual(aeppRows().map(({ call }) => call));
  expect(outcomes.length).toBeGreaterThan(300);
  expect(outcomes.filter(({ reason, waits }) => reason === '' && waits === '').length).toBeGreaterThan(250);
});

describe.each([...new Set(outcomes.map(({ group }) => group))])('12: aepp, %s', (group) => {
  test.each(
    outcomes
      .filter((each) => each.group === group)
      .map((each, index) => [`${index + 1} ${each.call}`, each] as const),
  )('%s', (_name, { fine, got, expected, waits }) => {
    // A step that waits is not as expected yet; once it is, the mark goes.
    expect(fine, `expected ${expected}, got ${got}`).toBe(waits === '');
  });
});
