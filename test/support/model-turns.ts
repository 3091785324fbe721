// Orders in which several executions take turns, from a seed; and what such an order must look like where one has the lease.
import { seededRandom } from '../../local/aep/ids.ts';
import type { Call, Made } from './chaos.ts';

type Choose = (ready: readonly Call[]) => number;

/** Calls of two executions until both have ended, roughly: where turns change is drawn from it. */
const CALLS = 120;
const MOST_CHANGES = 3;

/**
 * For `scheduler`. Dice alone would let the one that is refused early be refused early every time: so one seed in three
 * rolls plain dice, one rolls loaded ones, and one lets the same go on until, up to three times, it is put last.
 */
export function turnsOf(seed: number): Choose {
  const random = seededRandom(seed);
  const styles = [evenly, loaded, byRank];
  return (styles[seed % styles.length] ?? evenly)(random);
}

/** Who takes a turn: a zombie is somebody else than the execution it was one of. */
function who({ execution, zombie }: Call): string {
  return zombie ? `${execution} (zombie)` : execution;
}

function evenly(random: () => number): Choose {
  return (ready) => Math.floor(random() * ready.length);
}

function loaded(random: () => number): Choose {
  const weights = new Map<string, number>();
  const weight = (call: Call) => {
    const known = weights.get(who(call)) ?? 10 ** (2 * random() - 2);
    weights.set(who(call), known);
    return known;
  };
  return (ready) => {
    let rest = random() * ready.reduce((sum, call) => sum + weight(call), 0);
    const index = ready.findIndex((call) => {
      rest -= weight(call);
      return rest < 0;
    });
    return Math.max(0, index);
  };
}

function byRank(random: () => number): Choose {
  const ranks = new Map<string, number>();
  const changes = new Set(
    Array.from({ length: 1 + Math.floor(random() * MOST_CHANGES) }, () => Math.floor(random() * CALLS)),
  );
  let turn = 0;
  let lowest = 0;
  return (ready) => {
    for (const call of ready) if (!ranks.has(who(call))) ranks.set(who(call), random());
    const rank = (call: Call) => ranks.get(who(call)) ?? 0;
    const first = () => ready.reduce((best, call) => (rank(call) > rank(best) ? call : best));
    if (changes.has(turn++)) ranks.set(who(first()), --lowest);
    return ready.indexOf(first());
  };
}

/** The order that `pattern` says: each of its letters is one turn of the execution of that name, then whoever is left. */
export function turnsBy(pattern: Iterable<string>): Choose {
  const names = pattern[Symbol.iterator]();
  return (ready) => {
    const wanted = names.next().value;
    return Math.max(
      0,
      ready.findIndex(({ execution }) => execution === wanted),
    );
  };
}

/** Whether a call changes the pipeline itself: in AEP, what is published, what is read. */
export function changesPipeline({ kind, label, change }: Call): boolean {
  return change && (kind === 'aep' || /^(secrets|triggers|routes)\./.test(label));
}

/** Who changed the pipeline, one after the other: `a b` is fine, `a b a` is two at once. */
export function writersIn(trace: readonly Call[]): string[] {
  const names = trace
    .filter((call) => changesPipeline(call) && !call.zombie)
    .map(({ execution }) => execution);
  return names.filter((name, index) => name !== names[index - 1]);
}

/** Where in the order the pipeline was taken over, from a holder that had ended, by somebody who then went on. */
export function takeOverIn(trace: readonly Call[]): number {
  return trace.findLastIndex(
    ({ step, execution }, index) =>
      step === 'take-over' &&
      trace.slice(index).some((one) => one.execution === execution && one.step === 'plan'),
  );
}

/** Where in the order a function that hung lost the right to change anything: taken over, or another one entered. */
export function fenceIn(trace: readonly Call[]): number {
  const hung = trace.findIndex((call) => (call as Made).fault === 'zombie');
  if (hung < 0) return -1;
  const entered = trace.findIndex(
    ({ label, zombie }, index) => index > hung && !zombie && label.startsWith('ledger.takeFencingToken'),
  );
  const over = takeOverIn(trace);
  return over >= 0 && (entered < 0 || over < entered) ? over : entered;
}

/** What a function that hung changed when it had no right to any more. */
export function lateChangesIn(trace: readonly Call[]): string[] {
  const fence = fenceIn(trace);
  if (fence < 0) return [];
  return trace
    .slice(fence)
    .filter((call) => call.zombie && changesPipeline(call))
    .map(({ label }) => label);
}
