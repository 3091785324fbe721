// CloudWatch metrics on a laptop: what functions print in the embedded metric format, summed up in short steps.

/** One step, in ms. */
export const STEP_MS = 5_000;
/** So many steps are kept: ten minutes. */
export const STEPS = 120;
/** More values of one measure are not kept in a step: enough for a quantile. */
const MOST_VALUES = 2_000;

/** What was counted or measured in one step. */
export interface Step {
  sum: number;
  readonly values: number[];
}

export interface MetricSeries {
  readonly pipeline: string;
  /** Empty where it is not counted by reason. */
  readonly reason: string;
  /** By the number of the step: its beginning divided by `STEP_MS`. */
  readonly steps: ReadonlyMap<number, Step>;
}

export interface LocalMetrics {
  /** Takes a line that a function has printed; others than metrics are passed over. */
  see(line: string): void;
  /** All series of a metric, as `RecordsReceived`. */
  series(name: string): readonly MetricSeries[];
}

interface Kept extends MetricSeries {
  readonly name: string;
  readonly steps: Map<number, Step>;
}

interface Line {
  readonly pipeline?: unknown;
  readonly reason?: unknown;
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string }[] }[];
  };
  readonly [name: string]: unknown;
}

export function createLocalMetrics(): LocalMetrics {
  const kept = new Map<string, Kept>();
  const seriesOf = (name: string, pipeline: string, reason: string): Kept => {
    const key = JSON.stringify([name, pipeline, reason]);
    const one = kept.get(key) ?? { name, pipeline, reason, steps: new Map() };
    kept.set(key, one);
    return one;
  };
  return {
    see(text) {
      const line = metricsIn(text);
      // What is counted for the whole stage is counted for each pipeline, too.
      if (line === undefined || typeof line.pipeline !== 'string') return;
      const step = Math.floor(line._aws.Timestamp / STEP_MS);
      const reason = typeof line.reason === 'string' ? line.reason : '';
      for (const { Name } of line._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics))
        add(seriesOf(Name, line.pipeline, reason), step, line[Name]);
    },
    series: (name) => [...kept.values()].filter((one) => one.name === name),
  };
}

function metricsIn(text: string): Line | undefined {
  if (!text.includes('"CloudWatchMetrics"')) return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    // A function may print such words by itself.
    return undefined;
  }
}

function add({ steps }: Kept, number: number, value: unknown): void {
  const step = steps.get(number) ?? { sum: 0, values: [] };
  steps.set(number, step);
  const values = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'number');
  for (const one of values) {
    step.sum += one;
    if (step.values.length < MOST_VALUES) step.values.push(one);
  }
  for (const old of steps.keys()) if (old <= number - STEPS) steps.delete(old);
}
