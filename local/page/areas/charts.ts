// The charts of the page: what the forwarder has counted and what the inlets were asked, in steps of a few seconds.
import { RETRY_BUDGET } from '../../../lib/forward/send/limits.ts';
import { type LocalMetrics, type MetricSeries, STEP_MS, STEPS } from '../../aws/metrics.ts';
import type { Feed } from '../events.ts';
import type { ChartLine, ChartsTold, ChartTold } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';

/** More lines of one chart nobody can tell apart: the busiest are drawn. */
const MOST_LINES = 6;

/** The numbers of the steps that are shown, the oldest first. */
type Steps = readonly number[];

export function chartsFeed({ watched }: Looked): Feed {
  const inFlight = requestsInFlight(watched);
  let told = '';
  return (): ChartsTold | undefined => {
    const last = Math.floor(Date.now() / STEP_MS);
    const steps = Array.from({ length: STEPS }, (_, index) => last - STEPS + 1 + index);
    const charts = chartsOf(watched.metrics, steps, inFlight(steps));
    const text = `${last} ${JSON.stringify(charts)}`;
    if (text === told) return undefined;
    told = text;
    return { times: steps.map((step) => (step * STEP_MS) / 1000), charts };
  };
}

function chartsOf(metrics: LocalMetrics, steps: Steps, inFlight: ChartLine): ChartTold[] {
  const perSecond = (step: { readonly sum: number }) => step.sum / (STEP_MS / 1000);
  const rates = (metric: string, ending: string) =>
    metrics
      .series(metric)
      .filter(({ reason }) => reason === '')
      .map((one) => lineOf(`${one.pipeline} ${ending}`, one, steps, perSecond, 0));
  const spread = (metric: string) => [
    lineOf('half of them', together(metrics.series(metric)), steps, ({ values }) => quantile(values, 0.5)),
    lineOf('95 of 100', together(metrics.series(metric)), steps, ({ values }) => quantile(values, 0.95)),
  ];
  return [
    {
      id: 'rates',
      title: 'Records a second',
      unit: 'records/s',
      says: 'Into each route, and out of it: what its inlet has acknowledged.',
      lines: busiest([...rates('RecordsReceived', 'in'), ...rates('RecordsAcknowledged', 'out')]),
    },
    {
      id: 'rejects',
      title: 'Rejects by reason',
      unit: 'messages',
      says: 'Kept in the dead-letter store.',
      lines: busiest(byReason(metrics.series('RecordsRejected'), steps)),
    },
    {
      id: 'latency',
      title: 'From arrival to acceptance',
      unit: 'ms',
      says: 'From the stream to the answer of the inlet, by the oldest message of each request.',
      lines: spread('ArrivalToAcceptedMs'),
    },
    {
      id: 'batches',
      title: 'Messages in a request',
      unit: 'messages',
      says: 'How full the requests are.',
      lines: spread('RequestMessages'),
    },
    {
      id: 'in-flight',
      title: 'Requests in flight',
      unit: 'requests',
      says: 'The most that inlets had under way at once.',
      lines: [inFlight],
    },
    {
      id: 'retries',
      title: 'Retry budget',
      unit: `of ${RETRY_BUDGET.capacity}`,
      says: 'What is left for retries, by what the forwarder has counted. At 0 records wait in the stream.',
      lines: [retryBudget(metrics, steps)],
    },
  ];
}

interface Step {
  readonly sum: number;
  readonly values: readonly number[];
}

/** @param without what a step has in which nothing happened: nothing is drawn there if it is left out */
function lineOf(
  name: string,
  { steps }: Pick<MetricSeries, 'steps'>,
  shown: Steps,
  value: (step: Step) => number,
  without: number | null = null,
): ChartLine {
  return {
    name,
    values: shown.map((number) => {
      const step = steps.get(number);
      return step === undefined || step.values.length === 0 ? without : rounded(value(step));
    }),
  };
}

const rounded = (value: number) => Math.round(value * 10) / 10;

/** Of all pipelines and reasons, as one. */
function together(series: readonly MetricSeries[]): Pick<MetricSeries, 'steps'> {
  const steps = new Map<number, { sum: number; values: number[] }>();
  for (const one of series)
    for (const [number, { sum, values }] of one.steps) {
      const step = steps.get(number) ?? { sum: 0, values: [] };
      step.sum += sum;
      step.values.push(...values);
      steps.set(number, step);
    }
  return { steps };
}

function byReason(series: readonly MetricSeries[], steps: Steps): ChartLine[] {
  const reasons = Map.groupBy(
    series.filter(({ reason }) => reason !== ''),
    ({ reason }) => reason,
  );
  return [...reasons].map(([reason, those]) => lineOf(reason, together(those), steps, ({ sum }) => sum, 0));
}

function busiest(lines: readonly ChartLine[]): ChartLine[] {
  const total = ({ values }: ChartLine) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const chosen = new Set(lines.toSorted((a, b) => total(b) - total(a)).slice(0, MOST_LINES));
  return lines.filter((line) => chosen.has(line));
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(part * (sorted.length - 1))] ?? 0;
}

/** The bucket of the forwarder, filled and emptied by its own rule with what it has counted. */
function retryBudget(metrics: LocalMetrics, steps: Steps): ChartLine {
  const { capacity, cost, throttledCost, perSecond } = RETRY_BUDGET;
  const sums = (name: string, isWanted: (one: MetricSeries) => boolean) =>
    together(metrics.series(name).filter(isWanted)).steps;
  const isWhole = ({ reason }: MetricSeries) => reason === '';
  const requests = sums('Requests', isWhole);
  const failed = sums('RequestsFailed', isWhole);
  const throttled = sums('RequestsFailed', ({ reason }) => reason === 'throttled');
  const retries = sums('Retries', isWhole);
  let left: number = capacity;
  const values = steps.map((step) => {
    const of = (counted: ReadonlyMap<number, Step>) => counted.get(step)?.sum ?? 0;
    const cheap = Math.min(of(retries), of(throttled));
    const paid = cheap * throttledCost + (of(retries) - cheap) * cost;
    const back = of(requests) - of(failed) + perSecond * (STEP_MS / 1000);
    left = Math.min(capacity, Math.max(0, left + back - paid));
    return rounded(left);
  });
  return { name: 'left', values };
}

/** The most requests that inlets had under way at once, by step. Each request is looked at once. */
function requestsInFlight({ platform: { platform } }: Watched): (steps: Steps) => ChartLine {
  const most = new Map<number, number>();
  let seen = 0;
  return (steps) => {
    const { journal, clock } = platform;
    const entries = journal.entries({ after: seen, path: '/collection/' });
    seen = Math.max(seen, journal.entries({ limit: 1 })[0]?.number ?? 0);
    // The platform's clock may be ahead.
    const ahead = clock.now() - Date.now();
    for (const [number, count] of atOnce(entries.map(({ at, durationMs }) => [at - ahead, durationMs])))
      most.set(number, Math.max(most.get(number) ?? 0, count));
    for (const old of most.keys()) if (old < (steps[0] ?? 0)) most.delete(old);
    return { name: 'at once', values: steps.map((step) => most.get(step) ?? 0) };
  };
}

/** @param spans beginning and length of each request, in ms */
export function atOnce(spans: readonly (readonly [at: number, ms: number])[]): Map<number, number> {
  const turns = spans
    .flatMap(([at, ms]) => [[at, 1] as const, [at + Math.max(1, ms), -1] as const])
    .toSorted(([a, up], [b, down]) => a - b || up - down);
  const most = new Map<number, number>();
  let open = 0;
  for (const [at, turn] of turns) {
    open += turn;
    const step = Math.floor(at / STEP_MS);
    most.set(step, Math.max(most.get(step) ?? 0, open));
  }
  return most;
}
