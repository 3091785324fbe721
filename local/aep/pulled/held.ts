// Event Hubs and Pub/Sub, played here: what was put in by the simulator's own page, and what of it a flow gets.
import type { Held, HeldRecord, Progress } from './memory.ts';
import type { PulledSource } from './source.ts';

/** What a flow gets now, and how much it will never get. */
export interface Taken {
  readonly records: readonly HeldRecord[];
  readonly passedOver: number;
  /** What was there for it, and is not kept any more (`forget`). */
  readonly forgotten: number;
}

/** Takes what there is for the flow. What it has taken it does not get again. */
export function take({ kind }: PulledSource, held: Held, progress: Progress): Taken {
  // A message is acknowledged when it is taken, and then gone; a subscription keeps it until then, whatever the flow's state.
  if (kind === 'pubsub') {
    const { forgotten } = held;
    held.forgotten = 0;
    return { records: held.records.splice(0), passedOver: 0, forgotten };
  }
  const from = progress.passed ?? startIn(held, progress);
  const passedOver = progress.passed === undefined ? from - held.forgotten : 0;
  const records = held.records.slice(Math.max(0, from - held.forgotten));
  progress.passed = held.forgotten + held.records.length;
  return { records, passedOver, forgotten: Math.max(0, held.forgotten - from) };
}

/** `earliest` is the default of `reset` (contract §4.4). */
function startIn({ records, forgotten }: Held, { params, warmSince }: Progress): number {
  if (params.reset !== 'latest') return forgotten;
  const first = records.findIndex(({ at }) => at >= warmSince);
  return forgotten + (first === -1 ? records.length : first);
}

/** An event hub keeps what was read, for other readers, and a subscription what was not: here so many of the newest. */
export function forget(held: Held, most: number): void {
  const surplus = held.records.length - most;
  if (surplus <= 0) return;
  held.records.splice(0, surplus);
  held.forgotten += surplus;
}
