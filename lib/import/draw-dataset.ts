// The dataset of a manifest, from what Catalog and Dataset Service tell of it.

import { DATASET_LABEL, MAX_DATASET_LABELS } from '../manifest.ts';
import { hasEntry, ON, tagEntries, UPSERT } from '../provision/resources/dataset-tags.ts';
import { RETENTION } from '../retention.ts';
import { type Expressed, type ImportFinding, kept } from './finding.ts';
import type { WalkedFlow } from './walked.ts';

/** Most characters of a description in a manifest. */
export const MAX_DESCRIPTION = 500;

/** Tags that a manifest has words for, Penstock's own, and those that AEP writes by itself. */
const SAID_TAGS = /^(unifiedProfile|unifiedIdentity|penstock|adobe.*)$/;

/** Of a dataset in Profile the schema must be there as well. */
export function drawDataset(walked: WalkedFlow): Expressed<Record<string, unknown>> {
  const { dataset, labels, otherFlows, schema } = walked;
  const inUnion = schema['meta:immutableTags']?.includes('union') ?? false;
  const tagged = hasEntry(tagEntries(dataset, 'unifiedProfile'), ON);
  const profile = tagged && inUnion;
  const upsert = profile && hasEntry(tagEntries(dataset, 'unifiedProfile'), UPSERT);
  const identity = hasEntry(tagEntries(dataset, 'unifiedIdentity'), ON);
  const retention = retentionOf(walked, profile);
  const said = labels.labels.filter((label) => DATASET_LABEL.test(label)).slice(0, MAX_DATASET_LABELS);
  const { description } = dataset;
  const told = description && description.length <= MAX_DESCRIPTION ? { description } : {};
  return {
    value: {
      ...(dataset.name && { name: dataset.name }),
      ...told,
      ...(profile && { profile }),
      ...(identity && { identity }),
      ...(upsert && { upsert }),
      ...(dataset.enableErrorDiagnostics === false && { errorDiagnostics: false }),
      ...(said.length > 0 && { labels: said }),
      ...(Object.keys(retention.value).length > 0 && { retention: retention.value }),
    },
    findings: [
      ...otherFlows.map((id) =>
        kept(
          'dataset',
          `the flow ${id} fills it as well, and stays: a dataset belongs to one pipeline, so only one of the two can be adopted`,
        ),
      ),
      ...tooLongText('dataset.description', description),
      ...(tagged && !inUnion
        ? [
            kept(
              'dataset.profile',
              'the dataset is switched on for Profile, but its schema is not: nothing of it gets there',
            ),
          ]
        : []),
      ...labels.labels
        .filter((label) => !said.includes(label))
        .map((label) =>
          kept('dataset.labels', `the label ${label} stays as it is: a manifest cannot say it`),
        ),
      ...(labels.rest.optionalLabels.length > 0
        ? [
            kept(
              'dataset.labels',
              `${labels.rest.optionalLabels.length} labels of fields stay as they are: AEP has no published API for them`,
            ),
          ]
        : []),
      ...Object.keys(dataset.tags ?? {})
        .filter((tag) => !SAID_TAGS.test(tag))
        .map((tag) => kept('dataset.tags', `the tag ${tag} stays as it is: a manifest has no tags`)),
      ...retention.findings,
    ],
  };
}

/** Of a text that a manifest would refuse. */
export function tooLongText(path: string, description: string | null | undefined): ImportFinding[] {
  if ((description ?? '').length <= MAX_DESCRIPTION) return [];
  return [kept(path, `it has more than ${MAX_DESCRIPTION} characters, and stays in AEP alone`)];
}

const RETENTION_STORES = [
  ['lake', 'adobe_lakeHouse'],
  ['profile', 'adobe_unifiedProfile'],
] as const;

function retentionOf({ dataset }: WalkedFlow, inProfile: boolean): Expressed<Record<string, string>> {
  const value: Record<string, string> = {};
  const findings: ImportFinding[] = [];
  for (const [word, store] of RETENTION_STORES) {
    const period = dataset.extensions?.[store]?.rowExpiration?.ttlValue;
    if (!period) continue;
    const path = `dataset.retention.${word}`;
    if (!RETENTION.test(period)) findings.push(kept(path, `a manifest cannot say ${period}`));
    else if (word === 'profile' && !inProfile)
      findings.push(kept(path, `${period} is set, but the dataset is not in Profile`));
    else value[word] = period;
  }
  return { value, findings };
}
