// What sweeps are made over, the way back: executions that cannot succeed, and what must be left when they have been undone.
import type { World } from './branch.ts';
import { held } from './graph.ts';
import { dev1, empty, REMOVABLE, RICH, readTwice, swap, swapPulled } from './scenarios.ts';
import type { Run, Scenario } from './sweep.ts';

const FLOWS = '/data/foundation/flowservice/flows';
const ROLLED_BACK = ['Penstock.RolledBack'];

/** A fault that stays, at the last resource that is made unless said otherwise. */
function hopeless(own: World, path = FLOWS): World {
  own.platform.faults.add({ kind: 'refuse', status: 403, method: 'POST', path });
  return own;
}

/** Nothing is left that is not told of. */
export const undone: Scenario = {
  name: 'rolled back',
  begin: () => hopeless(empty()),
  input: { manifest: REMOVABLE },
  through: ['rollback'],
  ends: ROLLED_BACK,
  wrongAtEnd: (own, runs) => untold(own, runs, new Set()),
  heal: ({ platform }) => platform.faults.clear(),
};

/** The same of what is in Profile, where the schema and what it refers to stay. */
export const undoneRich: Scenario = { ...undone, name: 'rolled back, in Profile', input: { manifest: RICH } };

/** What is left and was not there before, and the last execution has not said so. */
function untold(own: World, runs: readonly Run[], before: ReadonlySet<string>): string | undefined {
  const told = runs.at(-1)?.cause ?? '';
  const left = held(own).filter(
    // Identities are told of by their schema.
    ({ kind, id }) => kind !== 'descriptors' && !before.has(id) && !told.includes(id),
  );
  return left.length === 0
    ? undefined
    : `left and not told: ${left.map(({ kind }) => kind).join(', ')} in ${told}`;
}

/** An earlier generation goes on working. */
export async function undoneSwap(): Promise<Scenario> {
  const { begin, input } = await swap();
  return { ...backTo(() => hopeless(begin())), name: 'swap rolled back', input };
}

/** The same where it comes no further than to the mapping set. */
export async function undoneEarly(): Promise<Scenario> {
  const { begin, input } = await swap();
  const path = '/data/foundation/conversion/mappingSets';
  return { ...backTo(() => hopeless(begin(), path)), name: 'swap rolled back early', input };
}

/** The old flow has been stopped, and the new one cannot be started: the old one goes on. */
export async function undoneTakeover(): Promise<Scenario> {
  const { begin, input } = await swapPulled();
  return {
    ...backTo(begin),
    name: 'swap rolled back, pulled',
    input,
    never: readTwice,
    meanwhile: (own, { step }) => {
      const { faults } = own.platform;
      const stopped = dev1(own)
        .flows.values()
        .some(({ state }) => state === 'disabled');
      if (step === 'rollback') faults.clear();
      else if (stopped && faults.list().length === 0) hopeless(own, `${FLOWS}/*/action`);
    },
  };
}

/** What is changed in place, and stays changed. */
const IN_PLACE = new Set(['schemas', 'dataSets', 'mixins', 'descriptors']);

function backTo(begin: () => World): Omit<Scenario, 'name' | 'input'> {
  const before = held(begin());
  const known = new Set(before.map(({ id }) => id));
  return {
    begin,
    through: ['rollback'],
    ends: ROLLED_BACK,
    wrongAtEnd: (own, runs) => {
      const now = new Map(held(own).map((one) => [one.id, one]));
      for (const { id, kind, text, state } of before) {
        const one = now.get(id);
        if (one === undefined) return `${kind} of the earlier generation is gone`;
        if (one.state !== state) return `${kind} of the earlier generation is ${one.state}, not ${state}`;
        if (one.text !== text && !IN_PLACE.has(kind)) return `${kind} of the earlier generation has changed`;
      }
      if ([...own.triggers.all.values()].some(({ state }) => state !== 'on')) return 'the trigger is off';
      return untold(own, runs, known);
    },
    heal: ({ platform }) => platform.faults.clear(),
  };
}

const FOREIGN = {
  id: 'f'.repeat(24),
  revision: 0,
  body: {
    name: 'Loyalty members',
    schemaRef: { id: 'https://ns.adobe.com/acmelab/schemas/other' },
    tags: {},
  },
};

/** A minute after the plan: for so long a step believes that what was not found is not there (decision 0139). */
const BELIEVED_MS = 61_000;

/** Between the plan and the step, and not at once, somebody else makes a dataset of our name. */
export const takenMeanwhile: Scenario = {
  ...undone,
  name: 'name taken meanwhile',
  begin: empty,
  ends: [...ROLLED_BACK, 'Penstock.Conflict'],
  meanwhile: (own, { step }) => {
    const { dataSets } = dev1(own);
    if (step !== 'identity' || dataSets.get(FOREIGN.id) !== undefined) return;
    own.time.now += BELIEVED_MS;
    dataSets.put(FOREIGN.id, { ...FOREIGN, created: own.time.now, updated: own.time.now });
  },
  wrongAtEnd: (own, runs) => {
    if (dev1(own).dataSets.get(FOREIGN.id)?.body !== FOREIGN.body) return 'what is theirs was touched';
    // Who finds it there already makes nothing, and undoes nothing.
    return runs.at(-1)?.error === 'Penstock.Conflict' ? undefined : untold(own, runs, new Set([FOREIGN.id]));
  },
  heal: (own) => void dev1(own).dataSets.remove(FOREIGN.id),
};
