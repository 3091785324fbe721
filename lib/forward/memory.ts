// What was acknowledged beyond a checkpoint: Lambda brings it again, and it need not be sent again while this container lives.
import { keyOf, type Message } from './message.ts';
import type { Settled } from './verdict.ts';

/** A key takes some 100 bytes: 4 MB in all. */
const MOST_KEYS = 40_000;

interface Shard {
  readonly streamArn: string;
  readonly shardId: string;
  /** Another dataset wants what this one has as well. */
  readonly datasetId: string;
}

export interface Memory {
  /** What is remembered of a shard. */
  recall(shard: Shard): { has(message: Message): boolean };
  /** Remembers of a batch what AEP has acknowledged from the checkpoint on; without one, the shard is past the batch. */
  keep(shard: Shard, settled: readonly Settled[], checkpoint: string | undefined): void;
}

/** At most so many messages in all; the shard that was settled longest ago is forgotten first. */
export function createMemory(mostKeys = MOST_KEYS): Memory {
  const shards = new Map<string, ReadonlySet<string>>();
  const nameOf = ({ streamArn, shardId, datasetId }: Shard) => `${streamArn} ${shardId} ${datasetId}`;

  return {
    recall(shard) {
      const keys = shards.get(nameOf(shard));
      return { has: (message) => keys?.has(keyOf(message)) ?? false };
    },
    keep(shard, settled, checkpoint) {
      const name = nameOf(shard);
      const remembered = shards.get(name) ?? new Set<string>();
      shards.delete(name);
      if (checkpoint === undefined && remembered.size === 0) return;
      const floor = floorOf(settled, checkpoint);
      // What lies behind a batch that Lambda has made smaller is still to come.
      const beyond = new Set([...remembered].filter((key) => sequenceOf(key) >= floor));
      for (const { verdict, message } of settled) {
        if (beyond.size >= mostKeys) break;
        if (verdict.kind === 'delivered' && BigInt(message.sequenceNumber) >= floor)
          beyond.add(keyOf(message));
      }
      // Two of one number are not to be: were there such, one must not pass for the other.
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

/** What is below will not come again. */
function floorOf(settled: readonly Settled[], checkpoint: string | undefined): bigint {
  if (checkpoint !== undefined) return BigInt(checkpoint);
  let highest = -1n;
  for (const { message } of settled) {
    const sequenceNumber = BigInt(message.sequenceNumber);
    if (sequenceNumber > highest) highest = sequenceNumber;
  }
  return highest + 1n;
}

function sequenceOf(key: string): bigint {
  return BigInt(key.split(' ', 1)[0] ?? key);
}
