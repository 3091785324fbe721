// The executions of a deployed stage: the list, and one as a timeline of its states, with its report and its cause.
import { useMemo, useState } from 'preact/hooks';
import type { Health } from '../../told.ts';
import type { Answered, RunDetail, RunLine, RunLines, ToldState } from '../../told-stage.ts';
import { useAsked } from '../asked.ts';
import { ask } from '../follow.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Content, Facts, Sign } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { ReportOf } from '../report.tsx';
import { Age, lasted, momentOf, Trouble, useStood } from '../stage.tsx';

const OUTCOMES = {
  all: () => true,
  running: ({ health }: RunLine) => health === 'busy',
  good: ({ health }: RunLine) => health === 'good',
  bad: ({ health }: RunLine) => health === 'bad' || health === 'off',
} as const;

type Outcome = keyof typeof OUTCOMES;

export function StageRuns({ rest: [chosen], onConnection }: AreaProps) {
  const [outcome, setOutcome] = useState<Outcome>('all');
  const stood = useStood<RunLines>('runs', onConnection);
  const older = useOlder(stood?.found);
  const all = useMemo(() => linesOf(stood?.found, older.lines), [stood, older.lines]);
  const fitting = useMemo(() => (all ?? []).filter(OUTCOMES[outcome]), [all, outcome]);
  if (all?.length === 0)
    return (
      <div class="empty">
        <p>No execution has been started in this stage. A plan is one, and changes nothing:</p>
        <pre>npx penstock plan pipelines/orders.json --stage STAGE</pre>
      </div>
    );
  return (
    <div class="sides">
      <section class="side" aria-label="All executions">
        <label class="find">
          <span>Outcome</span>
          <select value={outcome} onChange={(event) => setOutcome(event.currentTarget.value as Outcome)}>
            <option value="all">all</option>
            <option value="running">running</option>
            <option value="good">succeeded</option>
            <option value="bad">failed or stopped</option>
          </select>
        </label>
        <Amount what="executions" fitting={fitting.length} all={all?.length} />
        <Age stood={stood} />
        {older.ask !== undefined && (
          <button type="button" class="older" disabled={older.isAsking} onClick={older.ask}>
            Older executions
          </button>
        )}
        <List
          label="Executions, the newest first"
          rows={fitting}
          rowHeight={64}
          keyOf={({ name }) => name}
          chosen={chosen}
          onChoose={(name) => go(pathOf('runs', name), false)}
          empty={stood === undefined ? 'Loading …' : 'No execution fits. Choose another outcome.'}
        >
          {(line) => (
            <>
              <span class="row-title">
                <Sign health={line.health} />
                <bdi>{line.pipeline || line.name}</bdi>
              </span>
              <span class="row-more">
                {momentOf(line.startedAt)} · {tookOf(line)}
                {line.status}
              </span>
            </>
          )}
        </List>
      </section>
      {chosen === undefined ? (
        <section class="main-side empty">
          Choose an execution to see its states, its report and why it failed.
        </section>
      ) : (
        <Detail key={chosen} name={chosen} version={versionOf(all, chosen, stood?.at)} />
      )}
    </div>
  );
}

/** Lines before the newest ones, as many as somebody has asked for. */
function useOlder(newest: RunLines | undefined) {
  const [known, setKnown] = useState<RunLines | undefined>();
  const [isAsking, setIsAsking] = useState(false);
  const before = known === undefined ? newest?.next : known.next;
  const more = () => {
    setIsAsking(true);
    void ask<Answered<RunLines>>(`/api/runs?before=${encodeURIComponent(before ?? '')}`).then((answer) => {
      setIsAsking(false);
      if (answer === undefined || 'obstacle' in answer) return;
      setKnown({ ...answer.found, lines: [...(known?.lines ?? []), ...answer.found.lines] });
    });
  };
  return { lines: known?.lines ?? [], isAsking, ask: before === undefined ? undefined : more };
}

/** An execution that was among the newest may be among the older ones by now. */
function linesOf(newest: RunLines | undefined, older: readonly RunLine[]): readonly RunLine[] | undefined {
  if (newest === undefined) return undefined;
  const names = new Set(newest.lines.map(({ name }) => name));
  return [...newest.lines, ...older.filter(({ name }) => !names.has(name))];
}

/** One that runs is asked for again with each answer. */
function versionOf(all: readonly RunLine[] | undefined, chosen: string, at = 0): unknown {
  const line = all?.find(({ name }) => name === chosen);
  return line?.health === 'busy' ? at : line?.status;
}

const tookOf = ({ startedAt, endedAt }: RunLine) =>
  endedAt === undefined ? '' : `${lasted(endedAt - startedAt)} · `;

function Detail({ name, version }: { readonly name: string; readonly version: unknown }) {
  const answer = useAsked<Answered<RunDetail | null>>(`/api/run?name=${encodeURIComponent(name)}`, version);
  if (answer === undefined) return <section class="main-side empty">Loading …</section>;
  if (answer === 'gone' || ('found' in answer && answer.found === null))
    return (
      <section class="main-side empty">
        AWS has no execution <bdi>{name}</bdi> in this stage. It keeps one for 90 days after its end.
      </section>
    );
  if ('obstacle' in answer)
    return (
      <section class="main-side">
        <Trouble obstacle={answer.obstacle} />
      </section>
    );
  return answer.found === null ? null : <Run run={answer.found} at={answer.at} />;
}

function Run({ run, at }: { readonly run: RunDetail; readonly at: number }) {
  const { name, health, status, pipeline, mode, startedAt, endedAt, obstacle, report, input, output } = run;
  return (
    <section class="main-side" aria-label="The execution">
      <h2>
        <Sign health={health} /> {mode} <bdi>{pipeline}</bdi>
      </h2>
      <Facts
        facts={[
          ['state', status],
          ['started', momentOf(startedAt)],
          ...(endedAt === undefined ? [] : [['took', lasted(endedAt - startedAt)] as const]),
          ['name', name],
        ]}
      />
      {obstacle !== undefined && <Trouble obstacle={obstacle} />}
      <h3>States</h3>
      {run.isCut && <p class="says">Its history is too long: only its end is shown.</p>}
      <Timeline run={run} to={endedAt ?? at} />
      {report !== undefined && (
        <>
          <h3>Report</h3>
          <ReportOf report={report} />
        </>
      )}
      <details>
        <summary>What it was started with</summary>
        <Content shown={input} label="What it was started with" />
      </details>
      {output !== undefined && (
        <details>
          <summary>What it has left</summary>
          <Content shown={output} label="What it has left" />
        </details>
      )}
    </section>
  );
}

/** @param to the end of the execution, or of what is known of it, in ms since the epoch */
function Timeline({ run, to }: { readonly run: RunDetail; readonly to: number }) {
  const { startedAt: from, endedAt, states } = run;
  const part = (ms: number) => `${((100 * ms) / Math.max(1, to - from)).toFixed(2)}%`;
  return (
    <ol class="stays">
      {states.map((one, index) => {
        const { state, kind, enteredAt, exitedAt = to, failures } = one;
        const sign = signOf(one, endedAt !== undefined);
        return (
          <li key={index}>
            <span class="state-name">
              <Sign health={sign} />
              <bdi>{state}</bdi>
            </span>
            <span class="state-kind">{kind}</span>
            <span class="bar" aria-hidden="true">
              <span
                class={sign}
                style={{ left: part(enteredAt - from), width: part(exitedAt - enteredAt) }}
              />
            </span>
            <span class="took">{lasted(exitedAt - enteredAt)}</span>
            {failures.map((failure, count) => (
              <bdi key={count} class="failure">
                {failure}
              </bdi>
            ))}
          </li>
        );
      })}
    </ol>
  );
}

/** A state that fails the execution is entered and not left. */
function signOf({ exitedAt, failures }: ToldState, hasEnded: boolean): Health {
  if (failures.length > 0 || (exitedAt === undefined && hasEnded)) return 'bad';
  return exitedAt === undefined ? 'busy' : 'good';
}
