// The source connection: the inlet's side of the flow.
import { nameOf } from '../pipeline.ts';
import { describe, markInDescription } from './mark.ts';
import { idOfMade, type Resource, required } from './resource.ts';

export const sourceConnection: Resource = {
  kind: 'source-connection',
  needed: () => true,

  async find({ aep }, situation) {
    const base = idOfMade(situation, 'base-connection');
    if (base === undefined) return [];
    const name = nameOf('source-connection', situation.manifest);
    const found = await aep.flowService.findSourceConnections(base);
    return found
      .map((one) => ({
        id: one.id,
        name: one.name,
        mark: markInDescription(one.description),
        differences: [],
        createdAt: one.createdAt,
      }))
      .filter((one) => one.name === name || one.mark?.pipeline === situation.manifest.name);
  },

  async create({ aep }, situation, mark) {
    const id = await aep.flowService.createInletSourceConnection({
      name: nameOf('source-connection', situation.manifest),
      description: describe(mark, situation.manifest.description),
      baseConnectionId: required(situation, 'base-connection'),
    });
    return { id };
  },

  remove: ({ aep }, id) => aep.flowService.deleteSourceConnection(id),
};
