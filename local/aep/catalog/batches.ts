// Catalog's batches: what landed and what was refused, a map by batch id (contract §3.4).

import { type Answer, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import type { AdmittedCall } from '../http.ts';
import { type JsonObject, own } from '../json.ts';
import type { Batch, Sandbox, World } from '../state.ts';
import { select } from './select.ts';

/** `active` is another word for success, `failure` for failed. */
const SYNONYMS: { readonly [status: string]: string } = { active: 'success', failure: 'failed' };

export function listBatches(world: World, call: AdmittedCall): Answer {
  const now = world.clock.now();
  const dataSet = call.query.get('dataSet');
  const status = call.query.get('status');
  const wanted = [...call.sandbox.batches.values()].filter(
    (batch) => (dataSet === null || dataSet.split(',').includes(batch.dataSetId)) && within(call, batch, now),
  );
  const visible = wanted.filter((batch) => batch.created <= now - call.staleMs || call.staleMs === 0);
  const query = new URLSearchParams(call.query);
  if (status !== null)
    query.set(
      'status',
      status
        .split(',')
        .map((each) => own(SYNONYMS, each) ?? each)
        .join(','),
    );
  const named = visible.map((batch) => [batch.id, shown(world, call.sandbox, batch)] as const);
  return json(200, Object.fromEntries(select({ ...call, query }, named)));
}

export function getBatch(world: World, call: AdmittedCall, id: string): Answer {
  return json(200, { [id]: shown(world, call.sandbox, existingBatch(call, id)) });
}

export function existingBatch(call: AdmittedCall, id: string): Batch {
  const batch = call.sandbox.batches.get(id);
  if (batch) return batch;
  throw Refusal.problem(404, 'NotFoundError', `The batch with id '${id}' was not found.`);
}

/** From inactive to deleted: seen within minutes by others (Focus-GTS/aep-mcp-server); how long it takes is not said. */
const COLLECTED_AFTER_MS = 60_000;

/** An open batch is being loaded. Afterwards its refused rows decide, unless the batch was reverted. */
export function statusOf(batch: Batch, now: number): string {
  if (batch.revertedAt !== undefined)
    return now < batch.revertedAt + COLLECTED_AFTER_MS ? 'inactive' : 'deleted';
  if (now < batch.sealAt) return 'processing';
  return batch.refused.length > 0 ? 'failed' : 'success';
}

function within(call: AdmittedCall, batch: Batch, now: number): boolean {
  const bounds: readonly [string, number, number][] = [
    ['createdAfter', batch.created, 1],
    ['createdBefore', batch.created, -1],
    ['startAfter', batch.created, 1],
    ['startBefore', batch.created, -1],
    ['updatedAfter', batch.updated, 1],
    ['updatedBefore', batch.updated, -1],
    ['endAfter', Math.min(batch.sealAt, now), 1],
    ['endBefore', Math.min(batch.sealAt, now), -1],
  ];
  return bounds.every(([name, value, sign]) => {
    const bound = call.query.get(name);
    return bound === null || sign * (value - Number(bound)) > 0;
  });
}

function shown(world: World, sandbox: Sandbox, batch: Batch): JsonObject {
  const status = statusOf(batch, world.clock.now());
  const failed = batch.refused.length;
  // As in Adobe's older samples of a list of batches.
  const client = 'acp_foundation_push';
  const by = (stage: string) => batch.refused.filter((row) => row.stage === stage).length;
  const metrics: JsonObject =
    failed > 0
      ? {
          invalidRecordCount: failed,
          invalidRecordsStreamingValidation: by('streamingValidation'),
          invalidRecordsMapper: by('mapper'),
          recordsSize: batch.bytes,
        }
      : { inputRecordCount: batch.rowCount, outputRecordCount: batch.rowCount, recordsSize: batch.bytes };
  return {
    status,
    created: batch.created,
    createdClient: client,
    createdUser: `${client}@AdobeID`,
    updatedUser: `${client}@AdobeID`,
    updated: batch.updated,
    externalId: batch.id,
    recordCount: batch.rowCount + failed,
    failedRecordCount: failed,
    size: batch.bytes,
    started: batch.created,
    ...(status === 'processing' ? {} : { completed: Math.max(batch.sealAt, batch.created) }),
    imsOrg: world.settings.organization,
    sandboxId: sandbox.id,
    version: '1.0.1',
    tags: { flowId: [batch.flowId] },
    relatedObjects: [{ type: 'dataSet', id: batch.dataSetId }],
    metrics,
    errors: errorsOf(batch),
  };
}

/** One entry per code, with the first reason met. */
function errorsOf(batch: Batch): JsonObject[] {
  const byCode = new Map<string, JsonObject>();
  for (const row of batch.refused) {
    const first = row.violations[0];
    if (byCode.has(row.code)) continue;
    byCode.set(row.code, {
      code: row.code,
      description: `${first?.pointerToViolation ?? '#'}: ${first?.message ?? ''}`,
      rows: [],
    });
  }
  return [...byCode.values()];
}
