// The executions of a stage's state machine: the list, and one with its states, its report and its cause.
import { readCause } from '../../lib/failure.ts';
import { shownText } from '../../local/page/shown.ts';
import type { Health } from '../../local/page/told.ts';
import type { Obstacle, RunDetail, RunLine, RunLines, ToldState } from '../../local/page/told-stage.ts';
import { plainText } from '../../terminal/plain-text.ts';
import type { ExecutionLine, ExecutionSeen, StateNews, Target } from '../target.ts';
import type { Named } from './named.ts';
import { reportOf } from './reports.ts';

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
): Promise<RunDetail | undefined> {
  const seen = await target.execution(name);
  if (seen === undefined) return undefined;
  const { manifest, mode } = memberOf(seen.input);
  const { name: asked } = { ...(manifest as { readonly name?: unknown } | undefined) };
  const pipeline = typeof asked === 'string' ? asked : '';
  named.learn(name, pipeline);
  const report = seen.output === undefined ? undefined : reportOf(memberOf(seen.output).report);
  const obstacle = obstacleOf(seen);
  return {
    ...lineOf(seen, pipeline),
    mode: typeof mode === 'string' ? mode : 'apply',
    states: statesOf(seen.news),
    isCut: seen.isCut,
    ...(obstacle !== undefined && { obstacle }),
    ...(report !== undefined && { report }),
    input: shownText(pretty(seen.input)),
    ...(seen.output !== undefined && { output: shownText(pretty(seen.output)) }),
  };
}

const HEALTHS: Readonly<Record<string, Health>> = { RUNNING: 'busy', SUCCEEDED: 'good', ABORTED: 'off' };

function lineOf({ name, status, startedAt, endedAt }: ExecutionLine, pipeline: string): RunLine {
  return {
    ...{ name, pipeline, status, startedAt, health: HEALTHS[status] ?? 'bad' },
    ...(endedAt !== undefined && { endedAt }),
  };
}

/** Why it did not succeed. */
function obstacleOf({ status, error, cause = '' }: ExecutionSeen): Obstacle | undefined {
  if (status === 'RUNNING' || status === 'SUCCEEDED') return undefined;
  const { text, code, next } = readCause(cause);
  const what = plainText(text, code, next);
  return {
    code: code ?? error ?? status,
    what: code === undefined || error === undefined ? what : `${error}: ${what}`,
    ...(next !== undefined && { next }),
  };
}

/** Each stay in a state, in the order in which they began. */
export function statesOf(news: readonly StateNews[]): ToldState[] {
  const states: { -readonly [Member in keyof ToldState]: ToldState[Member] }[] = [];
  for (const { type, state, stateType = '', error = '', cause = '', at } of news) {
    if (type === 'entered') {
      states.push({ state, kind: stateType, enteredAt: at, failures: [] });
      continue;
    }
    // A failure names no state: it is of the one that was entered last.
    const open = states.findLast(
      (one) => one.exitedAt === undefined && (state === '' || one.state === state),
    );
    if (open === undefined) continue;
    if (type === 'exited') open.exitedAt = at;
    else open.failures = [...open.failures, failureSaid(error, cause)];
  }
  return states;
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
