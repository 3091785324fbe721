import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tally } from '../support/chaos.ts';
import {
  age,
  begin,
  COMMANDS,
  converge,
  execute,
  KEYS,
  prepareTemplates,
  setup,
  takeDown,
} from '../support/model-commands.ts';

// Whatever is asked for, whatever goes wrong and whatever people do by hand in between: reliability's C.2, P1 to P17.

const SEED = 20_260_101;
const RUNS = 280;
/** Counts that say nothing about where it has been. */
const UNREMARKABLE = /planned (keep|none|remove)|path (said|ended)|retried after/;

it(`P1 to P17 hold after every command; seed ${SEED}`, { timeout: 300_000 }, async () => {
  await prepareTemplates();
  const tally = new Tally();
  const commands = fc.noBias(fc.commands(COMMANDS, { maxCommands: 12, size: 'max' }));
  const details = await fc.check(
    fc.asyncProperty(fc.subarray(KEYS), commands, async (begun, all) => {
      const { model, real } = setup(tally);
      await begin(model, real, begun);
      await fc.asyncModelRun(() => ({ model, real }), all);
      for (const key of KEYS) await converge(model, real, key);
      for (const key of KEYS) await takeDown(model, real, key);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  console.log(
    tally
      .lines()
      .filter((line) => !UNREMARKABLE.test(line))
      .join('\n'),
  );
  expect([fc.defaultReportMessage(details), String(details.errorInstance ?? '')]).toEqual([undefined, '']);
});

it.each([1_000, 5_000, 30_000])(
  'what was removed a moment ago is not believed in: lists that are %i ms old',
  async (staleMs) => {
    for (const key of KEYS) {
      for (const variant of ['auth', 'mapped', 'groups']) {
        const { model, real } = setup(new Tally());
        await begin(model, real, [key]);
        age(real.own, staleMs);
        for (const next of [variant, 'plain', variant]) {
          model[key].variant = next;
          const { status, cause } = await execute(model, real, key, { mode: 'apply' });
          expect({ key, variant, next, status, cause }).toMatchObject({ status: 'SUCCEEDED' });
        }
      }
    }
  },
);
