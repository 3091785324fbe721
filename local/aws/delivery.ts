// Delivers one batch to its end: every record of it is settled by the function, or discarded by the mapping's limits.
import type { Checkpoint } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import type { InvocationResult } from './function-errors.ts';
import { type EventRecord, kinesisEvent, type StreamEvent } from './kinesis-event.ts';
import {
  afterInvocation,
  type Discarded,
  newPiece,
  type Outcome,
  type Piece,
  type RetrySettings,
  splitByAge,
} from './retry-rules.ts';

/** One invocation, as told to `onInvocation`. */
export interface InvocationReport {
  streamName: string;
  shardId: string;
  records: number;
  /** How many of them had been handed over before. */
  redelivered: number;
  startedAt: number;
  durationMs: number;
  outcome: 'delivered' | 'partial' | 'failed';
  /** Why records come back. */
  reason?: string;
}

export interface Backoff {
  /**
   * The pause before a batch is delivered again doubles from `firstRetryMs` to `maxRetryMs`. The defaults give the 8 invocations within
   * 60 s that were recorded against AWS for a function that fails at once.
   */
  firstRetryMs: number;
  maxRetryMs: number;
}

export interface DeliveryPorts {
  streamName: string;
  shardId: string;
  checkpoint: Checkpoint;
  clock: Clock;
  pace: Backoff;
  /** Ends the delivery after the invocation in flight. */
  stop: AbortSignal;
  invoke(event: StreamEvent): Promise<InvocationResult>;
  onInvocation(report: InvocationReport): void;
  /** Leaves an artefact of discarded records; while it throws they are kept, and it is called again. */
  onDiscard(shardId: string, discarded: Discarded): Promise<void>;
}

/**
 * Piece by piece in the order of the shard, because Lambda does not go on before a piece is settled or discarded.
 *
 * A delivery that is stopped forgets its attempts: what is left begins anew when the mapping is switched on again.
 */
export async function deliver(
  batch: readonly EventRecord[],
  settings: RetrySettings,
  ports: DeliveryPorts,
): Promise<void> {
  const backoff = createBackoff(ports);
  const pieces = [newPiece(batch)];
  for (let piece = pieces.shift(); piece && !ports.stop.aborted; piece = pieces.shift()) {
    const { expired, live } = splitByAge(piece.records, ports.clock.now(), settings);
    const { invocations } = piece;
    if (expired.length > 0) {
      pieces.unshift({ ...piece, records: live });
      await discard({ condition: 'RecordAgeExceeded', records: expired, invocations }, ports);
    } else if (live.length > 0) {
      const outcome = await invoke(piece, settings, ports);
      ports.checkpoint.settle(outcome.settled);
      pieces.unshift(...outcome.again);
      if (outcome.discarded) await discard(outcome.discarded, ports);
      if (outcome.settled.length > 0) backoff.reset();
      if (outcome.again.length > 0) await backoff.wait();
    }
  }
}

async function invoke(piece: Piece, settings: RetrySettings, ports: DeliveryPorts): Promise<Outcome> {
  const startedAt = ports.clock.now();
  const redelivered = ports.checkpoint.handOver(piece.records);
  const result = await ports.invoke(kinesisEvent(piece.records));
  const outcome = afterInvocation(piece, result, settings);
  const settled = outcome.settled.length;
  ports.onInvocation({
    streamName: ports.streamName,
    shardId: ports.shardId,
    records: piece.records.length,
    redelivered,
    startedAt,
    durationMs: ports.clock.now() - startedAt,
    outcome: settled === piece.records.length ? 'delivered' : settled > 0 ? 'partial' : 'failed',
    ...(outcome.reason !== undefined && { reason: outcome.reason }),
  });
  return outcome;
}

/** The checkpoint passes discarded records only when their artefact is there. */
async function discard(discarded: Discarded, ports: DeliveryPorts): Promise<void> {
  const backoff = createBackoff(ports);
  while (!ports.stop.aborted) {
    try {
      await ports.onDiscard(ports.shardId, discarded);
      return ports.checkpoint.settle(discarded.records);
    } catch {
      await backoff.wait();
    }
  }
}

function createBackoff({ clock, pace, stop }: DeliveryPorts) {
  let next = pace.firstRetryMs;
  return {
    reset: () => {
      next = pace.firstRetryMs;
    },
    wait: async () => {
      const pause = next;
      next = Math.min(next * 2, pace.maxRetryMs);
      await clock.sleep(pause, stop);
    },
  };
}
