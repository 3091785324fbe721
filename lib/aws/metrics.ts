// CloudWatch metrics through Powertools: counters of one invocation as one line of embedded metric format.
import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import type { Metrics } from '../runtime.ts';

/**
 * Dimensions are `service`, `stage` and `pipeline`, and `reason` of what is counted by it, and no more: each further value
 * would be a metric of its own to pay for.
 */
export function createMetrics(stage: string): Metrics {
  const powertools = new Powertools({
    namespace: 'Penstock',
    serviceName: 'penstock',
    defaultDimensions: { stage },
  });
  let byReason: { name: string; value: number; reason: string }[] = [];
  return {
    count(name, value, reason) {
      powertools.addMetric(name, MetricUnit.Count, value);
      if (reason !== undefined) byReason.push({ name, value, reason });
    },
    measure(name, value, unit) {
      powertools.addMetric(name, MetricUnit[unit], value);
    },
    flush({ pipeline }) {
      for (const { name, value, reason } of byReason) {
        const single = powertools.singleMetric();
        single.addDimensions({ pipeline, reason });
        single.addMetric(name, MetricUnit.Count, value);
      }
      byReason = [];
      powertools.addDimension('pipeline', pipeline);
      powertools.publishStoredMetrics();
    },
  };
}
