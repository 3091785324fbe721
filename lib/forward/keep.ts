// Stores what a route rejects or parks, and says so in the log where the store does not take it.
import { FAILURES, isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { within } from '../within.ts';
import { deadLetterDocument } from './dead-letters.ts';
import type { Invocation } from './invocation.ts';
import type { Received } from './read/event.ts';
import { MIN_REQUEST_MS } from './send/classes.ts';
import type { Keep } from './settle.ts';
import { isParked, type Settled } from './verdict.ts';

/** What stores a pipeline's rejects, or what it parks. */
export function keeper(
  pipeline: string,
  { streamArn, shardId }: Received,
  { invocationId, remainingMs }: Invocation,
  { deadLetters, clock, log }: Pick<ForwardRuntime, 'deadLetters' | 'clock' | 'log'>,
): Keep {
  return async (rejects) => {
    const kind = rejects.some(isParked) ? 'parked' : 'rejected';
    const about = {
      pipeline,
      stream: streamNameOf(streamArn),
      shardId,
      messages: rejects.length,
      next: FAILURES.STORE_UNAVAILABLE.next,
    };
    const document = deadLetterDocument(kind === 'parked' ? rejects.toSorted(inOrder) : rejects, {
      pipeline,
      streamArn,
      shardId,
      invocationId,
      storedAt: new Date(clock.now()).toISOString(),
    });
    try {
      const answer = await within(remainingMs() - MIN_REQUEST_MS, deadLetters.put(document, kind));
      if (answer !== 'late') return answer.entries;
      log.error('the dead-letter store did not answer in time', about);
    } catch (error) {
      log.error(`the dead-letter store did not take the ${kind} messages`, {
        code: isFailure(error) ? error.code : 'STORE_UNAVAILABLE',
        reason: isFailure(error) ? error.what : error instanceof Error ? error.name : 'unknown',
        ...about,
      });
    }
    return undefined;
  };
}

/** As the stream has them: a document of parked ones is sent from its beginning. */
function inOrder({ message: one }: Settled, { message: other }: Settled): number {
  const [a, b] = [BigInt(one.sequenceNumber), BigInt(other.sequenceNumber)];
  if (a !== b) return a < b ? -1 : 1;
  return (one.subSequenceNumber ?? 0) - (other.subSequenceNumber ?? 0);
}
