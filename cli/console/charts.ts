// The charts of a stage: what its forwarder has counted, as CloudWatch keeps it.
import type { ChartLine, ChartsTold, ChartTold } from '../../local/page/told.ts';
import type { MetricSeen, Target } from '../target.ts';

/** Between two points, and how far back, in s. */
const STEP = 300;
const STEPS = 36;
/** More lines of one chart nobody can tell apart. */
const MOST_LINES = 6;

interface Query {
  readonly Id: string;
  readonly [member: string]: unknown;
}

/** The dimensions are those of `lib/aws/metrics.ts`. */
export async function chartsOf(
  target: Pick<Target, 'metrics'>,
  stage: string,
  now: number,
): Promise<ChartsTold> {
  const end = Math.floor(now / 1_000 / STEP) * STEP;
  const times = Array.from({ length: STEPS }, (_, index) => end - (STEPS - index) * STEP);
  const from = (times[0] ?? end) * 1_000;
  const seen = await target.metrics({ queries: queriesOf(stage), from, to: end * 1_000 });
  return { times, charts: CHARTS.map((chart) => chartOf(chart, seen, times)) };
}

function queriesOf(stage: string): Query[] {
  const search = (Id: string, name: string, by: string, ending: string): Query => ({
    Id,
    Expression: `SEARCH('{Penstock,service,stage,${by}} MetricName="${name}" stage="${stage}"', 'Sum', ${STEP})`,
    // A dynamic label: CloudWatch puts the value of the dimension there.
    Label: `\${PROP('Dim.${by}')}${ending}`,
  });
  const measured = (Id: string, Label: string, MetricName: string, Stat: string): Query => ({
    Id,
    Label,
    MetricStat: {
      Metric: {
        Namespace: 'Penstock',
        MetricName,
        Dimensions: [
          { Name: 'service', Value: 'penstock' },
          { Name: 'stage', Value: stage },
        ],
      },
      Period: STEP,
      Stat,
    },
  });
  const forwarder = [{ Name: 'FunctionName', Value: `penstock-${stage}-forward` }];
  const age = { Namespace: 'AWS/Lambda', MetricName: 'IteratorAge', Dimensions: forwarder };
  return [
    search('rates_in', 'RecordsReceived', 'pipeline', ' in'),
    search('rates_out', 'RecordsAcknowledged', 'pipeline', ' out'),
    search('rejects', 'RecordsRejected', 'reason', ''),
    measured('latency_half', 'half of them', 'ArrivalToAcceptedMs', 'p50'),
    measured('latency_most', '99 of 100', 'ArrivalToAcceptedMs', 'p99'),
    { Id: 'age', Label: 'the oldest', MetricStat: { Metric: age, Period: STEP, Stat: 'Maximum' } },
    measured('requests', 'requests', 'Requests', 'Sum'),
    measured('requests_retries', 'retries', 'Retries', 'Sum'),
    measured('requests_failed', 'failed', 'RequestsFailed', 'Sum'),
  ];
}

type Chart = Omit<ChartTold, 'lines'> & { readonly per: number };

/** A query belongs to the chart with which its id begins. */
const CHARTS: readonly Chart[] = [
  {
    id: 'rates',
    title: 'Records a second',
    unit: 'records/s',
    says: 'Into each route, and out of it: what its inlet has acknowledged.',
    per: STEP,
  },
  {
    id: 'rejects',
    title: 'Rejects by reason',
    unit: 'messages',
    says: 'Kept in the dead-letter store, in five minutes each.',
    per: 1,
  },
  {
    id: 'latency',
    title: 'From arrival to acceptance',
    unit: 'ms',
    says: 'From the stream to the answer of the inlet, by the oldest message of each request.',
    per: 1,
  },
  {
    id: 'age',
    title: 'Age of the records',
    unit: 'ms',
    says: 'How long the record waited that the forwarder took last.',
    per: 1,
  },
  {
    id: 'requests',
    title: 'Requests to the inlets',
    unit: 'requests',
    says: 'In five minutes each.',
    per: 1,
  },
];

function chartOf({ per, ...chart }: Chart, seen: readonly MetricSeen[], times: readonly number[]): ChartTold {
  const lines = seen
    .filter(({ id }) => id.split('_')[0] === chart.id)
    .map(({ label, points }): ChartLine => {
      const at = new Map(points.map(([time, value]) => [time / 1_000, value / per]));
      return { name: label, values: times.map((time) => at.get(time) ?? null) };
    });
  return { ...chart, lines: busiest(lines) };
}

function busiest(lines: readonly ChartLine[]): ChartLine[] {
  const sumOf = ({ values }: ChartLine) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  return lines.toSorted((a, b) => sumOf(b) - sumOf(a)).slice(0, MOST_LINES);
}
