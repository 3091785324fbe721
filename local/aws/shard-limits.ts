// What a shard gives its readers, all of them together: five reads and two megabytes a second, ten megabytes at once.
// By the API Reference of GetRecords and "Quotas and limits" of the Developer Guide.

const READS_PER_SECOND = 5;
const BYTES_PER_SECOND = 2 * 1024 * 1024;

interface Read {
  readonly at: number;
  readonly bytes: number;
}

export interface ShardLimits {
  /** A read of this shard. @throws Error `ProvisionedThroughputExceededException` */
  ask(shard: string): void;
  /** What the last read of it gave. */
  gave(shard: string, bytes: number): void;
}

/** @param now in ms */
export function createShardLimits(now: () => number = Date.now): ShardLimits {
  const reads = new Map<string, Read[]>();
  return {
    ask(shard) {
      const time = now();
      const recent = (reads.get(shard) ?? []).filter((read) => time < read.at + spanOf(read));
      reads.set(shard, recent);
      const bytes = recent.reduce((sum, read) => sum + read.bytes, 0);
      if (recent.length >= READS_PER_SECOND || bytes >= BYTES_PER_SECOND) throw exceeded(shard);
      recent.push({ at: time, bytes: 0 });
    },
    gave(shard, bytes) {
      const last = reads.get(shard)?.pop();
      if (last !== undefined) reads.get(shard)?.push({ ...last, bytes });
    },
  };
}

/** How long a read counts: a second, or as long as its bytes take. AWS: after 10 MB, reads fail for 5 seconds. */
function spanOf({ bytes }: Read): number {
  return Math.max(1_000, (bytes / BYTES_PER_SECOND) * 1_000);
}

function exceeded(shard: string): Error {
  return Object.assign(new Error(`Rate exceeded for shard ${shard}.`), {
    name: 'ProvisionedThroughputExceededException',
  });
}
