// Makes a resource what is wanted, exactly once: look, decide, act, and look again if the answer was lost.
import { Failure, isFailure } from '../../failure.ts';
import { type Made, nameInAep, type Old, type Pipeline } from '../../pipeline.ts';
import { executionTag } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  type CreatedResource,
  type Decision,
  decide,
  type Found,
  hasOwnId,
  ifThere,
  inFull,
  isPlanFresh,
  isUntold,
  type Preference,
  type Resource,
  tagOf,
} from './resource.ts';

/** Most repetitions of a call in doubt, or of a change that somebody else made first. */
const MAX_ENSURE_ROUNDS = 3;
/**
 * Most tries of a create that AEP refuses just after it made what the create refers to. Contract §7, last
 * rows.
 */
const SETTLING_TRIES = 3;
const SETTLING_MS = 1_000;
/** How often a list is read again while a create is in doubt. */
const LOOK_AGAIN_MS = 2_000;

/**
 * The pipeline with this resource as wanted. Makes no call if an earlier step or the plan has found it so.
 * @throws Failure of the call that failed, or `CONFLICT`
 */
export async function ensure(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const { key } = resource;
  const there = pipeline.resources[key];
  if (!resource.needed(pipeline.manifest) || (there !== undefined && there.pending !== true)) return pipeline;
  const done = await ensureOnce(resource, pipeline, context);
  const made = done.resources[key];
  context.runtime.log.info('resource ensured', { resource: key, id: made?.id, how: made?.how });
  return done;
}

async function ensureOnce(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  for (let round = 1; ; round++) {
    const decision =
      round === 1 && isKnownAbsent(resource, pipeline, context)
        ? NOT_THERE
        : await lookUp(resource, pipeline, context);
    const known = withOthers(pipeline, resource, decision);
    try {
      return withMade(known, resource, await act(decision, resource, known, context));
    } catch (error) {
      const late = await afterFailed(error, decision, resource, pipeline, context);
      if (late !== undefined) return late;
      if (!isFailure(error) || !(error.inDoubt || error.code === 'AEP_CHANGED')) throw error;
      if (round === MAX_ENSURE_ROUNDS) throw error.code === 'AEP_CHANGED' ? contested(error) : error;
    }
  }
}

const NOT_THERE: Decision = { action: 'create', reason: 'not there yet', others: [] };

/**
 * No step has tried to make it. And it belongs to something this execution has just made, or the plan has just
 * looked for it: no need to look again.
 */
function isKnownAbsent({ key, of }: Resource, pipeline: Pipeline, { first, runtime }: Context): boolean {
  const { plan, resources, execution } = pipeline;
  const planned = plan.find(({ resource }) => resource === key)?.action;
  if (!first || planned !== 'create') return false;
  // Without the id of what it belongs to, the plan could not look for it.
  if (of !== undefined) return resources[of]?.how === 'created';
  return isPlanFresh(execution, runtime.clock.now());
}

/** Somebody else keeps changing it. The state machine does not try again; what was made stays. */
function contested(error: Failure): Failure {
  return new Failure('AEP_CHANGED', `${error.what}, ${MAX_ENSURE_ROUNDS} times`, { retryable: false });
}

/** @throws Failure `CONFLICT` */
async function lookUp(resource: Resource, pipeline: Pipeline, context: Context): Promise<Decision> {
  const decision = await inventory(resource, pipeline, context);
  if (decision.action === 'conflict') {
    const why = inFull(decision.reason, decision.found?.differences ?? []);
    throw new Failure('CONFLICT', `${resource.key}: ${why}`);
  }
  return decision;
}

/** What exists of a resource, and what to do about it. A renamed resource is found by its old id. */
export async function inventory(resource: Resource, pipeline: Pipeline, context: Context): Promise<Decision> {
  const { manifest, hints } = pipeline;
  const hint = hints[resource.key];
  const preference = { pipeline: manifest.name, adopt: manifest.adopt, hint };
  const known = isUnique(resource) ? await getIfThere(resource, pipeline, hint, context) : undefined;
  if (known !== undefined) return decide([known], preference);
  const found = await resource.find(context, pipeline);
  if (found.some(({ ownershipTag }) => ownershipTag?.pipeline === manifest.name))
    return sure(decide(found, preference), found, preference, resource, pipeline, context);
  const renamed = isUnique(resource) ? undefined : await getIfThere(resource, pipeline, hint, context);
  const others = found.filter(({ id }) => id !== renamed?.id);
  return decide(renamed === undefined ? others : [renamed, ...others], preference);
}

/** One that is known by its id need not be looked for. */
function isUnique(resource: Resource): boolean {
  return resource.kind === 'changeable' && resource.unique === true;
}

/**
 * A list may leave out members, so a resource is read by itself before it is replaced. What AEP does not tell
 * even then counts as equal. A list may also be old. A resource that is not where the last execution left it
 * may have been removed. (What is unique has been looked at already.)
 */
async function sure(
  decision: Decision,
  all: readonly Found[],
  preference: Preference,
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Decision> {
  const { action, found } = decision;
  if (found === undefined || !hasOwnId(resource)) return decision;
  const isKnown = preference.hint === found.id || (preference.hint === undefined && isUnique(resource));
  if (action !== 'replace' && isKnown) return decision;
  const itself = await getIfThere(resource, pipeline, found.id, context);
  if (itself === undefined) {
    const rest = all.filter(({ id }) => id !== found.id);
    return sure(decide(rest, preference), rest, preference, resource, pipeline, context);
  }
  const told = { ...itself, differences: itself.differences.filter((one) => !isUntold(one)) };
  return decide([told, ...all.filter(({ id }) => id !== told.id)], preference);
}

async function getIfThere(
  resource: Resource,
  pipeline: Pipeline,
  id: string | undefined,
  context: Context,
): Promise<Found | undefined> {
  if (id === undefined || !hasOwnId(resource)) return undefined;
  const found = await ifThere(resource.get(context, pipeline, id));
  return found?.ownershipTag?.pipeline === pipeline.manifest.name ? found : undefined;
}

async function act(
  decision: Decision,
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Made> {
  const { action, found } = decision;
  if (action === 'create' || action === 'replace' || found === undefined)
    return create(resource, pipeline, context);
  const made = asMade(resource, pipeline, found);
  const now = { changedAt: context.runtime.clock.now() };
  if (action === 'update') {
    if (resource.kind !== 'changeable' && resource.kind !== 'entries')
      throw new Error(`${resource.key} was found to differ in what is never changed in place`);
    await resource.update(context, pipeline, found.id);
    return { ...made, ...now, how: made.how === 'created' ? 'created' : 'updated' };
  }
  if (action === 'adopt') {
    if (hasOwnId(resource))
      await resource.adopt?.(context, pipeline, found.id, { ...tagOf(pipeline), adopted: true });
    // Any change makes a flow as good as new. An ownership tag does not change a schema.
    return { ...made, ...(resource.key === 'flow' && now), how: 'adopted' };
  }
  return made;
}

/**
 * The resource for the document. It counts as this execution's work if its ownership tag or the plan says so.
 */
export function asMade({ key }: Resource, { plan, manifest, execution }: Pipeline, found: Found): Made {
  const own = found.ownershipTag?.execution === executionTag(execution);
  const planned = plan.find(({ resource }) => resource === key)?.action;
  const how = own
    ? found.ownershipTag?.adopted
      ? 'adopted'
      : 'created'
    : planned === 'update'
      ? 'updated'
      : 'kept';
  const { id, state, details } = found;
  return {
    id,
    name: found.name ?? nameInAep(key, manifest),
    how,
    ...(state !== undefined && { state }),
    ...details,
  };
}

async function create(resource: Resource, pipeline: Pipeline, context: Context): Promise<Made> {
  const made = await (resource.kind === 'changeable'
    ? createWhole(resource, pipeline, context)
    : settling(pipeline, context, () => resource.create(context, pipeline, tagOf(pipeline))));
  return { ...made, name: nameInAep(resource.key, pipeline.manifest), how: 'created' };
}

async function createWhole(
  resource: ChangeableResource,
  pipeline: Pipeline,
  context: Context,
): Promise<CreatedResource> {
  const { unfinished, ...made } = await settling(pipeline, context, () =>
    resource.create(context, pipeline, tagOf(pipeline)),
  );
  // Whatever this call answers, the id is known, and the next look finds the resource.
  if (unfinished) await settling(pipeline, context, () => resource.update(context, pipeline, made.id));
  return made;
}

/** Tries again while one service does not yet know what another service has just made. */
async function settling<T>(pipeline: Pipeline, { runtime }: Context, act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === SETTLING_TRIES || !isSettling(error, pipeline)) throw error;
      await runtime.clock.sleep(SETTLING_MS * attempt);
    }
  }
}

/** Such a service answers "not found", or calls the request bad. */
function isSettling(error: unknown, pipeline: Pipeline): boolean {
  if (!isFailure(error) || error.retryable || (error.status !== 400 && error.status !== 404)) return false;
  return Object.values(pipeline.resources).some((made) => made?.how === 'created' || made?.how === 'updated');
}

/**
 * Looks for what a failed create may have made, until no list can be too old to show it. Either the answer
 * was lost, or AEP says that one exists already (`XDM-1521-400`, 409) which an old list did not show.
 */
async function afterFailed(
  error: unknown,
  { action }: Decision,
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Pipeline | undefined> {
  const adds =
    action === 'create' || action === 'replace' || (action === 'update' && resource.kind === 'entries');
  if (!isFailure(error) || !adds) return undefined;
  if (!error.inDoubt && error.code !== 'AEP_EXISTS' && error.serviceCode !== 'XDM-1521-400') return undefined;
  const { clock, settings } = context.runtime;
  const until = clock.now() + settings.listDelaySeconds * 1_000;
  for (;;) {
    const now = await lookUp(resource, pipeline, context);
    if (now.action === 'keep' && now.found !== undefined)
      return withMade(withOthers(pipeline, resource, now), resource, asMade(resource, pipeline, now.found));
    // A part of it was made; the next round makes the rest.
    if ((now.action === 'update' && resource.kind !== 'entries') || clock.now() >= until) return undefined;
    await clock.sleep(Math.min(LOOK_AGAIN_MS, until - clock.now()));
  }
}

function withMade(pipeline: Pipeline, { key }: Resource, made: Made): Pipeline {
  return { ...pipeline, resources: { ...pipeline.resources, [key]: made } };
}

/** Adds to the pipeline what of ours is not needed any more, and what goes with it. */
export function withOthers(
  pipeline: Pipeline,
  { key }: Resource,
  { others, action, found }: Decision,
): Pipeline {
  const inUse = new Set(action === 'replace' ? [] : (found?.refers ?? []).map(oldText));
  const old: Old[] = others.flatMap(({ id, running, refers = [] }) => [
    { resource: key, id, ...(running === true && { running }) },
    ...refers.filter((one) => !inUse.has(oldText(one)) && pipeline.resources[one.resource]?.id !== one.id),
  ]);
  // What is known of it stays: a flow that was stopped meanwhile was reading once.
  const all = new Map([...old, ...pipeline.old].map((one) => [oldText(one), one]));
  return { ...pipeline, old: [...all.values()] };
}

function oldText({ resource, id }: Old): string {
  return `${resource} ${id}`;
}
