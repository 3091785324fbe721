// The marks of the shards' routes, in memory: what the port to DynamoDB does.
import type { Mark, Marks, Outage, ShardName } from '../../lib/runtime.ts';

export interface MemoryMarks extends Marks {
  /** By `{stream} {shard} {pipeline}`. */
  readonly all: Map<string, Mark>;
  /** The same for outages. */
  readonly outages: Map<string, Outage>;
  /** How often each method was called. */
  readonly calls: Record<keyof Marks, number>;
  /** What every call fails with, while it does. */
  away: Error | undefined;
}

export function memoryMarks(): MemoryMarks {
  const all = new Map<string, Mark>();
  const outages = new Map<string, Outage>();
  const calls = { read: 0, write: 0, clear: 0, outage: 0, outageLasts: 0, outageEnded: 0 };
  const nameOf = ({ stream, shardId }: ShardName, pipeline: string) => `${stream} ${shardId} ${pipeline}`;
  const called = (method: keyof typeof calls) => {
    calls[method]++;
    if (store.away !== undefined) throw store.away;
  };
  const store: MemoryMarks = {
    all,
    outages,
    calls,
    away: undefined,
    async read(shard) {
      called('read');
      const prefix = nameOf(shard, '');
      const own = <T>(kept: ReadonlyMap<string, T>) => {
        const found = [...kept].filter(([name]) => name.startsWith(prefix));
        return new Map(found.map(([name, one]) => [name.slice(prefix.length), one]));
      };
      return { marks: own(all), outages: own(outages) };
    },
    async write(shard, pipeline, mark) {
      called('write');
      all.set(nameOf(shard, pipeline), mark);
    },
    async clear(shard, pipelines) {
      called('clear');
      for (const pipeline of pipelines) all.delete(nameOf(shard, pipeline));
    },
    async outage(shard, pipeline, outage) {
      called('outage');
      outages.set(nameOf(shard, pipeline), outage);
    },
    async outageLasts(shard, pipeline) {
      called('outageLasts');
      return outages.has(nameOf(shard, pipeline));
    },
    async outageEnded(shard, pipeline) {
      called('outageEnded');
      outages.delete(nameOf(shard, pipeline));
    },
  };
  return store;
}
