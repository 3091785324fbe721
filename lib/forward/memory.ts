// Remembers what AEP acknowledged beyond a checkpoint. Lambda brings it again, and this container then does not send
// it again.
import { keyOf, type Message, sequenceOf } from './read/message.ts';
import type { Settled } from './verdict.ts';

/** A key takes some 100 bytes: 4 MB in all. */
export const MAX_KEYS = 40_000;

interface Shard {
  readonly streamArn: string;
  readonly shardId: string;
  /** Another route of the stream still needs what this one has. */
  readonly pipeline: string;
  /** Another dataset still needs what this one has. */
  readonly datasetId: string;
}

export interface Recalled {
  has(message: Message): boolean;
  readonly isEmpty: boolean;
  /** The key of the last one in the stream's order. */
  readonly latest: string | undefined;
}

export interface Memory {
  /** What is remembered of a shard. */
  recall(shard: Shard): Recalled;
  /**
   * Remembers which messages of a batch AEP acknowledged from the checkpoint on. Without a checkpoint, the whole
   * batch is settled.
   * @param routes of the stream, which divide the memory among them
   */
  keep(shard: Shard, settled: readonly Settled[], checkpoint: string | undefined, routes?: number): void;
}

/** Remembers at most so many messages. The shard that was settled longest ago is forgotten first. */
export function createMemory(mostKeys = MAX_KEYS): Memory {
  const shards = new Map<string, ReadonlySet<string>>();
  const nameOf = ({ streamArn, shardId, pipeline, datasetId }: Shard) =>
    `${streamArn} ${shardId} ${pipeline} ${datasetId}`;

  return {
    recall(shard) {
      const keys = shards.get(nameOf(shard));
      return {
        has: (message) => keys?.has(keyOf(message)) ?? false,
        isEmpty: keys === undefined,
        get latest() {
          return latestOf(keys ?? []);
        },
      };
    },
    keep(shard, settled, checkpoint, routes = 1) {
      const most = Math.floor(mostKeys / routes);
      const name = nameOf(shard);
      const remembered = shards.get(name) ?? new Set<string>();
      shards.delete(name);
      if (checkpoint === undefined && remembered.size === 0) return;
      const floor = floorOf(settled, checkpoint);
      // Lambda may deliver a smaller batch than before: what lies behind it still comes.
      const beyond = new Set([...remembered].filter((key) => BigInt(sequenceOf(key)) >= floor));
      for (const { verdict, message } of settled) {
        if (beyond.size >= most) break;
        if (verdict.kind === 'delivered' && BigInt(message.sequenceNumber) >= floor)
          beyond.add(keyOf(message));
      }
      // If two messages ever had one number, the open one must not count as delivered.
      for (const { verdict, message } of settled)
        if (verdict.kind !== 'delivered') beyond.delete(keyOf(message));
      if (beyond.size === 0) return;
      shards.set(name, beyond);
      let size = [...shards.values()].reduce((sum, keys) => sum + keys.size, 0);
      for (const [oldest, keys] of shards) {
        if (size <= mostKeys) break;
        shards.delete(oldest);
        size -= keys.size;
      }
    },
  };
}

function latestOf(keys: Iterable<string>): string | undefined {
  let latest: string | undefined;
  for (const key of keys) if (latest === undefined || isLater(key, latest)) latest = key;
  return latest;
}

function isLater(key: string, other: string): boolean {
  const [own, others] = [partsOfKey(key), partsOfKey(other)];
  return own.record === others.record ? own.part > others.part : own.record > others.record;
}

function partsOfKey(key: string): { record: bigint; part: number } {
  const record = sequenceOf(key);
  return { record: BigInt(record), part: Number(key.slice(record.length)) };
}

/** Messages below the checkpoint do not come again. */
function floorOf(settled: readonly Settled[], checkpoint: string | undefined): bigint {
  if (checkpoint !== undefined) return BigInt(checkpoint);
  let highest = -1n;
  for (const { message } of settled) {
    const sequenceNumber = BigInt(message.sequenceNumber);
    if (sequenceNumber > highest) highest = sequenceNumber;
  }
  return highest + 1n;
}
