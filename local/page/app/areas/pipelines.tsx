// Pipelines: all of them in a list, and the one that is chosen as a picture.
import { useMemo, useState } from 'preact/hooks';
import type { Part, Picture, PipelineLine } from '../../told.ts';
import { useFollow } from '../follow.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Facts, Find, Sign, told } from '../parts.tsx';
import { PictureOf } from '../picture.tsx';
import { go, Link, pathOf } from '../place.tsx';
import { PipelineRow } from '../rows.tsx';

export function Pipelines({ rest: [chosen], onConnection }: AreaProps) {
  const [wanted, setWanted] = useState('');
  const all = useLines<PipelineLine>('pipelines', ({ name }) => name, onConnection);
  const lines = useMemo(() => all?.toSorted(inOrder), [all]);
  const fitting = (lines ?? []).filter((line) => fits(line, wanted.toLowerCase()));
  const line = lines?.find(({ name }) => name === chosen) ?? (chosen === undefined ? fitting[0] : undefined);
  if (lines?.length === 0) return <NoPipelines />;
  return (
    <div class="sides">
      <section class="side" aria-label="All pipelines">
        <Find label="Find a pipeline" hint="name, stream or sandbox" wanted={wanted} onWanted={setWanted} />
        <List
          label="Pipelines"
          rows={fitting}
          rowHeight={64}
          keyOf={({ name }) => name}
          chosen={line?.name}
          onChoose={(name) => go(pathOf('pipelines', name), false)}
          empty={lines === undefined ? 'Loading …' : 'No pipeline fits. Change what you look for.'}
        >
          {(one) => (
            <PipelineRow line={one}>
              <bdi>{one.source}</bdi> · {told(one.received)} received · {told(one.landed)} rows
            </PipelineRow>
          )}
        </List>
      </section>
      {line !== undefined && <Chosen key={line.source} line={line} />}
      {line === undefined && lines !== undefined && (
        <section class="main-side empty">There is no pipeline {chosen}. Choose one from the list.</section>
      )}
    </div>
  );
}

const inOrder = (a: PipelineLine, b: PipelineLine) =>
  a.source === b.source ? (a.name < b.name ? -1 : 1) : a.source < b.source ? -1 : 1;

const fits = ({ name, source, sandbox }: PipelineLine, wanted: string) =>
  wanted === '' || [name, source, sandbox].some((one) => one.toLowerCase().includes(wanted));

function NoPipelines() {
  return (
    <div class="empty">
      <p>There is no pipeline yet. Apply a manifest, in another terminal:</p>
      <pre>npx penstock apply --local examples/customer-profiles.json</pre>
      <p>It shows here at once, with each step on its way.</p>
    </div>
  );
}

function Chosen({ line }: { readonly line: PipelineLine }) {
  const [picture, setPicture] = useState<Picture | undefined>();
  const [partId, setPartId] = useState<string | undefined>();
  useFollow<Picture>(`picture ${line.source}`, {
    path: () => `/api/follow/picture?source=${encodeURIComponent(line.source)}`,
    onNews: setPicture,
  });
  const part = picture?.parts.find(({ id }) => id === partId);
  const own = picture?.troubles.filter(({ pipeline }) => pipeline === line.name) ?? [];
  return (
    <section class="main-side" aria-label="The pipeline as a picture">
      <h2>
        <Sign health={own.length > 0 ? 'bad' : line.health} /> <bdi>{line.name}</bdi>
      </h2>
      <p class="says">
        {saidOf(line, own.length)} Sandbox <bdi>{line.sandbox}</bdi>.{' '}
        <Link to={pathOf('runs', line.run)}>Its last run</Link>{' '}
        <Link to={pathOf('mapping', line.name)}>Its mapping</Link>
      </p>
      <dl class="figures">
        <Figure name="received" value={line.received} />
        <Figure name="rows landed" value={line.landed} />
        <Figure name="refused later" value={line.refused} isBad />
        <Figure name="rejected" value={line.rejected} isBad />
      </dl>
      {picture?.troubles
        .toSorted((a, b) => Number(b.pipeline === line.name) - Number(a.pipeline === line.name))
        .map(({ pipeline, what, next }) => (
          <div class="trouble" key={pipeline + what}>
            <Sign health="bad" />
            <p>
              <strong>
                <bdi>{pipeline}</bdi>
              </strong>
              : {what} <span class="next">Next: {next}</span>
            </p>
          </div>
        ))}
      {picture === undefined ? (
        <p class="empty">Loading …</p>
      ) : (
        <PictureOf picture={picture} name={line.name} chosen={partId} onChoose={setPartId} />
      )}
      {part !== undefined && <PartFacts part={part} onClose={() => setPartId(undefined)} />}
    </section>
  );
}

/** @param troubles how many stand below it */
function saidOf({ says }: PipelineLine, troubles: number): string {
  if (says !== 'works') return `It needs a look: ${says}.`;
  if (troubles === 0) return 'It works.';
  return `It carries records, and ${troubles === 1 ? 'one thing needs' : `${troubles} things need`} a look.`;
}

function Figure({
  name,
  value,
  isBad = false,
}: {
  readonly name: string;
  readonly value: number;
  readonly isBad?: boolean;
}) {
  return (
    <div class={isBad && value > 0 ? 'figure bad' : 'figure'}>
      <dt>{name}</dt>
      <dd class="figure-value">{told(value)}</dd>
    </div>
  );
}

function PartFacts({ part, onClose }: { readonly part: Part; readonly onClose: () => void }) {
  return (
    <aside class="part-facts" aria-label={`${part.kind} ${part.name}`}>
      <h3>
        <Sign health={part.health} /> {part.kind}: <bdi>{part.name}</bdi>
      </h3>
      <p>{part.says}</p>
      <Facts
        facts={[...part.counts.map(([name, value]): [string, string] => [name, told(value)]), ...part.facts]}
      />
      <button type="button" onClick={onClose}>
        Close
      </button>
    </aside>
  );
}
