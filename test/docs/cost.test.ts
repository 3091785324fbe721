// docs/scale-and-cost.md: its sums are right, and what it counts is what the code and the template have.
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../lib/aws/metrics.ts';
import { PUBLISHED_KEPT_MS } from '../../lib/forward/pipelines.ts';
import { createLog } from '../../lib/log.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { world } from '../support/forwarding.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const PAGE = read('docs/scale-and-cost.md');

/** The cells of each row below the heading `title`, the lines of headings and rules left out. */
function rowsOf(title: string): string[][] {
  const [, after = ''] = PAGE.split(`\n${title}\n`);
  const section = after.split(/^#+ /m)[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const number = (text = '') => Number(/[\d,]+(?:\.\d+)?/.exec(text)?.[0].replaceAll(',', ''));
const dollars = (text = '') => (text.startsWith('$') ? number(text) : 0);
const price = (what: string) => {
  const row = rowsOf('## Prices').find(([name = '']) => name.startsWith(what));
  return dollars(row?.[1]);
};

const MINUTES = 730 * 60;
const INVOCATIONS = MINUTES * 60;
const LOG_GB = (2.2 * INVOCATIONS) / 1e6;

/** What a forwarder writes to its log about one invocation. */
async function written(): Promise<{ readonly log: string; readonly metrics: string }> {
  const lines: string[] = [];
  const keep = ((text: unknown) => lines.push(String(text)) > 0) as never;
  const spies = [vi.spyOn(console, 'log').mockImplementation(keep)];
  spies.push(vi.spyOn(process.stdout, 'write').mockImplementation(keep) as never);
  try {
    const own = world({ metrics: createMetrics('dev') });
    await own.run(['{"id":1}']);
    for (const { message, fields } of own.lines) createLog('INFO').info(message, fields);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const [metrics = '', log = ''] = [...lines].sort(
    (a, b) => Number(b.includes('_aws')) - Number(a.includes('_aws')),
  );
  expect(lines).toHaveLength(2);
  return { log, metrics };
}

interface EmbeddedMetrics {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly { readonly Dimensions: string[][]; readonly Metrics: unknown[] }[];
  };
}

interface Alarm {
  readonly Type: string;
  readonly Properties: {
    readonly Metrics?: readonly { readonly Expression?: string; readonly MetricStat?: object }[];
  };
}

describe('13 A 3: docs/scale-and-cost.md', () => {
  it.each(['## Idle: one pipeline, no records', '## One busy shard', '## 30 streams, 500 shards'])(
    '%s: what stands in the last row is the sum',
    (title) => {
      const rows = rowsOf(title);
      const sum = rows.slice(0, -1).reduce((all, [, , cost]) => all + dollars(cost), 0);
      expect(rows.length).toBeGreaterThan(5);
      expect(dollars(rows.at(-1)?.[2]?.replaceAll('*', ''))).toBeCloseTo(sum, 2);
    },
  );

  it('one busy shard: quantities by the prices of the page', () => {
    const cost = rowsOf('## One busy shard').map(([, , cell]) => dollars(cell));
    const [requests, duration, log, traces, reads, metrics, alarms] = cost;
    expect(requests).toBeCloseTo((INVOCATIONS / 1e6) * price('Lambda, a million'), 2);
    expect(duration).toBeCloseTo(INVOCATIONS * 0.03 * 0.5 * price('Lambda, arm64'), 2);
    expect(log).toBeCloseTo(LOG_GB * price('CloudWatch Logs, a GB taken in'), 2);
    expect(traces).toBeCloseTo((INVOCATIONS / 1e6) * price('X-Ray'), 2);
    expect(reads).toBeCloseTo((MINUTES / 1e4) * (price('Secrets Manager, 10,000') + price('KMS, 10,000')), 2);
    expect(metrics).toBeCloseTo(32 * price('CloudWatch, a metric a month'), 2);
    expect(alarms).toBeCloseTo(10 * price('CloudWatch, a metric of an alarm'), 2);
  });

  it('500 shards: quantities by the prices of the page, in whole dollars', () => {
    const cost = rowsOf('## 30 streams, 500 shards').map(([, , cell]) => dollars(cell));
    const perSecond = 1 + 0.05 * 499;
    expect(cost.slice(0, -1)).toEqual(
      [
        ((500 * INVOCATIONS) / 1e6) * price('Lambda, a million'),
        500 * INVOCATIONS * 0.03 * 0.5 * price('Lambda, arm64'),
        500 * LOG_GB * price('CloudWatch Logs, a GB taken in'),
        ((perSecond * INVOCATIONS) / 1e6) * price('X-Ray'),
        (30 + 1) * 16 * price('CloudWatch, a metric a month'),
        (20 + 10 * 30) * price('CloudWatch, a metric of an alarm'),
        31 * price('Secrets Manager, a secret'),
        ((15 * 30 * MINUTES) / 1e4) * (price('Secrets Manager, 10,000') + price('KMS, 10,000')),
      ].map(Math.round),
    );
  });

  it('says how much an invocation writes, and how many metrics it has', async () => {
    const { log, metrics } = await written();
    const kilobytes = (text: string) => `${(Math.ceil(text.length / 100) / 10).toFixed(1)} KB`;
    const said = /a log line of ([\d.]+ KB), a line of metrics of ([\d.]+ KB)/.exec(PAGE)?.slice(1);
    expect(said).toEqual([log, metrics].map(kilobytes));
    const { CloudWatchMetrics } = (JSON.parse(metrics) as EmbeddedMetrics)._aws;
    expect(CloudWatchMetrics).toHaveLength(1);
    const [{ Dimensions, Metrics } = { Dimensions: [], Metrics: [] }] = CloudWatchMetrics;
    expect(Dimensions.map((set) => set.includes('pipeline')).sort()).toEqual([false, true]);
    expect(PAGE).toContain(`Metrics: ${Metrics.length} of the pipeline and ${Metrics.length} of the stage`);
  });

  it('counts the metrics of the alarms as the template has them', () => {
    const { Resources } = parse(read('cloud/alarms.yml'), { logLevel: 'silent', merge: true }) as {
      Resources: Record<string, Alarm>;
    };
    const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    const queries = alarms.filter(({ Properties }) =>
      Properties.Metrics?.some(({ Expression = '' }) => Expression.startsWith('SELECT')),
    );
    const named = alarms
      .filter((alarm) => !queries.includes(alarm))
      .reduce(
        (sum, { Properties }) => sum + (Properties.Metrics?.filter((one) => one.MetricStat).length ?? 1),
        0,
      );
    expect(PAGE).toContain(`Alarms: ${named} that watch one metric each`);
    expect(PAGE).toContain(`| Alarms that query metrics of pipelines | ${queries.length} |`);
  });

  it('has the settings that it counts with', () => {
    expect(settingsFrom({}).publishedSeconds).toBe(60);
    expect(PAGE).toContain(`uses what it has read for ${PUBLISHED_KEPT_MS / 60_000} minutes`);
    const { functions, provider } = parse(read('serverless.yml'), { logLevel: 'silent', merge: true });
    expect([functions.forward.memorySize, provider.architecture]).toEqual([512, 'arm64']);
    expect([functions.reconcile.timeout, functions.drift.timeout]).toEqual([600, 900]);
  });

  it('names parameters that there are', () => {
    const known = new Set(
      Array.from(read('docs/deploy.md').matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name),
    );
    const named = rowsOf('### What to set').filter(([where]) => where === 'parameter');
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter(([, name = '']) => !known.has(name.replaceAll('`', '')))).toEqual([]);
  });
});
