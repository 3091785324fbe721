// Kill anywhere (docs/promises.md, A 20), what is in service: every call × every mode × both ways on, while it moves on or is retired.
import { afterAll, describe, expect, it } from 'vitest';
import { retire, retireRich, swap, swapOfBase, swapPulled } from '../support/scenarios.ts';
import { singles, swept } from '../support/sweep.ts';
import { chosen, report } from '../support/sweep-report.ts';

const { tally, end } = report('sweep, in service', [
  'swapped',
  'retired',
  'in doubt, found',
  'resumed',
  'taken over',
  'fenced writer',
]);

const scenarios = [await swap(), await swapOfBase(), await swapPulled(), await retire(), await retireRich()];

describe('kill anywhere, both ways on', () => {
  it.each(scenarios)('$name', async (scenario) => {
    expect(await swept(scenario, chosen(singles), tally)).toEqual([]);
  });
});

afterAll(() => end());
