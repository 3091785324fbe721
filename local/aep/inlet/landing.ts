// Where processed rows end: in a batch of the dataset, or in a failed one; and what the flow's run counts.

import { byCategory } from '../counters.ts';
import type { JsonObject } from '../json.ts';
import type { Batch, RefusedRow, Run, Sandbox, Tally, World } from '../state.ts';

const HOUR = 3_600_000;
/** Of the rows kept per dataset: a fuller batch is closed, and a dataset that holds all of them lets so much go. */
const SHARE = 0.1;

export interface Landing {
  readonly sandbox: Sandbox;
  readonly dataSetId: string;
  readonly flowId: string;
  readonly bytes: number;
  readonly rows: JsonObject[];
  readonly refused: RefusedRow[];
  readonly warnings: number;
}

export class Lake {
  readonly #world: World;
  readonly #open = new Map<string, Batch>();
  readonly #kept = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  land(landing: Landing): void {
    const { rows, refused } = landing;
    const run = runOf(this.#world, landing);
    run.input += rows.length + refused.length;
    run.output += rows.length;
    run.failed += refused.length;
    run.warnings += landing.warnings;
    run.bytes += landing.bytes;
    run.updatedAt = this.#world.clock.now();
    if (rows.length > 0) {
      const batch = this.#batch(landing, run, 'landed', rows.length);
      for (const row of rows) batch.rows.push(row);
      batch.rowCount += rows.length;
      this.#world.settings.onLanded(rows);
    }
    if (refused.length > 0) {
      const batch = this.#batch(landing, run, 'refused', refused.length);
      for (const row of refused) batch.refused.push(row);
    }
    this.#forget(landing.sandbox, landing.dataSetId, rows.length + refused.length);
    landing.sandbox.dataSetCounts.add(landing.dataSetId, run.updatedAt, {
      ...(rows.length > 0 ? { records: rows.length, bytes: landing.bytes } : {}),
      ...(refused.length > 0 ? byCategory(refused) : {}),
    });
    const tally = tallyOf(landing);
    tally.landed += rows.length;
    tally.refused += refused.length;
    const { counts } = this.#world.state;
    counts.landed += rows.length;
    counts.refused += refused.length;
    counts.warnings += landing.warnings;
  }

  /** The batch still open for these rows, or a new one; of the bytes it gets its rows' share. */
  #batch(landing: Landing, run: Run, kind: 'landed' | 'refused', count: number): Batch {
    const now = this.#world.clock.now();
    const key = `${landing.sandbox.name} ${landing.dataSetId} ${landing.flowId} ${kind}`;
    let batch = this.#open.get(key);
    if (!batch || now >= batch.sealAt || rowsIn(batch) >= this.#world.settings.keepRows * SHARE) {
      batch = {
        id: this.#world.ids.ulid(now),
        dataSetId: landing.dataSetId,
        flowId: landing.flowId,
        created: now,
        sealAt: now + this.#world.settings.batchWindowMs,
        updated: now,
        bytes: 0,
        rowCount: 0,
        rows: [],
        refused: [],
      };
      this.#open.set(key, batch);
      landing.sandbox.batches.set(batch.id, batch);
      run.batchIds.add(batch.id);
      tallyOf(landing).lastBatchId = batch.id;
      const made = kind === 'landed' ? { batches: 1 } : { failedBatches: 1 };
      landing.sandbox.dataSetCounts.add(landing.dataSetId, now, made);
    }
    batch.updated = now;
    batch.bytes += Math.round((landing.bytes * count) / (landing.rows.length + landing.refused.length));
    return batch;
  }

  /** Keeps memory bounded: the oldest batches of a dataset go, whole, and what went is counted. */
  #forget(sandbox: Sandbox, dataSetId: string, added: number): void {
    const { keepRows } = this.#world.settings;
    const key = `${sandbox.name} ${dataSetId}`;
    let kept = (this.#kept.get(key) ?? 0) + added;
    if (kept > keepRows) {
      for (const batch of sandbox.batches.values()) {
        if (kept <= keepRows * (1 - SHARE)) break;
        if (batch.dataSetId !== dataSetId) continue;
        kept -= rowsIn(batch);
        this.#drop(sandbox, batch);
      }
    }
    this.#kept.set(key, kept);
  }

  /** Nothing leads to it any more: neither the run that names it nor the rows that would still come into it. */
  #drop(sandbox: Sandbox, batch: Batch): void {
    sandbox.batches.delete(batch.id);
    sandbox.runs.get(runKey(batch.flowId, batch.created))?.batchIds.delete(batch.id);
    for (const [key, open] of this.#open) if (open === batch) this.#open.delete(key);
    this.#world.state.counts.forgotten += rowsIn(batch);
  }
}

function rowsIn({ rows, refused }: Batch): number {
  return rows.length + refused.length;
}

/** A run is of an hour. */
function runKey(flowId: string, at: number): string {
  return `${flowId} ${Math.floor(at / HOUR) * HOUR}`;
}

function tallyOf({ sandbox, dataSetId }: Landing): Tally {
  const tally = sandbox.tallies.get(dataSetId) ?? { landed: 0, refused: 0, lastBatchId: undefined };
  sandbox.tallies.set(dataSetId, tally);
  return tally;
}

/** The flow's run of this hour. */
export function runOf(world: World, { sandbox, flowId }: Pick<Landing, 'sandbox' | 'flowId'>): Run {
  const hour = Math.floor(world.clock.now() / HOUR) * HOUR;
  const key = runKey(flowId, hour);
  const known = sandbox.runs.get(key);
  if (known) return known;
  const fresh: Run = {
    id: world.ids.uuid(),
    flowId,
    hour,
    input: 0,
    output: 0,
    failed: 0,
    warnings: 0,
    bytes: 0,
    updatedAt: hour,
    batchIds: new Set(),
    failures: new Map(),
  };
  sandbox.runs.set(key, fresh);
  return fresh;
}
