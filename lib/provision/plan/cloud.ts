// What is not offered everywhere: a warning where AEP runs on a cloud that has not the source that a manifest asks for.
import type { Aep } from '../../aep/client.ts';
import { isFailure } from '../../failure.ts';
import type { Manifest } from '../../manifest.ts';

/**
 * Where AEP runs on AWS its sandboxes are in VA6: Adobe's pages of sources say "ensure that you are in a VA6 sandbox" to connect
 * there. That Sandbox Management calls it the same in `region` is our reading: its sample has `VA7`. Contract §7.
 */
const AWS_REGION = 'VA6';

/**
 * Adobe's pages name the sources that can be used where AEP runs on AWS; that of Google Pub/Sub (and of others that are read
 * by AEP) does not. That this means it is not offered there is our reading.
 */
const ABSENT =
  'Google Pub/Sub is not among the sources that Adobe offers where Experience Platform runs on AWS';

/** A sentence for the plan; none where the sandbox is elsewhere. A region that is not told is no reason to fail. */
export async function cloudWarnings(aep: Aep, { source, sandbox }: Manifest): Promise<string[]> {
  if (source.kind !== 'pubsub') return [];
  const region = await regionOf(aep, sandbox);
  if (region === undefined)
    return [`source.kind: ${ABSENT} (region ${AWS_REGION}); where this one runs could not be found out`];
  return region === AWS_REGION
    ? [`source.kind: found "pubsub" in a sandbox of the region ${region}: ${ABSENT}`]
    : [];
}

async function regionOf(aep: Aep, sandbox: string): Promise<string | undefined> {
  try {
    const all = await aep.sandboxes.visible();
    return all.find(({ name }) => name === sandbox)?.region ?? undefined;
  } catch (error) {
    if (isFailure(error) && !error.retryable) return undefined;
    throw error;
  }
}
