import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tally } from '../support/chaos.ts';
import { longRuns } from '../support/depth.ts';
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

// Whatever is asked for, whatever goes wrong and whatever people do by hand in between: docs/promises.md, P1 to P17.

const SEED = 20_260_101;
const RUNS = longRuns(400);

it(`P1 to P17 hold after every command; seed ${SEED}`, async () => {
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
  const injected = tally.counts().filter(([what]) => what.startsWith('fault '));
  const faults = injected.map(([what, count]) => `${what.slice('fault '.length)} ${count}`);
  console.log(`model of provisioning: ${RUNS} stories, ${tally.summary()}; injected: ${faults.join(', ')}`);
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
