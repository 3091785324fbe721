import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { branch } from '../support/branch.ts';
import { type Call, type Fault, scheduler, Tally, type Zombie } from '../support/chaos.ts';
import { longSeeds } from '../support/depth.ts';
import { canonical, surplus } from '../support/graph.ts';
import { executionArn } from '../support/machine.ts';
import { fenceIn, lateChangesIn, takeOverIn, turnsBy, turnsOf, writersIn } from '../support/model-turns.ts';
import { world } from '../support/provisioning.ts';

// Who works on a pipeline works on it alone, however the calls of two executions happen to follow one another.

type World = ReturnType<typeof world>;
type Run = Awaited<ReturnType<World['run']>>;
type Input = Record<string, unknown>;

const manifest = JSON.parse(
  readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
) as { name: string; mapping: object[] } & Input;
const inlet = (more: object) => ({ kind: 'inlet', stream: 'customers', data: 'raw', ...more });
/** No wait in the middle: a wait would let the second execution in at one and the same place every time. */
const brisk = { warmUpSeconds: 0, drainSeconds: 0 };

const APPLY = { manifest, ...brisk };
const SLOW = { manifest };
const MAPPED = { ...APPLY, manifest: { ...manifest, mapping: manifest.mapping.slice(0, -1) } };
const OPEN = { ...APPLY, manifest: { ...manifest, source: inlet({ authenticationRequired: false }) } };
const ZIPPED = { ...APPLY, manifest: { ...manifest, source: inlet({ compression: 'gzip' }) } };
const RETIRE = { ...APPLY, mode: 'retire' };
const DELETE = { ...RETIRE, deleteData: true };

const tally = new Tally();
afterAll(() => {
  const counted = tally.counts().filter(([what]) => !/^(calls|path|fault) /.test(what));
  const seen = counted.map(([what, count]) => `${what} ${count}`);
  console.log(`two at once: ${tally.summary()}; ${seen.join(', ')}`);
});

/** The end that these come to one after the other, undisturbed. */
const ends = new Map<string, Promise<End>>();
type End = { readonly graph: unknown; readonly over: unknown };

const endOf = (own: World): End => ({ graph: canonical(own), over: surplus(own) });

/** To retire what an execution had begun, and nothing of it was left, comes to the same as if nobody had come. */
function golden(all: readonly Input[]): Promise<End> {
  const first = all.findIndex(({ mode }) => mode !== 'retire');
  const inputs = first === -1 ? [] : all.slice(first);
  const key = JSON.stringify(inputs);
  const known = ends.get(key) ?? applied(inputs).then(endOf);
  ends.set(key, known);
  return known;
}

async function applied(inputs: readonly Input[]): Promise<World> {
  const own = world();
  for (const input of inputs) expect((await own.run(input)).status).toBe('SUCCEEDED');
  return own;
}

interface Ended {
  readonly own: World;
  readonly trace: readonly Call[];
  readonly runs: readonly Run[];
  readonly inputs: readonly Input[];
  readonly before: readonly Input[];
}

const NAMES = ['a', 'b', 'c'];
/** More than an execution makes. */
const CALLS = 150;

const befores = new Map<string, Promise<World>>();

/** A world in which these were applied, which nobody else sees. */
async function after(inputs: readonly Input[]): Promise<World> {
  if (inputs.length === 0) return world();
  const key = JSON.stringify(inputs);
  const known = befores.get(key) ?? applied(inputs);
  befores.set(key, known);
  return branch(await known);
}

/** Starts them all at once and lets them take turns to their ends. */
async function together(
  choose: (ready: readonly Call[]) => number,
  before: readonly Input[],
  inputs: readonly Input[],
): Promise<Ended> {
  const own = await after(before);
  const turns = scheduler(choose);
  const { intercept } = turns;
  const started = inputs.map((input, index) => own.run(input, { intercept, name: NAMES[index] ?? '' }));
  const runs = await turns.drive(own.time, ...started);
  tally.count('interleavings');
  return { own, trace: turns.trace, runs, inputs, before };
}

interface Late {
  /** What becomes of the first, and where. */
  readonly fault: Fault;
  /** When its function goes on, where that survives: at once, or so many calls after it has lost the right to. */
  readonly wakes: number | 'at once';
  readonly seed: number;
}

/**
 * A fault hits the first at a call; where that stops it, the others start at that moment. A function of the first that hangs
 * goes on when told to. Nobody waits while a call could be made: what runs on after the grace is what was woken up then.
 */
async function succession(before: readonly Input[], inputs: readonly Input[], late: Late): Promise<Ended> {
  const own = await after(before);
  const turns = scheduler(turnsOf(late.seed), 0);
  const { wakes, fault, seed } = late;
  const awake = waking(turns, wakes);
  const { intercept } = awake;
  const story = async () => {
    const [first = {}, ...rest] = inputs;
    const one = own.run(first, { intercept, name: 'a', fault, seed });
    const all = one.then(async (run) => {
      const others = rest.map((input, index) => own.run(input, { intercept, name: NAMES[index + 1] ?? '' }));
      return [run, ...(await Promise.all(others))];
    });
    await Promise.race([awake.up, all]);
    const zombie = await hanging(own.executions.find(({ name }) => name === 'a'));
    if (zombie !== undefined) count(await zombie.release());
    return all;
  };
  const [runs] = await turns.drive(own.time, story());
  tally.count('interleavings');
  if (takeOverIn(turns.trace) >= 0) tally.count('take-overs');
  return { own, trace: turns.trace, runs: runs ?? [], inputs, before };
}

/** The function that hangs, once what its last call has set off has happened; without another call in between. */
async function hanging(execution: Run['execution'] | undefined): Promise<Zombie | undefined> {
  for (let turn = 0; turn < 100 && execution?.zombies.length === 0; turn++) await Promise.resolve();
  return execution?.zombies[0];
}

/** When a hanging function wakes up: `up` is resolved then. */
function waking({ intercept, trace }: ReturnType<typeof scheduler>, wakes: Late['wakes']) {
  const up = Promise.withResolvers<void>();
  let calls = 0;
  const watched: typeof intercept = async (call, proceed) => {
    const answer = await intercept(call, proceed);
    const hung = wakes === 'at once' && 'fault' in call && call.fault === 'zombie';
    if (hung || (fenceIn(trace) >= 0 && ++calls > Number(wakes))) up.resolve();
    return answer;
  };
  return { intercept: watched, up: up.promise };
}

/** What became of a function that was woken up late. */
function count(woken: unknown): void {
  const said = JSON.stringify(woken ?? null);
  tally.count(said.includes('LEASE_LOST') ? 'zombies fenced' : 'zombies that came to an end of their own');
}

/** Checks what holds whoever came first; the executions that came through, in the order in which they had the lease. */
async function judged(ended: Ended): Promise<Run[]> {
  const { own, trace, runs, inputs, before } = ended;
  const through = runs
    .filter(({ status }) => status === 'SUCCEEDED')
    .sort((a, b) => leasedAt(trace, a) - leasedAt(trace, b));
  const inputOf = (run: Run) => inputs[runs.indexOf(run)] ?? {};
  for (const run of runs) {
    tally.add(run);
    if (run.status !== 'FAILED') continue;
    if (NEVER_WAS.test(run.cause ?? '') && before.length + through.length === 0) tally.count('never was');
    else refused(run, trace);
  }
  expect(repeated(writersIn(trace))).toEqual([]);
  expect(lateChangesIn(trace)).toEqual([]);
  expect(endOf(own)).toEqual(await golden([...before, ...through.map(inputOf)]));
  const last = through.at(-1);
  if (last !== undefined) await settledAfter(own, last.execution.name, inputOf(last));
  return through;
}

/** The first was ended before it had made anything, or said that it would: there is nothing to retire (C 2). */
const NEVER_WAS = /no pipeline \S+ has been applied/;

function refused(run: Run, trace: readonly Call[]): void {
  expect(run).toMatchObject({ status: 'FAILED', error: 'Penstock.Busy' });
  const holder = executionArn(holderFor(run, trace));
  expect(run.cause).toContain(`the execution ${holder} works on the pipeline ${manifest.name}`);
  tally.count('busy');
}

/** Nobody holds it, the report is that of who worked on it last, and nothing is left to be done. */
async function settledAfter(own: World, name: string, input: Input): Promise<void> {
  const item = own.ledger.items.get(manifest.name);
  expect(item).not.toHaveProperty('owner');
  expect(JSON.parse(item?.report?.S ?? '{}')).toMatchObject({ execution: { name } });
  own.mutations();
  const writes = () => own.secrets.writes() + own.triggers.writes();
  const before = writes();
  expect((await own.run(input)).status).toBe('SUCCEEDED');
  expect([own.mutations(), writes() - before]).toEqual([[], 0]);
}

function leasedAt(trace: readonly Call[], { execution }: Run): number {
  return trace.findIndex((call) => call.execution === execution.name && call.step === 'plan');
}

/** Who had the lease when this execution was told that it is taken. */
function holderFor({ execution }: Run, trace: readonly Call[]): string {
  const asked = trace.findLastIndex((call) => call.execution === execution.name && call.step === 'holder');
  const taken = trace
    .slice(0, asked)
    .filter(({ step, execution: name }) => /^(lease|take-over)$/.test(step) && name !== execution.name);
  const worked = (name: string) => trace.some((one) => one.execution === name && one.step === 'plan');
  return taken.findLast((call) => worked(call.execution))?.execution ?? '';
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) < index);
}

/** Tries so many seeds, and says of each that went wrong what did, the same thing once. */
async function every(count: number, trial: (seed: number) => Promise<unknown>): Promise<string[]> {
  const wrong = new Map<string, number[]>();
  for (const seed of longSeeds(count)) {
    await trial(seed).catch(({ message }: Error) => {
      const said = message.replace(/[0-9a-f-]{20,}/g, '*').slice(0, 600);
      wrong.set(said, [...(wrong.get(said) ?? []), seed]);
    });
  }
  return [...wrong].map(([said, those]) => `seeds ${those.slice(0, 20)}: ${said}`);
}

describe('two executions of one pipeline', () => {
  it.each<[string, Input[], Input, Input, number]>([
    ['the same manifest', [], APPLY, APPLY, 250],
    ['the same manifest, a warm-up', [], SLOW, SLOW, 60],
    ['a swap of the mapping against one of the whole way in', [APPLY], MAPPED, OPEN, 150],
    ['what is there against a change of what is published', [APPLY], APPLY, ZIPPED, 60],
    ['apply against retire', [APPLY], MAPPED, RETIRE, 120],
    ['apply against retire with its data', [APPLY], APPLY, DELETE, 80],
  ])('%s: one works, the other says who does', async (_, before, one, other, most) => {
    const wrong = await every(most, async (seed) => {
      const inputs = seed % 2 === 0 ? [one, other] : [other, one];
      const through = await judged(await together(turnsOf(seed), before, inputs));
      // Both only where the one had returned the lease before the other asked for it.
      expect(through.length).toBeGreaterThan(0);
      tally.count(through.length === 1 ? 'one through' : 'one after the other');
    });
    expect(wrong).toEqual([]);
  });

  it('every order with at most two switches', async () => {
    const { trace } = await together(turnsBy([]), [], [APPLY]);
    // Who is told that it is busy makes six calls; who comes last, as many as the first: no need to switch once more then.
    const lengths = 7;
    const wrong = await every((trace.length + 1) * lengths, async (seed) => {
      const [i, j] = [Math.floor((seed - 1) / lengths), 1 + ((seed - 1) % lengths)];
      const pattern = [...'a'.repeat(i), ...'b'.repeat(j), ...'a'.repeat(CALLS), ...'b'.repeat(CALLS)];
      await judged(await together(turnsBy(pattern), [], [APPLY, APPLY]));
    });
    expect(wrong).toEqual([]);
  });
});

/** A random call of an undisturbed execution: where this one is stopped. */
function faultIn({ calls }: Run, random: () => number, modes: readonly Fault['mode'][]): Fault {
  const those = calls.filter(({ kind }) => kind !== 'wait');
  const { kind, index } = those[Math.floor(random() * those.length)] ?? { kind: 'aep', index: 1 };
  const mode = modes[Math.floor(random() * modes.length)] ?? 'killed';
  return { kind: kind === 'aws' ? 'aws' : 'aep', k: index, mode };
}

describe('a holder that has ended', () => {
  const CASES: [string, Input[], Input[], number][] = [
    ['a first apply', [], [SLOW, APPLY], 100],
    ['a swap', [APPLY], [OPEN, OPEN], 70],
    ['a swap, another one after it', [APPLY], [MAPPED, OPEN], 80],
    ['retire, applied again', [APPLY], [RETIRE, APPLY], 60],
    ['apply, then retire with its data', [], [APPLY, DELETE], 60],
    ['a first apply, two that follow', [], [APPLY, APPLY, APPLY], 70],
  ];

  const tried = async (
    modes: readonly Fault['mode'][],
    before: readonly Input[],
    inputs: readonly Input[],
    most: number,
  ) => {
    const [first = {}] = inputs;
    const alone = await (await after(before)).run(first, { name: 'a' });
    const wrong = await every(most, async (seed) => {
      const random = seededRandom(seed * 7 + 1);
      const fault = { ...faultIn(alone, random, modes), after: 'abort' as const };
      const wakes = random() < 0.4 ? 'at once' : Math.floor(random() * 90);
      const ended = await succession(before, inputs, { fault, wakes, seed });
      expect(ended.runs[0]?.execution.struck).toBe(true);
      const through = await judged(ended).catch((error: Error) => {
        const at = alone.calls.find((call) => call.kind === fault.kind && call.index === fault.k);
        throw new Error(
          `${fault.mode} at ${at?.step} ${at?.label}, wakes ${wakes}: ${error.message}\n${JSON.stringify(surplus(ended.own))}`,
        );
      });
      if (!ended.runs.some(({ cause = '' }) => NEVER_WAS.test(cause)))
        expect(through.length).toBeGreaterThan(0);
    });
    expect(wrong).toEqual([]);
  };

  it.each(CASES)('%s: is taken over', (_, before, inputs, most) =>
    tried(['refused', 'killed', 'lost'], before, inputs, most),
  );

  it.each(CASES)('%s: a function of it that wakes up late changes nothing', (_, before, inputs, most) =>
    tried(['zombie'], before, inputs, most),
  );
});

describe('a step that has timed out and still runs', () => {
  it.each<[string, Input[], Input, number]>([
    ['of a first apply', [], SLOW, 100],
    ['of a swap', [APPLY], OPEN, 60],
    ['of a retirement with its data', [APPLY], DELETE, 40],
  ])('%s: changes nothing any more when it has been tried again', async (_, before, input, most) => {
    const alone = await (await after(before)).run(input, { name: 'a' });
    const wrong = await every(most, async (seed) => {
      const random = seededRandom(seed * 11 + 3);
      const fault = { ...faultIn(alone, random, ['zombie']), after: 'retry' as const };
      const wakes = random() < 0.2 ? 'at once' : Math.floor(random() * 60);
      const through = await judged(await succession(before, [input], { fault, wakes, seed }));
      expect(through.length).toBe(1);
    });
    expect(wrong).toEqual([]);
  });
});

describe('two pipelines that want one stream', () => {
  const OTHER = { ...APPLY, manifest: { ...manifest, name: 'other' } };
  const conflict = /source\.compression is "\w+" in the manifest of (customer-profiles|other)/;
  const passing =
    /the pipeline (customer-profiles|other)(, its first one, is to make it| is leaving the stream, as its last one)/;
  const CASES: [string, Input[], Input, Input, number][] = [
    ['both for the first time', [], APPLY, OTHER, 150],
    ['one that moves out while the other moves in', [APPLY], RETIRE, OTHER, 100],
    ['one that is there, and changed', [APPLY], ZIPPED, OTHER, 30],
  ];

  /**
   * Who says something else of what all share is told so. Who came while the last one left, or before the first one had made the
   * trigger, is started again. The rest
   * is as if they had come one after the other.
   */
  const fair = async ({ own, runs, inputs, before }: Ended) => {
    const through: Input[] = [];
    for (const [index, input] of inputs.entries()) {
      const { status, cause = '' } = runs[index] ?? {};
      const isAgain = status !== 'SUCCEEDED' && passing.test(cause);
      if (isAgain) expect((await own.run(input)).status).toBe('SUCCEEDED');
      if (status === 'SUCCEEDED' || isAgain) through.push(input);
      else expect(cause).toMatch(conflict);
    }
    expect(through.length).toBeGreaterThan(0);
    const orders = [through, through.toReversed()].map((order) => golden([...before, ...order]));
    const possible = await Promise.allSettled(orders);
    expect(possible).toContainEqual({ status: 'fulfilled', value: endOf(own) });
    tally.count(through.length === 1 ? 'stream: one in conflict' : 'stream: both');
  };

  it.each(CASES)(
    '%s: none loses its work, and who is in conflict is told',
    async (_, before, one, other, most) => {
      const wrong = await every(most, async (seed) =>
        fair(await together(turnsOf(seed), before, [one, other])),
      );
      expect(wrong).toEqual([]);
    },
  );

  it.each(CASES)(
    '%s: the same, wherever the one is interrupted by the other',
    async (_, before, one, other) => {
      const { trace } = await together(turnsBy([]), before, [one]);
      const wrong = await every(trace.length, async (turn) => {
        const pattern = [...'a'.repeat(turn), ...'b'.repeat(2 * CALLS)];
        await fair(await together(turnsBy(pattern), before, [one, other]));
      });
      expect(wrong).toEqual([]);
    },
  );
});
