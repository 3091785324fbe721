// Stores the rejects of a route, and says so in the log where the store does not take them.
import { FAILURES, isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { within } from '../within.ts';
import { deadLetterDocument } from './dead-letters.ts';
import type { Invocation } from './invocation.ts';
import type { Received } from './read/event.ts';
import { MIN_REQUEST_MS } from './send/classes.ts';
import type { Keep } from './settle.ts';

/** What stores a pipeline's rejects. */
export function keeper(
  pipeline: string,
  { streamArn, shardId }: Received,
  { invocationId, remainingMs }: Invocation,
  { deadLetters, clock, log }: Pick<ForwardRuntime, 'deadLetters' | 'clock' | 'log'>,
): Keep {
  return async (rejects) => {
    const about = {
      pipeline,
      stream: streamNameOf(streamArn),
      shardId,
      messages: rejects.length,
      next: FAILURES.STORE_UNAVAILABLE.next,
    };
    const document = deadLetterDocument(rejects, {
      pipeline,
      streamArn,
      shardId,
      invocationId,
      storedAt: new Date(clock.now()).toISOString(),
    });
    try {
      const answer = await within(remainingMs() - MIN_REQUEST_MS, deadLetters.put(document));
      if (answer !== 'late') return answer.entries;
      log.error('the dead-letter store did not answer in time', about);
    } catch (error) {
      log.error('the dead-letter store did not take the rejected messages', {
        code: isFailure(error) ? error.code : 'STORE_UNAVAILABLE',
        reason: isFailure(error) ? error.what : error instanceof Error ? error.name : 'unknown',
        ...about,
      });
    }
    return undefined;
  };
}
