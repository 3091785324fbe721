// A run of the state machine, whole: how it stands, its states as a timeline, and what it changes.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunDetail, RunRequest, RunState } from '../told.ts';
import { Status } from './areas/requests.tsx';
import { Sign, timeOf, told } from './parts.tsx';
import { Link, pathOf } from './place.tsx';
import { Changes, Ending } from './report.tsx';
import { lasted, momentOf } from './stage.tsx';
import './run.css';

interface RunProps {
  readonly run: RunDetail;
  /** What is known besides; after all the rest. */
  readonly children?: ComponentChildren;
  /** What has to be known of the states. */
  readonly note?: string;
  /** Why nothing is told of what it changes, where it has ended. */
  readonly empty?: string;
}

export function Run({ run, note = '', empty = 'It ended before there was a plan.', children }: RunProps) {
  const now = useNow(run.endedAt === undefined);
  const { name, health, mode, pipeline, says, failure, startedAt, endedAt } = run;
  return (
    <section class="main-side" aria-label="The run">
      <h2>
        <Sign health={health} /> {mode}{' '}
        {pipeline === '' ? (
          'a manifest without a name'
        ) : (
          <Link to={pathOf('pipelines', pipeline)}>{pipeline}</Link>
        )}
      </h2>
      <p class="says">
        {endedAt === undefined ? 'It has run for' : `It ${failure ? 'failed' : 'ended well'} after`}{' '}
        {lasted((endedAt ?? Math.max(now, startedAt)) - startedAt)}
        {endedAt === undefined && `, and is ${says}`}. It began at {momentOf(startedAt)}. Execution{' '}
        <bdi>{name}</bdi>.
      </p>
      <Ending report={run} />
      <h3>State by state</h3>
      {note !== '' && <p class="says">{note}</p>}
      <Timeline run={run} now={now} />
      <h3>{mode === 'plan' ? 'What it would change' : 'What it changes'}</h3>
      <Changes report={run} empty={endedAt === undefined ? 'It is not planned yet.' : empty} />
      {children}
    </section>
  );
}

/** Time as it passes, for what still runs. */
function useNow(isMoving: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isMoving) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [isMoving]);
  return now;
}

function Timeline({ run, now }: { readonly run: RunDetail; readonly now: number }) {
  const { states, startedAt, endedAt = Math.max(now, startedAt + 1) } = run;
  const whole = Math.max(1, endedAt - startedAt);
  if (states.length === 0) return <p class="says">It is in no state yet.</p>;
  return (
    <div class="timeline">
      {states.map((one, index) => (
        <State
          key={`${index} ${one.state}`}
          state={one}
          now={now}
          left={(100 * (one.at - startedAt)) / whole}
          width={(100 * (one.ms ?? endedAt - one.at)) / whole}
        />
      ))}
    </div>
  );
}

interface StateProps {
  readonly state: RunState;
  readonly now: number;
  /** Of the whole run, in percent. */
  readonly left: number;
  readonly width: number;
}

function State({ state: one, now, left, width }: StateProps) {
  const { state, at, ms, health, tries = 1, failures, until, requests } = one;
  const remains = Math.ceil(((until ?? 0) - now) / 1_000);
  const changes = (requests ?? []).filter(({ isChange }) => isChange).length;
  return (
    <details class={`visit ${health}`} open={failures.length > 0 && requests === undefined}>
      <summary>
        <span class="visit-name">
          <Sign health={health} />
          <bdi>{state}</bdi>
        </span>
        <span class="visit-bar" aria-hidden="true">
          <span style={{ left: `${Math.min(99, left)}%`, width: `${Math.max(0, width)}%` }} />
        </span>
        <span class="visit-time">
          {ms !== undefined
            ? lasted(ms)
            : until !== undefined && remains > 0
              ? `${told(remains)} s left`
              : `${lasted(Math.max(0, now - at))} so far`}
        </span>
        <span class="visit-calls">
          {callsIn(requests)}
          {changes > 0 && `, ${told(changes)} ${changes === 1 ? 'change' : 'changes'}`}
          {tries > 1 && ` · tried ${told(tries)} times`}
        </span>
      </summary>
      {failures.map((failure, index) => (
        <p class="failure" key={index}>
          <bdi>{failure}</bdi>
        </p>
      ))}
      <p class="says">
        Entered at {timeOf(at)}.{' '}
        {requests?.length === 0 && 'AEP was asked for nothing, or it is not kept any more.'}
        {requests !== undefined && requests.length > 0 && 'Meanwhile AEP was asked in this sandbox:'}
      </p>
      {requests !== undefined && <Calls requests={requests} />}
    </details>
  );
}

function callsIn(requests: RunState['requests'] = []): string {
  if (requests.length === 0) return '';
  return `${told(requests.length)} ${requests.length === 1 ? 'call' : 'calls'}`;
}

function Calls({ requests }: { readonly requests: readonly RunRequest[] }) {
  if (requests.length === 0) return null;
  return (
    <ol class="calls">
      {requests.map((request) => (
        <li key={request.number}>
          <Status status={request.status} /> <span class="method">{request.method}</span>{' '}
          <Link to={pathOf('requests', String(request.number))}>{request.path}</Link>
          {request.isChange && <span class="done">change</span>}
          {request.faults.length > 0 && <span class="fault">{request.faults.join(', ')}</span>}
        </li>
      ))}
    </ol>
  );
}
