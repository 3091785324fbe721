// Kill anywhere (docs/promises.md, A 20), where AEP does not tell how it is: behind old lists, and while somebody else changes things.
import { afterAll, describe, expect, it } from 'vitest';
import type { World } from '../support/branch.ts';
import type { Fault } from '../support/chaos.ts';
import { behindOldLists, meddledWith } from '../support/scenarios.ts';
import { type Case, type Golden, goldenOf, singlesAt, swept } from '../support/sweep.ts';
import { chosen, report } from '../support/sweep-report.ts';

const { tally, end } = report('sweep, old lists and others', [
  'in doubt, found',
  'resumed',
  'taken over',
  '412 re-read',
  'surplus removed',
]);

/** Every call that makes something, its answer lost or its function killed. */
function creates(
  { calls }: Golden,
  modes: readonly Fault['mode'][],
  afters: readonly Fault['after'][],
): Case[] {
  const made = calls.filter(
    ({ kind, change, label }) => kind === 'aep' && change && label.startsWith('POST'),
  );
  return made.flatMap(({ index: k }) =>
    modes.flatMap((mode) => afters.map((after) => ({ faults: [[{ kind: 'aep', k, mode, after }]] }) as Case)),
  );
}

/** Takes away the descriptors of schemas that are not there: they say nothing about anything. */
function withoutOrphans({ platform }: World): void {
  for (const { descriptors, registry } of platform.state.sandboxes.values())
    for (const { '@id': id, 'xdm:sourceSchema': schema } of descriptors.values())
      if (registry.schemas.get(String(schema)) === undefined) descriptors.remove(String(id));
}

const young = [
  ...(await behindOldLists(1_000)),
  ...(await behindOldLists(5_000)),
  ...(await behindOldLists(30_000)),
];

const old = await behindOldLists(240_000);
const meddled = await meddledWith(1);

const EITHER = ['SUCCEEDED', 'Penstock.RolledBack', 'Penstock.Resumable'];

describe('behind old lists', () => {
  it.each(young)('$name: nothing is made twice', async (scenario) => {
    const cases = (golden: Golden) => creates(golden, ['lost', 'killed'], ['retry', 'abort']);
    expect(await swept(scenario, chosen(cases), tally)).toEqual([]);
  });

  // Older than a retry or a take-over waits: what is there already is made twice, or refused. The next execution finds it all
  // but for the descriptors of a schema that was undone before any list showed them: no call can name those any more.
  it.each(old)('$name: the surplus goes', async (scenario) => {
    const cases = (golden: Golden) => creates(golden, ['lost', 'killed'], ['retry', 'abort']);
    expect(await swept({ ...scenario, ends: EITHER, heal: withoutOrphans }, chosen(cases), tally)).toEqual(
      [],
    );
  });
});

describe('while somebody else changes things', () => {
  it.each(meddled)('$name, and trouble besides', async (scenario) => {
    const cases = singlesAt(({ step }) => /^(dataset|baseConnection)$/.test(step));
    expect(await swept(scenario, chosen(cases), tally)).toEqual([]);
  });

  it.each([1, 2])('%i times: it is read again, and what they wrote survives', async (times) => {
    for (const scenario of await meddledWith(times)) {
      const { calls, end } = await goldenOf(scenario);
      const patches = calls.filter(({ label }) => /^PATCH \S+\/(dataSets|connections)\//.test(label));
      expect(patches).toHaveLength(times + 1);
      expect(JSON.stringify(end)).toMatch(
        times === 1 ? /"foreign":(1|\["theirs"\])/ : /"foreign":(2|\["theirs","theirs"\])/,
      );
    }
  });

  it('again and again: it is given up after three times, and nothing of theirs is overwritten', async () => {
    for (const { begin, input, meanwhile } of await meddledWith(Number.POSITIVE_INFINITY)) {
      const own = begin();
      const run = await own.run(input, {
        intercept: async (call, proceed) => {
          const value = await proceed();
          meanwhile?.(own, call);
          return value;
        },
      });
      const patches = own.platform.journal
        .entries({ method: 'PATCH' })
        .filter(({ path }) => /dataSets|connections/.test(path));
      expect(run.status).toBe('FAILED');
      expect(run.cause).toContain('AEP_CHANGED');
      expect(patches.map(({ status }) => status)).toEqual([412, 412, 412]);
    }
  });
});

afterAll(() => end(0));
