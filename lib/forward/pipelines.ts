// The published pipelines that this container has read, each good for a minute at most.
import type { Clock } from '../aep/transport.ts';
import { Failure } from '../failure.ts';
import { type PublishedPipeline, readPublished, streamNameOf } from '../published.ts';
import type { Secrets } from '../runtime.ts';
import type { Settings } from '../settings.ts';

export interface Pipelines {
  /** @throws Failure `NOT_PUBLISHED`, `SECRET_INVALID`, `AWS_UNAVAILABLE`, `AWS_REFUSED` */
  of(streamArn: string): Promise<PublishedPipeline>;
  /** Reads it anew next time: it does not seem to be right any more. */
  forget(streamArn: string): void;
}

export function createPipelines(runtime: {
  readonly secrets: Secrets;
  readonly settings: Settings;
  readonly clock: Clock;
}): Pipelines {
  const held = new Map<string, { pipeline: PublishedPipeline; readAt: number }>();
  const { secrets, settings, clock } = runtime;
  // A new flow is taken up after so long at the latest; the old one is kept far longer than that.
  const goodForMs = settings.publishedSeconds * 1_000;
  return {
    async of(streamArn) {
      const known = held.get(streamArn);
      const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.readAt;
      // A clock set back makes an age negative, which says nothing.
      if (known !== undefined && age >= 0 && age < goodForMs) return known.pipeline;
      const readAt = clock.now();
      const pipeline = await readPublished(secrets, settings, streamArn);
      if (pipeline === undefined) {
        held.delete(streamArn);
        throw new Failure(
          'NOT_PUBLISHED',
          `no pipeline is published for the stream ${streamNameOf(streamArn)}`,
        );
      }
      held.set(streamArn, { pipeline, readAt });
      return pipeline;
    },
    forget(streamArn) {
      held.delete(streamArn);
    },
  };
}
