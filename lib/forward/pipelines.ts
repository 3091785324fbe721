// The published pipelines that this container has read, each good for a minute at most, and for longer while it cannot be read anew.
import type { Clock } from '../aep/transport.ts';
import { Failure, isFailure } from '../failure.ts';
import type { Log } from '../log.ts';
import { type PublishedPipeline, readPublished, streamNameOf } from '../published.ts';
import type { Secrets } from '../runtime.ts';
import type { Settings } from '../settings.ts';

/**
 * While Secrets Manager is away, a pipeline that was read is gone by for so long, in ms. What replaces it is published through the
 * same service, and the old flow is kept for a minute more than this.
 */
export const PUBLISHED_KEPT_MS = 840_000;

export interface Pipelines {
  /** @throws Failure `NOT_PUBLISHED`, `SECRET_INVALID`, `AWS_UNAVAILABLE`, `AWS_REFUSED` */
  of(streamArn: string): Promise<PublishedPipeline>;
  /** Reads it anew next time: it does not seem to be right any more. */
  forget(streamArn: string): void;
}

interface HeldPipeline {
  readonly pipeline: PublishedPipeline;
  readonly readAt: number;
  /** When it was last read, or tried to. */
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
  // A new flow is taken up after so long at the latest; the old one is kept far longer than that.
  const goodForMs = settings.publishedSeconds * 1_000;
  // A clock set back makes an age negative, which says nothing.
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
        log.warn('Secrets Manager cannot be reached: the published pipeline is used as it was read before', {
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
