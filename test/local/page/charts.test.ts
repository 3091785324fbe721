import { describe, expect, it } from 'vitest';
import { RETRY_BUDGET } from '../../../lib/forward/send/limits.ts';
import { STEP_MS, STEPS } from '../../../local/aws/metrics.ts';
import { atOnce, chartsFeed } from '../../../local/page/areas/charts.ts';
import { createStore } from '../../../local/page/store.ts';
import type { ChartsTold } from '../../../local/page/told.ts';
import { ORIGIN, toldStack } from '../../support/watched.ts';

/** Of one moment, so that all lines of a test are in one step. */
const NOW = Date.now();

/** A line as the forwarder prints it. */
function printed(pipeline: string, values: Record<string, number | number[]>, reason?: string): string {
  const Metrics = Object.keys(values).map((Name) => ({ Name }));
  const _aws = { Timestamp: NOW, CloudWatchMetrics: [{ Metrics }] };
  return JSON.stringify({ _aws, pipeline, ...(reason !== undefined && { reason }), ...values });
}

const looking = () => {
  const watched = toldStack();
  return { watched, store: createStore('/nowhere') };
};

/** What a chart shows of the whole time: the sum of each line's values. */
function sumsOf({ charts }: ChartsTold, id: string): Record<string, number> {
  const lines = charts.find((chart) => chart.id === id)?.lines ?? [];
  return Object.fromEntries(
    lines.map(({ name, values }) => [name, values.reduce<number>((sum, value) => sum + (value ?? 0), 0)]),
  );
}

describe('the charts that the page follows', () => {
  it('show each route in and out, rejects by reason, and how long and how large requests are', () => {
    const looked = looking();
    const { metrics } = looked.watched;
    metrics.see(printed('orders', { RecordsReceived: 50, RecordsAcknowledged: 40, RecordsRejected: 10 }));
    metrics.see(printed('returns', { RecordsReceived: 5, RecordsAcknowledged: 5 }));
    metrics.see(printed('orders', { RecordsRejected: 10 }, 'not-json'));
    metrics.see(printed('orders', { ArrivalToAcceptedMs: [100, 200, 300], RequestMessages: [40] }));
    const now = chartsFeed(looked)() as ChartsTold;
    expect(now.times).toHaveLength(STEPS);
    const seconds = STEP_MS / 1000;
    expect(sumsOf(now, 'rates')).toEqual({
      'orders in': 50 / seconds,
      'returns in': 5 / seconds,
      'orders out': 40 / seconds,
      'returns out': 5 / seconds,
    });
    expect(sumsOf(now, 'rejects')).toEqual({ 'not-json': 10 });
    expect(sumsOf(now, 'latency')).toEqual({ 'half of them': 200, '95 of 100': 300 });
    expect(sumsOf(now, 'batches')).toEqual({ 'half of them': 40, '95 of 100': 40 });
  });

  it("take a retry from the budget at the forwarder's price, and give one back for each success", () => {
    const looked = looking();
    const { metrics } = looked.watched;
    const { capacity, cost, throttledCost } = RETRY_BUDGET;
    metrics.see(printed('orders', { Requests: 10, RequestsFailed: 6, Retries: 5 }));
    metrics.see(printed('orders', { RequestsFailed: 2 }, 'throttled'));
    const { charts } = chartsFeed(looked)() as ChartsTold;
    const left = charts.find(({ id }) => id === 'retries')?.lines[0]?.values ?? [];
    const paid = 2 * throttledCost + 3 * cost;
    const least = Math.min(...left.map((value) => value ?? capacity));
    expect(left[0]).toBe(capacity);
    expect(least).toBeGreaterThanOrEqual(capacity - paid + 4);
    expect(least).toBeLessThan(capacity - paid + 4 + STEP_MS / 1000);
  });

  it('count requests to inlets that were under way at once, whatever the clock of the platform', async () => {
    const looked = looking();
    const { platform } = looked.watched.platform;
    platform.clock.advance(86_400_000);
    const post = () =>
      platform.fetch(new Request(`${ORIGIN}/collection/none`, { method: 'POST', body: '{}' }));
    await post();
    await platform.fetch(new Request(`${ORIGIN}/elsewhere`));
    expect(sumsOf(chartsFeed(looked)() as ChartsTold, 'in-flight')).toEqual({ 'at once': 1 });
    expect([
      ...atOnce([
        [0, 10],
        [5, 10],
        [15, 5],
        [STEP_MS, 1],
      ]),
    ]).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });

  it('draw the busiest lines alone', () => {
    const looked = looking();
    for (let one = 1; one <= 9; one++)
      looked.watched.metrics.see(printed('orders', { RecordsRejected: one }, `reason-${one}`));
    expect(Object.keys(sumsOf(chartsFeed(looked)() as ChartsTold, 'rejects'))).toEqual(
      [4, 5, 6, 7, 8, 9].map((one) => `reason-${one}`),
    );
  });
});
