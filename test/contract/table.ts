// What two platforms answered to the contract suite, side by side: same, different, not asked.
import { differencesOf, type Seen } from '../../local/aep/compare/shapes.ts';
import type { Platform } from '../../local/aep/platform.ts';
import { type Endpoint, PUBLISHED } from '../../local/aep/published.ts';
import { NEVER_ASKED, type Observed, type Result, STEPS } from './suite.ts';

export interface Line {
  readonly name: string;
  readonly verdict: 'same' | 'different' | 'not asked';
  /** What differs, or why it was not asked; no value of either platform. */
  readonly what: readonly string[];
}

/**
 * @param here what the simulated platform answered
 * @param uncalled endpoints that it answers and no step calls
 */
export function linesOf(here: Result, there: Result, uncalled: readonly string[]): Line[] {
  return [
    ...STEPS.map(({ name }) => lineOf(name, here.steps.get(name), there.steps.get(name))),
    ...uncalled.map((endpoint) => notAsked(endpoint, 'no step calls it')),
    ...NEVER_ASKED.map((name) => notAsked(name, 'only of the simulated platform')),
  ];
}

/** The endpoints of Experience Platform that this platform answers, and nobody has called. */
export function uncalledOf({ notSimulated, journal }: Platform): string[] {
  const absent = new Set(notSimulated.map(spelled));
  const called = new Set(
    journal.entries().map(({ method, path }) => {
      const best = PUBLISHED.filter((each) => each.method === method && matches(each, path));
      // A word of its own counts before what varies, as it does for the router.
      const [first] = best.toSorted((one, other) => variables(one) - variables(other));
      return first && spelled(first);
    }),
  );
  return PUBLISHED.map(spelled).filter((each) => !absent.has(each) && !called.has(each));
}

const spelled = ({ method, pattern }: Endpoint) => `${method} ${pattern}`;
const variables = ({ pattern }: Endpoint) => pattern.split('/:').length;

function matches({ pattern }: Endpoint, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.replace(/\/+$/, '').split('/')];
  return (
    wanted.length === given.length &&
    wanted.every((each, index) => each.startsWith(':') || each === given[index])
  );
}

function notAsked(name: string, why: string): Line {
  return { name, verdict: 'not asked', what: [why] };
}

function lineOf(name: string, here: Observed | undefined, there: Observed | undefined): Line {
  if (!here?.asked || !there?.asked)
    return notAsked(name, there?.outcome ?? here?.outcome ?? 'it ended before');
  const what = new Set<string>();
  if (here.outcome !== there.outcome) what.add(`the client: ${here.outcome} here, ${there.outcome} there`);
  for (const [fact, isSo] of here.facts) {
    const other = there.facts.get(fact);
    if (other !== undefined && other !== isSo)
      what.add(`${fact}: ${isSo ? 'here, not there' : 'there, not here'}`);
  }
  // Where one of them was asked once more, the last answer is the one that counts.
  const [ones, others] = aligned(here.answers, there.answers);
  if (others.some(isTrouble) && !ones.some(isTrouble))
    return notAsked(name, 'it was throttled, or the platform was not there');
  for (const [index, one] of ones.entries()) {
    const other = others[index];
    if (other) for (const each of differencesOf(one, other)) what.add(each);
  }
  return { name, verdict: what.size === 0 ? 'same' : 'different', what: [...what] };
}

/** Nothing of it is about the call. A 500 can be: it stands as a difference. */
function isTrouble({ status }: Seen): boolean {
  return [429, 502, 503, 504].includes(status);
}

function aligned<T>(one: readonly T[], other: readonly T[]): [readonly T[], readonly T[]] {
  return one.length === other.length ? [one, other] : [one.slice(-1), other.slice(-1)];
}

export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map(({ name, verdict, what }) => `| ${name} | ${verdict} | ${what.join('; ')} |`);
  const count = (verdict: Line['verdict']) => lines.filter((line) => line.verdict === verdict).length;
  const sum = `${count('same')} same, ${count('different')} different, ${count('not asked')} not asked`;
  return ['| call | | |', '| --- | --- | --- |', ...rows, '', sum, ''].join('\n');
}
