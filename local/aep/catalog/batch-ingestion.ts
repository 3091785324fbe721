// Batch Ingestion: reverts a batch. Nothing else of it applies to batches of streamed rows.

import { type Answer, empty } from '../answer.ts';
import { Refusal } from '../errors.ts';
import type { AdmittedCall } from '../http.ts';
import { notSimulated } from '../not-simulated.ts';
import type { Route } from '../router.ts';
import type { World } from '../state.ts';
import { existingBatch, statusOf } from './batches.ts';

const BASE = '/data/foundation/import';

export function batchIngestionRoutes(world: World): Route<AdmittedCall>[] {
  return [['POST', `${BASE}/batches/:id`, (call, id = '') => actOnBatch(world, call, id)]];
}

function actOnBatch(world: World, call: AdmittedCall, id: string): Answer {
  const action = call.query.get('action') ?? '';
  if (action === 'REVERT') return revert(world, call, id);
  // Of batches of files, which nothing here takes in (ingestion/batch-ingestion/api-overview.md).
  if (action === 'COMPLETE' || action === 'ABORT' || action === 'FAIL')
    throw notSimulated(`action=${action}`, 'It is of a batch of files');
  throw Refusal.problem(400, 'BadRequest', `Unknown action '${action}'`);
}

/**
 * The batch becomes inactive, and deleted some time later (ingestion/batch-ingestion/api-overview.md, "Delete a batch"). Where there
 * is nothing to take back, AEP answers 428 with ERR-BI-104: others saw it for an aborted batch (Focus-GTS/aep-mcp-server,
 * 2026-08-15). The same for a batch that failed or is still being loaded is our guess. So is the body.
 */
function revert(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id);
  const now = world.clock.now();
  const status = statusOf(batch, now);
  if (status !== 'success') {
    const detail = `ERR-BI-104: the batch ${id} cannot be reverted in the status '${status}'.`;
    throw Refusal.problem(428, 'PreconditionRequired', detail);
  }
  batch.revertedAt = now;
  batch.updated = now;
  const tally = call.sandbox.tallies.get(batch.dataSetId);
  if (tally) tally.landed -= batch.rowCount;
  return empty(200);
}
