// Runs: every execution of the state machine, and the one that is chosen as a timeline with its plan and its report.
import { useMemo, useState } from 'preact/hooks';
import type { RunDetail, RunLine } from '../../told.ts';
import { useFollow } from '../follow.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Find } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { RunRow } from '../rows.tsx';
import { Run } from '../run.tsx';

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
          {(line) => <RunRow line={line} name="a manifest without a name" />}
        </List>
      </section>
      {name !== undefined && <Detail key={name} name={name} />}
      {name === undefined && <section class="main-side empty">Choose a run to see its timeline.</section>}
    </div>
  );
}

const textOf = ({ name, pipeline, mode, says }: RunLine) =>
  `${mode} ${pipeline} ${says} ${name}`.toLowerCase();

function Detail({ name }: { readonly name: string }) {
  const [run, setRun] = useState<RunDetail | 'gone' | undefined>();
  useFollow<RunDetail | 'gone'>(`run ${name}`, {
    path: () => `/api/follow/run?name=${encodeURIComponent(name)}`,
    onNews: setRun,
  });
  if (run === undefined) return <section class="main-side empty">Loading …</section>;
  if (run === 'gone')
    return <section class="main-side empty">There is no such run. Choose one from the list.</section>;
  return <Run run={run} />;
}
