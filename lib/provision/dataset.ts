// The dataset that the records land in.
import type { Dataset } from '../aep/catalog.ts';
import type { PatchOperation } from '../aep/json-patch.ts';
import type { Manifest } from '../manifest.ts';
import { nameOf } from '../pipeline.ts';
import { markInTags, tagsOf } from './mark.ts';
import {
  type Difference,
  difference,
  type Found,
  idOfMade,
  type Resource,
  required,
  type Situation,
} from './resource.ts';

const ON = 'enabled:true';
const OFF = 'enabled:false';
const UPSERT = 'isUpsert:true';

/** Whether a tag has this entry; one of Adobe's samples has a blank in it. */
function has(values: readonly string[], entry: string): boolean {
  return values.some((value) => value.replaceAll(' ', '') === entry);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/**
 * Tags that switch Profile and Identity on (contract §3.1), as wanted of a dataset that has these. What the manifest leaves
 * out stays as it is.
 */
function switches(
  { dataset }: Manifest,
  tags: Readonly<Record<string, unknown>>,
): Readonly<Record<string, readonly string[]>> {
  const found = strings(tags.unifiedProfile);
  const { profile = has(found, ON), identity, upsert = has(found, UPSERT) } = dataset;
  const untouched = dataset.profile === undefined && dataset.upsert === undefined;
  return {
    ...(!untouched && { unifiedProfile: [profile ? ON : OFF, ...(upsert ? [UPSERT] : [])] }),
    ...(identity !== undefined && { unifiedIdentity: [identity ? ON : OFF] }),
  };
}

/** A tag that is not there is as good as one that says no. */
function equalSwitch(wanted: readonly string[], found: readonly string[]): boolean {
  return [ON, UPSERT].every((entry) => has(wanted, entry) === has(found, entry));
}

/** Differences that can be changed in place, each with the operation that does it. */
function changes(
  there: Dataset,
  manifest: Manifest,
): { difference: Difference; operation: PatchOperation }[] {
  const tags = there.tags ?? {};
  const remedy = 'update' as const;
  const ofTags = Object.entries(switches(manifest, tags)).flatMap(([tag, wanted]) => {
    if (equalSwitch(wanted, strings(tags[tag]))) return [];
    const found = strings(tags[tag]).join(', ') || 'nothing';
    const op = there.tags?.[tag] === undefined ? ('add' as const) : ('replace' as const);
    return [
      {
        difference: { field: `tag ${tag}`, found, wanted: wanted.join(', '), remedy },
        operation: { op, path: `/tags/${tag}`, value: wanted },
      },
    ];
  });
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
        remedy,
      },
      operation: { op: 'replace', path: '/enableErrorDiagnostics', value: errorDiagnostics },
    },
  ];
}

function asFound(one: Dataset, situation: Situation): Found {
  return {
    id: one.id,
    name: one.name ?? undefined,
    mark: markInTags(one.tags),
    differences: [
      ...difference('schema', one.schemaRef?.id, idOfMade(situation, 'schema'), 'conflict'),
      ...changes(one, situation.manifest).map((change) => change.difference),
    ],
    createdAt: one.created,
    details: typeof one.created === 'number' ? { createdAt: one.created } : {},
  };
}

export const dataset: Resource = {
  key: 'dataset',
  needed: () => true,

  async find({ aep }, situation) {
    const found = await aep.catalog.findDatasets(nameOf('dataset', situation.manifest));
    return found.map((one) => asFound(one, situation));
  },

  get: async ({ aep }, situation, id) => asFound((await aep.catalog.getDataset(id)).dataset, situation),

  async create({ aep, runtime }, situation, mark) {
    const { manifest } = situation;
    const on = Object.entries(switches(manifest, {})).filter(([, tag]) => tag.includes(ON));
    const id = await aep.catalog.createDataset({
      name: nameOf('dataset', manifest),
      description: manifest.dataset.description ?? `Filled by the pipeline ${manifest.name}`,
      schemaId: required(situation, 'schema'),
      errorDiagnostics: manifest.dataset.errorDiagnostics,
      tags: { ...Object.fromEntries(on), ...tagsOf(mark) },
    });
    return { id, createdAt: runtime.clock.now() };
  },

  async update({ aep }, { manifest }, id) {
    const { dataset: there, etag } = await aep.catalog.getDataset(id);
    const operations = changes(there, manifest).map(({ operation }) => operation);
    if (operations.length > 0) await aep.catalog.patchDataset(id, withTags(there, operations), etag);
  },

  async adopt({ aep }, _situation, id, mark) {
    const { dataset: there, etag } = await aep.catalog.getDataset(id);
    if (markInTags(there.tags) !== undefined) return;
    const operations = Object.entries(tagsOf(mark)).map(([name, value]) => ({
      op: 'add' as const,
      path: `/tags/${name}`,
      value,
    }));
    await aep.catalog.patchDataset(id, withTags(there, operations), etag);
  },

  remove: ({ aep }, id) => aep.catalog.deleteDataset(id),

  async keepBecause({ aep }, id) {
    return (await aep.catalog.hasBatches(id)) ? 'it holds batches' : undefined;
  },
};

/** JSON Patch adds nothing below what is not there. */
function withTags({ tags }: Dataset, operations: readonly PatchOperation[]): PatchOperation[] {
  return tags ? [...operations] : [{ op: 'add', path: '/tags', value: {} }, ...operations];
}
