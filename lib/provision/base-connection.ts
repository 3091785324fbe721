// The base connection: an HTTP API connection, and with it the inlet that the forwarder posts to.
import { nameOf } from '../pipeline.ts';
import { describe, markInDescription } from './mark.ts';
import { difference, type Resource } from './resource.ts';

export const baseConnection: Resource = {
  kind: 'base-connection',
  needed: () => true,

  async find({ aep }, { manifest }) {
    const found = await aep.flowService.findInletConnections(nameOf('base-connection', manifest));
    return found.map((one) => ({
      id: one.id,
      mark: markInDescription(one.description),
      differences: [
        ...difference('source.data', one.auth?.params.dataType, manifest.source.data),
        ...difference(
          'source.authenticationRequired',
          one.auth?.params.authenticationRequired,
          manifest.source.authenticationRequired,
        ),
      ],
      createdAt: one.createdAt,
    }));
  },

  async create({ aep }, { manifest }, mark) {
    const id = await aep.flowService.createInletConnection({
      name: nameOf('base-connection', manifest),
      description: describe(mark, manifest.description),
      dataType: manifest.source.data,
      authenticationRequired: manifest.source.authenticationRequired,
    });
    return { id };
  },

  remove: ({ aep }, id) => aep.flowService.deleteConnection(id),
};
