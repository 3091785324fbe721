// Make a resource what is wanted, exactly once: look, decide, act, and look again where the answer was lost.
import { Failure, isFailure } from '../failure.ts';
import { type Made, nameOf, type Old, type Pipeline } from '../pipeline.ts';
import {
  type Context,
  type Created,
  type Decision,
  decide,
  type Found,
  markOf,
  type Resource,
} from './resource.ts';

/** Calls in doubt that were looked for in vain, and changes that somebody else was faster with, are repeated so often at most. */
const MOST_ROUNDS = 3;
/** Tries of a create that is refused just after the things it refers to were made. Contract §7, last rows. */
const SETTLING_TRIES = 3;
const SETTLING_MS = 1_000;
/** How often a list is read again while a create is in doubt. */
const LOOK_AGAIN_MS = 2_000;

/**
 * The pipeline with this resource as wanted. Makes no call where an earlier step or the plan has found it so already.
 * @throws Failure of the call that failed, or `CONFLICT`
 */
export async function ensure(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const { key } = resource;
  const there = pipeline.resources[key];
  if (!resource.needed(pipeline.manifest) || (there !== undefined && there.pending !== true)) return pipeline;
  const done = await attempt(resource, pipeline, context);
  const made = done.resources[key];
  context.runtime.log.info('resource ensured', { resource: key, id: made?.id, how: made?.how });
  return done;
}

async function attempt(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  for (let round = 1; ; round++) {
    const decision = await look(resource, pipeline, context);
    const known = withOthers(pipeline, resource, decision);
    try {
      return withMade(known, resource, await act(decision, resource, known, context));
    } catch (error) {
      const late = await afterFailed(error, decision, resource, pipeline, context);
      if (late !== undefined) return late;
      if (round === MOST_ROUNDS || !isFailure(error) || !(error.inDoubt || error.code === 'AEP_CHANGED'))
        throw error;
    }
  }
}

/** @throws Failure `CONFLICT` */
async function look(resource: Resource, pipeline: Pipeline, context: Context): Promise<Decision> {
  const decision = await inventory(resource, pipeline, context);
  if (decision.action === 'conflict') throw new Failure('CONFLICT', `${resource.key}: ${decision.reason}`);
  return decision;
}

/** What is there of a resource, and what to do about it. One that was renamed is found by the id it had. */
export async function inventory(resource: Resource, pipeline: Pipeline, context: Context): Promise<Decision> {
  const { manifest, hints } = pipeline;
  const hint = hints[resource.key];
  const found = await resource.find(context, pipeline);
  const ours = found.some(({ mark }) => mark?.pipeline === manifest.name);
  const renamed =
    ours || hint === undefined ? undefined : await getIfThere(resource, pipeline, hint, context);
  const all = renamed === undefined ? found : [renamed, ...found.filter(({ id }) => id !== renamed.id)];
  return decide(all, { pipeline: manifest.name, adopt: manifest.adopt, hint });
}

async function getIfThere(
  resource: Resource,
  pipeline: Pipeline,
  id: string | undefined,
  context: Context,
): Promise<Found | undefined> {
  if (id === undefined) return undefined;
  try {
    const found = await resource.get?.(context, pipeline, id);
    return found?.mark?.pipeline === pipeline.manifest.name ? found : undefined;
  } catch (error) {
    if (isFailure(error) && error.code === 'AEP_NOT_FOUND') return undefined;
    throw error;
  }
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
  const made = kept(resource, pipeline, found);
  const now = { changedAt: context.runtime.clock.now() };
  if (action === 'update') {
    await resource.update?.(context, pipeline, found.id);
    return { ...made, ...now, how: made.how === 'created' ? 'created' : 'updated' };
  }
  if (action === 'adopt') {
    await resource.adopt?.(context, pipeline, found.id, { ...markOf(pipeline), adopted: true });
    return { ...made, how: 'adopted' };
  }
  return made;
}

/** What was found, as part of the document. It counts as done by this execution where its mark or the plan says so. */
export function kept({ key }: Resource, { plan, manifest, execution }: Pipeline, found: Found): Made {
  const own = found.mark?.execution === execution.name;
  const planned = plan.find(({ resource }) => resource === key)?.action;
  const how = own ? (found.mark?.adopted ? 'adopted' : 'created') : planned === 'update' ? 'updated' : 'kept';
  return { id: found.id, name: found.name ?? nameOf(key, manifest), how, ...found.details };
}

async function create(resource: Resource, pipeline: Pipeline, context: Context): Promise<Made> {
  for (let attempt = 1; ; attempt++) {
    try {
      const made: Created = await resource.create(context, pipeline, markOf(pipeline));
      return { ...made, name: nameOf(resource.key, pipeline.manifest), how: 'created' };
    } catch (error) {
      if (attempt === SETTLING_TRIES || !isSettling(error, pipeline)) throw error;
      await context.runtime.clock.sleep(SETTLING_MS * attempt);
    }
  }
}

/** A service that has not yet heard of what another one has just made says "not found" or calls the request bad. */
function isSettling(error: unknown, pipeline: Pipeline): boolean {
  if (!isFailure(error) || error.retryable || (error.status !== 400 && error.status !== 404)) return false;
  return Object.values(pipeline.resources).some((made) => made?.how === 'created' || made?.how === 'updated');
}

/**
 * What a create that failed may have left behind, looked for until no list can be too old to show it: its answer was in
 * doubt, or it says that there is one already (`XDM-1521-400`, 409), which an old list did not show before.
 */
async function afterFailed(
  error: unknown,
  { action }: Decision,
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Pipeline | undefined> {
  if (!isFailure(error) || (action !== 'create' && action !== 'replace')) return undefined;
  if (!error.inDoubt && error.code !== 'AEP_EXISTS' && error.serviceCode !== 'XDM-1521-400') return undefined;
  const { clock, settings } = context.runtime;
  const until = clock.now() + settings.listDelaySeconds * 1_000;
  for (;;) {
    const now = await look(resource, pipeline, context);
    if (now.action === 'keep' && now.found !== undefined)
      return withMade(withOthers(pipeline, resource, now), resource, kept(resource, pipeline, now.found));
    // Made, but not all of it: the rest is done in the next round.
    if (now.action === 'update' || clock.now() >= until) return undefined;
    await clock.sleep(Math.min(LOOK_AGAIN_MS, until - clock.now()));
  }
}

function withMade(pipeline: Pipeline, { key }: Resource, made: Made): Pipeline {
  return { ...pipeline, resources: { ...pipeline.resources, [key]: made } };
}

/** The pipeline that knows what of ours is not needed any more, and what goes with it. */
export function withOthers(
  pipeline: Pipeline,
  { key }: Resource,
  { others, action, found }: Decision,
): Pipeline {
  const inUse = new Set(action === 'replace' ? [] : (found?.refers ?? []).map(textOf));
  const old: Old[] = others.flatMap(({ id, refers = [] }) => [
    { resource: key, id },
    ...refers.filter((one) => !inUse.has(textOf(one)) && pipeline.resources[one.resource]?.id !== one.id),
  ]);
  const all = new Map([...pipeline.old, ...old].map((one) => [textOf(one), one]));
  return { ...pipeline, old: [...all.values()] };
}

function textOf({ resource, id }: Old): string {
  return `${resource} ${id}`;
}
