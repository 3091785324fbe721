// Kill anywhere (docs/promises.md, A 20), the way back: a fault that stays makes it fail, and another one comes on top of it anywhere.
import { afterAll, describe, expect, it } from 'vitest';
import type { Made } from '../support/chaos.ts';
import {
  takenMeanwhile,
  undone,
  undoneEarly,
  undoneRich,
  undoneSwap,
  undoneTakeover,
} from '../support/scenarios-undone.ts';
import { singles, singlesAt, swept } from '../support/sweep.ts';
import { chosen, report } from '../support/sweep-report.ts';

const { tally, end } = report('sweep, the way back', [
  'rolled back',
  'conflict',
  'in doubt, found',
  'resumed',
  'taken over',
  'fenced writer',
]);

/** From the failure on. */
const late = ({ step }: Made) => /^(mapping|flow|rollback|report)$/.test(step);
const others = [takenMeanwhile, await undoneSwap(), await undoneEarly(), await undoneTakeover()];

describe('kill anywhere, both ways on', () => {
  it(undone.name, async () => {
    expect(await swept(undone, chosen(singles), tally)).toEqual([]);
  });

  it(`${undoneRich.name}: what is not so for others as well`, async () => {
    expect(await swept(undoneRich, chosen(singlesAt(late)), tally)).toEqual([]);
  });

  it.each(others)('$name: every change, and every call from the failure on', async (scenario) => {
    const cases = singlesAt((call) => call.change || late(call));
    expect(await swept(scenario, chosen(cases), tally)).toEqual([]);
  });
});

afterAll(() => end());
