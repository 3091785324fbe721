// The last batches of each dataset, as `lastBatches` and the datasets themselves tell of them (Adobe's description of Catalog).

import { type Answer, json } from '../answer.ts';
import type { AdmittedCall } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { Batch, Sandbox, World } from '../state.ts';
import { statusOf } from './batches.ts';
import { select } from './select.ts';

export interface LastBatches {
  readonly first: Batch;
  last: Batch;
  succeeded?: Batch;
  failed?: Batch;
  /** Bytes in the lake, of batches that are kept. Reverted batches do not count. */
  storedBytes: number;
}

/**
 * The last batches of every dataset that has one.
 * @param before batches made later than this do not count, in ms since the epoch
 */
export function lastBatchesOf(
  world: World,
  sandbox: Sandbox,
  before = Number.POSITIVE_INFINITY,
): Map<string, LastBatches> {
  const found = new Map<string, LastBatches>();
  const now = world.clock.now();
  // In the order in which they were made.
  for (const batch of sandbox.batches.values()) {
    if (batch.created > before) continue;
    const status = statusOf(batch, now);
    const entry = found.get(batch.dataSetId) ?? { first: batch, last: batch, storedBytes: 0 };
    found.set(batch.dataSetId, entry);
    entry.last = batch;
    if (status === 'success') entry.succeeded = batch;
    if (status === 'failed') entry.failed = batch;
    if (batch.revertedAt === undefined && batch.rowCount > 0) entry.storedBytes += batch.bytes;
  }
  return found;
}

/** A map by dataset; a filter of each property, `dataSetId` may be several. */
export function listLastBatches(world: World, call: AdmittedCall): Answer {
  const query = new URLSearchParams(call.query);
  const wanted = query.get('dataSetId')?.split(',');
  query.delete('dataSetId');
  const before = call.staleMs === 0 ? undefined : world.clock.now() - call.staleMs;
  const named = [...lastBatchesOf(world, call.sandbox, before)]
    .filter(([id]) => wanted === undefined || wanted.includes(id))
    .map(([id, entry]) => [id, shown(world, call.sandbox, entry)] as const);
  return json(200, Object.fromEntries(select({ ...call, query }, named)));
}

/** Adobe does not say when the entry itself was made. Here it was with the first batch, and it was changed with the last. */
function shown(world: World, sandbox: Sandbox, entry: LastBatches): JsonObject {
  const { first, last, succeeded, failed } = entry;
  return {
    lastBatchId: last.id,
    lastBatchStatus: statusOf(last, world.clock.now()),
    ...(succeeded === undefined ? {} : { lastSuccessfulBatchId: succeeded.id }),
    ...(failed === undefined ? {} : { lastFailedBatchId: failed.id }),
    imsOrg: world.settings.organization,
    sandboxId: sandbox.id,
    created: first.created,
    updated: last.updated,
  };
}
