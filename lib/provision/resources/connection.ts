// What the two connections of a flow share: their ownership tag notes the mapping set that they were made
// for.
import { nameInAep, type ResourceKey } from '../../pipeline.ts';
import { type OwnershipTag, tagInDescription } from './ownership-tag.ts';
import { type Difference, difference, type Found, idOfMade, type Situation } from './resource.ts';

/**
 * A live flow never gets another mapping, and a new flow gets new connections (contract §4.6). So each
 * connection's ownership tag names its mapping set. As long as it exists, an old mapping set can be found.
 */
export function notesOf(situation: Situation): OwnershipTag['notes'] {
  const mapping = idOfMade(situation, 'mapping');
  return mapping === undefined ? undefined : { mapping };
}

function differencesOfMapping(ownershipTag: OwnershipTag | undefined, situation: Situation): Difference[] {
  if (situation.manifest.mapping === undefined || ownershipTag === undefined) return [];
  // Read from our own ownership tag; if it names no mapping set, there was none.
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
    etag?: string | undefined;
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
    revision: one.etag,
    refers: mapping === undefined ? [] : [{ resource: 'mapping', id: mapping }],
  };
}

/** Candidates by name, and those with our ownership tag under another name. */
export function candidate(key: ResourceKey, { manifest }: Situation) {
  return (one: Found) =>
    one.name === nameInAep(key, manifest) || one.ownershipTag?.pipeline === manifest.name;
}
