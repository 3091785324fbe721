// The executions of a deployed stage: the list, and one as a timeline of its states, with its report and its cause.
import { useMemo, useState } from 'preact/hooks';
import type { RunLine } from '../../told.ts';
import type { Answered, RunLines, StageRun } from '../../told-stage.ts';
import { useAsked } from '../asked.ts';
import { ask } from '../follow.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Content } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { RunRow } from '../rows.tsx';
import { Run } from '../run.tsx';
import { Age, Trouble, useStood } from '../stage.tsx';

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
          <button type="button" class="older" aria-disabled={older.isAsking} onClick={older.ask}>
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
          {(line) => <RunRow line={line} name={line.name} />}
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
    if (isAsking) return;
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
  return line?.health === 'busy' ? at : line?.says;
}

function Detail({ name, version }: { readonly name: string; readonly version: unknown }) {
  const answer = useAsked<Answered<StageRun | null>>(`/api/run?name=${encodeURIComponent(name)}`, version);
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
  return answer.found === null ? null : <WholeRun run={answer.found} />;
}

function WholeRun({ run }: { readonly run: StageRun }) {
  const { isCut, input, output } = run;
  return (
    <Run
      run={run}
      note={isCut ? 'Its history is too long: only its end is shown.' : ''}
      empty="It has left no report, or a later execution has replaced it."
    >
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
    </Run>
  );
}
