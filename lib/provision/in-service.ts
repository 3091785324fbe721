// What is in service: the flows that carry records now, whoever made them, and everything that they refer to.
import type { Pipeline } from '../pipeline.ts';
import { readPublished } from '../published.ts';
import { flow } from './flow.ts';
import { executionMark } from './mark.ts';
import { type Context, ifThere } from './resource.ts';
import { isPulled } from './source.ts';

/**
 * Ids that must not be removed: of the flow that the published pipeline names, and of those that AEP reads a source with,
 * unless this very execution made them; and of all that such a flow stands on.
 */
export async function idsInUse(pipeline: Pipeline, context: Context): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const id of await flowsInService(pipeline, context)) {
    for (const used of await usedBy(id, context)) ids.add(used);
  }
  return ids;
}

async function flowsInService(pipeline: Pipeline, context: Context): Promise<string[]> {
  const { streamArn, manifest, execution } = pipeline;
  const { runtime } = context;
  const own = executionMark(execution);
  if (isPulled(manifest.source)) {
    const flows = await flow.find(context, pipeline);
    return flows
      .filter(({ running, mark }) => running === true && mark?.execution !== own)
      .map(({ id }) => id);
  }
  if (streamArn === undefined) return [];
  const published = await readPublished(runtime.secrets, runtime.settings, streamArn);
  return published === undefined || published.execution === own ? [] : [published.flowId];
}

async function usedBy(flowId: string, { aep: { flowService } }: Context): Promise<string[]> {
  const found = await ifThere(flowService.getFlow(flowId));
  if (found === undefined) return [];
  const { sourceConnectionIds = [], targetConnectionIds = [], transformations = [] } = found;
  const mappings = transformations.map(({ params }) => params?.mappingId);
  const sources = await Promise.all(
    sourceConnectionIds.map((id) => ifThere(flowService.getSourceConnection(id))),
  );
  const targets = await Promise.all(
    targetConnectionIds.map((id) => ifThere(flowService.getTargetConnection(id))),
  );
  const below = [
    ...sources.map((one) => one?.baseConnectionId),
    ...targets.flatMap((one) => [one?.params?.dataSetId, one?.data?.schema?.id]),
  ];
  const all = [flowId, ...sourceConnectionIds, ...targetConnectionIds, ...mappings, ...below];
  return all.filter((id) => id !== undefined);
}
