// The pipelines of a deployed stage: where each stands, its last report, and its health check when somebody wants it.
import { useMemo, useState } from 'preact/hooks';
import type { Answered, StagePipeline, StagePipelineLine, ToldDiagnosis } from '../../told-stage.ts';
import { useAsked } from '../asked.ts';
import { ask } from '../follow.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Facts, Find, Sign } from '../parts.tsx';
import { go, Link, pathOf } from '../place.tsx';
import { Changes, Ending } from '../report.tsx';
import { PipelineRow } from '../rows.tsx';
import { Age, momentOf, Trouble, useStood } from '../stage.tsx';

export function StagePipelines({ rest: [chosen], onConnection, about }: AreaProps) {
  const [wanted, setWanted] = useState('');
  const stood = useStood<readonly StagePipelineLine[]>('pipelines', onConnection);
  const all = stood?.found;
  const fitting = useMemo(() => (all ?? []).filter((line) => fits(line, wanted)), [all, wanted]);
  const name = chosen ?? fitting[0]?.name;
  if (all?.length === 0) return <NoPipelines stage={about.kind === 'stage' ? about.stage : ''} />;
  return (
    <div class="sides">
      <section class="side" aria-label="All pipelines">
        <Find label="Find a pipeline" hint="name or state" wanted={wanted} onWanted={setWanted} />
        <Amount what="pipelines" fitting={fitting.length} all={all?.length} />
        <Age stood={stood} />
        <List
          label="Pipelines"
          rows={fitting}
          rowHeight={64}
          keyOf={(line) => line.name}
          chosen={name}
          onChoose={(one) => go(pathOf('pipelines', one), false)}
          empty={emptyOf(stood !== undefined, all !== undefined)}
        >
          {(line) => (
            <PipelineRow line={line}>
              {line.says} · <bdi>{line.last}</bdi>
            </PipelineRow>
          )}
        </List>
      </section>
      {name !== undefined && <Chosen key={name} name={name} version={stood?.at} />}
    </div>
  );
}

const fits = ({ name, says, last }: StagePipelineLine, wanted: string) =>
  `${name} ${says} ${last}`.toLowerCase().includes(wanted.toLowerCase());

function emptyOf(isAsked: boolean, isKnown: boolean): string {
  if (!isAsked) return 'Loading …';
  return isKnown ? 'No pipeline fits. Change what you look for.' : 'There is no answer of the stage yet.';
}

function NoPipelines({ stage }: { readonly stage: string }) {
  return (
    <div class="empty">
      <p>No pipeline has been applied to this stage yet. Apply a manifest, in another terminal:</p>
      <pre>npx penstock apply pipelines/orders.json --stage {stage}</pre>
      <p>It shows here within half a minute.</p>
    </div>
  );
}

function Chosen({ name, version }: { readonly name: string; readonly version: unknown }) {
  const answer = useAsked<Answered<StagePipeline | null>>(
    `/api/pipeline?name=${encodeURIComponent(name)}`,
    version,
  );
  if (answer === undefined) return <section class="main-side empty">Loading …</section>;
  if (answer === 'gone' || 'obstacle' in answer)
    return <section class="main-side empty">The stage did not answer. It is asked again.</section>;
  const { found } = answer;
  if (found === null)
    return (
      <section class="main-side empty">
        There is no pipeline <bdi>{name}</bdi> in this stage. Choose one from the list.
      </section>
    );
  const { health, says, runningNow, report } = found;
  return (
    <section class="main-side" aria-label="The pipeline">
      <h2>
        <Sign health={health} /> <bdi>{name}</bdi>
      </h2>
      <p class="says">
        Now: {says}.{' '}
        {runningNow !== undefined && <Link to={pathOf('runs', runningNow)}>Look at the execution</Link>}
      </p>
      <Examination name={name} />
      <h3>Its last execution</h3>
      {report === undefined ? (
        <p class="says">No report of an execution is kept.</p>
      ) : (
        <>
          <Facts
            facts={[
              ['mode', report.mode],
              ['ended', momentOf(Date.parse(report.endedAt))],
            ]}
          />
          <p class="says">
            <Link to={pathOf('runs', report.execution)}>Look at the execution</Link>
          </p>
          <Ending report={report} />
          <Changes report={report} empty="It ended before there was a plan." />
        </>
      )}
    </section>
  );
}

/** The health check costs calls of Adobe and of AWS: it runs when it is wanted. */
function Examination({ name }: { readonly name: string }) {
  const [answer, setAnswer] = useState<Answered<ToldDiagnosis> | 'asking' | 'lost' | undefined>();
  const examine = () => {
    if (answer === 'asking') return;
    setAnswer('asking');
    void ask<Answered<ToldDiagnosis>>(`/api/doctor?pipeline=${encodeURIComponent(name)}`).then((found) =>
      setAnswer(found ?? 'lost'),
    );
  };
  return (
    <section class="examination" aria-label="Health check">
      <button type="button" aria-disabled={answer === 'asking'} onClick={examine}>
        Examine it
      </button>
      <span role="status" class="examined">
        {answer === undefined && 'Checks all that it depends on, and changes nothing. It asks Adobe and AWS.'}
        {answer === 'asking' && 'Examining …'}
        {answer === 'lost' && 'There was no answer. Try again.'}
        {typeof answer === 'object' && `Examined at ${momentOf(answer.at)}`}
      </span>
      {typeof answer === 'object' && 'obstacle' in answer && <Trouble obstacle={answer.obstacle} />}
      {typeof answer === 'object' && 'found' in answer && <Diagnosis diagnosis={answer.found} />}
    </section>
  );
}

function Diagnosis({ diagnosis: { says, isWell, checks } }: { readonly diagnosis: ToldDiagnosis }) {
  return (
    <>
      <p class="says">
        <Sign health={isWell ? 'good' : 'bad'} />
        <bdi>{says}</bdi>
      </p>
      <ul class="checks">
        {checks.map(({ check, health, found, next }) => (
          <li key={check}>
            <Sign health={health} />
            <div>
              <strong>
                <bdi>{check}</bdi>
              </strong>
              : <bdi>{found}</bdi>
              {next !== undefined && (
                <span class="next">
                  Next: <bdi>{next}</bdi>
                </span>
              )}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
