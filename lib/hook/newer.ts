// Whether a later execution on a pipeline has succeeded since one failed, by the ledger's last success.
import type { Ledger } from '../runtime.ts';

/**
 * The execution that began after a moment (ms since the epoch) and has succeeded; `undefined` if there is
 * none.
 */
export type Newer = (pipeline: string, since: number) => Promise<string | undefined>;

/** Throws what reading the ledger throws. */
export function newerIn(ledger: Pick<Ledger, 'read'>): Newer {
  return async (pipeline, since) => {
    const record = await ledger.read(pipeline);
    const last = lastOf(record?.succeeded) ?? succeededIn(record?.report);
    return last !== undefined && last.startedAt > since ? last.id : undefined;
  };
}

/** The outcomes of a report whose execution changed something, or found nothing to change. */
const SUCCEEDED = ['succeeded', 'retired'];

/** Entries of older versions have no place for it: the last report counts, if its execution succeeded. */
function succeededIn(report: unknown): ReturnType<typeof lastOf> {
  const { outcome, execution } = (report ?? {}) as { outcome?: unknown; execution?: unknown };
  return SUCCEEDED.includes(String(outcome)) ? lastOf(execution) : undefined;
}

function lastOf(execution: unknown): { id: string; startedAt: number } | undefined {
  const { id, startedAt } = (execution ?? {}) as { id?: unknown; startedAt?: unknown };
  const at = Date.parse(String(startedAt));
  return typeof id === 'string' && Number.isFinite(at) ? { id, startedAt: at } : undefined;
}
