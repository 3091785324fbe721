// The failure of an execution whose token is of another state: it says what has moved since the plan.
import { Failure } from '../../failure.ts';
import type { Pipeline } from '../../pipeline.ts';
import type { LedgerRecord } from '../../runtime.ts';
import { clip, MAX_CAUSE } from '../clip.ts';
import { inFull } from '../resources/resource.ts';
import { type MovedPart, PLACE_PARTS, type PlanState } from './token.ts';

/** In words, for what is no resource. */
const SAID: Partial<Record<MovedPart, string>> = {
  manifest: 'the manifest is another one',
  samples: 'the samples are others',
  old: 'what is to be removed is another',
  routes: 'the pipelines of the stream are others',
  'flow-state': "the dataflow's state is another",
};

/** Nothing was changed. The report of the execution has the plan as it is now, and its token. */
export function movedFailure(
  moved: readonly MovedPart[],
  pipeline: Pipeline,
  record: LedgerRecord | undefined,
  state: PlanState,
): NonNullable<Pipeline['failure']> {
  const what = otherOrigin(moved, state) ?? changedSince(moved, pipeline, record);
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

function changedSince(
  moved: readonly MovedPart[],
  pipeline: Pipeline,
  record: LedgerRecord | undefined,
): string {
  const lines = moved.map((part) => saidOf(part, pipeline, record));
  return `what this token is of has changed since: ${lines.join('; ')}`;
}

function saidOf(part: MovedPart, { plan }: Pipeline, record: LedgerRecord | undefined): string {
  if (part === 'execution') return `another execution has ended in between (${lastSucceeded(record)})`;
  if (part === 'applied')
    return record?.manifest === undefined
      ? 'no manifest is in force any more'
      : 'another manifest is in force';
  const said = SAID[part];
  if (said !== undefined) return said;
  const planned = plan.find(({ resource }) => resource === part);
  if (planned === undefined) return `${part} is another`;
  const { name, action, reason, differences = [] } = planned;
  return `${part} ${name} is another (now ${action}: ${inFull(reason, differences)})`;
}

function lastSucceeded(record: LedgerRecord | undefined): string {
  const { id } = { ...(record?.succeeded as { readonly id?: unknown } | undefined) };
  return typeof id === 'string' ? id : 'its entry is gone';
}
