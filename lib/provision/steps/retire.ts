// Removal: of an applied pipeline, what is old; of a retired pipeline, all that is ours.
import type { Fate, Old, Pipeline, ResourceKey } from '../../pipeline.ts';
import { stopFlow } from '../resources/flow.ts';
import type { Resource, StreamContext } from '../resources/resource.ts';
import { backwards, refersTo } from '../resources/resources.ts';
import { isPulled } from '../resources/source.ts';
import { beginToLeave, finishLeaving } from '../routes.ts';
import { removeConsumer } from './consumer.ts';
import { removeResource, removeTrigger } from './removal.ts';
import { switchTo } from './trigger.ts';

/**
 * The first half of mode `retire`: nothing new enters the pipeline, and what is on its way has time to
 * arrive. Where other pipelines have the same stream, its trigger stays on for them.
 */
export async function stop(pipeline: Pipeline, context: StreamContext): Promise<Pipeline> {
  const { manifest, streamArn, old, drainSeconds } = pipeline;
  const flows = old.filter(({ resource }) => resource === 'flow');
  if (isPulled(manifest.source)) for (const { id } of flows) await stopFlow(context, id);
  const isLast = streamArn !== undefined && (await leave(pipeline, streamArn, context));
  const trigger = isLast ? await context.runtime.triggers.find(streamArn) : undefined;
  if (trigger !== undefined) await switchTo('off', trigger, context.runtime);
  return { ...pipeline, drainSeconds: flows.length > 0 || trigger !== undefined ? drainSeconds : 0 };
}

/**
 * The pipeline without what is old. In mode `retire` also without its trigger and its published pipeline.
 * `left` names what could not be removed.
 */
export async function retire(pipeline: Pipeline, context: StreamContext): Promise<Pipeline> {
  const started = pipeline.mode === 'retire' ? await unhook(pipeline, context) : pipeline;
  let done = started;
  const needed = new Set<ResourceKey>();
  for (const resource of backwards(pipeline)) {
    for (const one of pipeline.old) {
      if (one.resource !== resource.key) continue;
      const before = done.left.length;
      done = await remove(one, resource, done, context, needed.has(one.resource));
      if (done.left.length > before) for (const key of refersTo(one.resource, pipeline)) needed.add(key);
    }
  }
  return done;
}

/**
 * The trigger first, where it goes: no other pipeline can join as long as the last one is on the list, and leaves.
 */
async function unhook(pipeline: Pipeline, context: StreamContext): Promise<Pipeline> {
  const { streamArn, manifest } = pipeline;
  if (streamArn === undefined || !hasWayIn(pipeline)) return pipeline;
  const isLast = await leave(pipeline, streamArn, context);
  const trigger = await context.runtime.triggers.find(streamArn);
  if (isLast && trigger !== undefined) await removeTrigger(trigger.id, context);
  if (isLast) await removeConsumer(pipeline, trigger, context.runtime);
  await finishLeaving(manifest.name, streamArn, context.runtime);
  const how = isLast ? ('removed' as const) : ('kept' as const);
  return {
    ...pipeline,
    ...(planned(pipeline, 'publish') === 'remove' && { published: 'removed' as const }),
    ...(trigger !== undefined && {
      trigger: { id: trigger.id, how, startAt: isLast ? 'nowhere' : 'where it stands' },
    }),
  };
}

/** @returns whether the pipeline is the stream's last one */
async function leave(pipeline: Pipeline, streamArn: string, { runtime }: StreamContext): Promise<boolean> {
  if (!hasWayIn(pipeline)) return false;
  const { manifest, execution } = pipeline;
  return beginToLeave({ pipeline: manifest.name, streamArn, execution: execution.id }, runtime);
}

function hasWayIn(pipeline: Pipeline): boolean {
  return planned(pipeline, 'publish') === 'remove' || planned(pipeline, 'trigger') === 'remove';
}

async function remove(
  old: Old,
  resource: Resource,
  pipeline: Pipeline,
  context: StreamContext,
  needed: boolean,
): Promise<Pipeline> {
  const name = `${old.resource} ${old.id}`;
  // If it were removed now, the resource that refers to it could not be found any more.
  const result = needed
    ? { left: 'what is left in place refers to it' }
    : await removeResource(resource, old.id, pipeline, context);
  if (result === 'gone') return pipeline;
  const became = result === 'removed' ? result : 'left';
  const fates: Fate[] = [...pipeline.fates, { resource: old.resource, id: old.id, became }];
  return result === 'removed'
    ? { ...pipeline, fates, removed: [...pipeline.removed, name] }
    : { ...pipeline, fates, left: [...pipeline.left, `${name} (${result.left})`] };
}

function planned({ plan }: Pipeline, key: 'trigger' | 'publish') {
  return plan.find(({ resource }) => resource === key)?.action;
}
