// After a failure: undoes what this execution made, in reverse order, or keeps it for the next. Says which,
// and why.
import { type FailureCode, isFailure, readCause, reasonOf, type Told, TRANSIENT } from '../../failure.ts';
import type { Fate, Made, Pipeline, ResourceKey } from '../../pipeline.ts';
import { readRoute } from '../../published.ts';
import { clip } from '../clip.ts';
import { isRunning, restart } from '../resources/flow.ts';
import { executionTag } from '../resources/ownership-tag.ts';
import {
  type Context,
  givenIn,
  type PublishedContext,
  type Resource,
  type StreamContext,
} from '../resources/resource.ts';
import { backwards, refersTo, STEPS } from '../resources/resources.ts';
import { isPulled } from '../resources/source.ts';
import { beginToLeave, finishLeaving } from '../routes.ts';
import { removeConsumer } from './consumer.ts';
import { idsInUse } from './in-service.ts';
import { removeResource, removeTrigger } from './removal.ts';

/** Errors that pass: ours, Lambda's and Step Functions'. What was made is kept. */
const RESUMABLE = new RegExp(
  `^(${TRANSIENT}|States\\.Timeout|States\\.HeartbeatTimeout|(Lambda|Sandbox|Runtime|Extension)\\..*)$`,
);

/** Somebody changed it first; the next execution looks again. */
const CHANGED: FailureCode = 'AEP_CHANGED';

interface Undone {
  readonly removed: string[];
  readonly left: string[];
  readonly fates: Fate[];
  /**
   * A resource that stays refers to these. If they were removed, that resource could not be found any more.
   */
  readonly needed: Set<ResourceKey>;
  /** Ids of what carries records now: never removed, whoever made it. */
  readonly inUse: ReadonlySet<string>;
}

/**
 * The pipeline with its `failure` rewritten for a reader: what went wrong, what was undone, what is left,
 * what to do.
 */
export async function rollback(pipeline: Pipeline, context: StreamContext): Promise<Pipeline> {
  const { Error: name = 'Unknown', Cause = '' } = pipeline.failure ?? {};
  const told = readCause(Cause);
  const failed = failing(told);
  const what = failedWhat(pipeline, name, told);
  if (pipeline.mode === 'retire') {
    const text = 'Nothing is put back. Correct the fault, then start it again: it goes on from here.';
    return failed(pipeline, 'Penstock.Resumable', `${what} | ${text}`);
  }
  if (RESUMABLE.test(name) || told.code === CHANGED) {
    return failed(
      pipeline,
      'Penstock.Resumable',
      `${what} | ${keptText(pipeline)} Start it again: it goes on from here.`,
    );
  }
  if (pipeline.inService || (await isInService(pipeline, context))) {
    const text =
      'Nothing is undone: the pipeline is in service. Correct the fault, then start it again: it goes on from here.';
    return failed(pipeline, 'Penstock.Resumable', `${what} | ${text}`);
  }
  const undone: Undone = {
    removed: [],
    left: [],
    fates: [],
    needed: new Set(),
    inUse: await idsInUse(pipeline, context),
  };
  // The trigger comes after publishing: an execution that did not publish did not switch it on either.
  if (await hasPublished(pipeline, context))
    await undo(undone, 'trigger', { resource: 'trigger' }, () => undoTrigger(pipeline, context));
  // A trigger that stays needs what is published.
  if (undone.left.length === 0)
    await undo(undone, 'published pipeline', { resource: 'publish' }, () => unpublish(pipeline, context));
  for (const resource of backwards(pipeline)) await undoResource(resource, pipeline, context, undone);
  await restartOld(pipeline, context, undone);
  const { removed, fates } = undone;
  const after = { ...pipeline, removed, fates, left: [...new Set(undone.left)] };
  return failed(after, 'Penstock.RolledBack', `${what} | ${undoneText(after)}`);
}

/** A failure that is not from our code does not name its step: it was the step after the last that ended. */
function failedWhat({ trail, mode }: Pipeline, name: string, { text, code }: Told): string {
  const said = text || name;
  if (code !== undefined) return said;
  const order = mode === 'retire' ? ['plan', 'stop', 'retire'] : ORDER;
  const step = order[order.indexOf(trail.at(-1)?.step ?? '') + 1] ?? 'the last step';
  return `${step}: ${name}: ${said}`;
}

const ORDER = ['plan', ...Object.keys(STEPS), 'verify', 'publish', 'trigger', 'retire'];

/** Whether this execution has changed the published pipeline: then records already take the new way. */
async function isInService(pipeline: Pipeline, context: PublishedContext): Promise<boolean> {
  const planned = pipeline.plan.find(({ resource }) => resource === 'publish')?.action;
  return planned !== 'create' && hasPublished(pipeline, context);
}

/** Whether this execution wrote the published pipeline. */
async function hasPublished(
  { streamArn, manifest, execution }: Pipeline,
  { runtime }: PublishedContext,
): Promise<boolean> {
  if (streamArn === undefined) return false;
  const published = await readRoute(runtime, streamArn, manifest.name);
  return published?.execution === executionTag(execution);
}

/** Also where a step of this or an earlier execution ended between the document and the list: nobody reads that one. */
export async function unpublish(
  { streamArn, manifest, execution }: Pipeline,
  { runtime }: PublishedContext,
): Promise<boolean> {
  if (streamArn === undefined) return false;
  const { name } = manifest;
  const listed = await readRoute(runtime, streamArn, name);
  if (listed !== undefined && listed.execution !== executionTag(execution)) return false;
  return finishLeaving(name, streamArn, runtime);
}

function keptText({ resources, old, manifest }: Pipeline): string {
  const made = listText(resources);
  const flows = old.filter(({ resource, running }) => resource === 'flow' && running === true);
  const stopped =
    isPulled(manifest.source) && flows.length > 0
      ? ` Until then the flow ${flows.map(({ id }) => id).join(', ')} may be stopped, and nothing read.`
      : '';
  return `${made === '' ? 'Nothing had been made.' : `Kept: ${made}.`}${stopped}`;
}

/** `key id` of each, or only of those with this origin. */
function listText(resources: Pipeline['resources'], ...how: Made['how'][]): string {
  return Object.entries(resources)
    .filter(([, one]) => how.length === 0 || (one !== undefined && how.includes(one.how)))
    .map(([key, one]) => `${key} ${one?.id}`)
    .join(', ');
}

function undoneText({ removed, left, resources, old }: Pipeline): string {
  const others = old.map(({ resource, id }) => `${resource} ${id}`);
  const earlier = listText(resources, 'kept');
  const changed = Object.fromEntries(Object.entries(resources).filter(([, one]) => one?.pending !== true));
  const altered = listText(changed, 'updated', 'adopted');
  return [
    ...(removed.length > 0 ? [`Undone: ${removed.join(', ')}.`] : []),
    ...(left.length > 0 ? [`Left in place: ${left.join('; ')}.`] : []),
    ...(removed.length + left.length === 0 ? ['Nothing had to be undone.'] : []),
    ...(altered === '' ? [] : [`Changed or adopted, and it stays so: ${altered}.`]),
    ...(others.length === 0
      ? []
      : [`To be removed after a successful change, and still there: ${others.join(', ')}.`]),
    ...(earlier === '' ? [] : [`Made by earlier executions, and it stays: ${earlier}.`]),
  ].join(' ');
}

async function undoResource(resource: Resource, pipeline: Pipeline, context: StreamContext, undone: Undone) {
  for (const id of await madeHere(resource, pipeline, context, undone)) {
    const before = undone.left.length;
    await undo(
      undone,
      `${resource.key} ${id}`,
      { resource: resource.key, id },
      async () => reasonToKeep(resource, id, undone) ?? undoOne(resource, id, pipeline, context),
    );
    if (undone.left.length > before)
      for (const key of refersTo(resource.key, pipeline)) undone.needed.add(key);
  }
}

function reasonToKeep({ key }: Resource, id: string, { needed, inUse }: Undone): string | undefined {
  if (inUse.has(id)) return 'the pipeline in service needs it';
  return needed.has(key) ? 'what is left in place refers to it' : undefined;
}

async function undoOne(
  resource: Resource,
  id: string,
  pipeline: Pipeline,
  context: Context,
): Promise<boolean | string> {
  const result = await removeResource(resource, id, pipeline, context);
  return typeof result === 'object' ? result.left : true;
}

/**
 * Switches a flow on again that was stopped for a successor which was not made. Some flow has to read the
 * source.
 */
async function restartOld(pipeline: Pipeline, context: Context, undone: Undone): Promise<void> {
  const { manifest, resources, old } = pipeline;
  if (!isPulled(manifest.source)) return;
  const last = old.filter(({ resource, running }) => resource === 'flow' && running === true).at(-1);
  if (last === undefined) return;
  try {
    const successor = resources.flow?.id;
    if (successor !== undefined && (await isRunning(context, successor))) return;
    await restart(context, last.id);
  } catch (error) {
    if (isFailure(error) && (error.code === 'LEASE_LOST' || error.retryable)) throw error;
    undone.left.push(`flow ${last.id}, stopped: nothing reads the source (${reasonOf(error)})`);
  }
}

/** The end of such a failed execution. */
function failing({ code, next }: Told) {
  const fields = { ...(code !== undefined && { code }), ...(next !== undefined && { next }) };
  return (pipeline: Pipeline, error: string, cause: string): Pipeline =>
    // Step Functions cuts a Cause at 32,768 characters.
    ({ ...pipeline, failure: { Error: error, Cause: clip(cause, 8_000), ...fields } });
}

/** Runs one removal. A failure is written down, and the rest goes on. `false` if there was nothing to do. */
async function undo(
  undone: Undone,
  what: string,
  which: Omit<Fate, 'became'>,
  removal: () => Promise<boolean | string>,
): Promise<void> {
  const leave = (why: string) => {
    undone.left.push(`${what} (${why})`);
    undone.fates.push({ ...which, became: 'left' });
  };
  try {
    const result = await removal();
    if (result === true) {
      undone.removed.push(what);
      undone.fates.push({ ...which, became: 'removed' });
    } else if (result !== false) leave(result);
  } catch (error) {
    // Another execution works on the pipeline now: this one may not undo anything any more.
    if (isFailure(error) && error.code === 'LEASE_LOST') throw error;
    leave(reasonOf(error));
  }
}

/** Ids of what this execution made: from the document, and from AEP if a step died before it could report. */
async function madeHere(
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
  undone: Undone,
): Promise<Set<string>> {
  const ids = new Set<string>();
  const { manifest, execution } = pipeline;
  if (!resource.needed(manifest) || givenIn(manifest, resource) !== undefined) return ids;
  const made = pipeline.resources[resource.key];
  if (made?.how === 'created') ids.add(made.id);
  try {
    for (const { id, ownershipTag } of await resource.find(context, pipeline)) {
      const ours =
        ownershipTag?.pipeline === manifest.name && ownershipTag.execution === executionTag(execution);
      if (ours && ownershipTag.adopted !== true) ids.add(id);
    }
  } catch (error) {
    undone.left.push(`perhaps a ${resource.key} (${reasonOf(error)})`);
  }
  // The change did not happen, so what it was to replace is in use.
  for (const old of pipeline.old) if (old.resource === resource.key) ids.delete(old.id);
  return ids;
}

async function undoTrigger(pipeline: Pipeline, context: StreamContext): Promise<boolean> {
  const { streamArn, manifest, execution, plan } = pipeline;
  const { runtime } = context;
  if (streamArn === undefined) return false;
  const leaving = { pipeline: manifest.name, streamArn, execution: execution.id };
  const joined = (await readRoute(runtime, streamArn, manifest.name))?.from !== undefined;
  if (!(await beginToLeave(leaving, runtime))) return false;
  // One that was there before any pipeline of the stream is not of this execution's making.
  const found = pipeline.trigger?.how ?? plan.find(({ resource }) => resource === 'trigger')?.action;
  if (!joined && (found === 'kept' || found === 'keep' || found === 'update')) return false;
  const trigger = await runtime.triggers.find(streamArn);
  if (trigger !== undefined) await removeTrigger(trigger.id, context);
  await removeConsumer(pipeline, trigger, runtime);
  return trigger !== undefined;
}
