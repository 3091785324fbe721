// The mapping set: how a raw record becomes XDM.
import { createHash } from 'node:crypto';
import type { Mapping } from '../aep/data-prep.ts';
import type { Manifest } from '../manifest.ts';
import { nameOf } from '../pipeline.ts';
import { idOfMade, type Resource, required, type Situation } from './resource.ts';

/** The manifest's mapping in Data Prep's words. */
function mappingsOf(manifest: Manifest): Mapping[] {
  return (manifest.mapping ?? []).map((entry) =>
    'source' in entry
      ? { sourceType: 'ATTRIBUTE', source: entry.source, destination: entry.destination }
      : { sourceType: 'EXPRESSION', source: entry.expression, destination: entry.destination },
  );
}

/**
 * A mapping set has no description and no tags, so its name is its mark: it ends in a hash of what it does. Equal name,
 * equal content; another mapping gets another set, and the one that a live flow uses is never rewritten.
 */
function markedName(situation: Situation): string {
  const content = JSON.stringify([idOfMade(situation, 'schema'), mappingsOf(situation.manifest)]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return `${nameOf('mapping', situation.manifest)} [penstock ${situation.manifest.name} ${hash}]`;
}

export const mapping: Resource = {
  kind: 'mapping',
  needed: (manifest) => manifest.mapping !== undefined,

  async find({ aep }, situation) {
    // The schema's id is part of the name; while it has none, no set for it can exist.
    if (idOfMade(situation, 'schema') === undefined) return [];
    const found = await aep.dataPrep.findMappingSets(markedName(situation));
    return found.map((one) => ({
      id: one.id,
      mark: { pipeline: situation.manifest.name, execution: executionOf(situation) },
      differences: [],
      createdAt: one.createdDate,
      details: { version: one.version },
    }));
  },

  async create({ aep }, situation) {
    const created = await aep.dataPrep.createMappingSet({
      name: markedName(situation),
      schemaId: required(situation, 'schema'),
      mappings: mappingsOf(situation.manifest),
    });
    return { id: created.id, version: created.version };
  },

  remove: ({ aep }, id) => aep.dataPrep.deleteMappingSet(id),
};

/** The name cannot tell which execution made the set; the plan can: it found none, so what is there now is new. */
function executionOf({ execution, plan }: Situation): string {
  const mine = plan.some(({ resource, action }) => resource === 'mapping' && action === 'create');
  return mine ? execution.name : 'an earlier execution';
}
