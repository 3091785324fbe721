// The data usage labels of a dataset: those that the manifest names are added, and none is ever taken away.
import type { Aep } from '../../aep/client.ts';
import { type Failure, isFailure } from '../../failure.ts';
import type { Manifest } from '../../manifest.ts';
import type { Difference } from './resource.ts';

/** Labels can be anybody's: AEP does not tell who set one. So a label that the manifest does not name stays. */
function missingLabels(there: readonly string[], { dataset }: Manifest): string[] {
  return [...new Set(dataset.labels)].filter((label) => !there.includes(label));
}

/** Costs a call only where the manifest names labels. */
export async function labelDifferences(aep: Aep, id: string, manifest: Manifest): Promise<Difference[]> {
  if (manifest.dataset.labels === undefined) return [];
  const { labels } = await aep.datasetService.getLabels(id);
  const missing = missingLabels(labels, manifest);
  if (missing.length === 0) return [];
  const found = labels.join(', ') || 'nothing';
  return [{ field: 'dataset.labels', found, wanted: `${missing.join(', ')} as well`, remedy: 'update' }];
}

/**
 * Adds what is missing, at the version that was read. What others set stays, labels of fields included.
 * @throws Failure `AEP_CHANGED` if somebody changed them meanwhile
 */
export async function addLabels(aep: Aep, id: string, manifest: Manifest): Promise<void> {
  if (manifest.dataset.labels === undefined) return;
  const there = await aep.datasetService.getLabels(id);
  const missing = missingLabels(there.labels, manifest);
  if (missing.length === 0) return;
  try {
    await aep.datasetService.putLabels(id, { ...there, labels: [...there.labels, ...missing] });
  } catch (error) {
    throw isFailure(error) ? advised(error) : error;
  }
}

function advised(error: Failure): Failure {
  const next = NEXT_FOR_LABELS[error.status ?? 0];
  return next === undefined ? error : error.at('dataset.labels').advising(next);
}

/** By status. Adobe's page lets the first labels be written by PUT; its API description has 404 there. */
const NEXT_FOR_LABELS: Readonly<Record<number, string>> = {
  404: 'If the dataset has no label yet, set a first one in the pages of AEP; the others are then added to it.',
  409: 'A policy of the organization forbids these labels together with what the dataset is used for: change one of the two.',
};
