// The dataflow: from source to target, through the mapping where there is one.
import { FLOW_SPECS } from '../aep/flow-service.ts';
import type { Manifest } from '../manifest.ts';
import { nameOf } from '../pipeline.ts';
import { describe, markInDescription } from './mark.ts';
import { difference, idOfMade, type Resource } from './resource.ts';

function flowSpecOf(manifest: Manifest): string {
  return manifest.source.data === 'raw' ? FLOW_SPECS.httpApiWithMapping : FLOW_SPECS.httpApiWithoutMapping;
}

export const flow: Resource = {
  kind: 'flow',
  needed: () => true,

  async find({ aep }, situation) {
    const { manifest } = situation;
    const found = await aep.flowService.findFlows(nameOf('flow', manifest));
    return found.map((one) => ({
      id: one.id,
      mark: markInDescription(one.description),
      differences: [
        ...difference('flow specification', one.flowSpec?.id, flowSpecOf(manifest)),
        ...difference(
          'source connection',
          one.sourceConnectionIds[0],
          idOfMade(situation, 'source-connection'),
        ),
        ...difference(
          'target connection',
          one.targetConnectionIds[0],
          idOfMade(situation, 'target-connection'),
        ),
        ...(manifest.mapping === undefined
          ? []
          : difference(
              'mapping',
              one.transformations?.[0]?.params?.mappingId,
              idOfMade(situation, 'mapping'),
            )),
      ],
      createdAt: one.createdAt,
      details: { changedAt: one.updatedAt ?? one.createdAt },
    }));
  },

  async create({ aep, runtime }, situation, mark) {
    const { manifest, resources } = situation;
    const id = await aep.flowService.createFlow({
      name: nameOf('flow', manifest),
      description: describe(mark, manifest.description),
      flowSpecId: flowSpecOf(manifest),
      sourceConnectionId: idOfMade(situation, 'source-connection') ?? '',
      targetConnectionId: idOfMade(situation, 'target-connection') ?? '',
      ...(resources.mapping !== undefined && {
        mapping: { id: resources.mapping.id, version: resources.mapping.version ?? 0 },
      }),
    });
    return { id, changedAt: runtime.clock.now() };
  },

  remove: ({ aep }, id) => aep.flowService.deleteFlow(id),
};
