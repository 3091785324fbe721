// The target connection: the flow's end at the data lake.
import type { TargetConnection } from '../../aep/flow-service.ts';
import { nameInAep } from '../../pipeline.ts';
import { adoptEntity } from './adopt.ts';
import { asFound, candidate, notesOf } from './connection.ts';
import { describe } from './ownership-tag.ts';
import {
  type Difference,
  difference,
  differenceIfTold,
  type FixedResource,
  idOfMade,
  required,
  type Situation,
} from './resource.ts';

function targetDifferences(one: TargetConnection, situation: Situation): Difference[] {
  return [
    ...difference('dataset', one.params?.dataSetId, idOfMade(situation, 'dataset'), 'replace'),
    ...differenceIfTold('schema', one.data?.schema?.id, idOfMade(situation, 'schema'), 'replace'),
  ];
}

export const targetConnection: FixedResource = {
  kind: 'fixed',
  key: 'target-connection',
  of: 'dataset',
  needed: () => true,

  async find({ aep }, situation) {
    const dataset = idOfMade(situation, 'dataset');
    if (dataset === undefined) return [];
    const found = await aep.flowService.findTargetConnections(dataset);
    return found
      .map((one) => asFound(one, situation, targetDifferences(one, situation)))
      .filter(candidate('target-connection', situation));
  },

  async get({ aep }, situation, id) {
    const one = await aep.flowService.getTargetConnection(id);
    return asFound(one, situation, targetDifferences(one, situation));
  },

  async create({ aep }, situation, ownershipTag) {
    const { manifest } = situation;
    const id = await aep.flowService.createTargetConnection({
      name: nameInAep('target-connection', manifest),
      description: describe({ ...ownershipTag, notes: notesOf(situation) }, manifest.description),
      datasetId: required(situation, 'dataset'),
      schemaId: required(situation, 'schema'),
    });
    return { id };
  },

  async adopt(context, situation, id, ownershipTag) {
    const one = await context.aep.flowService.getTargetConnection(id);
    await adoptEntity(context, 'targetConnections', one, { ...ownershipTag, notes: notesOf(situation) });
  },

  remove: ({ aep }, id) => aep.flowService.deleteTargetConnection(id),
};
