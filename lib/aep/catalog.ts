// Catalog: datasets and the batches in them. Contract §3.
import * as z from 'zod';
import { Failure } from '../failure.ts';
import type { PatchOperation } from './json-patch.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/catalog';

/** When rows are old enough to be deleted; `ttlValue` is an ISO 8601 period, and `null` keeps them. */
const RowExpiration = z
  .object({
    ttlValue: z.string().nullish(),
    setBy: z.string().nullish(),
    /** Milliseconds since the epoch; one of Adobe's samples has them as text. */
    updated: z.coerce.number().nullish().catch(undefined),
  })
  .nullish()
  .catch(undefined);

const Kept = z.object({ rowExpiration: RowExpiration }).nullish().catch(undefined);

const Bounds = z
  .object({
    rowExpiration: z.object({ minValue: z.string().nullish(), maxValue: z.string().nullish() }).nullish(),
  })
  .nullish()
  .transform((store) => store?.rowExpiration ?? undefined)
  .catch(undefined);

const TtlAnswer = z.object({
  extensions: z.object({ adobe_lakeHouse: Bounds, adobe_unifiedProfile: Bounds }),
});

const NO_BOUNDS = { adobe_lakeHouse: undefined, adobe_unifiedProfile: undefined };

/** Shortest and longest period that AEP takes, as ISO 8601, where it tells any. */
export type TtlBounds = z.infer<typeof TtlAnswer>['extensions'];

const Dataset = z.object({
  name: z.string().nullish(),
  description: z.string().nullish().catch(undefined),
  schemaRef: z.object({ id: z.string().nullish() }).nullish(),
  /** Anyone may set tags; only ours are known to be lists of strings. */
  tags: z.record(z.string(), z.unknown()).nullish(),
  enableErrorDiagnostics: z.boolean().nullish().catch(undefined),
  classification: z.object({ dataBehavior: z.string().nullish() }).nullish().catch(undefined),
  extensions: z.object({ adobe_lakeHouse: Kept, adobe_unifiedProfile: Kept }).nullish().catch(undefined),
  /** Milliseconds since the epoch. */
  created: z.number().nullish().catch(undefined),
});

export type Dataset = z.infer<typeof Dataset> & { readonly id: string };

/** `["@/dataSets/{id}"]`; Adobe's text spells the middle part in lower case. Contract §3.1. */
const Reference = z
  .tuple([z.string().regex(/^@\/dataSets\/(?!\.{1,2}$)[^/\\%?#\s]+$/i)])
  .transform(([reference]) => reference.slice(reference.lastIndexOf('/') + 1));

const Batch = z.object({
  /** Milliseconds since the epoch. */
  created: z.number().nullish().catch(undefined),
  updated: z.number().nullish().catch(undefined),
  tags: z
    .object({ flowId: z.array(z.string()).nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  relatedObjects: z
    .array(z.object({ type: z.string(), id: z.string() }))
    .nullish()
    .catch(undefined),
  errors: z
    .array(z.object({ code: z.string().nullish(), description: z.string().nullish() }))
    .nullish()
    .catch(undefined),
});

/** A batch that AEP refused, wholly or in part. */
export type Batch = z.infer<typeof Batch> & { readonly id: string };

export interface NewDataset {
  readonly name: string;
  readonly description: string;
  readonly schemaId: string;
  readonly tags: Readonly<Record<string, readonly string[]>>;
  /** Whether refused records are kept as error diagnostics; default true. */
  readonly errorDiagnostics?: boolean;
}

/** Catalog's calls. Each throws the `Failure`s of `createRequest`. */
export function catalog(request: Request) {
  return {
    /** The datasets of exactly this name: names are not unique. At most 100. */
    async findDatasets(name: string): Promise<Dataset[]> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/dataSets`,
        // `name=` would read a comma as "or" and an asterisk as a wildcard.
        query: [
          ['property', `name==${name}`],
          ['limit', '100'],
          ['properties', 'name,schemaRef,tags,created,enableErrorDiagnostics'],
        ],
        answer: z.record(z.string(), Dataset),
      });
      return Object.entries(value)
        .map(([id, dataset]) => ({ id, ...dataset }))
        .filter((dataset) => dataset.name === name);
    },

    /** One dataset, and the version that `patchDataset` needs. */
    async getDataset(id: string): Promise<{ dataset: Dataset; etag: string | undefined }> {
      const { value, etag } = await request({
        method: 'GET',
        path: datasetPath(id),
        answer: z.record(z.string(), Dataset),
      });
      const dataset = Object.hasOwn(value, id) ? value[id] : undefined;
      if (dataset !== undefined) return { dataset: { id, ...dataset }, etag };
      throw new Failure('AEP_UNEXPECTED', `GET ${datasetPath(id)} did not answer with this dataset`);
    },

    /** All datasets, and whether there are more than the 1,000 that are read. */
    allDatasets: () => allDatasets(request),

    /** The datasets of a schema, at most 1,000. Catalog filters by top-level members only, so all datasets are read. */
    async datasetsOfSchema(schemaId: string): Promise<Dataset[]> {
      const { datasets } = await allDatasets(request);
      return datasets.filter(({ schemaRef }) => schemaRef?.id === schemaId);
    },

    /** Creates a dataset and returns its id. */
    async createDataset(dataset: NewDataset): Promise<string> {
      const { value } = await request({
        method: 'POST',
        path: `${BASE}/dataSets`,
        query: [['requestDataSource', 'true']],
        body: {
          name: dataset.name,
          description: dataset.description,
          schemaRef: {
            id: dataset.schemaId,
            contentType: 'application/vnd.adobe.xed-full-notext+json; version=1',
          },
          fileDescription: { persisted: true, containerFormat: 'parquet', format: 'parquet' },
          enableErrorDiagnostics: dataset.errorDiagnostics ?? true,
          tags: dataset.tags,
        },
        answer: Reference,
      });
      return value;
    },

    /**
     * Changes a dataset at the version that `etag` names, or at any version without one.
     * @throws Failure `AEP_CHANGED` if it was changed meanwhile: get it again, look again
     */
    async patchDataset(
      id: string,
      operations: readonly PatchOperation[],
      etag: string | undefined,
    ): Promise<void> {
      await request({
        method: 'PATCH',
        path: datasetPath(id),
        // Plain JSON would be a partial object, and it is not known whether that merges tags. Contract §3.3.
        contentType: 'application/json-patch+json',
        body: operations,
        answer: z.unknown(),
        ...(etag !== undefined && { ifMatch: etag }),
      });
    },

    /** The shortest and the longest time that a dataset's rows can be kept. */
    async ttlBounds(datasetId: string): Promise<TtlBounds> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/ttl/${pathPart(datasetId)}`,
        // One sample of Adobe's page has it below the id, another has not.
        answer: z.union([TtlAnswer, z.record(z.string(), TtlAnswer)]),
      });
      const own = 'extensions' in value ? value : value[datasetId];
      return (own as z.infer<typeof TtlAnswer> | undefined)?.extensions ?? NO_BOUNDS;
    },

    /**
     * Sets how long rows are kept, by the name of the store (`adobe_lakeHouse`); `forever` ends it.
     * @throws Failure `AEP_CHANGED` if it was changed meanwhile: get it again, look again
     */
    async setRowExpiration(
      datasetId: string,
      periods: Readonly<Record<string, string>>,
      etag: string | undefined,
    ): Promise<void> {
      const stores = Object.entries(periods).map(([store, period]) => [
        store,
        { rowExpiration: { ttlValue: period === 'forever' ? null : period } },
      ]);
      await request({
        method: 'PATCH',
        path: `${BASE}/v2/dataSets/${pathPart(datasetId)}`,
        body: { extensions: Object.fromEntries(stores) },
        answer: z.unknown(),
        ...(etag !== undefined && { ifMatch: etag }),
      });
    },

    /** Whether any batch, good or failed, was ever written to the dataset. */
    async hasBatches(datasetId: string): Promise<boolean> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/batches`,
        query: [
          ['dataSet', datasetId],
          ['limit', '1'],
        ],
        answer: z.record(z.string(), z.unknown()),
      });
      return Object.keys(value).length > 0;
    },

    /**
     * A page of the dataset's failed batches, oldest first, and whether more may follow. `failed` and `failure` mean
     * the same, and no source says which of them a batch has: ask for both.
     */
    async failedBatches(wanted: {
      readonly datasetId: string;
      readonly status: 'failed' | 'failure';
      /** Milliseconds since the epoch. */
      readonly createdAfter: number;
      /** How many to skip. */
      readonly start: number;
    }): Promise<{ batches: Batch[]; more: boolean }> {
      return pageOfBatches(request, wanted);
    },

    /** A page of the batches that were stored completely. `start` as above. */
    async succeededBatches(wanted: {
      readonly datasetId: string;
      readonly createdAfter: number;
      readonly start: number;
    }): Promise<{ batches: Batch[]; more: boolean }> {
      return pageOfBatches(request, { ...wanted, status: 'success' });
    },

    /** Deletes a dataset and all data in it. Cannot be undone. */
    async deleteDataset(datasetId: string): Promise<void> {
      await request({
        method: 'DELETE',
        path: datasetPath(datasetId),
        answer: z.unknown(),
        repeatable: true,
      });
    },
  };
}

const MAX_DATASET_PAGES = 10;

async function allDatasets(request: Request): Promise<{ datasets: Dataset[]; more: boolean }> {
  const datasets: Dataset[] = [];
  for (let page = 0; page < MAX_DATASET_PAGES; page++) {
    const { value } = await request({
      method: 'GET',
      path: `${BASE}/dataSets`,
      query: [
        ['limit', '100'],
        ['start', String(page * 100)],
        ['properties', 'name,schemaRef,tags,created'],
      ],
      answer: z.record(z.string(), Dataset),
    });
    const entries = Object.entries(value);
    datasets.push(...entries.map(([id, dataset]) => ({ id, ...dataset })));
    if (entries.length < 100) return { datasets, more: false };
  }
  return { datasets, more: true };
}

async function pageOfBatches(
  request: Request,
  wanted: { datasetId: string; status: string; createdAfter: number; start: number },
): Promise<{ batches: Batch[]; more: boolean }> {
  const { value } = await request({
    method: 'GET',
    path: `${BASE}/batches`,
    query: [
      ['dataSet', wanted.datasetId],
      ['status', wanted.status],
      ['createdAfter', String(wanted.createdAfter)],
      ['orderBy', 'asc:created'],
      ['limit', '100'],
      ['start', String(wanted.start)],
    ],
    answer: z.record(z.string(), Batch),
  });
  const all = Object.entries(value).map(([id, batch]) => ({ id, ...batch }));
  return { batches: all.filter((batch) => isOf(batch, wanted.datasetId)), more: all.length >= 100 };
}

/** Whether a batch does not say that it belongs to another dataset: the service has filtered already. */
function isOf({ relatedObjects }: Batch, datasetId: string): boolean {
  const datasets = relatedObjects?.filter(({ type }) => type === 'dataSet') ?? [];
  return datasets.length === 0 || datasets.some(({ id }) => id === datasetId);
}

function datasetPath(datasetId: string): string {
  return `${BASE}/dataSets/${pathPart(datasetId)}`;
}
