// The identity dataset, where records link new identities: of the pipeline's schema, outside Profile, and not
// validated.
import type { Dataset } from '../../aep/catalog.ts';
import { linksIdentities, namedIdentityDataset } from '../../operations.ts';
import { nameInAep } from '../../pipeline.ts';
import { adoptDataset, changesOf, DISABLED, holdsBatches, OFF, ON, withTags } from './dataset-tags.ts';
import { tagInTags, tagsOf } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  type Difference,
  difference,
  type Found,
  idOfMade,
  required,
  type Situation,
} from './resource.ts';

/**
 * In Profile it would overwrite what the records update. With validation it would demand fields that are no
 * identities. Source: experienceleague.adobe.com/en/docs/experience-platform/data-prep/upserts, "Configure
 * the identity dataset". Adobe asks for the latter if the schema has required fields; a primary identity is
 * one.
 */
const SWITCHES = {
  unifiedProfile: [OFF],
  unifiedIdentity: [ON],
  acp_validationContext: [DISABLED],
} as const;

function differencesOf(one: Dataset, situation: Situation): Difference[] {
  return [
    ...difference('schema', one.schemaRef?.id, idOfMade(situation, 'schema'), 'conflict'),
    ...changesOf(one, SWITCHES).map((change) => change.difference),
  ];
}

function asFound(one: Dataset, situation: Situation): Found {
  return {
    id: one.id,
    name: one.name ?? undefined,
    ownershipTag: tagInTags(one.tags),
    differences: differencesOf(one, situation),
    createdAt: one.created,
  };
}

async function checkNamed(
  { aep }: Context,
  { id, path }: NonNullable<ReturnType<typeof namedIdentityDataset>>,
  situation: Situation,
): Promise<Difference[]> {
  const { dataset: there } = await aep.catalog.getDataset(id);
  const own = idOfMade(situation, 'dataset') === id;
  return [
    ...(own
      ? [{ field: 'id', found: id, wanted: 'another than that of the data', remedy: 'conflict' as const }]
      : []),
    ...differencesOf(there, situation),
  ].map((one) => ({ ...one, field: `${path}: ${one.field}` }));
}

export const identityDataset: ChangeableResource = {
  kind: 'changeable',
  key: 'identity-dataset',
  needed: linksIdentities,
  given(manifest) {
    const named = namedIdentityDataset(manifest);
    if (named === undefined) return undefined;
    const check = async (context: Context, situation: Situation) => ({
      differences: await checkNamed(context, named, situation),
    });
    return { id: named.id, check };
  },

  async find({ aep }, situation) {
    const found = await aep.catalog.findDatasets(nameInAep('identity-dataset', situation.manifest));
    // A renamed dataset can have the name, and our ownership tag.
    const others = found.filter(({ id }) => id !== idOfMade(situation, 'dataset'));
    return others.map((one) => asFound(one, situation));
  },

  get: async ({ aep }, situation, id) => asFound((await aep.catalog.getDataset(id)).dataset, situation),

  async create({ aep }, situation, ownershipTag) {
    const { manifest } = situation;
    const id = await aep.catalog.createDataset({
      name: nameInAep('identity-dataset', manifest),
      description: `New identities linked by the pipeline ${manifest.name}`,
      schemaId: required(situation, 'schema'),
      tags: { ...SWITCHES, ...tagsOf(ownershipTag) },
    });
    return { id };
  },

  async update({ aep }, _situation, id) {
    const { dataset: there, etag } = await aep.catalog.getDataset(id);
    const operations = changesOf(there, SWITCHES).map(({ operation }) => operation);
    if (operations.length > 0) await aep.catalog.patchDataset(id, withTags(there, operations), etag);
  },

  adopt: (context, _situation, id, ownershipTag) => adoptDataset(context, id, ownershipTag),

  remove: ({ aep }, id) => aep.catalog.deleteDataset(id),

  keepBecause: holdsBatches,
};

/** The same for a pipeline to be retired: also the dataset that its manifest does not ask for any more. */
export function forgottenIdentityDataset(known: boolean): ChangeableResource {
  const { given: _given, ...rest } = identityDataset;
  return { ...rest, needed: (manifest) => known || linksIdentities(manifest) };
}
