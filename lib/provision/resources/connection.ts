// What the two connections of a flow have in common: the mapping set that they were made for is noted in their ownership tag.
import { nameInAep, type ResourceKey } from '../../pipeline.ts';
import { type OwnershipTag, tagInDescription } from './ownership-tag.ts';
import { type Difference, difference, type Found, idOfMade, type Situation } from './resource.ts';

/**
 * A live flow never gets another mapping, and a new flow gets ends of its own (contract §4.6). So the ends are marked with the
 * mapping set they were made for; and while they are there, a mapping set that went out of use can be found.
 */
export function notesOf(situation: Situation): OwnershipTag['notes'] {
  const mapping = idOfMade(situation, 'mapping');
  return mapping === undefined ? undefined : { mapping };
}

function differencesOfMapping(ownershipTag: OwnershipTag | undefined, situation: Situation): Difference[] {
  if (situation.manifest.mapping === undefined || ownershipTag === undefined) return [];
  // Our own ownership tag tells: where it names none, there was none.
  return difference(
    'mapping',
    ownershipTag.notes?.mapping ?? 'none',
    idOfMade(situation, 'mapping'),
    'replace',
  );
}

export function asFound(
  one: {
    id: string;
    name?: string | undefined;
    description?: string | undefined;
    createdAt?: number | undefined;
  },
  situation: Situation,
  differences: readonly Difference[],
): Found {
  const ownershipTag = tagInDescription(one.description);
  const mapping = ownershipTag?.notes?.mapping;
  return {
    id: one.id,
    name: one.name,
    ownershipTag,
    differences: [...differences, ...differencesOfMapping(ownershipTag, situation)],
    createdAt: one.createdAt,
    refers: mapping === undefined ? [] : [{ resource: 'mapping', id: mapping }],
  };
}

/** Of its name, or ours under another one. */
export function candidate(key: ResourceKey, { manifest }: Situation) {
  return (one: Found) =>
    one.name === nameInAep(key, manifest) || one.ownershipTag?.pipeline === manifest.name;
}
