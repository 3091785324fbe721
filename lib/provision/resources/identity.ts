// The identity descriptors of the schema: which fields identify a record, and in which namespace.
import type { IdentityDescriptor } from '../../aep/schema-registry.ts';
import { Failure } from '../../failure.ts';
import type { Manifest } from '../../manifest.ts';
import { didYouMean } from '../../nearest.ts';
import { tagInTags } from './ownership-tag.ts';
import {
  type Context,
  type Difference,
  type EntriesResource,
  idOfMade,
  ifThere,
  inTenant,
  required,
  type Situation,
  tagByPlan,
} from './resource.ts';

interface WantedIdentity {
  readonly property: string;
  readonly namespace: string;
  readonly primary: boolean;
}

function wantedOf(situation: Situation): WantedIdentity[] {
  const { schema } = situation.manifest;
  if ('id' in schema) return [];
  return schema.identities.map(({ path, namespace, primary }) => ({
    property: `/${inTenant(path, situation).replaceAll('.', '/')}`,
    namespace,
    primary,
  }));
}

function hasIdentities({ schema }: Manifest): boolean {
  return !('id' in schema) && schema.identities.length > 0;
}

/** A missing descriptor can be added. One that differs is not rewritten: records were identified by it. */
function compareIdentities(wanted: readonly WantedIdentity[], found: readonly IdentityDescriptor[]) {
  const differences: Difference[] = [];
  const missing: WantedIdentity[] = [];
  for (const one of wanted) {
    const there = found.find(({ property }) => property === one.property);
    const text = identityText(one);
    if (there === undefined) {
      missing.push(one);
      differences.push({
        field: `identity ${one.property}`,
        found: 'nothing',
        wanted: text,
        remedy: 'update',
      });
    } else if (identityText(there) !== text) {
      differences.push({
        field: `identity ${one.property}`,
        found: identityText(there),
        wanted: text,
        remedy: 'conflict',
      });
    }
  }
  const primary = found.find(
    (one) => one.primary && !wanted.some(({ property }) => property === one.property),
  );
  if (primary !== undefined && missing.some((one) => one.primary)) {
    const remedy = 'conflict' as const;
    differences.push({ field: 'primary identity', found: primary.property, wanted: 'another one', remedy });
  }
  return { differences, missing };
}

function identityText({ namespace, primary }: Pick<WantedIdentity, 'namespace' | 'primary'>): string {
  return `${namespace}${primary ? ', primary' : ''}`;
}

/** One after the other: a lost answer leaves at most one in doubt, and the next look finds it. */
async function post({ aep }: Context, schemaId: string, missing: readonly WantedIdentity[]): Promise<void> {
  for (const one of missing) await aep.schemaRegistry.createIdentityDescriptor({ schemaId, ...one });
}

/** What identifies a record of the schema, with every namespace by its code. */
export async function descriptorsOf(
  { aep }: Pick<Context, 'aep'>,
  schemaId: string,
): Promise<IdentityDescriptor[]> {
  const all = await aep.schemaRegistry.findIdentityDescriptors(schemaId);
  if (!all.some(({ namespace }) => /^\d+$/.test(namespace))) return all;
  const codes = new Map((await aep.identity.namespaces()).map(({ code, id }) => [String(id), code]));
  return all.map((one) => ({ ...one, namespace: codes.get(one.namespace) ?? one.namespace }));
}

/** Looks for itself, so that a repeated call does not make existing descriptors again. */
async function makeMissing(context: Context, situation: Situation, schemaId: string): Promise<void> {
  const all = await descriptorsOf(context, schemaId);
  const { missing } = compareIdentities(wantedOf(situation), all);
  await post(context, schemaId, missing);
}

/**
 * The namespaces that do not exist: for each its place in the manifest, the existing ones, and the nearest
 * name.
 */
async function unknownNamespaces({ aep }: Context, { schema }: Manifest): Promise<string[]> {
  if ('id' in schema) return [];
  const codes = (await aep.identity.namespaceCodes()).toSorted();
  return schema.identities.flatMap(({ namespace }, index) => {
    if (codes.includes(namespace)) return [];
    const expected = `expected the code of an existing identity namespace: ${codes.join(', ')}`;
    return [
      `schema.identities.${index}.namespace: found "${namespace}"; ${expected}${didYouMean([namespace], codes)}`,
    ];
  });
}

export const identity: EntriesResource = {
  kind: 'entries',
  key: 'identity',
  of: 'schema',
  needed: hasIdentities,

  async find(context, situation) {
    const schemaId = idOfMade(situation, 'schema');
    if (schemaId === undefined) return [];
    const wanted = wantedOf(situation);
    const all = await descriptorsOf(context, schemaId);
    const { differences, missing } = compareIdentities(wanted, all);
    if (missing.length === wanted.length && differences.length === missing.length) return [];
    // A descriptor has no place for an ownership tag: it belongs to the owner of the schema.
    return [{ id: schemaId, ownershipTag: tagByPlan(situation, 'identity'), differences }];
  },

  async create(context, situation) {
    const id = required(situation, 'schema');
    await makeMissing(context, situation, id);
    return { id };
  },

  update: makeMissing,

  /**
   * Somebody has to create a missing namespace. A pipeline cannot decide what it stands for and who may read
   * it.
   */
  async impossible(context, { manifest }) {
    const unknown = await unknownNamespaces(context, manifest);
    return unknown.length === 0 ? undefined : unknown.join(' / ');
  },

  async remove(context, schemaId, situation) {
    const wanted = wantedOf(situation);
    await removeDescriptors(context, schemaId, situation, ({ property }) =>
      wanted.some((one) => one.property === property),
    );
  },
};

/** @throws Failure `CONFLICT` if other datasets need them */
export async function removeDescriptors(
  { aep }: Context,
  schemaId: string,
  situation: Situation,
  which: (one: IdentityDescriptor) => boolean = () => true,
): Promise<void> {
  const going = (await aep.schemaRegistry.findIdentityDescriptors(schemaId)).filter(which);
  if (going.length === 0) return;
  const users = await usersOf(aep, schemaId, situation);
  if (users.length > 0)
    throw new Failure('CONFLICT', `the schema is used by the dataset ${users.join(', ')} as well`);
  // The list may be old: it may name a dataset that is gone. That does not hold for the schema.
  for (const { id } of going) await ifThere(aep.schemaRegistry.deleteDescriptor(id));
}

/** Other datasets of this schema. Without its identities their records would belong to no profile. */
async function usersOf(aep: Context['aep'], schemaId: string, { manifest }: Situation): Promise<string[]> {
  const all = await aep.catalog.datasetsOfSchema(schemaId);
  return all.filter(({ tags }) => tagInTags(tags)?.pipeline !== manifest.name).map(({ id }) => id);
}
