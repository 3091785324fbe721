// The two ends of a flow: the source connection on the inlet's or the foreign source's side, the target connection on the data lake's.
import type { SourceConnection, TargetConnection } from '../../aep/flow-service.ts';
import { nameOf, type ResourceKey } from '../../pipeline.ts';
import { adoptEntity } from './adopt.ts';
import { describe, type Mark, markInDescription } from './ownership-tag.ts';
import {
  type Difference,
  difference,
  differenceIfTold,
  type Found,
  idOfMade,
  idsOf,
  type Resource,
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

/**
 * A live flow never gets another mapping, and a new flow gets ends of its own (contract §4.6). So the ends are marked with the
 * mapping set they were made for; and while they are there, a mapping set that went out of use can be found.
 */
function notesOf(situation: Situation): Mark['notes'] {
  const mapping = idOfMade(situation, 'mapping');
  return mapping === undefined ? undefined : { mapping };
}

function differencesOfMapping(mark: Mark | undefined, situation: Situation): Difference[] {
  if (situation.manifest.mapping === undefined || mark === undefined) return [];
  // Our own mark tells: where it names none, there was none.
  return difference('mapping', mark.notes?.mapping ?? 'none', idOfMade(situation, 'mapping'), 'replace');
}

function asFound(
  one: {
    id: string;
    name?: string | undefined;
    description?: string | undefined;
    createdAt?: number | undefined;
  },
  situation: Situation,
  differences: readonly Difference[],
): Found {
  const mark = markInDescription(one.description);
  const mapping = mark?.notes?.mapping;
  return {
    id: one.id,
    name: one.name,
    mark,
    differences: [...differences, ...differencesOfMapping(mark, situation)],
    createdAt: one.createdAt,
    refers: mapping === undefined ? [] : [{ resource: 'mapping', id: mapping }],
  };
}

/** Of its name, or ours under another one. */
function candidate(key: ResourceKey, { manifest }: Situation) {
  return (one: Found) => one.name === nameOf(key, manifest) || one.mark?.pipeline === manifest.name;
}

function sourceDifferences(one: SourceConnection, situation: Situation): Difference[] {
  const told = one.params ?? {};
  return [
    ...difference('base connection', one.baseConnectionId, idOfMade(situation, 'base-connection'), 'replace'),
    ...Object.entries(sourceParams(situation.manifest.source)).flatMap(([name, value]) =>
      sourceDifference(name, told[name] ?? value, value),
    ),
  ];
}

/** One that takes over from another must not skip what comes in between, so it reads from the oldest record on. */
function positionOf({ manifest: { source }, old, plan }: Situation): Record<string, string> {
  const reset = resetOf(source);
  if (reset === undefined) return {};
  const takesOver =
    !readsElsewhere(plan) &&
    isPulled(source) &&
    old.some(({ resource }) => resource === 'flow' || resource === 'source-connection');
  return { reset: takesOver ? 'earliest' : reset };
}

export const sourceConnection: Resource = {
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

  async create({ aep }, situation, mark) {
    const { manifest } = situation;
    const params = { ...sourceParams(manifest.source), ...positionOf(situation) };
    const id = await aep.flowService.createSourceConnection({
      name: nameOf('source-connection', manifest),
      description: describe({ ...mark, notes: notesOf(situation) }, manifest.description),
      baseConnectionId: required(situation, 'base-connection'),
      specId: connectionSpecOf(manifest.source),
      ...(Object.keys(params).length > 0 && { params }),
    });
    return { id };
  },

  async adopt(context, situation, id, mark) {
    const one = await context.aep.flowService.getSourceConnection(id);
    await adoptEntity(context, 'sourceConnections', one, { ...mark, notes: notesOf(situation) });
  },

  remove: ({ aep }, id) => aep.flowService.deleteSourceConnection(id),
};

function targetDifferences(one: TargetConnection, situation: Situation): Difference[] {
  return [
    ...difference('dataset', one.params?.dataSetId, idOfMade(situation, 'dataset'), 'replace'),
    ...differenceIfTold('schema', one.data?.schema?.id, idOfMade(situation, 'schema'), 'replace'),
  ];
}

export const targetConnection: Resource = {
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

  async create({ aep }, situation, mark) {
    const { manifest } = situation;
    const id = await aep.flowService.createTargetConnection({
      name: nameOf('target-connection', manifest),
      description: describe({ ...mark, notes: notesOf(situation) }, manifest.description),
      datasetId: required(situation, 'dataset'),
      schemaId: required(situation, 'schema'),
    });
    return { id };
  },

  async adopt(context, situation, id, mark) {
    const one = await context.aep.flowService.getTargetConnection(id);
    await adoptEntity(context, 'targetConnections', one, { ...mark, notes: notesOf(situation) });
  },

  remove: ({ aep }, id) => aep.flowService.deleteTargetConnection(id),
};
