// The runs of the state machine: all of them as lines, and one of them as a timeline with its plan and its report.
import type { Execution } from '../../aws/executions.ts';
import type { StateEvent } from '../../aws/state-machine.ts';
import { changesFeed } from '../changes.ts';
import type { Feed } from '../events.ts';
import { failureOf } from '../failures.ts';
import { askedOf, stateOf } from '../known.ts';
import { reportIn, toldReport, waitsIn } from '../reported.ts';
import type { RunDetail, RunLine, RunRequest, RunState } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';
import { lineOf } from './requests.ts';

export function runsFeed({ watched }: Looked): Feed {
  return changesFeed<RunLine>(
    ({ name }) => name,
    () => watched.executions.all.map(runLine),
  );
}

function runLine(execution: Execution): RunLine {
  const { name, startDate, stopDate, status } = execution;
  const { mode, name: pipeline } = askedOf(execution);
  return {
    name,
    pipeline,
    mode: String(mode),
    startedAt: startDate.getTime(),
    ...(stopDate !== undefined && { endedAt: stopDate.getTime() }),
    ...(status === 'RUNNING'
      ? { health: 'busy', says: `at ${stateOf(execution)}` }
      : status === 'SUCCEEDED'
        ? { health: 'good', says: reportIn(execution)?.outcome ?? 'succeeded' }
        : { health: 'bad', says: failedText(execution) }),
  };
}

function failedText(execution: Execution): string {
  const { state = '', code = '' } = failureOf(execution, reportIn(execution)) ?? {};
  return `failed${state && ` at ${state}`}: ${code}`;
}

/** One run again whenever anything in it has changed. */
export function runFeed({ watched }: Looked, name: string): Feed {
  let told = '';
  return (): RunDetail | 'gone' | undefined => {
    const execution = watched.executions.all.find((one) => one.name === name);
    const detail = execution === undefined ? 'gone' : runDetail(watched, execution);
    const text = JSON.stringify(detail);
    if (text === told) return undefined;
    told = text;
    return detail;
  };
}

// What has ended stays as it is: the journal forgets its requests earlier than the page does.
const ended = new WeakMap<Execution, RunDetail>();

export function runDetail(watched: Watched, execution: Execution): RunDetail {
  const known = ended.get(execution);
  if (known !== undefined) return known;
  const report = reportIn(execution);
  const failure = failureOf(execution, report);
  const { summary, next, ...rest } = toldReport(report);
  const detail: RunDetail = {
    ...runLine(execution),
    states: statesOf(watched, execution),
    ...(failure !== undefined && { failure }),
    ...rest,
    ...(execution.status === 'SUCCEEDED' && summary !== undefined && { summary }),
    // Of one that has failed, the failure says what is next.
    next: execution.status === 'SUCCEEDED' ? next : [],
  };
  if (execution.status !== 'RUNNING') ended.set(execution, detail);
  return detail;
}

/** The states that do something: the others only decide which comes next. */
const SHOWN = new Set(['Task', 'Wait']);

/** Each time that a state was entered. */
function statesOf(watched: Watched, execution: Execution): RunState[] {
  const { events, status, stopDate } = execution;
  const waits = waitsIn(execution);
  const requests = requestsSince(watched, execution);
  return events.flatMap((entered, index): RunState[] => {
    const { state, at, type, stateType } = entered;
    if (type !== 'entered' || !SHOWN.has(stateType)) return [];
    const later = events.slice(index + 1);
    const next = later.findIndex((one) => one.type === 'entered');
    const own = (next < 0 ? later : later.slice(0, next)).filter((one) => one.state === state);
    const end = own.findLast(({ type: one }) => one === 'exited' || one === 'caught' || one === 'failed');
    const isOver = next >= 0 || status !== 'RUNNING';
    const endedAt = isOver ? (end?.at ?? stopDate?.getTime() ?? at) : undefined;
    const isFailed = own.some(({ type: one }) => one === 'caught') || (isOver && end?.type === 'failed');
    return [
      {
        state,
        at,
        ...(endedAt !== undefined && { ms: endedAt - at }),
        health: isFailed ? 'bad' : isOver ? 'good' : 'busy',
        tries: 1 + own.filter(({ type: one }) => one === 'retried').length,
        failures: [...new Set(own.flatMap(({ error }) => error ?? []))],
        ...(stateType === 'Wait' && { until: at + (waits[state] ?? 0) * 1_000 }),
        requests: requests(entered, next < 0 ? undefined : later[next]),
      },
    ];
  });
}

/** Of a state, so many requests are told. */
const MOST_REQUESTS = 200;

/** What the platform was asked in the manifest's sandbox from one event to another. Records on their way are left out. */
function requestsSince(watched: Watched, execution: Execution) {
  const { sandbox } = askedOf(execution);
  const entries = watched.platform.platform.journal
    .entries()
    .filter(
      ({ path, headers }) =>
        !path.startsWith('/collection/') &&
        (headers['x-sandbox-name'] === undefined || headers['x-sandbox-name'] === sandbox),
    );
  const changes = new Set(
    reportIn(execution)?.steps.flatMap((step) => step.changes.map(({ requestId }) => requestId)),
  );
  const last = execution.events.at(-1);
  const isOver = execution.status !== 'RUNNING' && last !== undefined;
  return (from: StateEvent, to: StateEvent | undefined): RunRequest[] => {
    const begin = watched.platformTimeOf(from);
    const end =
      to !== undefined
        ? watched.platformTimeOf(to)
        : isOver
          ? watched.platformTimeOf(last)
          : Number.POSITIVE_INFINITY;
    return entries
      .filter(({ at }) => at >= begin && at < end)
      .slice(0, MOST_REQUESTS)
      .map((entry) => ({
        ...lineOf(entry),
        isChange: changes.has(String(entry.replyHeaders['x-request-id'])),
      }));
  };
}
