// The source connection: the flow's end at the inlet or the foreign source.
import type { SourceConnection } from '../../aep/flow-service.ts';
import { nameInAep } from '../../pipeline.ts';
import { adoptEntity } from './adopt.ts';
import { asFound, candidate, notesOf } from './connection.ts';
import { describe } from './ownership-tag.ts';
import {
  type Difference,
  difference,
  type FixedResource,
  idOfMade,
  idsOf,
  required,
  type Situation,
} from './resource.ts';
import {
  connectionSpecOf,
  isPulled,
  readsElsewhere,
  resetOf,
  sourceDifference,
  sourceParams,
} from './source.ts';

function sourceDifferences(one: SourceConnection, situation: Situation): Difference[] {
  const told = one.params ?? {};
  return [
    ...difference('base connection', one.baseConnectionId, idOfMade(situation, 'base-connection'), 'replace'),
    ...Object.entries(sourceParams(situation.manifest.source)).flatMap(([name, value]) =>
      sourceDifference(name, told[name] ?? value, value),
    ),
  ];
}

/** A connection that replaces another reads from the oldest record on, so that it skips nothing. */
function resetPosition({ manifest: { source }, old, plan }: Situation): Record<string, string> {
  const reset = resetOf(source);
  if (reset === undefined) return {};
  const takesOver =
    !readsElsewhere(plan) &&
    isPulled(source) &&
    old.some(({ resource }) => resource === 'flow' || resource === 'source-connection');
  return { reset: takesOver ? 'earliest' : reset };
}

export const sourceConnection: FixedResource = {
  kind: 'fixed',
  key: 'source-connection',
  of: 'base-connection',
  needed: () => true,

  async find({ aep }, situation) {
    const found = await aep.flowService.findSourceConnectionsOf(idsOf(situation, 'base-connection'));
    return found
      .map((one) => asFound(one, situation, sourceDifferences(one, situation)))
      .filter(candidate('source-connection', situation));
  },

  async get({ aep }, situation, id) {
    const one = await aep.flowService.getSourceConnection(id);
    return asFound(one, situation, sourceDifferences(one, situation));
  },

  async create({ aep }, situation, ownershipTag) {
    const { manifest } = situation;
    const params = { ...sourceParams(manifest.source), ...resetPosition(situation) };
    const id = await aep.flowService.createSourceConnection({
      name: nameInAep('source-connection', manifest),
      description: describe({ ...ownershipTag, notes: notesOf(situation) }, manifest.description),
      baseConnectionId: required(situation, 'base-connection'),
      specId: connectionSpecOf(manifest.source),
      ...(Object.keys(params).length > 0 && { params }),
    });
    return { id };
  },

  async adopt(context, situation, id, ownershipTag) {
    const one = await context.aep.flowService.getSourceConnection(id);
    await adoptEntity(context, 'sourceConnections', one, { ...ownershipTag, notes: notesOf(situation) });
  },

  remove: ({ aep }, id) => aep.flowService.deleteSourceConnection(id),
};
