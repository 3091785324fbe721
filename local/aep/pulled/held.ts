// Simulated Event Hubs and Pub/Sub: what was put in by the simulator's own page, and what of it a flow gets.
import type { Held, HeldRecord, Progress } from './memory.ts';
import type { PulledSource } from './source.ts';

/** The records that a flow gets now, and how many it will never get. */
export interface Taken {
  readonly records: readonly HeldRecord[];
  readonly passedOver: number;
  /** What was there for it, and is not kept any more (`forget`). */
  readonly forgotten: number;
}

/** Takes the records that wait for the flow. It does not get them again. */
export function take({ kind }: PulledSource, held: Held, progress: Progress): Taken {
  // A message is acknowledged when it is taken. Until then a subscription keeps it, whatever the flow's state.
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

/** An event hub keeps what was read, for other readers. A subscription keeps what was not. Here both keep the newest records only. */
export function forget(held: Held, most: number): void {
  const surplus = held.records.length - most;
  if (surplus <= 0) return;
  held.records.splice(0, surplus);
  held.forgotten += surplus;
}
