// The charts of a deployed stage over the last three hours, as CloudWatch has them.
import type { ChartsTold } from '../../told.ts';
import type { AreaProps } from '../main.tsx';
import { Age, useStood } from '../stage.tsx';
import { Chart } from './charts.tsx';

export function StageCharts({ onConnection }: AreaProps) {
  const stood = useStood<ChartsTold>('charts', onConnection);
  if (stood === undefined) return <div class="empty">Loading …</div>;
  const { charts = [], times = [] } = stood.found ?? {};
  const isQuiet = charts.every(({ lines }) =>
    lines.every(({ values }) => values.every((one) => one === null)),
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="charts" tabIndex={0} aria-label="Charts of the last three hours">
      <div class="charts-quiet">
        <Age stood={stood} />
        {stood.found !== undefined && isQuiet && (
          <p class="says">
            Nothing was measured in the last three hours. Put records into a stream: CloudWatch shows them
            within some minutes.
          </p>
        )}
      </div>
      {charts.map((chart) => (
        <Chart key={chart.id} chart={chart} times={times} />
      ))}
    </section>
  );
}
