// A sweep sees what it is there to see; and a world that branched off goes on as the one it comes from.
import { expect, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { branch } from './branch.ts';
import { Tally } from './chaos.ts';
import { longRuns } from './depth.ts';
import { canonical, held, remembered, surplus } from './graph.ts';
import { dev1, empty, fresh, retire, swap } from './scenarios.ts';
import { undone, undoneTakeover } from './scenarios-undone.ts';
import { type Case, type Golden, goldenOf, modesOf, pairs, type Scenario, singles, tried } from './sweep.ts';

const golden = await goldenOf(fresh);
const unhurt: Case = { faults: [] };
const said = (changes: Partial<Scenario>, one = unhurt) =>
  tried({ ...fresh, ...changes }, { ...golden, met: new Map() }, one, new Tally());

it('is content with what is well', async () => {
  expect(await said({})).toBeUndefined();
});

it.each<[string, Partial<Scenario>, RegExp]>([
  [
    'another end',
    { input: { manifest: { ...(fresh.input.manifest as object), description: 'Other' } } },
    /^another end: /,
  ],
  ['another ending', { ends: ['Penstock.RolledBack'] }, /^SUCCEEDED/],
  [
    'what must never be',
    { never: (own) => (dev1(own).flows.size > 0 ? 'a flow' : undefined) },
    /^a flow, after flow POST/,
  ],
  ['what is said of it', { wrongAtEnd: () => 'it smells' }, /^it smells$/],
  [
    'a copy',
    {
      meanwhile: (own) => {
        const [one] = dev1(own).dataSets.values();
        if (one !== undefined) dev1(own).dataSets.put('c'.repeat(24), { ...one, id: 'c'.repeat(24) });
      },
    },
    /#2> is \{/,
  ],
])('sees %s', async (_, changes, wanted) => {
  expect(await said(changes)).toMatch(wanted);
});

it('sees an execution that has still something to do', async () => {
  const tampered: Scenario = {
    ...fresh,
    heal: (own) => void own.secrets.values.delete('penstock/dev/streams/customers/loyalty'),
  };
  // Healed, it is as ever; tampered with after that, it is not.
  expect(await tried(tampered, { ...golden, met: new Map() }, unhurt, new Tally())).toBeUndefined();
  const own = empty();
  await own.run(fresh.input);
  own.secrets.values.delete('penstock/dev/streams/customers/loyalty');
  expect(canonical(own)).not.toEqual(golden.end);
});

it('says where a fault did not hit', async () => {
  expect(await said({}, { faults: [[{ k: 999, mode: 'lost' }]] })).toBe('a fault did not hit');
});

it('takes every call, every mode that makes a difference there, and both ways on', () => {
  const cases = singles(golden).map(({ faults }) => faults[0]?.[0]);
  const change = golden.calls.find(
    ({ kind, label }) => kind === 'aep' && label.endsWith('/dataSets') && label.startsWith('POST'),
  );
  const ofChange = cases.filter((one) => one?.kind === 'aep' && one.k === change?.index);
  expect(ofChange.map((one) => `${one?.mode} ${one?.after}`)).toEqual([
    'refused retry',
    'lost retry',
    'error-after retry',
    'truncated retry',
    'throttled retry',
    'killed retry',
    'zombie retry',
    'zombie retry',
    'refused abort',
    'killed abort',
    'zombie abort',
    'zombie abort',
  ]);
  for (const { kind, index, label } of golden.calls.filter(({ kind }) => kind !== 'wait'))
    expect(cases.filter((one) => one?.kind === kind && one.k === index).length, label).toBeGreaterThanOrEqual(
      3,
    );
  const check = golden.calls.find(({ label }) => label.startsWith('ledger.check'));
  expect(check && modesOf(check)).not.toContain('zombie');
});

it('branches a world: the same things in it, nothing to do, and ids that are new', async () => {
  const own = empty();
  await own.run(fresh.input);
  const other = branch(own);
  expect(canonical(other)).toEqual(canonical(own));
  const { calls, status } = await other.run(fresh.input);
  expect(status).toBe('SUCCEEDED');
  expect(calls.filter(({ kind, change }) => kind === 'aep' && change)).toEqual([]);
  expect(surplus(other)).toEqual({});
  const open = { ...(fresh.input.manifest as { source: object }) };
  await other.run({ manifest: { ...open, source: { ...open.source, authenticationRequired: false } } });
  expect(dev1(other).flows.values()[0]?.id).not.toBe(dev1(own).flows.values()[0]?.id);
  expect(dev1(own).flows.size).toBe(1);
});

/** All that can be seen of a case: what is said of it, every call and state of its executions, and what there is at its end. */
async function seenIn(scenario: Scenario, known: Golden, one: Case): Promise<unknown> {
  const ends: unknown[] = [];
  const wrongAtEnd: Scenario['wrongAtEnd'] = (own, runs, before) => {
    const ran = runs.map(({ status, error, cause, states, calls, paths }) => ({
      ...{ status, error, cause, states },
      calls: calls.map(({ step, label, index, fault, until }) => ({ step, label, index, fault, until })),
      paths: [...paths],
    }));
    ends.push({ ran, at: own.time.now, held: held(own), remembered: remembered(own) });
    return scenario.wrongAtEnd?.(own, runs, before);
  };
  const tally = new Tally();
  const verdict = await tried({ ...scenario, wrongAtEnd }, { ...known, met: new Map() }, one, tally);
  return { verdict, ends, tally: tally.counts() };
}

it.each([
  ['fresh', fresh],
  ['swap', await swap()],
  ['retire', await retire()],
  ['undone', undone],
  ['undone, taken over', await undoneTakeover()],
])(
  'a case that begins at a snapshot is as one from the beginning: %s, cases of a seed',
  async (_, scenario) => {
    const known = await goldenOf(scenario);
    const random = seededRandom(20_261_128);
    const drawing = pairs(known, 20_261_128);
    const single = singles(known);
    const cases = Array.from({ length: longRuns(40) }, (_, at) =>
      at % 4 === 0 ? (drawing.next().value as Case) : (single[Math.floor(random() * single.length)] as Case),
    );
    for (const one of cases)
      expect(await seenIn(scenario, known, one), JSON.stringify(one)).toEqual(
        await seenIn(scenario, { ...known, snapshots: [] }, one),
      );
  },
);
