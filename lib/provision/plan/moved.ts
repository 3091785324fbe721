// The failure of an execution whose token is of another state: what has moved, and what each was in the plan and is now.
import { Failure } from '../../failure.ts';
import type { Pipeline } from '../../pipeline.ts';
import { clip, MAX_CAUSE } from '../clip.ts';
import { inFull } from '../resources/resource.ts';
import {
  type MovedPart,
  type PartSeen,
  PLACE_PARTS,
  type PlanState,
  seenIn,
  seenThen,
  type TokenPart,
} from './token.ts';

/** A token, and the state that it is not of. */
interface Compared {
  readonly token: string;
  readonly state: PlanState;
  readonly plan: Pipeline['plan'];
}

/** How a part that is no resource is called. */
const PART_NAMES: Partial<Record<TokenPart, string>> = {
  execution: 'the last execution that succeeded',
  applied: 'the manifest in force',
  old: 'what is to be removed',
  routes: 'the list of pipelines of the stream',
  'flow-state': 'the state of the dataflow',
};

/** Nothing was changed. The report of the execution has the plan as it is now, and its token. */
export function movedFailure(
  moved: readonly MovedPart[],
  compared: Compared,
): NonNullable<Pipeline['failure']> {
  const what = otherOrigin(moved, compared.state) ?? changedSince(moved as readonly TokenPart[], compared);
  const { message, code, next } = new Failure('PLAN_MOVED', clip(what, MAX_CAUSE));
  return { Error: 'Penstock.Moved', Cause: message, code, next };
}

/** A token of another place or version, or a part of one: what else differs follows from that, and is no news. */
function otherOrigin(moved: readonly MovedPart[], state: PlanState): string | undefined {
  if (moved.includes('form'))
    return 'this is not a whole token: a part of it is missing, or not as it was printed';
  if (moved.includes('version'))
    return 'this token was made by another version of Penstock, so nothing of it can be compared';
  const places = PLACE_PARTS.filter((part) => moved.includes(part));
  if (places.length === 0) return undefined;
  return `this token is of ${places.map((part) => `another ${part} (here: ${placeName(state[part])})`).join(', ')}`;
}

function placeName(place: unknown): string {
  if (place === undefined) return 'none';
  return typeof place === 'string' ? place : String((place as { readonly name?: unknown }).name);
}

/** A line for each, with a stop for those who show lines as one. */
function changedSince(moved: readonly TokenPart[], compared: Compared): string {
  const lines = moved.map((part) => `\n  ${lineOf(part, compared)}`);
  return `what this token is of has changed since:${lines.join(';')}`;
}

function lineOf(part: TokenPart, compared: Compared): string {
  const { token, state, plan } = compared;
  if (part === 'manifest' || part === 'samples') return `${part}: not what was planned`;
  const [then, now] = [seenThen(token, part, state), seenIn(part, state[part])];
  const planned = plan.find(({ resource }) => resource === part);
  if (planned === undefined) return ofNoResource(part, then, now, compared);
  const why = inFull(planned.reason, planned.differences ?? []);
  const name = `${part} ${planned.name}`;
  return then === now
    ? `${name}: then and now ${now}, but it is not as it was (${why})`
    : `${name}: then ${saidOf(then)}, now ${saidOf(now)} (${why})`;
}

function ofNoResource(
  part: TokenPart,
  then: PartSeen | undefined,
  now: PartSeen,
  compared: Compared,
): string {
  const name = PART_NAMES[part] ?? part;
  if (now === 'nothing') return `${name}: then ${saidOf(then)}, now none`;
  const known = nameNow(part, compared);
  if (known === undefined)
    return `${name}: ${then === 'nothing' ? 'then none, now one' : 'another than then'}`;
  return `${name}: then ${saidOf(then)}, now ${known}`;
}

function saidOf(seen: PartSeen | undefined): string {
  if (seen === undefined) return 'another or none';
  if (seen === 'something') return 'another';
  return seen === 'nothing' ? 'none' : seen;
}

/** What there is now, where it has a name. */
function nameNow(part: TokenPart, { state }: Compared): string | undefined {
  if (part === 'execution') return String(state.execution);
  if (part === 'old') return (state.old as readonly string[]).join(', ');
  if (part === 'routes') {
    const { others } = state.routes as { readonly others: readonly string[] };
    return `with ${others.join(', ') || 'no other'}`;
  }
  if (part === 'flow-state')
    return (state[part] as { readonly found: { readonly state: string } }).found.state;
  return undefined;
}
