// Whether a pipeline has moved on since a run that has failed: by what the ledger keeps of the last one that succeeded.
import type { Ledger } from '../runtime.ts';

/** Asks which execution, begun after a moment (ms since the epoch), has succeeded on a pipeline; `undefined`: none. */
export type Newer = (pipeline: string, since: number) => Promise<string | undefined>;

/** The answers throw what reading the ledger does. */
export function newerIn(ledger: Pick<Ledger, 'read'>): Newer {
  return async (pipeline, since) => {
    const record = await ledger.read(pipeline);
    const last = lastOf(record?.succeeded) ?? succeededIn(record?.report);
    return last !== undefined && last.startedAt > since ? last.id : undefined;
  };
}

/** The ending of a report that has changed something, or found that nothing was to change. */
const SUCCEEDED = ['succeeded', 'retired'];

/** What was kept before the ledger had a place for it: the report of the very last execution, should that have succeeded. */
function succeededIn(report: unknown): ReturnType<typeof lastOf> {
  const { outcome, execution } = (report ?? {}) as { outcome?: unknown; execution?: unknown };
  return SUCCEEDED.includes(String(outcome)) ? lastOf(execution) : undefined;
}

function lastOf(execution: unknown): { id: string; startedAt: number } | undefined {
  const { id, startedAt } = (execution ?? {}) as { id?: unknown; startedAt?: unknown };
  const at = Date.parse(String(startedAt));
  return typeof id === 'string' && Number.isFinite(at) ? { id, startedAt: at } : undefined;
}
