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

/** Tags that switch Profile and Identity on (contract §3.1), as wanted: `undefined` where the manifest leaves it as it is. */
function switches({ dataset }: Manifest): Readonly<Record<string, readonly string[] | undefined>> {
  const { profile, identity, upsert } = dataset;
  return {
    unifiedProfile:
      profile === undefined ? undefined : [profile ? ON : OFF, ...(upsert === true ? [UPSERT] : [])],
    unifiedIdentity: identity === undefined ? undefined : [identity ? ON : OFF],
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** A tag that is not there is as good as one that says no. Only what is on or off counts, and `isUpsert` where it is on. */
function equalSwitch(wanted: readonly string[], found: readonly string[]): boolean {
  const on = (values: readonly string[], entry: string) =>
    values.some((value) => value.replace(' ', '') === entry);
  return on(wanted, ON) === on(found, ON) && (!on(wanted, UPSERT) || on(found, UPSERT));
}

/** Differences that can be changed in place, each with the operation that does it. */
function changes(
  there: Dataset,
  manifest: Manifest,
): { difference: Difference; operation: PatchOperation }[] {
  const tags = there.tags ?? {};
  const remedy = 'update' as const;
  const ofTags = Object.entries(switches(manifest)).flatMap(([tag, wanted]) => {
    if (wanted === undefined || equalSwitch(wanted, strings(tags[tag]))) return [];
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
    const on = Object.entries(switches(manifest)).filter(([, tag]) => tag?.includes(ON));
    const id = await aep.catalog.createDataset({
      name: nameOf('dataset', manifest),
      description: manifest.dataset.description ?? `Filled by the pipeline ${manifest.name}`,
      schemaId: required(situation, 'schema'),
      errorDiagnostics: manifest.dataset.errorDiagnostics,
      tags: { ...Object.fromEntries(on.map(([name, tag]) => [name, tag ?? []])), ...tagsOf(mark) },
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
