// Compares and changes the tags of a dataset that say what AEP does with its records.
import type { Dataset } from '../../aep/catalog.ts';
import type { PatchOperation } from '../../aep/json-patch.ts';
import { type OwnershipTag, tagInTags, tagsOf } from './ownership-tag.ts';
import type { Context, Difference } from './resource.ts';

export const ON = 'enabled:true';
export const OFF = 'enabled:false';
export const UPSERT = 'isUpsert:true';
/** In `acp_validationContext`. */
export const DISABLED = 'disabled';

/** Whether a tag has this entry; one of Adobe's samples has a blank in it. */
export function hasEntry(values: readonly string[], entry: string): boolean {
  return values.some((value) => value.replaceAll(' ', '') === entry);
}

/** The entries of a tag of the dataset. */
export function tagEntries({ tags }: Pick<Dataset, 'tags'>, tag: string): string[] {
  const value = tags?.[tag];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

export type Switches = Readonly<Record<string, readonly string[]>>;

export interface TagChange {
  readonly difference: Difference;
  readonly operation: PatchOperation;
}

/** Differences that can be changed in place, each with its operation. */
export function changesOf(there: Dataset, wanted: Switches): TagChange[] {
  return Object.entries(wanted).flatMap(([tag, value]) => {
    const found = tagEntries(there, tag);
    if (equalSwitch(value, found)) return [];
    const field = `tag ${tag}`;
    const op = there.tags?.[tag] === undefined ? ('add' as const) : ('replace' as const);
    return [
      {
        difference: {
          field,
          found: found.filter((entry) => SWITCH.test(entry)).join(', ') || 'nothing',
          wanted: value.join(', '),
          remedy: 'update' as const,
        },
        operation: { op, path: `/tags/${tag}`, value: [...value, ...keptOf(value, found)] },
      },
    ];
  });
}

/**
 * Entries that say yes or no. A tag can hold others, such as `enabledAt:2024-11-05 12:33:59` and
 * `mergePolicyId:…`.
 */
const SWITCH = /^(enabled:|isUpsert:|(enabled|disabled)$)/;

/** Other entries stay. Only `enabledAt` goes when the tag is switched off. */
function keptOf(wanted: readonly string[], found: readonly string[]): string[] {
  const stays = hasEntry(wanted, ON) && hasEntry(found, ON);
  return found.filter((entry) => !SWITCH.test(entry) && (stays || !entry.startsWith('enabledAt:')));
}

/** A missing tag means no. */
function equalSwitch(wanted: readonly string[], found: readonly string[]): boolean {
  return [ON, UPSERT, DISABLED].every((entry) => hasEntry(wanted, entry) === hasEntry(found, entry));
}

/** JSON Patch adds nothing below what is not there. */
export function withTags({ tags }: Dataset, operations: readonly PatchOperation[]): PatchOperation[] {
  return tags ? [...operations] : [{ op: 'add', path: '/tags', value: {} }, ...operations];
}

/** Writes our ownership tag on a dataset without one. */
export async function adoptDataset({ aep }: Context, id: string, ownershipTag: OwnershipTag): Promise<void> {
  const { dataset: there, etag } = await aep.catalog.getDataset(id);
  if (tagInTags(there.tags) !== undefined) return;
  const operations = Object.entries(tagsOf(ownershipTag)).map(([name, value]) => ({
    op: 'add' as const,
    path: `/tags/${name}`,
    value,
  }));
  await aep.catalog.patchDataset(id, withTags(there, operations), etag);
}

/** Why a dataset must not be removed: its data is nowhere else. */
export async function holdsBatches({ aep }: Context, id: string): Promise<string | undefined> {
  return (await aep.catalog.hasBatches(id)) ? 'it holds batches' : undefined;
}
