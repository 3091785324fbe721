// Reads the next records of a stream, from all of its shards in turn.
import type { StreamPosition, StreamRecord, TapRuntime } from '../runtime.ts';
import type { TapCursor } from './request.ts';

/** A record, and where it is. */
export interface ShardRecord {
  readonly shardId: string;
  readonly record: StreamRecord;
}

/** A shard's page has up to 10 MB; this bounds the memory. */
const SHARDS_AT_ONCE = 4;

/** Nothing new is begun after so long, in ms: whoever asks wants to see something. */
const READ_MS = 15_000;

/**
 * The records behind the cursor, at most so many. Those of a shard stay in order. Shards take turns, so that a busy one
 * does not hide the others beside it.
 */
export async function nextRecords(
  streamArn: string,
  { since, after }: TapCursor,
  most: number,
  { stream, clock }: Pick<TapRuntime, 'stream' | 'clock'>,
): Promise<ShardRecord[]> {
  const until = clock.now() + READ_MS;
  const found: ShardRecord[] = [];
  const shards = await stream.shards(streamArn);
  const first = async (shardId: string): Promise<ShardRecord[]> => {
    const sequenceNumber = after[shardId];
    const from: StreamPosition =
      sequenceNumber === undefined ? { kind: 'time', time: since } : { kind: 'after', sequenceNumber };
    for await (const { records, last } of stream.pages(streamArn, shardId, from)) {
      if (records.length > 0) return records.slice(0, most).map((record) => ({ shardId, record }));
      if (last || clock.now() > until) break;
    }
    return [];
  };
  for (let at = 0; at < shards.length && found.length < most && clock.now() <= until; at += SHARDS_AT_ONCE)
    found.push(...inTurn(await Promise.all(shards.slice(at, at + SHARDS_AT_ONCE).map(first))));
  return found.slice(0, most);
}

/** The first of each, then the second of each, and so on. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}
