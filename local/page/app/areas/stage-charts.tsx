// The charts of a deployed stage over the last three hours, as CloudWatch has them.
import type { ChartsTold } from '../../told.ts';
import type { AreaProps } from '../main.tsx';
import { Age, useStood } from '../stage.tsx';
import { ChartsFrame } from './charts.tsx';

export function StageCharts({ onConnection }: AreaProps) {
  const stood = useStood<ChartsTold>('charts', onConnection);
  if (stood === undefined) return <div class="empty">Loading …</div>;
  const { charts = [], times = [] } = stood.found ?? {};
  const isQuiet = charts.every(({ lines }) =>
    lines.every(({ values }) => values.every((one) => one === null)),
  );
  return (
    <ChartsFrame
      label="Charts of the last three hours"
      charts={{ charts, times }}
      quiet={
        stood.found !== undefined && isQuiet
          ? 'Nothing was measured in the last three hours. Put records into a stream: CloudWatch shows them within some minutes.'
          : ''
      }
    >
      <Age stood={stood} />
    </ChartsFrame>
  );
}
