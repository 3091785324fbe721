// Which execution is of which pipeline: AWS's list has names alone, and a look at each would be a call for each.
import { pipelineIn } from '../../lib/execution-name.ts';
import type { StagePipeline, StageReport } from '../../local/page/told-stage.ts';

export interface Named {
  /** Empty where neither the name tells it nor anybody has learnt it. */
  pipelineOf(execution: string): string;
  /** An execution keeps its pipeline: once learnt, it is known. */
  learn(execution: string, pipeline: string): void;
  /** Of an execution that has failed, the report is where the pipeline is, and not in its output. */
  reportOf(execution: string): StageReport | undefined;
  /** What the answer of `status` tells besides. */
  learnFrom(all: readonly StagePipeline[]): void;
}

export function createNamed(): Named {
  const learnt = new Map<string, string>();
  const reports = new Map<string, StageReport>();
  let known: readonly string[] = [];
  const learn = (execution: string, pipeline: string) => {
    if (pipeline !== '') learnt.set(execution, pipeline);
  };
  return {
    learn,
    reportOf: (execution) => reports.get(execution),
    pipelineOf: (execution) => learnt.get(execution) ?? pipelineIn(execution, known) ?? '',
    learnFrom(all) {
      known = all.map(({ name }) => name);
      for (const { name, report, runningNow } of all) {
        if (report !== undefined) {
          learn(report.execution, name);
          reports.set(report.execution, report);
        }
        if (runningNow !== undefined) learn(runningNow, name);
      }
    },
  };
}
