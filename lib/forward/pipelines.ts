// The published pipelines that this container has read. Each is used for a minute, or longer while Secrets Manager
// cannot be reached.
import type { Clock } from '../aep/transport.ts';
import { Failure, isFailure } from '../failure.ts';
import type { Log } from '../log.ts';
import { type PublishedPipeline, readPublished, streamNameOf } from '../published.ts';
import type { Secrets } from '../runtime.ts';
import type { Settings } from '../settings.ts';

/**
 * The longest use of a pipeline while Secrets Manager cannot be reached, in ms. A newer one is published through the
 * same service, and the old flow stays a minute longer than this.
 */
export const PUBLISHED_KEPT_MS = 840_000;

export interface Pipelines {
  /** @throws Failure `NOT_PUBLISHED`, `SECRET_INVALID`, `AWS_UNAVAILABLE`, `AWS_REFUSED` */
  of(streamArn: string): Promise<PublishedPipeline>;
  /** Reads the secret again next time: the pipeline seems to be out of date. */
  forget(streamArn: string): void;
}

interface HeldPipeline {
  readonly pipeline: PublishedPipeline;
  readonly readAt: number;
  /** When the secret was last read, successfully or not. */
  askedAt: number;
}

export function createPipelines(runtime: {
  readonly secrets: Secrets;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}): Pipelines {
  const held = new Map<string, HeldPipeline>();
  const { secrets, settings, clock, log } = runtime;
  // A new flow is used after this time at the latest; the old one is kept far longer.
  const goodForMs = settings.publishedSeconds * 1_000;
  // A clock that was set back makes the age negative: read again.
  const isWithin = (ms: number, since: number) => clock.now() - since >= 0 && clock.now() - since < ms;

  const read = async (streamArn: string): Promise<PublishedPipeline> => {
    const readAt = clock.now();
    const pipeline = await readPublished(secrets, settings, streamArn);
    if (pipeline === undefined) {
      held.delete(streamArn);
      throw new Failure(
        'NOT_PUBLISHED',
        `no pipeline is published for the stream ${streamNameOf(streamArn)}`,
      );
    }
    held.set(streamArn, { pipeline, readAt, askedAt: readAt });
    return pipeline;
  };

  return {
    async of(streamArn) {
      const known = held.get(streamArn);
      if (known !== undefined && isWithin(goodForMs, known.askedAt)) return known.pipeline;
      try {
        return await read(streamArn);
      } catch (error) {
        const isAway = isFailure(error) && error.code === 'AWS_UNAVAILABLE';
        if (!isAway || known === undefined || !isWithin(PUBLISHED_KEPT_MS, known.readAt)) throw error;
        known.askedAt = clock.now();
        log.warn('Secrets Manager cannot be reached: the last published pipeline that was read is used', {
          pipeline: known.pipeline.pipeline,
          ageSeconds: Math.round((clock.now() - known.readAt) / 1_000),
          reason: error.what,
        });
        return known.pipeline;
      }
    },
    forget(streamArn) {
      const known = held.get(streamArn);
      if (known !== undefined) known.askedAt = Number.NEGATIVE_INFINITY;
    },
  };
}
