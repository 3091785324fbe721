// Charts: how fast records go, what is rejected, and how the inlets fare, over the last ten minutes.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ChartsTold, ChartTold } from '../../told.ts';
import { DrawnLines, Swatch } from '../chart.tsx';
import { useFollow } from '../follow.ts';
import type { AreaProps } from '../main.tsx';
import { told } from '../parts.tsx';

export function Charts({ onConnection }: AreaProps) {
  const [now, setNow] = useState<ChartsTold | undefined>();
  const connection = useFollow<ChartsTold>('charts', { path: () => '/api/follow/charts', onNews: setNow });
  useEffect(() => onConnection(connection), [connection, onConnection]);
  if (now === undefined) return <div class="empty">Loading …</div>;
  const isQuiet = now.charts.every(({ id, lines }) => id === 'retries' || !lines.some(isMoving));
  return (
    <ChartsFrame
      label="Charts of the last ten minutes"
      charts={now}
      quiet={
        isQuiet
          ? 'No record has come in the last ten minutes. Put records into a stream: the charts move at once.'
          : ''
      }
    />
  );
}

const isMoving = ({ values }: ChartTold['lines'][number]) => values.some((value) => (value ?? 0) > 0);

interface ChartsFrameProps {
  readonly label: string;
  readonly charts: ChartsTold;
  /** What it says where nothing moves; empty where something does. */
  readonly quiet: string;
  /** Above all charts. */
  readonly children?: ComponentChildren;
}

/** All charts of a running stack, or of a stage. */
export function ChartsFrame({ label, charts: { charts, times }, quiet, children }: ChartsFrameProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="charts" tabIndex={0} aria-label={label}>
      <div class="charts-quiet">
        {children}
        {quiet !== '' && <p class="says">{quiet}</p>}
      </div>
      {charts.map((chart) => (
        <Chart key={chart.id} chart={chart} times={times} />
      ))}
    </section>
  );
}

function Chart({ chart, times }: { readonly chart: ChartTold; readonly times: readonly number[] }) {
  const { title, unit, says, lines } = chart;
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <p class="says">{says}</p>
      </figcaption>
      <DrawnLines times={times} lines={lines} />
      <ul class="legend">
        {lines.length === 0 && <li>Nothing yet</li>}
        {lines.map(({ name, values }, index) => (
          <li key={name}>
            <Swatch index={index} /> <bdi>{name}</bdi>: {toldValue(lastOf(values))} {unit}
          </li>
        ))}
      </ul>
      <details>
        <summary>{title} as a table</summary>
        <Table chart={chart} times={times} />
      </details>
    </figure>
  );
}

/** Where nothing is measured at times, what was measured last. */
const lastOf = (values: readonly (number | null)[]) => values.findLast((value) => value !== null) ?? null;

const toldValue = (value: number | null) => (value === null ? '–' : told(value));

/** The newest first; steps in which nothing happened are left out. */
function Table({ chart: { title, unit, lines }, times }: { chart: ChartTold; times: readonly number[] }) {
  const rows = times
    .map((time, index) => ({ time, values: lines.map(({ values }) => values[index] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null && value !== 0))
    .toReversed();
  if (rows.length === 0) return <p class="says">There is nothing to show yet.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="table" tabIndex={0} aria-label={`${title}, a table`}>
      <table>
        <caption>
          {title}, in {unit}
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {lines.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ time, values }) => (
            <tr key={time}>
              <th scope="row">{new Date(time * 1000).toLocaleTimeString('en-GB')}</th>
              {values.map((value, index) => (
                <td key={lines[index]?.name}>{toldValue(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
