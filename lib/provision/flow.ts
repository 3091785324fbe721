// The dataflow: from source to target, through the mapping where there is one.
import { FLOW_SPECS, type Flow } from '../aep/flow-service.ts';
import type { Manifest } from '../manifest.ts';
import { nameOf } from '../pipeline.ts';
import { describe, markInDescription } from './mark.ts';
import { difference, differenceIfTold, idOfMade, type Resource, required } from './resource.ts';

function flowSpecOf(manifest: Manifest): string {
  return manifest.source.data === 'raw' ? FLOW_SPECS.httpApiWithMapping : FLOW_SPECS.httpApiWithoutMapping;
}

export const flow: Resource = {
  kind: 'flow',
  needed: () => true,

  async find({ aep, runtime }, situation) {
    const { manifest } = situation;
    // By its source first: a flow that was renamed, here or in AEP, is still the one that reads from it.
    const source = idOfMade(situation, 'source-connection');
    const reading = source === undefined ? [] : await aep.flowService.findFlowsOf(source);
    const found = reading.length > 0 ? reading : await aep.flowService.findFlows(nameOf('flow', manifest));
    return found.map((one) => ({
      id: one.id,
      name: one.name,
      mark: markInDescription(one.description),
      differences: [
        ...differenceIfTold('flow specification', one.flowSpec?.id, flowSpecOf(manifest)),
        ...difference('source connection', one.sourceConnectionIds?.[0], source),
        ...difference(
          'target connection',
          one.targetConnectionIds?.[0],
          idOfMade(situation, 'target-connection'),
        ),
        ...(manifest.mapping === undefined
          ? []
          : difference('mapping', mappingOf(one), idOfMade(situation, 'mapping'))),
      ],
      createdAt: one.createdAt,
      // Of unknown age is as good as new.
      details: { changedAt: one.updatedAt ?? one.createdAt ?? runtime.clock.now() },
    }));
  },

  async create({ aep, runtime }, situation, mark) {
    const { manifest, resources } = situation;
    const id = await aep.flowService.createFlow({
      name: nameOf('flow', manifest),
      description: describe(mark, manifest.description),
      flowSpecId: flowSpecOf(manifest),
      sourceConnectionId: required(situation, 'source-connection'),
      targetConnectionId: required(situation, 'target-connection'),
      ...(resources.mapping !== undefined && {
        mapping: { id: resources.mapping.id, version: resources.mapping.version ?? 0 },
      }),
    });
    return { id, changedAt: runtime.clock.now() };
  },

  remove: ({ aep }, id) => aep.flowService.deleteFlow(id),
};

function mappingOf({ transformations }: Flow): string | undefined {
  return transformations?.find(({ name }) => name === 'Mapping')?.params?.mappingId;
}
