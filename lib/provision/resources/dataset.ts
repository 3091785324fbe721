// The dataset that receives the records.
import type { Dataset } from '../../aep/catalog.ts';
import type { Manifest } from '../../manifest.ts';
import { nameInAep } from '../../pipeline.ts';
import {
  adoptDataset,
  changesOf,
  hasEntry,
  holdsBatches,
  OFF,
  ON,
  type Switches,
  type TagChange,
  tagEntries,
  UPSERT,
  withTags,
} from './dataset-tags.ts';
import { addLabels, labelDifferences } from './labels.ts';
import { tagInTags, tagsOf } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  difference,
  type Found,
  idOfMade,
  required,
  type Situation,
} from './resource.ts';
import { retentionDifferences, setRetention } from './retention.ts';

/** The wanted tags for Profile and Identity (contract §3.1). What the manifest leaves out stays as it is. */
function switches({ dataset }: Manifest, there: Pick<Dataset, 'tags'>): Switches {
  const found = tagEntries(there, PROFILE);
  const { profile = hasEntry(found, ON), identity, upsert = hasEntry(found, UPSERT) } = dataset;
  const untouched = dataset.profile === undefined && dataset.upsert === undefined;
  return {
    ...(!untouched && { [PROFILE]: [profile ? ON : OFF, ...(upsert ? [UPSERT] : [])] }),
    ...(identity !== undefined && { [IDENTITY]: [identity ? ON : OFF] }),
  };
}

const PROFILE = 'unifiedProfile';
const IDENTITY = 'unifiedIdentity';

/** Differences that can be changed in place, each with its operation. */
function changes(there: Dataset, manifest: Manifest): TagChange[] {
  const ofTags = changesOf(there, switches(manifest, there));
  const { errorDiagnostics } = manifest.dataset;
  const told = there.enableErrorDiagnostics;
  if (typeof told !== 'boolean' || told === errorDiagnostics) return ofTags;
  return [
    ...ofTags,
    {
      difference: {
        field: 'dataset.errorDiagnostics',
        found: String(told),
        wanted: String(errorDiagnostics),
        remedy: 'update',
      },
      operation: { op: 'replace', path: '/enableErrorDiagnostics', value: errorDiagnostics },
    },
  ];
}

function asFound(one: Dataset, situation: Situation): Found {
  return {
    id: one.id,
    name: one.name ?? undefined,
    ownershipTag: tagInTags(one.tags),
    differences: [
      ...difference('schema', one.schemaRef?.id, idOfMade(situation, 'schema'), 'conflict'),
      ...changes(one, situation.manifest).map((change) => change.difference),
    ],
    createdAt: one.created,
    details: typeof one.created === 'number' ? { createdAt: one.created } : {},
  };
}

async function found({ aep, runtime }: Context, one: Dataset, situation: Situation): Promise<Found> {
  const known = asFound(one, situation);
  const labels = await labelDifferences(aep, one.id, situation.manifest);
  const retention = await retentionDifferences({ aep, now: runtime.clock.now() }, one.id, situation.manifest);
  return { ...known, differences: [...known.differences, ...labels, ...retention] };
}

export const dataset: ChangeableResource = {
  kind: 'changeable',
  key: 'dataset',
  needed: () => true,

  async find(context, situation) {
    const all = await context.aep.catalog.findDatasets(nameInAep('dataset', situation.manifest));
    return Promise.all(all.map((one) => found(context, one, situation)));
  },

  async get(context, situation, id) {
    return found(context, (await context.aep.catalog.getDataset(id)).dataset, situation);
  },

  async create({ aep, runtime }, situation, ownershipTag) {
    const { manifest } = situation;
    const on = Object.entries(switches(manifest, { tags: {} })).filter(([, tag]) => tag.includes(ON));
    const id = await aep.catalog.createDataset({
      name: nameInAep('dataset', manifest),
      description: manifest.dataset.description ?? `Filled by the pipeline ${manifest.name}`,
      schemaId: required(situation, 'schema'),
      errorDiagnostics: manifest.dataset.errorDiagnostics,
      tags: { ...Object.fromEntries(on), ...tagsOf(ownershipTag) },
    });
    const { labels, retention } = manifest.dataset;
    const unfinished = labels !== undefined || retention !== undefined;
    return { id, createdAt: runtime.clock.now(), unfinished };
  },

  async update({ aep }, { manifest }, id) {
    const { dataset: there, etag } = await aep.catalog.getDataset(id);
    const operations = changes(there, manifest).map(({ operation }) => operation);
    if (operations.length > 0) await aep.catalog.patchDataset(id, withTags(there, operations), etag);
    await addLabels(aep, id, manifest);
    await setRetention(aep, id, manifest);
  },

  adopt: (context, _situation, id, ownershipTag) => adoptDataset(context, id, ownershipTag),

  remove: ({ aep }, id) => aep.catalog.deleteDataset(id),

  keepBecause: holdsBatches,
};
