// Runs: every execution of the state machine, and the one that is chosen as a timeline with its plan and its report.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RunDetail, RunLine, RunResource, RunState } from '../../told.ts';
import { useFollow } from '../follow.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Code, Find, Sign, timeOf, told } from '../parts.tsx';
import { go, Link, pathOf } from '../place.tsx';
import { lasted } from '../stage.tsx';
import { Status } from './requests.tsx';
import './runs.css';

export function Runs({ rest: [chosen], onConnection }: AreaProps) {
  const all = useLines<RunLine>('runs', ({ name }) => name, onConnection);
  const [wanted, setWanted] = useState('');
  const fitting = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    return (all ?? []).filter((line) => words.every((word) => textOf(line).includes(word))).toReversed();
  }, [all, wanted]);
  if (all?.length === 0)
    return (
      <div class="empty">
        <p>Nothing has run yet. Apply a manifest, in another terminal:</p>
        <pre>npx penstock apply --local examples/customer-profiles.json</pre>
        <p>Its run shows here at once, state by state.</p>
      </div>
    );
  const name = chosen ?? fitting[0]?.name;
  return (
    <div class="sides">
      <section class="side" aria-label="All runs">
        <Find label="Find a run" hint="pipeline, plan, failed, state" wanted={wanted} onWanted={setWanted} />
        <Amount what="runs" fitting={fitting.length} all={all?.length} />
        <List
          label="Runs, the newest first"
          rows={fitting}
          rowHeight={64}
          keyOf={(line) => line.name}
          chosen={name}
          onChoose={(one) => go(pathOf('runs', one), false)}
          empty={all === undefined ? 'Loading …' : 'No run fits. Change what you look for.'}
        >
          {(line) => (
            <>
              <span class="row-title">
                <Sign health={line.health} />
                {line.mode} <bdi>{line.pipeline || 'a manifest without a name'}</bdi>
              </span>
              <span class="row-more">
                {timeOf(line.startedAt).slice(0, 8)}
                {line.endedAt !== undefined && ` · ${lasted(line.endedAt - line.startedAt)}`} ·{' '}
                <bdi>{line.says}</bdi>
              </span>
            </>
          )}
        </List>
      </section>
      {name !== undefined && <Detail key={name} name={name} />}
      {name === undefined && <section class="main-side empty">Choose a run to see its timeline.</section>}
    </div>
  );
}

const textOf = ({ name, pipeline, mode, says }: RunLine) =>
  `${mode} ${pipeline} ${says} ${name}`.toLowerCase();

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

function Detail({ name }: { readonly name: string }) {
  const [run, setRun] = useState<RunDetail | 'gone' | undefined>();
  useFollow<RunDetail | 'gone'>(`run ${name}`, {
    path: () => `/api/follow/run?name=${encodeURIComponent(name)}`,
    onNews: setRun,
  });
  const now = useNow(run !== undefined && run !== 'gone' && run.endedAt === undefined);
  if (run === undefined) return <section class="main-side empty">Loading …</section>;
  if (run === 'gone')
    return <section class="main-side empty">There is no such run. Choose one from the list.</section>;
  const { failure, summary, next, warnings, verified, token, old } = run;
  return (
    <section class="main-side" aria-label="The run">
      <h2>
        <Sign health={run.health} /> {run.mode}{' '}
        {run.pipeline === '' ? (
          'a manifest without a name'
        ) : (
          <Link to={pathOf('pipelines', run.pipeline)}>{run.pipeline}</Link>
        )}
      </h2>
      <p class="says">
        {run.endedAt === undefined ? 'It has run for' : `It ${run.failure ? 'failed' : 'ended well'} after`}{' '}
        {lasted((run.endedAt ?? Math.max(now, run.startedAt)) - run.startedAt)}
        {run.endedAt === undefined && `, and is ${run.says}`}. It began at {timeOf(run.startedAt)}. Execution{' '}
        <bdi>{run.name}</bdi>.
      </p>
      {failure !== undefined && (
        <div class="trouble">
          <Sign health="bad" />
          <p>
            <strong>
              {failure.state && `At ${failure.state}: `}
              {failure.code}
            </strong>{' '}
            <bdi>{failure.what}</bdi> <span class="next">Next: {failure.next}</span>
          </p>
        </div>
      )}
      {summary !== undefined && <p class="summary">{summary}</p>}
      {next.map((one) => (
        <p class="summary" key={one}>
          <strong>Next:</strong> {one}
        </p>
      ))}
      <h3>State by state</h3>
      <Timeline run={run} now={now} />
      <h3>{run.mode === 'plan' ? 'What it would change' : 'What it changes'}</h3>
      {run.resources.length === 0 && (
        <p class="says">
          {run.endedAt === undefined ? 'It is not planned yet.' : 'It ended before there was a plan.'}
        </p>
      )}
      <ul class="changes">
        {run.resources.map((one) => (
          <Change key={one.resource} change={one} />
        ))}
        {old.map((one) => (
          <li key={one} class="change remove">
            <Deed planned="remove" plan="removed at the end" /> <bdi>{one}</bdi>
          </li>
        ))}
      </ul>
      {warnings.length > 0 && <h3>Warnings</h3>}
      {warnings.map((one) => (
        <p class="warning" key={one}>
          <span aria-hidden="true">⚠</span> {one}
        </p>
      ))}
      {verified.length > 0 && <p class="says">Verified: {verified.join(', ')}.</p>}
      {token !== undefined && (
        <>
          <h3>Token of the plan</h3>
          <Code label="Token of the plan" text={token} copy />
        </>
      )}
    </section>
  );
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
  const { state, at, ms, health, tries, error, until, requests } = one;
  const remains = Math.ceil(((until ?? 0) - now) / 1_000);
  const changes = requests.filter(({ isChange }) => isChange).length;
  return (
    <details class={`visit ${health}`}>
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
          {requests.length > 0 && `${told(requests.length)} ${requests.length === 1 ? 'call' : 'calls'}`}
          {changes > 0 && `, ${told(changes)} ${changes === 1 ? 'change' : 'changes'}`}
          {tries > 1 && ` · tried ${told(tries)} times`}
        </span>
      </summary>
      {error !== undefined && (
        <p class="says">
          Its last error: <bdi>{error}</bdi>
        </p>
      )}
      <p class="says">
        Entered at {timeOf(at)}.{' '}
        {requests.length === 0
          ? 'AEP was asked for nothing, or it is not kept any more.'
          : 'Meanwhile AEP was asked in this sandbox:'}
      </p>
      {requests.length > 0 && (
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
      )}
    </details>
  );
}

/** A sign beside the word: colour alone tells nothing. */
const SIGNS: Readonly<Record<string, string>> = {
  keep: '=',
  create: '+',
  adopt: '↪',
  update: '~',
  replace: '±',
  remove: '−',
  conflict: '!',
};

function Deed({ planned, plan }: { readonly planned: string; readonly plan: string }) {
  return (
    <span class="deed">
      <span aria-hidden="true">{SIGNS[planned]}</span> {plan}
    </span>
  );
}

function Change({ change }: { readonly change: RunResource }) {
  const { resource, planned, plan, done, name, id, why, differences, irreversible, isReadTwice } = change;
  return (
    <li class={`change ${planned}`}>
      <p>
        <Deed planned={planned} plan={plan} /> <strong>{resource}</strong> <bdi>{name}</bdi>
        {done !== planned && <span class="done">{done}</span>}
      </p>
      {id !== undefined && (
        <p class="id">
          <bdi>{id}</bdi>
        </p>
      )}
      <p class="why">{why}</p>
      {differences.map(({ field, found, wanted }) => (
        <div class="difference" key={field}>
          <span class="field">{field}</span>
          <del>
            <span aria-hidden="true">−</span> <bdi>{found}</bdi>
          </del>
          <ins>
            <span aria-hidden="true">+</span> <bdi>{wanted}</bdi>
          </ins>
        </div>
      ))}
      {irreversible !== undefined && (
        <p class="warning">
          <span aria-hidden="true">⚠</span> <strong>Irreversible:</strong> {irreversible}
        </p>
      )}
      {isReadTwice && (
        <p class="warning">
          <span aria-hidden="true">⚠</span> Records are read twice: see the warnings.
        </p>
      )}
    </li>
  );
}
