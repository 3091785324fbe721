// Puts processed rows into a batch of the dataset, or into a failed one, and counts them in the flow's run.

import { byCategory, count } from '../counters.ts';
import type { JsonObject } from '../json.ts';
import type { Batch, RefusedRow, Run, Sandbox, Tally, World } from '../state.ts';

const HOUR = 3_600_000;
/** The share of the rows kept for a dataset: a batch with more is closed, and a full dataset forgets so many. */
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

export function land(world: World, landing: Landing): void {
  const { sandbox, dataSetId, rows, refused, warnings, bytes } = landing;
  const run = runOf(world, landing);
  run.input += rows.length + refused.length;
  run.output += rows.length;
  run.failed += refused.length;
  run.warnings += warnings;
  run.bytes += bytes;
  run.updatedAt = world.clock.now();
  if (rows.length > 0) {
    const batch = batchFor(world, landing, run, 'landed');
    for (const row of rows) batch.rows.push(row);
    batch.rowCount += rows.length;
    world.settings.onLanded(rows, dataSetId);
  }
  if (refused.length > 0) {
    const batch = batchFor(world, landing, run, 'refused');
    for (const row of refused) batch.refused.push(row);
  }
  forget(world, sandbox, dataSetId, rows.length + refused.length);
  count(sandbox.dataSetCounts, dataSetId, run.updatedAt, {
    ...(rows.length > 0 ? { records: rows.length, bytes } : {}),
    ...(refused.length > 0 ? byCategory(refused) : {}),
  });
  const tally = tallyOf(landing);
  tally.landed += rows.length;
  tally.refused += refused.length;
  const { counts } = world.state;
  counts.landed += rows.length;
  counts.refused += refused.length;
  counts.warnings += warnings;
}

/** The open batch for these rows, or a new one. It gets its rows' share of the bytes. */
function batchFor(world: World, landing: Landing, run: Run, kind: 'landed' | 'refused'): Batch {
  const { sandbox, rows, refused } = landing;
  const now = world.clock.now();
  const key = `${landing.dataSetId} ${landing.flowId} ${kind}`;
  const open = sandbox.openBatches.get(key);
  const isFull = open !== undefined && rowsIn(open) >= world.settings.keepRows * SHARE;
  const batch = open && now < open.sealAt && !isFull ? open : begun(world, landing, run, kind);
  sandbox.openBatches.set(key, batch);
  batch.updated = now;
  const share = kind === 'landed' ? rows.length : refused.length;
  batch.bytes += Math.round((landing.bytes * share) / (rows.length + refused.length));
  return batch;
}

function begun(world: World, landing: Landing, run: Run, kind: 'landed' | 'refused'): Batch {
  const { sandbox, dataSetId, flowId } = landing;
  const now = world.clock.now();
  const batch: Batch = {
    id: world.ids.ulid(now),
    dataSetId,
    flowId,
    created: now,
    sealAt: now + world.settings.batchWindowMs,
    updated: now,
    bytes: 0,
    rowCount: 0,
    rows: [],
    refused: [],
  };
  sandbox.batches.set(batch.id, batch);
  run.batchIds.add(batch.id);
  tallyOf(landing).lastBatchId = batch.id;
  count(sandbox.dataSetCounts, dataSetId, now, kind === 'landed' ? { batches: 1 } : { failedBatches: 1 });
  return batch;
}

/** Keeps memory bounded: the oldest batches of a dataset go, whole, and what went is counted. */
function forget(world: World, sandbox: Sandbox, dataSetId: string, added: number): void {
  const { keepRows } = world.settings;
  let kept = (sandbox.keptRows.get(dataSetId) ?? 0) + added;
  if (kept > keepRows) {
    for (const batch of sandbox.batches.values()) {
      if (kept <= keepRows * (1 - SHARE)) break;
      if (batch.dataSetId !== dataSetId) continue;
      kept -= rowsIn(batch);
      drop(world, sandbox, batch);
    }
  }
  sandbox.keptRows.set(dataSetId, kept);
}

/** Removes the batch from its run and from the open batches, so that nothing refers to it. */
function drop(world: World, sandbox: Sandbox, batch: Batch): void {
  sandbox.batches.delete(batch.id);
  sandbox.runs.get(runKey(batch.flowId, batch.created))?.batchIds.delete(batch.id);
  for (const [key, open] of sandbox.openBatches) if (open === batch) sandbox.openBatches.delete(key);
  world.state.counts.forgotten += rowsIn(batch);
}

function rowsIn({ rows, refused }: Batch): number {
  return rows.length + refused.length;
}

/** A run is of an hour. */
function runKey(flowId: string, at: number): string {
  return `${flowId} ${Math.floor(at / HOUR) * HOUR}`;
}

/** The exact counts of a dataset. */
export function tallyOf({ sandbox, dataSetId }: Pick<Landing, 'sandbox' | 'dataSetId'>): Tally {
  const tally = sandbox.tallies.get(dataSetId) ?? {
    landed: 0,
    refused: 0,
    profileOnly: 0,
    lastBatchId: undefined,
  };
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
