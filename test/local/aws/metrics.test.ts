import { describe, expect, it } from 'vitest';
import { createLocalMetrics, STEP_MS, STEPS } from '../../../local/aws/metrics.ts';

const line = (at: number, values: Record<string, number | number[]>, more: object = {}) =>
  JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: 'Penstock',
          Dimensions: [
            ['service', 'stage', 'pipeline'],
            ['service', 'stage'],
          ],
          Metrics: Object.keys(values).map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
    service: 'penstock',
    stage: 'dev',
    pipeline: 'orders',
    ...values,
    ...more,
  });

describe('metrics that functions print', () => {
  it('are summed up by pipeline, reason and step, and keep the values of a measure', () => {
    const metrics = createLocalMetrics();
    metrics.see(line(0, { RecordsReceived: 3, RequestMs: [5, 7] }));
    metrics.see(line(STEP_MS - 1, { RecordsReceived: 4, RequestMs: 9 }));
    metrics.see(line(STEP_MS, { RecordsRejected: 2 }, { reason: 'not-json' }));
    expect(metrics.series('RecordsReceived')).toMatchObject([{ pipeline: 'orders', reason: '' }]);
    expect(metrics.series('RecordsReceived')[0]?.steps).toEqual(new Map([[0, { sum: 7, values: [3, 4] }]]));
    expect(metrics.series('RequestMs')[0]?.steps.get(0)).toEqual({ sum: 21, values: [5, 7, 9] });
    expect(metrics.series('RecordsRejected')).toMatchObject([{ reason: 'not-json' }]);
    expect(metrics.series('RecordsLost')).toEqual([]);
  });

  it('pass over what is no metric, and what is counted for the stage alone', () => {
    const metrics = createLocalMetrics();
    metrics.see('a line with "CloudWatchMetrics" in it');
    metrics.see('{"level": "INFO"}');
    metrics.see(line(0, { RecordsRejected: 1 }, { pipeline: undefined, reason: 'empty' }));
    expect(metrics.series('RecordsRejected')).toEqual([]);
  });

  it('keep the newest steps alone', () => {
    const metrics = createLocalMetrics();
    for (let step = 0; step <= STEPS; step++) metrics.see(line(step * STEP_MS, { Requests: 1 }));
    const { steps } = metrics.series('Requests')[0] ?? {};
    expect([steps?.size, steps?.has(0), steps?.has(STEPS)]).toEqual([STEPS, false, true]);
  });
});
