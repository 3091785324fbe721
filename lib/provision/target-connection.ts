// The target connection: the data lake's side of the flow.
import { nameOf } from '../pipeline.ts';
import { describe, markInDescription } from './mark.ts';
import { differenceIfTold, idOfMade, type Resource, required } from './resource.ts';

export const targetConnection: Resource = {
  kind: 'target-connection',
  needed: () => true,

  async find({ aep }, situation) {
    const dataset = idOfMade(situation, 'dataset');
    if (dataset === undefined) return [];
    const name = nameOf('target-connection', situation.manifest);
    const found = await aep.flowService.findTargetConnections(dataset);
    return found
      .map((one) => ({
        id: one.id,
        name: one.name,
        mark: markInDescription(one.description),
        differences: differenceIfTold('schema', one.data?.schema?.id, idOfMade(situation, 'schema')),
        createdAt: one.createdAt,
      }))
      .filter((one) => one.name === name || one.mark?.pipeline === situation.manifest.name);
  },

  async create({ aep }, situation, mark) {
    const id = await aep.flowService.createTargetConnection({
      name: nameOf('target-connection', situation.manifest),
      description: describe(mark, situation.manifest.description),
      datasetId: required(situation, 'dataset'),
      schemaId: required(situation, 'schema'),
    });
    return { id };
  },

  remove: ({ aep }, id) => aep.flowService.deleteTargetConnection(id),
};
