// The executions of a stage's state machine: the list, and one with its states, its report and its cause.
import { readCause } from '../../lib/failure.ts';
import { toldReport } from '../../local/page/reported.ts';
import { shownText } from '../../local/page/shown.ts';
import type { Health, RunLine, RunState, ToldFailure } from '../../local/page/told.ts';
import type { RunLines, StageRun } from '../../local/page/told-stage.ts';
import { plainText } from '../../terminal/plain-text.ts';
import type { ExecutionLine, ExecutionSeen, StateNews, Target } from '../target.ts';
import type { Named } from './named.ts';
import { reportIn } from './reports.ts';

/**
 * Names of pipelines as far as they are known without a look at each execution.
 * @param before as the page before has it; left out for the newest
 */
export async function runsOf(
  target: Pick<Target, 'executions'>,
  named: Named,
  before?: string,
): Promise<RunLines> {
  const { executions, next } = await target.executions(before);
  return {
    lines: executions.map((one) => lineOf(one, named.pipelineOf(one.name))),
    ...(next !== undefined && { next }),
  };
}

/** @returns `undefined` where AWS has none of this name */
export async function runOf(
  target: Pick<Target, 'execution'>,
  named: Named,
  name: string,
): Promise<StageRun | undefined> {
  const seen = await target.execution(name);
  if (seen === undefined) return undefined;
  const { manifest, mode } = memberOf(seen.input);
  const { name: asked } = { ...(manifest as { readonly name?: unknown } | undefined) };
  const pipeline = typeof asked === 'string' ? asked : '';
  named.learn(name, pipeline);
  const report = seen.output === undefined ? undefined : reportIn(memberOf(seen.output).report);
  const kept = report === undefined ? named.reportOf(name) : undefined;
  const failure = failureOf(seen);
  return {
    ...(kept ?? toldReport(report)),
    ...lineOf(seen, pipeline),
    mode: typeof mode === 'string' ? mode : 'apply',
    states: statesOf(seen.news, seen.endedAt),
    isCut: seen.isCut,
    ...(failure !== undefined && { failure }),
    input: shownText(pretty(seen.input)),
    ...(seen.output !== undefined && { output: shownText(pretty(seen.output)) }),
  };
}

/** Of Step Functions, in words. */
const SAID: Readonly<Record<string, string>> = {
  RUNNING: 'at work',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'took too long',
  ABORTED: 'was stopped',
};

const HEALTHS: Readonly<Record<string, Health>> = { RUNNING: 'busy', SUCCEEDED: 'good', ABORTED: 'off' };

function lineOf({ name, status, startedAt, endedAt }: ExecutionLine, pipeline: string): RunLine {
  return {
    ...{
      name,
      pipeline,
      mode: '',
      says: SAID[status] ?? status,
      startedAt,
      health: HEALTHS[status] ?? 'bad',
    },
    ...(endedAt !== undefined && { endedAt }),
  };
}

/** Why it did not succeed. */
function failureOf({ status, error, cause = '' }: ExecutionSeen): ToldFailure | undefined {
  if (status === 'RUNNING' || status === 'SUCCEEDED') return undefined;
  const { text, code, next } = readCause(cause);
  const what = plainText(text, code, next);
  return {
    state: '',
    code: code ?? error ?? status,
    what: code === undefined || error === undefined ? what : `${error}: ${what}`,
    ...(next !== undefined && { next }),
  };
}

/** States that do something: the others only decide which comes next. */
const SHOWN = new Set(['Task', 'Wait']);

interface Stay {
  readonly state: string;
  readonly kind: string;
  readonly at: number;
  exitedAt?: number;
  readonly failures: string[];
}

/**
 * Each stay in a state that does something, in the order in which they began.
 * @param endedAt of the execution, in ms since the epoch
 */
export function statesOf(news: readonly StateNews[], endedAt?: number): RunState[] {
  const stays: Stay[] = [];
  for (const { type, state, stateType = '', error = '', cause = '', at } of news) {
    if (type === 'entered') {
      stays.push({ state, kind: stateType, at, failures: [] });
      continue;
    }
    // A failure names no state: it is of the one that was entered last.
    const open = stays.findLast((one) => one.exitedAt === undefined && (state === '' || one.state === state));
    if (open === undefined) continue;
    if (type === 'exited') open.exitedAt = at;
    else open.failures.push(failureSaid(error, cause));
  }
  return stays
    .filter(({ kind }) => SHOWN.has(kind))
    .map(({ state, at, exitedAt, failures }) => {
      // A state that fails the execution is entered and not left.
      const end = exitedAt ?? endedAt;
      const isBad = failures.length > 0 || (exitedAt === undefined && endedAt !== undefined);
      return {
        ...{ state, at, failures, health: isBad ? 'bad' : end === undefined ? 'busy' : 'good' },
        ...(end !== undefined && { ms: end - at }),
      };
    });
}

function failureSaid(error: string, cause: string): string {
  const { text, code, next } = readCause(cause);
  return [error, plainText(text, code, next)].filter(Boolean).join(': ');
}

function memberOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(text) as object) };
  } catch {
    return {};
  }
}

/** With a line for each member, where it is JSON. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
