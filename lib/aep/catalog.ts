// Catalog: datasets and the batches in them. Contract §3.
import * as z from 'zod';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/catalog';

const Dataset = z.object({
  name: z.string().nullish(),
  schemaRef: z.object({ id: z.string().nullish() }).nullish(),
  /** Anybody's; only ours are known to be lists of strings. */
  tags: z.record(z.string(), z.unknown()).nullish(),
  /** Milliseconds since the epoch. */
  created: z.number().nullish(),
});

export type Dataset = z.infer<typeof Dataset> & { readonly id: string };

/** `["@/dataSets/{id}"]`; Adobe's prose spells the middle part in lower case. Contract §3.1. */
const Reference = z
  .tuple([z.string().regex(/^@\/dataSets\/[^/]+$/i)])
  .transform(([reference]) => reference.slice(reference.lastIndexOf('/') + 1));

export interface NewDataset {
  readonly name: string;
  readonly description: string;
  readonly schemaId: string;
  readonly tags: Readonly<Record<string, readonly string[]>>;
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
          ['properties', 'name,schemaRef,tags,created'],
        ],
        answer: z.record(z.string(), Dataset),
      });
      return Object.entries(value)
        .map(([id, dataset]) => ({ id, ...dataset }))
        .filter((dataset) => dataset.name === name);
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
          enableErrorDiagnostics: true,
          tags: dataset.tags,
        },
        answer: Reference,
      });
      return value;
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

    /** Deletes a dataset and all data in it. Cannot be undone. */
    async deleteDataset(datasetId: string): Promise<void> {
      await request({
        method: 'DELETE',
        path: `${BASE}/dataSets/${pathPart(datasetId)}`,
        answer: z.unknown(),
        repeatable: true,
      });
    },
  };
}
