// The base connection: an HTTP API connection, and with it the inlet that the forwarder posts to.
import { nameOf } from '../pipeline.ts';
import { streamNameOf } from '../published.ts';
import { describe, markInDescription } from './mark.ts';
import { differenceIfTold, type Resource } from './resource.ts';

export const baseConnection: Resource = {
  kind: 'base-connection',
  needed: () => true,

  async find({ aep }, { manifest, streamArn }) {
    const found = await aep.flowService.findInletConnections(nameOf('base-connection', manifest));
    return found.map((one) => {
      const mark = markInDescription(one.description);
      const told = one.auth?.params;
      return {
        id: one.id,
        name: one.name,
        mark,
        differences: [
          ...differenceIfTold('source.data', told?.dataType, manifest.source.data),
          ...differenceIfTold(
            'source.authenticationRequired',
            told?.authenticationRequired,
            manifest.source.authenticationRequired,
          ),
          ...differenceIfTold('source.stream', mark?.stream, streamNameOf(streamArn)),
        ],
        createdAt: one.createdAt,
      };
    });
  },

  async create({ aep }, { manifest, streamArn }, mark) {
    const id = await aep.flowService.createInletConnection({
      name: nameOf('base-connection', manifest),
      // The stream is in the mark, so that a pipeline that is given another one does not leave the first one running.
      description: describe({ ...mark, stream: streamNameOf(streamArn) }, manifest.description),
      dataType: manifest.source.data,
      authenticationRequired: manifest.source.authenticationRequired,
    });
    return { id };
  },

  remove: ({ aep }, id) => aep.flowService.deleteConnection(id),
};
