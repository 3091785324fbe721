// What is in service: the flows that carry records now, whoever made them, and all that they refer to.
import type { Pipeline } from '../../pipeline.ts';
import { readRoute } from '../../published.ts';
import { flow } from '../resources/flow.ts';
import { executionTag } from '../resources/ownership-tag.ts';
import { type Context, ifThere, type PublishedContext } from '../resources/resource.ts';
import { isPulled } from '../resources/source.ts';

/**
 * Ids that must not be removed: the flow of the published pipeline, flows that AEP reads a source with, and
 * all that they refer to. A flow that this execution made is not among them.
 */
export async function idsInUse(pipeline: Pipeline, context: PublishedContext): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const { flows, besides } = await inService(pipeline, context);
  for (const id of besides) ids.add(id);
  for (const id of flows) {
    for (const used of await usedBy(id, context)) ids.add(used);
  }
  return ids;
}

interface InService {
  readonly flows: readonly string[];
  /** The forwarder names it in what it sends, but no flow refers to it. */
  readonly besides: readonly string[];
}

const NOTHING_IN_SERVICE: InService = { flows: [], besides: [] };

async function inService(pipeline: Pipeline, context: PublishedContext): Promise<InService> {
  const { streamArn, manifest, execution } = pipeline;
  const { runtime } = context;
  const own = executionTag(execution);
  if (isPulled(manifest.source)) {
    const flows = await flow.find(context, pipeline);
    const running = flows.filter((one) => one.running === true && one.ownershipTag?.execution !== own);
    return { flows: running.map(({ id }) => id), besides: [] };
  }
  if (streamArn === undefined) return NOTHING_IN_SERVICE;
  const published = await readRoute(runtime, streamArn, manifest.name);
  if (published === undefined || published.execution === own) return NOTHING_IN_SERVICE;
  const { flowId, identityDatasetId } = published;
  return { flows: [flowId], besides: identityDatasetId === undefined ? [] : [identityDatasetId] };
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
