// Stores what a route rejects or parks, and says so in the log where the store does not take it.
import { FAILURES, isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { DocumentKind, ForwardRuntime } from '../runtime.ts';
import { within } from '../within.ts';
import { deadLetterDocument } from './dead-letters.ts';
import type { Invocation } from './invocation.ts';
import type { Received } from './read/event.ts';
import { MIN_REQUEST_MS } from './send/classes.ts';
import type { Keep } from './settle.ts';
import { isParked, type Rejected, type Settled } from './verdict.ts';

/** What stores a pipeline's rejects, and what it parks in a document of its own. */
export function keeper(
  pipeline: string,
  { streamArn, shardId }: Received,
  { invocationId, remainingMs }: Invocation,
  { deadLetters, clock, log }: Pick<ForwardRuntime, 'deadLetters' | 'clock' | 'log'>,
): Keep {
  const put = async (messages: readonly Settled<Rejected>[], kind: DocumentKind) => {
    if (messages.length === 0) return 0;
    const about = {
      pipeline,
      stream: streamNameOf(streamArn),
      shardId,
      messages: messages.length,
      next: FAILURES.STORE_UNAVAILABLE.next,
    };
    const document = deadLetterDocument(messages, {
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
  return async (kept) => {
    const parked = kept.filter(isParked);
    const rejects = parked.length === 0 ? kept : kept.filter((one) => !isParked(one));
    const [rejectedEntries, parkedEntries] = await Promise.all([
      put(rejects, 'rejected'),
      put(parked.toSorted(inOrder), 'parked'),
    ]);
    if (rejectedEntries === undefined || parkedEntries === undefined) return undefined;
    return rejectedEntries + parkedEntries;
  };
}

/** As the stream has them: a document of parked ones is sent from its beginning. */
function inOrder({ message: one }: Settled, { message: other }: Settled): number {
  const [a, b] = [BigInt(one.sequenceNumber), BigInt(other.sequenceNumber)];
  if (a !== b) return a < b ? -1 : 1;
  return (one.subSequenceNumber ?? 0) - (other.subSequenceNumber ?? 0);
}
