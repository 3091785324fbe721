// Runs the provisioning state machine, shows where it is, and returns the report of the run.

import type { Report } from '../lib/pipeline.ts';
import type { Status } from '../lib/provision/status.ts';
import { MistakeError, toldOf } from '../terminal/mistake.ts';
import type { Work } from '../terminal/output.ts';
import { runFailed } from '../terminal/run-failed.ts';
import type { Context } from './context.ts';
import type { Asked } from './manifest-file.ts';
import type { ExecutionEnd, StateNews } from './target.ts';

/** The input of the state machine. */
export interface RunInput extends Asked {
  readonly mode: 'apply' | 'plan' | 'retire';
  readonly deleteData?: boolean;
  readonly warmUpSeconds?: number;
  readonly drainSeconds?: number;
  readonly token?: string;
  readonly sandbox?: string;
}

export interface Ran {
  readonly report: Report;
  readonly executionArn: string;
}

/** Nobody looks any more; where it can be looked at again. */
export class LeftRunningError extends Error {
  override readonly name = 'LeftRunningError';
}

/** How an execution ends that finds another one at work. It keeps no report. */
const BUSY = 'Penstock.Busy';
/** The state in which a new flow warms up. */
const WARM_UP = 'warm-up';
const TICK_MS = 1_000;

/**
 * @param title what is shown while it runs
 * @throws LeftRunningError where the signal came first: the execution goes on
 * @throws MistakeError `INTERRUPTED` where the signal came before it was started
 * @throws MistakeError where it failed, with the report printed where there is one
 */
export async function run(
  { target, output, signal }: Context,
  pipeline: string,
  input: RunInput,
  title: string,
): Promise<Ran> {
  if (signal.aborted) throw new MistakeError('INTERRUPTED', 'nothing was started');
  const work = await output.work(title);
  const shown = shownOn(work, () => input.warmUpSeconds ?? target.warmUpSeconds);
  let executionArn = '';
  try {
    const end = await target
      .execute(input, {
        signal,
        onStarted(arn) {
          executionArn = arn;
        },
        onState: shown.tell,
      })
      .catch((error: unknown) => {
        throw executionArn === '' ? error : outOfSight(error, executionArn, lookAgain(target, pipeline));
      });
    if (end.status === 'RUNNING') throw new LeftRunningError(executionArn);
    if (end.error === BUSY) throw await busyFailure(target, pipeline);
    const report = await reportOf(target, pipeline, end);
    if (end.status !== 'SUCCEEDED') throw runFailed(end, report);
    work.done();
    if (report === undefined)
      throw new MistakeError(
        'OTHER_VERSION',
        'the execution has ended without a report: the stack is of another version',
        'Deploy this version (docs/deploy.md), or use the command line of that version.',
      );
    return { report, executionArn };
  } catch (error) {
    work.failed(error instanceof LeftRunningError ? 'goes on without this command' : 'failed');
    throw error;
  } finally {
    shown.end();
  }
}

/** Which state it is in, how many there were, and how long a warm-up takes yet. */
function shownOn(work: Work, warmUpOf: () => number) {
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  const end = () => clearInterval(timer);
  return {
    end,
    tell({ type, state, stateType, error, at }: StateNews) {
      if (type === 'failed') work.to(`step ${count}: ${error}, trying again or ending`);
      if (type !== 'entered' || (stateType !== 'Task' && stateType !== 'Wait')) return;
      end();
      count++;
      const front = `step ${count}: ${state}`;
      if (state !== WARM_UP) {
        work.to(front);
        return;
      }
      const warmUpSeconds = warmUpOf();
      work.to(`${front}, ${warmUpSeconds} s at most`);
      if (!work.isMoving) return;
      timer = setInterval(() => {
        const left = Math.max(0, Math.ceil((at + warmUpSeconds * 1_000 - Date.now()) / 1_000));
        work.to(`${front}, ${left} s left at most`);
      }, TICK_MS);
      timer.unref();
    },
  };
}

/** In the output where it succeeded; else as the ledger keeps it, where it is of this execution. */
async function reportOf(
  target: Context['target'],
  pipeline: string,
  { status, output, executionArn }: ExecutionEnd,
): Promise<Report | undefined> {
  if (status === 'SUCCEEDED') return (output as { report?: Report } | undefined)?.report;
  const kept = await target.invoke('status', { pipeline }).catch(() => undefined);
  const { report } = (kept ?? {}) as { report?: Report };
  return report?.execution.id === executionArn ? report : undefined;
}

/** It could not be followed to its end: that it was started must not be lost. */
function outOfSight(error: unknown, executionArn: string, look: string): unknown {
  const told = toldOf(error);
  if (told === undefined) return error;
  const { code, what, next = 'Run it again.' } = told;
  return new MistakeError(
    code,
    `${what}; the execution goes on: ${executionArn}`,
    `${next} Then: ${look}`,
    error,
  );
}

async function busyFailure(target: Context['target'], pipeline: string): Promise<MistakeError> {
  const now = await target.invoke('status', { pipeline }).catch(() => undefined);
  const { execution, since } = ((now ?? {}) as Partial<Status>).running ?? {};
  const who = execution === undefined ? 'another execution' : `the execution ${execution}`;
  return new MistakeError(
    'BUSY',
    `${who} works on ${pipeline}${since === undefined ? '' : ` since ${since}`}: nothing was changed`,
    `Wait for its end, then run this again: ${lookAgain(target, pipeline)}`,
  );
}

/** The command that shows where a pipeline stands. */
export function lookAgain({ words }: Context['target'], pipeline: string): string {
  return ['penstock status', pipeline, ...words].join(' ');
}
