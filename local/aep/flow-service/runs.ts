// Runs: what a flow did, hour by hour (contract §4.7), in the shape of Adobe's tutorial on monitoring (sources/tutorials/api/monitor.md).

import type { Answer } from '../answer.ts';
import type { AdmittedCall } from '../http.ts';
import { arrayAt, type Json, type JsonObject } from '../json.ts';
import type { Flow, Run, World } from '../state.ts';
import { list, missing, one } from './entities.ts';

const HOUR = 3_600_000;

export function listRuns(world: World, call: AdmittedCall): Answer {
  return list(
    call,
    'runs',
    [...call.sandbox.runs.values()].map((run) => shown(world, call, run)),
  );
}

export function getRun(world: World, call: AdmittedCall, id: string): Answer {
  const run = [...call.sandbox.runs.values()].find((each) => each.id === id);
  if (run) return one(shown(world, call, run));
  throw missing(call, 'runs', id, 404);
}

/** The last of a flow, as the flow itself tells of it. */
export function lastRunDetails(world: World, call: AdmittedCall, flowId: string): JsonObject | undefined {
  // In the order in which they were made.
  const run = [...call.sandbox.runs.values()].findLast((each) => each.flowId === flowId);
  if (run === undefined) return undefined;
  return { id: run.id, state: statusOf(world, run), ...duration(world, run) };
}

const isOver = (world: World, run: Run): boolean => world.clock.now() >= run.hour + HOUR;

/**
 * In Adobe's sample, a run with one failed record among a hundred has `success`, with the errors beside it
 * (sources/tutorials/api/monitor.md). Two rules are ours: a run of which nothing landed has failed, and the current hour is in progress.
 */
function statusOf(world: World, run: Run): string {
  // Why its source could not be read is shown at once.
  if (run.failures.size > 0) return 'failed';
  if (!isOver(world, run)) return 'inProgress';
  return run.failed > 0 && run.output === 0 ? 'failed' : 'success';
}

function duration(world: World, run: Run): JsonObject {
  return { startedAtUTC: run.hour, ...(isOver(world, run) ? { completedAtUTC: run.hour + HOUR } : {}) };
}

function shown(world: World, call: AdmittedCall, run: Run): JsonObject {
  const flow = call.sandbox.flows.get(run.flowId);
  const by = flow?.createdBy ?? call.clientId;
  const user = `${by}@techacct.adobe.com`;
  const records: JsonObject = {
    inputRecordCount: run.input,
    outputRecordCount: run.output,
    createdRecordCount: run.output,
    failedRecordCount: run.failed,
    warningRecordCount: run.warnings,
    failedInfo: run.failed > 0 ? [{ recordCount: run.failed }] : [],
  };
  const common = {
    durationSummary: duration(world, run),
    sizeSummary: { inputBytes: run.bytes, outputBytes: run.bytes },
    recordSummary: records,
  };
  const errors: Json[] = [...run.failures.values()].map(({ code, message }) => ({ code, message }));
  if (run.failed > 0)
    errors.push({ code: 'CONNECTOR-2001-500', message: 'Error occurred at promotion activity.' });
  const status = { status: statusOf(world, run), errors };
  return {
    id: run.id,
    createdAt: run.hour,
    updatedAt: run.updatedAt,
    createdBy: user,
    updatedBy: user,
    createdClient: by,
    updatedClient: by,
    sandboxId: call.sandbox.id,
    sandboxName: call.sandbox.name,
    imsOrgId: world.settings.organization,
    flowId: run.flowId,
    ...(flow?.body.flowSpec === undefined ? {} : { flowSpec: flow.body.flowSpec }),
    etag: `"${run.id}"`,
    metrics: { ...common, statusSummary: { ...status, activityRefs: ['promotionActivity'] } },
    activities: [
      {
        id: 'promotionActivity',
        name: 'Promotion Activity',
        updatedAtUTC: run.updatedAt,
        ...common,
        statusSummary: { ...status, ...diagnosis(call, run) },
        sourceInfo: ends(flow, 'sourceConnectionIds', 'SourceConnection'),
        targetInfo: ends(flow, 'targetConnectionIds', 'TargetConnection').map((target) => ({
          ...target,
          reference: { type: 'Batch', ids: [...run.batchIds] },
        })),
      },
    ],
  };
}

function ends(flow: Flow | undefined, ids: string, type: string): JsonObject[] {
  return arrayAt(flow?.body, ids).map((id) => ({ id, type }));
}

/** Where to read what was refused, and how many rows by which code: of its failed batches the first is linked, all are counted. */
function diagnosis(call: AdmittedCall, run: Run): JsonObject {
  const refused = [...run.batchIds]
    .flatMap((id) => call.sandbox.batches.get(id) ?? [])
    .filter((batch) => batch.refused.length > 0);
  const [first] = refused;
  if (first === undefined) return {};
  const href = `${call.origin}/data/foundation/export/batches/${first.id}/meta?path=`;
  const byCode = Map.groupBy(
    refused.flatMap((batch) => batch.refused),
    (row) => row.code,
  );
  const errors = [...byCode].map(([code, rows]) => ({
    code,
    recordCount: rows.length,
    message: rows[0]?.violations[0]?.message ?? '',
  }));
  const manifest = { failedRecords: `${href}row_errors`, sampleErrors: `${href}row_error_samples.json` };
  return { extensions: { manifest, errors } };
}
