// Starts the redrive of a pipeline that has something parked: it sends that, once the inlet answers again.
import { Failure } from '../failure.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import type { ReconcileRuntime } from '../runtime.ts';

/**
 * Looks into the store: what is parked is sent, whatever the manifest says by now. Where nothing is parked, there may
 * be an outage all the same: a redrive was killed behind the last document. The next redrive ends it.
 * @returns whether a redrive was started. It may find another one at work, which has claimed what it sends.
 * @throws Failure `STORE_UNAVAILABLE`, `AWS_UNAVAILABLE`, `AWS_REFUSED`, `SETTINGS_INVALID`
 */
export async function sendParked(published: PublishedPipeline, runtime: ReconcileRuntime): Promise<boolean> {
  const { pipeline, streamArn } = published;
  const { deadLetters, functions, settings, log } = runtime;
  const { objects, more } = await deadLetters.list({ kind: 'parked', pipeline });
  if (objects.length === 0 && !(await isQueueing(published, runtime))) return false;
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

/** Whether new messages of a shard are parked. */
async function isQueueing(
  { pipeline, streamArn, park }: PublishedPipeline,
  { stream, marks }: Pick<ReconcileRuntime, 'stream' | 'marks'>,
): Promise<boolean> {
  // A route that does not park heeds no outage.
  if (park === undefined) return false;
  for (const shardId of await stream.shards(streamArn)) {
    const { outages } = await marks.read({ stream: streamNameOf(streamArn), shardId });
    if (outages.get(pipeline)?.parkedSince !== undefined) return true;
  }
  return false;
}
