// The dataset that the records land in.
import { nameOf } from '../pipeline.ts';
import { markInTags, tagsOf } from './mark.ts';
import { difference, idOfMade, type Resource, required } from './resource.ts';

export const dataset: Resource = {
  kind: 'dataset',
  needed: () => true,

  async find({ aep }, situation) {
    const found = await aep.catalog.findDatasets(nameOf('dataset', situation.manifest));
    return found.map((one) => ({
      id: one.id,
      mark: markInTags(one.tags),
      differences: difference('schema', one.schemaRef?.id, idOfMade(situation, 'schema')),
      createdAt: one.created,
    }));
  },

  async create({ aep }, situation, mark) {
    const { manifest } = situation;
    const id = await aep.catalog.createDataset({
      name: nameOf('dataset', manifest),
      description: manifest.dataset.description ?? `Filled by the pipeline ${manifest.name}`,
      schemaId: required(situation, 'schema'),
      tags: tagsOf(mark),
    });
    return { id };
  },

  remove: ({ aep }, id) => aep.catalog.deleteDataset(id),

  async keepBecause({ aep }, id) {
    return (await aep.catalog.hasBatches(id)) ? 'it holds batches' : undefined;
  },
};
