// Writes our ownership tag on a resource of Flow Service that was made by hand.
import type { Collection } from '../../aep/flow-service.ts';
import { describe, type OwnershipTag, tagInDescription, withoutTag } from './ownership-tag.ts';
import type { Context } from './resource.ts';

/** Adds the ownership tag to the end of the description, unless it is there already. */
export async function adoptEntity(
  { aep }: Context,
  collection: Collection,
  one: { readonly id: string; readonly description?: string | undefined; readonly etag?: string | undefined },
  ownershipTag: OwnershipTag,
): Promise<void> {
  if (tagInDescription(one.description) !== undefined) return;
  const value = describe(ownershipTag, withoutTag(one.description));
  const op = one.description === undefined ? 'add' : 'replace';
  await aep.flowService.patch(collection, one.id, [{ op, path: '/description', value }], one.etag ?? '');
}
