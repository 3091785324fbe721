// Runs: what a flow did, hour by hour (contract §4.7).

import type { AdmittedCall, Answer } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { Run, World } from '../state.ts';
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

function shown(world: World, call: AdmittedCall, run: Run): JsonObject {
  const flow = call.sandbox.flows.get(run.flowId);
  const over = world.clock.now() >= run.hour + HOUR;
  const failedCount = run.failed > 0 ? [{ recordCount: run.failed }] : [];
  const statusSummary: JsonObject = {
    status: over ? (run.failed > 0 ? 'failed' : 'success') : 'inProgress',
    errors: [],
  };
  const records: JsonObject = {
    inputRecordCount: run.input,
    outputRecordCount: run.output,
    createdRecordCount: run.output,
    failedRecordCount: run.failed,
    warningRecordCount: run.warnings,
    failedInfo: failedCount,
  };
  const durationSummary: JsonObject = {
    startedAtUTC: run.hour,
    // A whole number where Adobe describes it: there is none before the end.
    ...(over ? { completedAtUTC: run.hour + HOUR } : {}),
  };
  return {
    id: run.id,
    createdAt: run.hour,
    updatedAt: run.updatedAt,
    flowId: run.flowId,
    flowSpec: flow?.body.flowSpec ?? null,
    sandboxName: call.sandbox.name,
    imsOrgId: world.settings.organization,
    etag: `"${run.id}"`,
    metrics: {
      durationSummary,
      sizeSummary: { inputBytes: run.bytes, outputBytes: run.bytes },
      recordSummary: records,
      statusSummary,
    },
    activities: [
      {
        id: `promotion_activity-${run.hour}`,
        name: 'Promotion Activity',
        updatedAtUTC: run.updatedAt,
        durationSummary,
        recordSummary: records,
        statusSummary,
        targetInfo: [{ type: 'dataSet', reference: { type: 'Batch', ids: [...run.batchIds] } }],
      },
    ],
  };
}
