// Starts the redrive of a pipeline that has something parked: it sends that, once the inlet answers again.
import { Failure } from '../failure.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import type { ReconcileRuntime } from '../runtime.ts';

/**
 * Looks into the store, and not for outages: what is parked is sent, whatever the manifest says by now.
 * @returns whether a redrive was started. It may find another one at work, which has claimed what it sends.
 * @throws Failure `STORE_UNAVAILABLE`, `AWS_UNAVAILABLE`, `AWS_REFUSED`, `SETTINGS_INVALID`
 */
export async function sendParked(
  { pipeline, streamArn }: PublishedPipeline,
  { deadLetters, functions, settings, log }: ReconcileRuntime,
): Promise<boolean> {
  const { objects, more } = await deadLetters.list({ kind: 'parked', pipeline });
  if (objects.length === 0) return false;
  if (settings.redrive === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_REDRIVE is not set: the function that sends what is parked is unknown',
    );
  await functions.start(settings.redrive, { stream: streamArn, pipeline, source: 'parked' });
  const stream = streamNameOf(streamArn);
  log.info('what is parked is sent again', { pipeline, stream, documents: objects.length, more });
  return true;
}
