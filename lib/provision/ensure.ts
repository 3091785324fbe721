// Make a resource exist exactly once: look, decide, create, and look again where the answer was lost.
import { Failure, isFailure } from '../failure.ts';
import { type Made, nameOf, type Pipeline } from '../pipeline.ts';
import { type Context, decide, type Found, markOf, type Resource } from './resource.ts';

/** Creates in doubt that were looked for in vain are repeated so often at most. */
const MOST_ROUNDS = 3;
/** Tries of a create that is refused just after the things it refers to were made. Contract §7, last rows. */
const SETTLING_TRIES = 3;
const SETTLING_MS = 1_000;
/** How often a list is read again while a create is in doubt. */
const LOOK_AGAIN_MS = 2_000;

/**
 * The pipeline with this resource in it. Makes no call where an earlier step or the plan has found it already.
 * @throws Failure of the call that failed, or `CONFLICT`
 */
export async function ensure(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const { kind } = resource;
  if (!resource.needed(pipeline.manifest) || pipeline.resources[kind] !== undefined) return pipeline;
  const made = await findOrCreate(resource, pipeline, context);
  context.runtime.log.info('resource ensured', { resource: kind, id: made.id, how: made.how });
  return { ...pipeline, resources: { ...pipeline.resources, [kind]: made } };
}

async function findOrCreate(resource: Resource, pipeline: Pipeline, context: Context): Promise<Made> {
  for (let round = 1; ; round++) {
    const there = await look(resource, pipeline, context);
    if (there !== undefined) return there;
    try {
      return await create(resource, pipeline, context);
    } catch (error) {
      const late = await afterFailedCreate(error, resource, pipeline, context);
      if (late !== undefined) return late;
      if (round === MOST_ROUNDS || !isFailure(error) || !error.inDoubt) throw error;
    }
  }
}

async function look(resource: Resource, pipeline: Pipeline, context: Context): Promise<Made | undefined> {
  const decision = decide(await resource.find(context, pipeline), pipeline.manifest.name);
  if (decision.action === 'conflict') throw new Failure('CONFLICT', decision.reason);
  return decision.action === 'keep' ? kept(resource, pipeline, decision.found) : undefined;
}

/** What was found, as part of the document. It counts as created where this execution's mark is on it. */
export function kept(resource: Resource, pipeline: Pipeline, found: Found): Made {
  const own = found.mark?.execution === pipeline.execution.name;
  return {
    id: found.id,
    name: found.name ?? nameOf(resource.kind, pipeline.manifest),
    how: own ? 'created' : 'kept',
    ...found.details,
  };
}

async function create(resource: Resource, pipeline: Pipeline, context: Context): Promise<Made> {
  for (let attempt = 1; ; attempt++) {
    try {
      const made = await resource.create(context, pipeline, markOf(pipeline));
      return { ...made, name: nameOf(resource.kind, pipeline.manifest), how: 'created' };
    } catch (error) {
      if (attempt === SETTLING_TRIES || !isSettling(error, pipeline)) throw error;
      await context.runtime.clock.sleep(SETTLING_MS * attempt);
    }
  }
}

/** A service that has not yet heard of what another one has just made says "not found" or calls the request bad. */
function isSettling(error: unknown, pipeline: Pipeline): boolean {
  if (!isFailure(error) || error.retryable || (error.status !== 400 && error.status !== 404)) return false;
  return Object.values(pipeline.resources).some((made) => made?.how === 'created');
}

/**
 * What a create that failed may have left behind, looked for until no list can be too old to show it: its answer was in
 * doubt, or it says that there is one already (`XDM-1521-400`, 409), which an old list did not show before.
 */
async function afterFailedCreate(
  error: unknown,
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Made | undefined> {
  if (!isFailure(error)) return undefined;
  if (!error.inDoubt && error.code !== 'AEP_EXISTS' && error.serviceCode !== 'XDM-1521-400') return undefined;
  const { clock, settings } = context.runtime;
  const until = clock.now() + settings.listDelaySeconds * 1_000;
  for (;;) {
    const there = await look(resource, pipeline, context);
    if (there !== undefined || clock.now() >= until) return there;
    await clock.sleep(Math.min(LOOK_AGAIN_MS, until - clock.now()));
  }
}
