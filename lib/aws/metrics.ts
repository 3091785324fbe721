// CloudWatch metrics through Powertools: counters of one invocation as one line of embedded metric format.
import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import type { Metrics } from '../runtime.ts';

/** Dimensions are `service`, `stage` and `pipeline` and no more: each further value would be a metric of its own to pay for. */
export function createMetrics(stage: string): Metrics {
  const powertools = new Powertools({
    namespace: 'Penstock',
    serviceName: 'penstock',
    defaultDimensions: { stage },
  });
  return {
    count(name, value) {
      powertools.addMetric(name, MetricUnit.Count, value);
    },
    flush({ pipeline }) {
      powertools.addDimension('pipeline', pipeline);
      powertools.publishStoredMetrics();
    },
  };
}
