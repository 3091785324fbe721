// Datasets: the rows that landed in each, and the rows that were refused, with the reason.
import { useMemo, useState } from 'preact/hooks';
import type { DatasetDetail, DatasetLine, RefusedLine } from '../../told.ts';
import { useAsked } from '../asked.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Content, Facts, Find, Sign, told } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { SchemaOf } from '../schema.tsx';

export function Datasets({ rest: [chosen], onConnection }: AreaProps) {
  const all = useLines<DatasetLine>('datasets', ({ id }) => id, onConnection);
  const [wanted, setWanted] = useState('');
  const fitting = useMemo(
    () =>
      (all ?? []).filter(({ name, sandbox, id }) =>
        `${name} ${sandbox} ${id}`.toLowerCase().includes(wanted.toLowerCase()),
      ),
    [all, wanted],
  );
  const line = all?.find(({ id }) => id === chosen) ?? (chosen === undefined ? fitting[0] : undefined);
  if (all?.length === 0)
    return <div class="empty">There is no dataset yet. The first pipeline that is applied makes one.</div>;
  return (
    <div class="sides">
      <section class="side" aria-label="All datasets">
        <Find label="Find a dataset" hint="name, sandbox or id" wanted={wanted} onWanted={setWanted} />
        <List
          label="Datasets"
          rows={fitting}
          rowHeight={64}
          keyOf={({ id }) => id}
          chosen={line?.id}
          onChoose={(id) => go(pathOf('datasets', id), false)}
          empty={all === undefined ? 'Loading …' : 'No dataset fits. Change what you look for.'}
        >
          {(one) => (
            <>
              <span class="row-title">
                <Sign health={one.refused > 0 ? 'bad' : 'good'} />
                <bdi>{one.name}</bdi>
              </span>
              <span class="row-more">
                <bdi>{one.sandbox}</bdi> · {told(one.landed)} rows · {told(one.refused)} refused
              </span>
            </>
          )}
        </List>
      </section>
      {line !== undefined && <Chosen key={line.id} line={line} />}
      {line === undefined && all !== undefined && (
        <section class="main-side empty">There is no such dataset. Choose one from the list.</section>
      )}
    </div>
  );
}

function Chosen({ line }: { readonly line: DatasetLine }) {
  const path = `/api/dataset?id=${encodeURIComponent(line.id)}`;
  const detail = useAsked<DatasetDetail>(path, `${line.landed} ${line.refused}`);
  const { name, id, sandbox, landed, refused, profileOnly } = line;
  return (
    <section class="main-side" aria-label="The dataset">
      <h2>
        <bdi>{name}</bdi>
      </h2>
      <Facts
        facts={[
          ['id', id],
          ['sandbox', sandbox],
          ['rows', told(landed)],
          ['refused', told(refused)],
          ...(profileOnly > 0 ? [['in Profile alone', told(profileOnly)] as const] : []),
        ]}
      />
      {detail === undefined && <p class="empty">Loading …</p>}
      {typeof detail === 'object' && <Rows detail={detail} />}
      <SchemaOf key={id} dataset={id} />
    </section>
  );
}

function Rows({ detail: { rows, refusals } }: { readonly detail: DatasetDetail }) {
  return (
    <>
      {refusals.length > 0 && (
        <>
          <h3>Refused, the newest first</h3>
          {refusals.map((one, index) => (
            <Refused key={`${one.batch} ${index}`} refused={one} />
          ))}
        </>
      )}
      <h3>Rows, the newest first</h3>
      {rows.length === 0 && <p class="says">No row has landed yet. Put a record into the stream.</p>}
      {rows.map((row, index) => (
        <details key={row.text} open={index === 0}>
          <summary>
            <bdi>{firstWords(row.text)}</bdi>
          </summary>
          <Content label={`Row ${index + 1}`} shown={row} />
        </details>
      ))}
    </>
  );
}

function Refused({
  refused: { batch, stage, code, reasons, source, row },
}: {
  readonly refused: RefusedLine;
}) {
  return (
    <details class="refused">
      <summary>
        <Sign health="bad" />
        <bdi>{reasons.join('; ') || code}</bdi>
      </summary>
      <p class="says">
        Refused by {stage}, code {code}, in the failed batch {batch}.
      </p>
      <h4>As it was sent</h4>
      <Content label="As it was sent" shown={source} />
      <h4>As it should have landed</h4>
      <Content label="As it should have landed" shown={row} />
    </details>
  );
}

const firstWords = (text: string) => text.replace(/\s+/g, ' ').slice(0, 120);
