// A sweep: the same execution again and again, each time with trouble at another call, and what must be so when it is over.
import { isDeepStrictEqual } from 'node:util';
import { seededRandom } from '../../local/aep/ids.ts';
import { copyOf, type World } from './branch.ts';
import { type Call, type Fault, type Intercept, type Made, MODES, type Mode, type Tally } from './chaos.ts';
import { canonical, remembered, surplus } from './graph.ts';
import type { Entered } from './provisioning.ts';

export type Run = Awaited<ReturnType<World['run']>>;
type End = ReturnType<typeof canonical>;

/** What is run, and how it must end. */
export interface Scenario {
  readonly name: string;
  /** The world before the execution that is hit: a new one each time, the same each time. */
  begin(): World;
  readonly input: Record<string, unknown>;
  /** States that it has to come through: a sweep over a swap that is none would find nothing wrong. */
  readonly through: readonly string[];
  /** The errors that it may end with where it does not succeed. */
  readonly ends?: readonly string[];
  /** What others do in the meantime: after each call, but for those of the executions that come after the end. */
  readonly meanwhile?: (own: World, call: Call) => void;
  /** What must not be, after any call at all. */
  readonly never?: (own: World) => string | undefined;
  /** What is wrong when it has ended, besides that the end is another one than without a fault. */
  readonly wrongAtEnd?: (own: World, runs: readonly Run[], golden: Golden) => string | undefined;
  /** Takes away what made it fail: the next execution succeeds, and its end is the one that is compared. */
  readonly heal?: (own: World) => void;
  /** How long after it the next executions are started: lists have come up to it by then. */
  readonly laterMs?: number;
}

/** Nobody starts another one in the very moment in which one has ended. */
const SOON_MS = 1_000;

/** A run without faults. */
export interface Golden {
  readonly end: End;
  readonly calls: readonly Made[];
  /** How often an end was met: all that there is, and what the ledger remembers. */
  readonly met: Map<string, number>;
  /** The run and its world at the beginning of each state, in order. */
  readonly snapshots: readonly Snapshot[];
}

interface Snapshot {
  readonly world: World;
  readonly entered: Entered;
}

/** When a function that was given up goes on: as soon as another one has begun in its place, or when all is over. */
type Release = 'early' | 'late';

/** One run of a sweep: enough to have it again. */
export interface Case {
  /** Of the first execution; then of those that go on after it was stopped. */
  readonly faults: readonly (readonly Fault[])[];
  readonly release?: Release;
}

export async function goldenOf(scenario: Scenario): Promise<Golden> {
  const own = scenario.begin();
  const seen: string[] = [];
  const snapshots: Snapshot[] = [];
  const run = await own.run(scenario.input, {
    intercept: watching(scenario, own, seen),
    onEnter: (entered) => void snapshots.push({ world: snapshotOf(own), entered }),
  });
  const missed = scenario.through.filter((state) => !run.states.includes(state));
  const said =
    seen[0] ??
    wrongEnding(scenario.ends, run) ??
    (missed[0] && `it did not come to ${missed.join(', ')}`) ??
    (await wrongAfter(scenario, own));
  if (said !== undefined) throw new Error(`${scenario.name}, without a fault: ${said}`);
  return { end: canonical(own), calls: run.calls, met: new Map(), snapshots };
}

/** The world without the execution that is under way: whoever goes on from here has one of its own. */
function snapshotOf(own: World): World {
  const world = copyOf(own);
  world.executions.pop();
  return world;
}

/** Where a case begins: at the state in which the first of its faults hits, since all before is as in the run without one. */
function beginning(scenario: Scenario, { snapshots }: Golden, { faults: [first = []] }: Case) {
  const before = ({ entered: { calls } }: Snapshot) =>
    first.every(({ kind = 'aep', k }) => calls.filter((call) => call.kind === kind).length < k);
  const snapshot = first.length > 0 ? snapshots.findLast(before) : undefined;
  return snapshot === undefined
    ? { own: scenario.begin() }
    : { own: copyOf(snapshot.world), from: snapshot.entered };
}

/**
 * All faults of every call. What a stop cuts off was applied or was not: that is all that the modes differ in then, and of a
 * read not even that. A call to AWS says of its failure only whether it was throttled. What cannot differ is run once.
 */
export function singles({ calls }: Pick<Golden, 'calls'>): Case[] {
  return calls.flatMap((call) => {
    if (call.kind === 'wait') return [];
    const { kind, index: k } = call;
    const faults = [
      ...modesOf(call).map((mode): Fault => ({ kind, k, mode, after: 'retry' })),
      ...modesOf(call, true).map((mode): Fault => ({ kind, k, mode, after: 'abort' })),
    ];
    return faults.flatMap((fault): Case[] =>
      fault.mode === 'zombie'
        ? releasesOf(call, fault).map((release) => ({ faults: [[fault]], release }))
        : [{ faults: [[fault]] }],
    );
  });
}

/** A function that only looks is let go once for each way on: it changes nothing whenever that is. */
function releasesOf({ step }: Made, { after }: Fault): Release[] {
  if (!LOOKING.has(step)) return ['early', 'late'];
  return after === 'abort' ? ['late'] : ['early'];
}

/** The same of some of the calls. */
export function singlesAt(which: (call: Made) => boolean): (golden: Golden) => Case[] {
  return ({ calls }) => singles({ calls: calls.filter(which) });
}

/** States in which the machine itself makes the call: there is no function that could hang. */
const MACHINE = new Set(['lease', 'holder', 'ask', 'take-over', 'release']);

/** The modes that make a difference at this call. */
export function modesOf({ kind, label, change, step }: Made, stopped = false): Mode[] {
  return MODES.filter((mode) => {
    // Between a check and the change behind it nothing is held back: no function lives long enough to become a zombie.
    if (mode === 'zombie') return !MACHINE.has(step) && !label.startsWith('ledger.check');
    if (stopped) return mode === 'killed' || (mode === 'refused' && change);
    return kind === 'aep' || (mode !== 'error-after' && mode !== 'truncated');
  });
}

function possible(call: Made): boolean {
  return call.fault !== 'zombie' || modesOf(call).includes('zombie');
}

/**
 * Two faults: the second in the same execution, or in the one that goes on after the first. Without end: not every second one
 * hits, for an execution that goes on has less to do.
 */
export function* pairs({ calls }: Pick<Golden, 'calls'>, seed: number): Generator<Case> {
  const random = seededRandom(seed);
  const among = calls.filter(({ kind }) => kind !== 'wait');
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const faultAt = (call: Made): Fault => {
    const [kind, after] = [call.kind === 'aws' ? 'aws' : 'aep', pick(['retry', 'abort'] as const)] as const;
    return { kind, k: call.index, mode: pick(modesOf(call, after === 'abort')), after };
  };
  for (;;) {
    const at = Math.floor(random() * (among.length - 1));
    const first = faultAt(among[at] as Made);
    const release = pick(['early', 'late'] as const);
    yield first.after === 'retry'
      ? { faults: [[first, faultAt(pick(among.slice(at + 1)))]], release }
      : { faults: [[first], [faultAt(pick(among))]], release };
  }
}

/** A fault that the execution ended before. */
export const MISSED = 'a fault did not hit';

/** What is wrong after this run; nothing where all is as it must be. */
export async function tried(
  scenario: Scenario,
  golden: Golden,
  one: Case,
  tally: Tally,
): Promise<string | undefined> {
  const { own, from } = beginning(scenario, golden, one);
  const seen: string[] = [];
  const runs: Run[] = [];
  do {
    if (runs.length > 0) own.time.now += SOON_MS;
    const intercept = watching(scenario, own, seen, one.release);
    const fault = one.faults[runs.length] ?? [];
    runs.push(
      await own.run(scenario.input, { fault, intercept, ...(runs.length === 0 && from && { from }) }),
    );
  } while (runs.at(-1)?.status === 'ABORTED');
  if (runs.length < one.faults.length || runs.some(({ execution }) => !execution.struck)) return MISSED;
  // Faults come down elsewhere than in a run without any.
  if (runs.some(({ calls }) => calls.some((call) => call.fault !== undefined && !possible(call))))
    return MISSED;
  const zombies = runs.flatMap(({ execution }) => execution.zombies);
  for (const zombie of zombies) await zombie.release();
  count(tally, own, runs);
  const writes = zombies.flatMap(({ calls }) => calls.filter(({ change }) => change));
  return (
    seen[0] ??
    (writes[0] && `a zombie made ${writes[0].label}`) ??
    wrongEnding(scenario.ends, runs.at(-1)) ??
    scenario.wrongAtEnd?.(own, runs, golden) ??
    (await wrongAfter(scenario, own, golden, tally))
  );
}

/** Looks after every call, and lets zombies go on as soon as another one has begun in their place. */
function watching(scenario: Scenario, own: World, seen: string[], release: Release = 'late'): Intercept {
  const released = new Set<unknown>();
  return async (call, proceed) => {
    const value = await proceed();
    scenario.meanwhile?.(own, call);
    look(scenario, own, call, seen);
    if (release === 'late' || call.zombie || call.kind === 'wait') return value;
    for (const { name, zombies } of own.executions) {
      for (const zombie of zombies) {
        if (released.has(zombie) || !begunInPlaceOf(zombie.step, name, call)) continue;
        released.add(zombie);
        await zombie.release();
      }
    }
    return value;
  };
}

function look({ never }: Scenario, own: World, { step, label }: Call, seen: string[]): void {
  const said = never?.(own);
  if (said !== undefined) seen.push(`${said}, after ${step} ${label}`);
}

/** Functions that take no number of their own when they begin: they change nothing in AEP. */
const LOOKING = new Set(['begin', 'plan', 'verify', 'report']);

function begunInPlaceOf(step: string, execution: string, call: Call): boolean {
  // Another execution has the lease when it plans.
  if (call.execution !== execution) return call.step === 'plan';
  return call.step === step && (LOOKING.has(step) || call.label.startsWith('ledger.takeFencingToken'));
}

function wrongEnding(ends: Scenario['ends'], last: Run | undefined): string | undefined {
  const is = last?.status === 'FAILED' ? last.error : last?.status;
  return (ends ?? ['SUCCEEDED']).includes(is ?? '')
    ? undefined
    : `${last?.status} ${last?.error}: ${last?.cause}`;
}

/** The end compared; and nothing is left to do. */
async function wrongAfter(scenario: Scenario, own: World, golden?: Golden, tally?: Tally) {
  const { ends, heal } = scenario;
  if (heal === undefined) {
    const said = wrongEnd(own, golden);
    if (said !== undefined || isKnown(own, golden)) return said;
    return wrongFurther(ends, await further(scenario, own, tally));
  }
  if (isKnown(own, golden)) return undefined;
  heal(own);
  const said = wrongEnding(undefined, await further(scenario, own, tally)) ?? wrongEnd(own, golden);
  if (said !== undefined) return `healed: ${said}`;
  return wrongFurther(undefined, await further(scenario, own, tally));
}

/** From equal ends equal runs begin: one in ten of them is run further all the same. */
function isKnown(own: World, golden: Golden | undefined): boolean {
  const end = JSON.stringify([canonical(own), remembered(own)]);
  const met = golden?.met.get(end) ?? 0;
  golden?.met.set(end, met + 1);
  return met % 10 !== 0;
}

function wrongEnd(own: World, golden: Golden | undefined): string | undefined {
  const end = canonical(own);
  if (golden !== undefined && !isDeepStrictEqual(end, golden.end)) return differenceOf(golden.end, end);
  const left = Object.keys(end.published).length > 0 ? surplus(own) : {};
  return Object.keys(left).length > 0 ? `surplus ${JSON.stringify(left)}` : undefined;
}

/** It ends as it has to, and has had nothing to do. */
function wrongFurther(ends: Scenario['ends'], run: Run): string | undefined {
  const changes = run.calls.filter(({ label, change }) => change && !/^(ledger\.|dynamodb:)/.test(label));
  const said = wrongEnding(ends, run) ?? changes.map(({ label }) => label).join(', ');
  return said === '' ? undefined : `again: ${said}`;
}

/** Another execution, later on, with nothing in its way. */
async function further(scenario: Scenario, own: World, tally: Tally | undefined): Promise<Run> {
  own.time.now += scenario.laterMs ?? SOON_MS;
  const { meanwhile: _, ...alone } = scenario;
  const seen: string[] = [];
  const run = await own.run(scenario.input, { intercept: watching(alone, own, seen) });
  if (tally !== undefined) count(tally, own, [run]);
  return seen[0] === undefined ? run : { ...run, status: 'FAILED', error: seen[0] };
}

/** The first places at which two ends differ. */
function differenceOf(wanted: End, found: End): string {
  const lines = (['resources', 'published', 'triggers'] as const).flatMap((part) => {
    const [a, b] = [wanted[part], found[part]] as Readonly<Record<string, unknown>>[];
    const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])];
    return keys
      .filter((key) => !isDeepStrictEqual(a?.[key], b?.[key]))
      .map((key) => `${key} is ${JSON.stringify(b?.[key])}, not ${JSON.stringify(a?.[key])}`);
  });
  return `another end: ${lines.slice(0, 3).join(' / ')}`;
}

/** What is counted of a case: its executions, and the paths they took. */
function count(tally: Tally, own: World, runs: readonly Run[]): void {
  for (const run of runs) {
    tally.add(run);
    for (const path of pathsOf(run)) tally.count(`way ${path}`);
  }
  runs.slice(1).forEach(({ status }, n) => {
    if (runs[n]?.status === 'ABORTED' && status !== 'ABORTED') tally.count('way resumed');
  });
  const changed = own.platform.journal.entries({ status: 412 }).length;
  if (changed > 0) tally.count('way 412 re-read', changed);
  const fenced = runs.filter(({ execution }) => execution.zombies.length > 0 && hasLost(execution.logged));
  if (fenced.length > 0) tally.count('way fenced writer', fenced.length);
}

function hasLost(logged: readonly string[]): boolean {
  return logged.some((line) => line.includes('"LEASE_LOST"'));
}

/** Which of the ways that must be gone at least once it went. */
function pathsOf({ error, cause, states, calls, paths, document }: Run): string[] {
  const { plan, old, removed, mode } = document ?? {};
  const gone = removed?.length ?? 0;
  const has = (path: RegExp) => [...paths].some((one) => path.test(one));
  const ways: Record<string, boolean> = {
    adopted: has(/^said resource ensured \S+ adopted/),
    conflict: cause?.includes('CONFLICT') === true,
    'in doubt, found': calls.some((call, n) => inDoubt(call) && !repeated(call, calls.slice(n + 1))),
    'in doubt, not found, made': calls.some((call, n) => inDoubt(call) && repeated(call, calls.slice(n + 1))),
    'rolled back': error === 'Penstock.RolledBack',
    'taken over': states.includes('take-over') && states.includes('plan'),
    swapped: mode === 'apply' && gone > 0 && old?.some(({ resource }) => resource === 'flow') === true,
    'surplus removed':
      gone > 0 && plan?.some(({ reason }) => reason.includes('not needed, and to be removed')) === true,
    retired: mode === 'retire' && gone > 0,
  };
  return Object.keys(ways).filter((way) => ways[way]);
}

const DOUBTFUL = new Set<Mode | undefined>(['lost', 'error-after', 'truncated']);

function inDoubt({ kind, change, fault, label }: Made): boolean {
  return kind === 'aep' && change && DOUBTFUL.has(fault) && label.startsWith('POST');
}

function repeated({ label, step }: Made, after: readonly Made[]): boolean {
  return after.some((call) => call.label === label && call.step === step);
}

/** Runs all cases and tells what came out wrong: each kind once, with the first cases that it is seen in. */
export async function swept(
  scenario: Scenario,
  casesOf: (golden: Golden) => Iterable<Case>,
  tally: Tally,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const golden = await goldenOf(scenario);
  const wrong = new Map<string, string[]>();
  let hits = 0;
  for (const one of casesOf(golden)) {
    const said = await tried(scenario, golden, one, tally);
    // Of single faults each one has to hit; pairs are drawn until enough of them have.
    if (said === MISSED && Number.isFinite(most)) continue;
    if (said !== undefined) {
      const kind = unnumbered(said);
      wrong.set(kind, [...(wrong.get(kind) ?? []), placeOf(scenario, golden, one)]);
    }
    if (++hits === most) break;
  }
  return [...wrong].map(
    ([said, places]) => `${places.length} times: ${said}\n    ${places.slice(0, 6).join('\n    ')}`,
  );
}

/** Without ids, so that equal mismatches are one. */
function unnumbered(text: string): string {
  return text.replace(/[0-9a-f-]{20,}/g, '*').slice(0, 900);
}

/** What would have it again. */
function placeOf({ name }: Scenario, { calls }: Golden, { faults, release }: Case): string {
  const texts = faults.map((ofOne) =>
    ofOne
      .map(({ kind = 'aep', k, mode, after }) => {
        const call = calls.find((one) => one.kind === kind && one.index === k);
        return `${kind} k=${k} ${mode} ${after} (${call?.step} ${call?.label})`;
      })
      .join(' and '),
  );
  return [name, texts.join(', then in the next execution '), release ?? ''].join(': ').slice(0, 500);
}
