// The lists of the streams' routes, in memory: what the port to DynamoDB does.
import type { Routes } from '../../lib/runtime.ts';

export interface MemoryRoutes extends Routes {
  /** By the streams' names, as JSON. */
  readonly lists: ReadonlyMap<string, { readonly text: string; readonly version: string }>;
  /** How many lists were written or removed. */
  writes(): number;
  /** As if no stream had ever had a route. */
  clear(): void;
}

/** @param from what it holds at first */
export function memoryRoutes(from?: Pick<MemoryRoutes, 'lists' | 'writes'>): MemoryRoutes {
  const lists = new Map(from?.lists);
  let writes = from?.writes() ?? 0;
  return {
    lists,
    writes: () => writes,
    clear: () => lists.clear(),
    async read(stream) {
      const there = lists.get(stream);
      return { value: there && (JSON.parse(there.text) as unknown), version: there?.version };
    },
    async write(stream, value, version) {
      if (lists.get(stream)?.version !== version) return false;
      writes++;
      lists.set(stream, { text: JSON.stringify(value), version: `version-${writes}` });
      return true;
    },
    async remove(stream, version) {
      if (lists.get(stream)?.version !== version) return false;
      writes++;
      lists.delete(stream);
      return true;
    },
  };
}
