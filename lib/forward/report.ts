// What an invocation says about itself: one log line, six counters. No record content, no partition key.
import type { PublishedPipeline } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { type Counts, differenceOf } from './conservation.ts';
import type { Received } from './event.ts';
import type { Sent } from './send.ts';
import type { Settlement } from './settle.ts';

export interface Outcome {
  readonly pipeline: PublishedPipeline;
  readonly received: Received;
  readonly invocation: { readonly invocationId: string };
  readonly sent: Sent;
  readonly counts: Counts & Settlement;
  /** Records that were not looked at. */
  readonly left: number;
  /** When the invocation began, ms since the epoch. */
  readonly started: number;
}

/** Received = acknowledged + rejected + returned holds in every invocation. */
export function report(runtime: ForwardRuntime, outcome: Outcome): void {
  const { pipeline, received, invocation, sent, counts, left } = outcome;
  const { metrics, log, clock } = runtime;
  const difference = differenceOf(counts);
  metrics.count('RecordsReceived', counts.decoded + left);
  metrics.count('RecordsAcknowledged', counts.acknowledged);
  metrics.count('RecordsRejected', counts.stored);
  metrics.count('RecordsReturned', counts.unresolved + left);
  metrics.count('Requests', sent.requests);
  metrics.count('ConservationDifference', Math.abs(difference));
  metrics.flush({ pipeline: pipeline.pipeline });
  const level = difference !== 0 ? 'error' : counts.checkpoint === undefined ? 'info' : 'warn';
  log[level](difference !== 0 ? 'messages were miscounted' : 'forwarded', {
    pipeline: pipeline.pipeline,
    shardId: received.shardId,
    invocationId: invocation.invocationId,
    firstSequenceNumber: received.records[0]?.kinesis.sequenceNumber,
    lastSequenceNumber: received.records.at(-1)?.kinesis.sequenceNumber,
    records: received.records.length,
    decoded: counts.decoded,
    acknowledged: counts.acknowledged,
    rejected: counts.stored,
    returned: counts.unresolved + left,
    requests: sent.requests,
    ms: clock.now() - outcome.started,
    checkpoint: counts.checkpoint,
    stopped: sent.stop?.why,
    code: sent.stop?.failure?.code,
  });
}

/** For an invocation that fails as a whole: everything comes again. */
export function reportReturned(
  { metrics }: ForwardRuntime,
  pipeline: PublishedPipeline,
  records: number,
): void {
  metrics.count('RecordsReceived', records);
  metrics.count('RecordsReturned', records);
  metrics.flush({ pipeline: pipeline.pipeline });
}
