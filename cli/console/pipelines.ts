// The pipelines of a stage as its status tells them, and the health check of one.
import type { Diagnosis } from '../../lib/doctor/doctor.ts';
import type { Status } from '../../lib/provision/status.ts';
import type { Health } from '../../local/page/told.ts';
import type {
  StagePipeline,
  StagePipelineLine,
  StageReport,
  ToldDiagnosis,
} from '../../local/page/told-stage.ts';
import type { Target } from '../target.ts';
import { reportOf } from './reports.ts';

type Invoking = Pick<Target, 'invoke'>;

/** Of all pipelines, each with its report: one call of a function that reads a table. */
export async function pipelinesOf(target: Invoking): Promise<readonly StagePipeline[]> {
  const all = (await target.invoke('status', {})) as readonly Status[];
  return all.map(pipelineOf);
}

export function lineOf({ report: _, ...line }: StagePipeline): StagePipelineLine {
  return line;
}

function pipelineOf({ pipeline, running, applied, report: kept }: Status): StagePipeline {
  const report = reportOf(kept);
  const line = { name: pipeline, last: lastOf(report), ...(report !== undefined && { report }) };
  if (running !== undefined) {
    const since = running.since === undefined ? '' : ` since ${running.since}`;
    const runningNow = running.execution.split(':').at(-1) ?? '';
    return { ...line, health: 'busy', says: `an execution works on it${since}`, runningNow };
  }
  const says = applied ? 'applied' : 'not applied';
  if (report?.failure !== undefined)
    return { ...line, health: 'bad', says: `${says}; its last execution has failed` };
  return { ...line, health: applied ? 'good' : 'off', says };
}

function lastOf(report: StageReport | undefined): string {
  const { failure, summary = '' } = { ...report };
  return failure === undefined ? summary : `${failure.code}: ${failure.what}`;
}

const HEALTHS: Readonly<Record<string, Health>> = { ok: 'good', 'not ok': 'bad', unknown: 'off' };

/** It asks Adobe for a token and reads much: only when somebody wants it. */
export async function diagnosisOf(target: Invoking, pipeline: string): Promise<ToldDiagnosis> {
  const { ok, says, checks } = (await target.invoke('status', { pipeline, doctor: true })) as Diagnosis;
  return {
    says,
    isWell: ok,
    checks: checks.map(({ state, ...rest }) => ({ ...rest, health: HEALTHS[state] ?? 'off' })),
  };
}
