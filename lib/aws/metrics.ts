// CloudWatch metrics through Powertools: the counts and measures of one invocation, as lines of embedded metric
// format.
import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import type { Metrics } from '../runtime.ts';

/** A line takes 100 values of a metric. Then Powertools writes it by itself, with the dimensions it has by then. */
const VALUES_PER_LINE = 99;

interface Measured {
  readonly unit: Parameters<Metrics['measure']>[2];
  readonly values: number[];
}

/**
 * Dimensions are `service`, `stage`, `pipeline`, and `reason` where it is counted. Each further value would be
 * another metric to pay for.
 * Everything is also counted without `pipeline`, once a stage. An alarm is made before there is a pipeline, and
 * cannot search for one.
 */
export function createMetrics(stage: string): Metrics {
  const powertools = new Powertools({
    namespace: 'Penstock',
    serviceName: 'penstock',
    defaultDimensions: { stage },
  });
  const counts = new Map<string, number>();
  const byReason = new Map<string, Map<string, number>>();
  const measured = new Map<string, Measured>();

  const writeReasons = (pipeline: string): void => {
    for (const [reason, numbers] of byReason) {
      // A line for each set: Powertools warns of sets that share a dimension.
      for (const dimensions of [{ pipeline, reason }, { reason }]) {
        const single = powertools.singleMetric();
        single.addDimensions(dimensions);
        for (const [name, value] of numbers) single.addMetric(name, MetricUnit.Count, value);
      }
    }
    byReason.clear();
  };

  return {
    count(name, value, reason) {
      addCount(counts, name, value);
      if (reason === undefined) return;
      const numbers = byReason.get(reason) ?? new Map<string, number>();
      addCount(numbers, name, value);
      byReason.set(reason, numbers);
    },
    measure(name, value, unit) {
      const one = measured.get(name) ?? { unit, values: [] };
      one.values.push(value);
      measured.set(name, one);
    },
    flush({ pipeline }) {
      writeReasons(pipeline);
      for (const [name, value] of counts) powertools.addMetric(name, MetricUnit.Count, value);
      counts.clear();
      do {
        powertools.addDimension('pipeline', pipeline);
        powertools.addDimensions({});
        for (const [name, { unit, values }] of measured) {
          for (const value of values.splice(0, VALUES_PER_LINE))
            powertools.addMetric(name, MetricUnit[unit], value);
          if (values.length === 0) measured.delete(name);
        }
        powertools.publishStoredMetrics();
      } while (measured.size > 0);
    },
  };
}

function addCount(numbers: Map<string, number>, name: string, value: number): void {
  numbers.set(name, (numbers.get(name) ?? 0) + value);
}
