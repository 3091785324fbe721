// The marks of the shards' routes, in memory: what the port to DynamoDB does.
import type { Mark, Marks, ShardName } from '../../lib/runtime.ts';

export interface MemoryMarks extends Marks {
  /** By `{stream} {shard} {pipeline}`. */
  readonly all: Map<string, Mark>;
  /** How often each method was called. */
  readonly calls: { read: number; write: number; clear: number };
  /** What every call fails with, while it does. */
  away: Error | undefined;
}

export function memoryMarks(): MemoryMarks {
  const all = new Map<string, Mark>();
  const calls = { read: 0, write: 0, clear: 0 };
  const nameOf = ({ stream, shardId }: ShardName, pipeline: string) => `${stream} ${shardId} ${pipeline}`;
  const called = (method: keyof typeof calls) => {
    calls[method]++;
    if (store.away !== undefined) throw store.away;
  };
  const store: MemoryMarks = {
    all,
    calls,
    away: undefined,
    async read(shard) {
      called('read');
      const prefix = nameOf(shard, '');
      const own = [...all].filter(([name]) => name.startsWith(prefix));
      return new Map(own.map(([name, mark]) => [name.slice(prefix.length), mark]));
    },
    async write(shard, pipeline, mark) {
      called('write');
      all.set(nameOf(shard, pipeline), mark);
    },
    async clear(shard, pipelines) {
      called('clear');
      for (const pipeline of pipelines) all.delete(nameOf(shard, pipeline));
    },
  };
  return store;
}
