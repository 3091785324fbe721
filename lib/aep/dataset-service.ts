// Dataset Service: the data usage labels of a dataset. Adobe's page data-governance/labels/dataset-api, and dataset-service.yaml.
import * as z from 'zod';
import { isFailure } from '../failure.ts';
import { pathPart, type Request } from './request.ts';

const Labels = z.object({
  labels: z.array(z.string()).nullish(),
  /** Labels of fields; nobody can add any here any more. */
  optionalLabels: z.array(z.unknown()).nullish(),
  /** What else the dataset has labels from. */
  parents: z.array(z.unknown()).nullish(),
});

/** The page has them below the dataset's name, the description has not. */
const LabelsAnswer = z.union([z.record(z.string().startsWith('AEP:dataset:'), Labels), Labels]);

export interface DatasetLabels {
  /** Of the dataset as a whole. */
  readonly labels: readonly string[];
  /** What is kept as it is by writing it back. */
  readonly rest: { readonly optionalLabels: readonly unknown[]; readonly parents: readonly unknown[] };
  /** The version that was read. Absent where the dataset has no labels yet. */
  readonly etag: string | undefined;
}

/** Dataset Service's calls. Each throws the `Failure`s of `createRequest`. */
export function datasetService(request: Request) {
  return {
    /** The labels of a dataset. One without any answers 404, as one that is not there does. */
    async getLabels(datasetId: string): Promise<DatasetLabels> {
      try {
        const { value, etag } = await request({
          method: 'GET',
          path: pathOf(datasetId),
          answer: LabelsAnswer,
        });
        return { ...labelsIn(value), etag };
      } catch (error) {
        if (isFailure(error) && error.code === 'AEP_NOT_FOUND') return { ...labelsIn({}), etag: undefined };
        throw error;
      }
    },

    /**
     * Writes the labels of a dataset anew, at the version that was read.
     * @throws Failure `AEP_CHANGED` if they were changed meanwhile: get them again, look again
     */
    async putLabels(datasetId: string, { labels, rest, etag }: DatasetLabels): Promise<void> {
      await request({
        method: 'PUT',
        path: pathOf(datasetId),
        body: { entityId: { namespace: 'AEP', id: datasetId, type: 'dataset' }, labels, ...rest },
        answer: z.unknown(),
        repeatable: etag === undefined,
        ...(etag !== undefined && { ifMatch: etag }),
      });
    },
  };
}

function labelsIn(value: z.infer<typeof LabelsAnswer>): Pick<DatasetLabels, 'labels' | 'rest'> {
  const [below] = Object.entries(value).flatMap(([name, one]) =>
    name.startsWith('AEP:dataset:') ? [one] : [],
  );
  const { labels, optionalLabels, parents } = (below ?? value) as z.infer<typeof Labels>;
  return { labels: labels ?? [], rest: { optionalLabels: optionalLabels ?? [], parents: parents ?? [] } };
}

function pathOf(datasetId: string): string {
  return `/data/foundation/dataset/datasets/${pathPart(datasetId)}/labels`;
}
