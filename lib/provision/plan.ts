// The plan: an inventory of what is there, and what would be done about each resource and why. Changes nothing.
import { Failure, isFailure } from '../failure.ts';
import { nameOf, type Pipeline, type Planned } from '../pipeline.ts';
import { readPublished } from '../published.ts';
import { kept } from './ensure.ts';
import { type Context, decide, type Resource, type StreamContext } from './resource.ts';
import { RESOURCES } from './resources.ts';

/**
 * The pipeline with its plan; what is kept is in `resources` already, so the steps need not look again.
 * @throws Failure `CONFLICT` naming every conflict, in mode `apply`; `AEP_NOT_FOUND` where the manifest's own `$id` is not there
 */
export async function plan(pipeline: Pipeline, context: StreamContext): Promise<Pipeline> {
  let planned = pipeline;
  for (const resource of RESOURCES) planned = await planResource(resource, planned, context);
  planned = {
    ...planned,
    plan: [...planned.plan, await planPublish(planned, context), await planIntake(planned, context)],
  };
  const conflicts = planned.plan.filter(({ action }) => action === 'conflict');
  if (planned.mode === 'apply' && conflicts.length > 0) {
    const lines = conflicts.map(({ resource, name, reason }) => `${resource} ${name}: ${reason}`);
    throw new Failure('CONFLICT', lines.join(' / '));
  }
  return planned;
}

async function planResource(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const { kind } = resource;
  const { manifest } = pipeline;
  const entry = (
    rest: Pick<Planned, 'action' | 'reason' | 'id'>,
    made?: Pipeline['resources'][typeof kind],
  ): Pipeline => ({
    ...pipeline,
    plan: [...pipeline.plan, { resource: kind, name: nameOf(kind, manifest), ...rest }],
    resources: made === undefined ? pipeline.resources : { ...pipeline.resources, [kind]: made },
  });

  if (!resource.needed(manifest)) return entry({ action: 'none', reason: 'this pipeline needs none' });
  const given = resource.given?.(manifest);
  if (given !== undefined) {
    await resource.checkGiven?.(context, given);
    return entry(
      { action: 'keep', reason: 'named by the manifest', id: given },
      { id: given, name: given, how: 'given' },
    );
  }
  const decision = decide(await resource.find(context, pipeline), manifest.name);
  if (decision.action === 'create') return entry({ action: 'create', reason: decision.reason });
  const { action, reason, found } = decision;
  return entry(
    { action, reason, id: found.id },
    action === 'keep' ? kept(resource, pipeline, found) : undefined,
  );
}

async function planPublish(pipeline: Pipeline, { runtime, aep }: Context): Promise<Planned> {
  const { manifest, resources, streamArn } = pipeline;
  const published = await readPublished(runtime.secrets, runtime.settings, streamArn);
  const entry = { resource: 'publish' as const, name: streamArn };
  if (published === undefined)
    return { ...entry, action: 'create', reason: 'this stream carries no pipeline yet' };
  if (published.pipeline !== manifest.name) {
    return {
      ...entry,
      action: 'conflict',
      reason: `the stream carries the pipeline ${published.pipeline} already`,
    };
  }
  if (published.sandbox !== manifest.sandbox) {
    const reason = `the pipeline is in the sandbox ${published.sandbox}; give the one in ${manifest.sandbox} another name and stream`;
    return { ...entry, action: 'conflict', reason };
  }
  if (resources.flow === undefined && (await flowExists(published.flowId, aep))) {
    const reason = `the pipeline's flow ${published.flowId} is there under another name; give it back its name in the manifest`;
    return { ...entry, action: 'conflict', reason };
  }
  const same =
    published.flowId === resources.flow?.id &&
    published.datasetId === resources.dataset?.id &&
    published.schemaId === resources.schema?.id &&
    published.data === manifest.source.data &&
    published.compression === manifest.source.compression;
  return same
    ? { ...entry, action: 'keep', reason: `published by ${published.execution}` }
    : { ...entry, action: 'update', reason: 'the forwarder is told of what has changed' };
}

async function flowExists(id: string, aep: Context['aep']): Promise<boolean> {
  try {
    await aep.flowService.getFlow(id);
    return true;
  } catch (error) {
    if (isFailure(error) && error.code === 'AEP_NOT_FOUND') return false;
    throw error;
  }
}

async function planIntake(pipeline: Pipeline, { runtime }: StreamContext): Promise<Planned> {
  const intake = await runtime.intakes.find(pipeline.streamArn);
  const entry = { resource: 'intake' as const, name: pipeline.streamArn };
  if (intake === undefined) return { ...entry, action: 'create', reason: 'nothing reads the stream yet' };
  const state = intake.state === 'on' ? 'it is on' : 'it is there and will be switched on';
  const reason = `${state}; startAt does not move an intake that exists`;
  return { ...entry, action: intake.state === 'on' ? 'keep' : 'update', reason, id: intake.id };
}
