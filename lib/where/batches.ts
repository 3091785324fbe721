// The batches that had a record, by the forwarder's log, for each route of its stream.
import { streamNameOf } from '../published.ts';
import type { ForwardedBatch, WhereRuntime } from '../runtime.ts';
import type { Spot } from './stored.ts';

/** A record is read soon after it came, but the clocks of Kinesis and of the forwarder may differ. */
const CLOCK_MS = 60_000;

export interface SearchedLog {
  readonly streamArn: string;
  readonly pipelines: readonly string[];
  /** When to stop looking, ms since the epoch. */
  readonly until: number;
}

export interface LoggedBatches {
  /** By pipeline. */
  readonly batches: ReadonlyMap<string, readonly ForwardedBatch[]>;
  readonly complete: boolean;
}

/** Of each route, the log entries up to the batch that settled it: later ones are not about it. */
export async function batchesWith(
  { shardId, sequenceNumber }: Spot,
  arrivedAt: number,
  { until, streamArn, pipelines }: SearchedLog,
  { forwardLog, clock }: WhereRuntime,
): Promise<LoggedBatches> {
  const number = BigInt(sequenceNumber);
  const stream = streamNameOf(streamArn);
  const batches = new Map(pipelines.map((pipeline) => [pipeline, [] as ForwardedBatch[]]));
  const open = new Set(pipelines);
  for await (const page of forwardLog.batches({ stream, shardId }, Math.max(0, arrivedAt - CLOCK_MS))) {
    for (const batch of page) {
      if (number < BigInt(batch.first) || number > BigInt(batch.last)) continue;
      const settled = howSettled(batch, number);
      for (const pipeline of [...open].filter((one) => isLineOf(batch, one, stream))) {
        batches.get(pipeline)?.push({ ...batch, settled });
        if (settled === true) open.delete(pipeline);
      }
      if (open.size === 0) return { batches, complete: true };
    }
    if (clock.now() > until) return { batches, complete: false };
  }
  return { batches, complete: true };
}

function howSettled(batch: ForwardedBatch, number: bigint): NonNullable<ForwardedBatch['settled']> {
  const { checkpoint, ownCheckpoint, unrouted } = batch;
  if (checkpoint === undefined || number < BigInt(checkpoint)) return true;
  const isOneOfSeveral = unrouted !== undefined;
  return isOneOfSeveral && (ownCheckpoint === undefined || number < BigInt(ownCheckpoint))
    ? 'by-route'
    : false;
}

/** Where no pipeline could be read, the line has the stream's name, and all of the batch comes again. */
function isLineOf(
  { pipeline: its, checkpoint, first }: ForwardedBatch,
  pipeline: string,
  stream: string,
): boolean {
  return its === undefined || its === pipeline || (its === stream && checkpoint === first);
}
