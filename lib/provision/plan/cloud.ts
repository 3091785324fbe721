// Warns if the manifest asks for a source that Adobe does not offer on the sandbox's cloud.
import type { Sandbox } from '../../aep/sandboxes.ts';
import type { Manifest } from '../../manifest.ts';

/**
 * The region of sandboxes where AEP runs on AWS. Adobe's pages of sources say "ensure that you are in a VA6
 * sandbox". That Sandbox Management writes the same name in `region` is our reading: its sample has `VA7`.
 * Contract §7.
 */
const AWS_REGION = 'VA6';

/**
 * Adobe's pages name the sources that work where AEP runs on AWS. The page of Google Pub/Sub does not say so,
 * nor do some others. That Adobe does not offer them there is our reading.
 */
const ABSENT =
  'Google Pub/Sub is not among the sources that Adobe offers where Experience Platform runs on AWS';

/** Warnings for the plan. If AEP does not tell the region, the plan still goes on. */
export function cloudWarnings({ source }: Manifest, found: Sandbox | undefined): string[] {
  if (source.kind !== 'pubsub') return [];
  const region = found?.region ?? undefined;
  if (region === undefined)
    return [`source.kind: ${ABSENT} (region ${AWS_REGION}); the region of this sandbox is not known`];
  return region === AWS_REGION
    ? [`source.kind: found "pubsub" in a sandbox of the region ${region}: ${ABSENT}`]
    : [];
}
