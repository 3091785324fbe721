// What the two connections of a flow have in common: the mapping set that they were made for is noted in their mark.
import { nameInAep, type ResourceKey } from '../../pipeline.ts';
import { type Mark, markInDescription } from './ownership-tag.ts';
import { type Difference, difference, type Found, idOfMade, type Situation } from './resource.ts';

/**
 * A live flow never gets another mapping, and a new flow gets ends of its own (contract §4.6). So the ends are marked with the
 * mapping set they were made for; and while they are there, a mapping set that went out of use can be found.
 */
export function notesOf(situation: Situation): Mark['notes'] {
  const mapping = idOfMade(situation, 'mapping');
  return mapping === undefined ? undefined : { mapping };
}

function differencesOfMapping(mark: Mark | undefined, situation: Situation): Difference[] {
  if (situation.manifest.mapping === undefined || mark === undefined) return [];
  // Our own mark tells: where it names none, there was none.
  return difference('mapping', mark.notes?.mapping ?? 'none', idOfMade(situation, 'mapping'), 'replace');
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
export function candidate(key: ResourceKey, { manifest }: Situation) {
  return (one: Found) => one.name === nameInAep(key, manifest) || one.mark?.pipeline === manifest.name;
}
