// Observability Insights: what inlets and datasets have taken in and refused, as counted when it happened.
//
// DOCUMENTED, by Adobe's page observability/api/metrics and observability-insights.yaml:
// - The names of the metrics.
// - Request, answer and errors of version 2.
// - Version 1, in the file and in an older state of the page.
//
// CONFLICTING:
// - Some states of the page demand `downsample` with a granularity, others do not know it. It may be absent here.
// - The filter is `dataSetId` in every example, `dataSets` and `dataSetID` in the texts. Each of them is taken here.
// - The answer of version 1 is an object on the page and an array in the file (quirk `old-metrics`).
//
// INFERRED:
// - The name of the other filter is `inletId`.
// - An interval without data has no datapoint, as in OpenTSDB, to which the page refers.
// - Which granularities there are beside DAY and MONTH.
// - The interval in which the range ends belongs to the range.
//
// UNKNOWN:
// - When a count shows up. Here it does at once.
// - What the interval is where no granularity is named. Here it is a minute.
// - Whether a 207 with failures in it is a successful call. Here it is.

import { type Answer, json } from './answer.ts';
import {
  type Category,
  type Counters,
  count,
  type DataSetCount,
  type InletCount,
  MINUTE,
  type Minute,
} from './counters.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, type Call, jsonObjectBody } from './http.ts';
import { arrayAt, isObject, type Json, type JsonObject, own, textAt } from './json.ts';
import { notSimulated } from './not-simulated.ts';
import type { Route } from './router.ts';
import type { Sandbox, World } from './state.ts';

const PATH = '/data/infrastructure/observability/insights/metrics';
const DAY = 24 * 60 * MINUTE;

interface Metric {
  readonly of: 'inlet' | 'dataSet';
  readonly count: InletCount | DataSetCount;
  /** Each value holds all that came before. */
  readonly cumulative?: true;
}

const category = (count: Category): Metric => ({ of: 'dataSet', count });
const VALIDATION = 'timeseries.data.collection.validation.category';

const METRICS: { readonly [name: string]: Metric } = {
  'timeseries.data.collection.inlet.total.messages.received': { of: 'inlet', count: 'messages' },
  'timeseries.data.collection.inlet.total.messages.size.received': { of: 'inlet', count: 'bytes' },
  'timeseries.data.collection.inlet.success': { of: 'inlet', count: 'successes' },
  'timeseries.data.collection.inlet.failure': { of: 'inlet', count: 'failures' },
  'timeseries.ingestion.dataset.recordsuccess.count': { of: 'dataSet', count: 'records' },
  'timeseries.ingestion.dataset.batchsuccess.count': { of: 'dataSet', count: 'batches' },
  'timeseries.ingestion.dataset.batchfailed.count': { of: 'dataSet', count: 'failedBatches' },
  'timeseries.ingestion.dataset.size': { of: 'dataSet', count: 'bytes', cumulative: true },
  'timeseries.ingestion.dataset.dailysize': { of: 'dataSet', count: 'bytes' },
  [`${VALIDATION}.presence.count`]: category('presence'),
  // The page has dropped these, Adobe's client (aepp) still lists them.
  [`${VALIDATION}.type.count`]: category('type'),
  [`${VALIDATION}.range.count`]: category('range'),
  [`${VALIDATION}.format.count`]: category('format'),
  [`${VALIDATION}.pattern.count`]: category('pattern'),
  [`${VALIDATION}.enum.count`]: category('enum'),
  [`${VALIDATION}.unclassified.count`]: category('unclassified'),
};

/** Published by Adobe, or listed by its client, and not counted here. */
const UNCOUNTED: readonly string[] = [
  'stats.ingestion.dataset.count',
  'timeseries.ingestion.dataset.new.count',
  'timeseries.data.collection.validation.total.messages.rate',
  'timeseries.data.collection.validation.valid.messages.rate',
  'timeseries.data.collection.validation.invalid.messages.rate',
  `${VALIDATION}.unknown.count`,
  'timeseries.identity.dataset.recordsuccess.count',
  'timeseries.identity.dataset.recordfailed.count',
  'timeseries.identity.dataset.namespacecode.recordfailed.count',
  'timeseries.identity.dataset.namespacecode.recordskipped.count',
  'timeseries.identity.graph.imsorg.uniqueidentities.count',
  'timeseries.identity.graph.imsorg.namespacecode.uniqueidentities.count',
  'timeseries.identity.graph.imsorg.graphstrength.uniqueidentities.count',
  'timeseries.profiles.dataset.recordread.count',
  'timeseries.profiles.dataset.recordsuccess.count',
  'timeseries.profiles.dataset.recordfailed.count',
  'timeseries.profiles.dataset.batchsuccess.count',
  'timeseries.profiles.dataset.batchfailed.count',
];

const GRANULARITIES: { readonly [name: string]: (iso: string) => string } = {
  MINUTE: (iso) => `${iso.slice(0, 16)}:00Z`,
  HOUR: (iso) => `${iso.slice(0, 13)}:00:00Z`,
  DAY: (iso) => `${iso.slice(0, 10)}T00:00:00Z`,
  MONTH: (iso) => `${iso.slice(0, 7)}-01T00:00:00Z`,
};

type Aggregate = (values: readonly number[]) => number;
const sum: Aggregate = (values) => values.reduce((total, value) => total + value, 0);

/** OpenTSDB's, as far as they need no interpolation. */
const AGGREGATORS: { readonly [name: string]: Aggregate } = {
  sum,
  zimsum: sum,
  avg: (values) => sum(values) / values.length,
  min: (values) => Math.min(...values),
  mimmin: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  mimmax: (values) => Math.max(...values),
  count: (values) => values.length,
};
const OTHER_AGGREGATORS =
  /^(dev|diff|first|last|median|mult|multiply|none|pfsum|squareSum|(ep)?p\d+(r[37])?)$/;

interface Range {
  readonly from: number;
  readonly to: number;
}

interface Interval {
  readonly granularity: string;
  readonly range: Range;
}

export function observabilityRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['POST', PATH, (call) => report(world, call)],
    ['GET', PATH, (call) => oldReport(world, call)],
  ];
}

/** Counts a call of an inlet, where it was answered. */
export function countInletCall({ state, clock }: World, call: Call, { status }: Answer): void {
  const inlet = state.inlets.get(call.path.slice(call.path.lastIndexOf('/') + 1));
  if (!inlet || status === 0) return;
  const taken = { messages: call.notes?.messages ?? 0, bytes: call.body.length, successes: 1 };
  count(inlet.sandbox.inletCounts, inlet.id, clock.now(), status < 400 ? taken : { failures: 1 });
}

function report(world: World, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  const range = { from: timeOf(textAt(body, 'start')), to: timeOf(textAt(body, 'end')) };
  const refuse = (reason: string) => refusal(world, call, reason);
  if (Number.isNaN(range.from)) throw refuse('start must be an ISO 8601 timestamp.');
  if (Number.isNaN(range.to)) throw refuse('end must be an ISO 8601 timestamp.');
  if (range.from > range.to) throw refuse('Start date cannot be after end date.');
  const granularity = String(body.granularity ?? 'MINUTE').toUpperCase();
  if (!own(GRANULARITIES, granularity)) {
    throw refuse(`granularity must be one of ${Object.keys(GRANULARITIES).join(', ')}.`);
  }
  const asked = arrayAt(body, 'metrics');
  if (asked.length === 0) throw refuse('metrics must name at least one metric.');
  return json(200, {
    metricResponses: asked.map((each) => series(call.sandbox, each, { granularity, range }, refuse)),
  });
}

function series(
  sandbox: Sandbox,
  asked: Json,
  interval: Interval,
  refuse: (reason: string) => Refusal,
): JsonObject {
  const name = textAt(asked, 'name') ?? '';
  const metric = metricOf(name, refuse);
  const aggregate = aggregatorOf(textAt(asked, 'aggregator'), refuse);
  const within = aggregatorOf(textAt(asked, 'downsample') ?? 'sum', refuse);
  const filters = arrayAt(asked, 'filters').filter(isObject);
  const unfit = filters.find((filter) => resourceOf(filter) !== metric.of);
  if (unfit) throw refuse(`The filter ${textAt(unfit, 'name') ?? 'without a name'} does not fit ${name}.`);
  const points = (ids: string[]) =>
    pointsOf(minutesOf(sandbox, metric, ids), metric, interval, within, aggregate);
  return {
    metric: name,
    filters,
    datapoints: groups(sandbox, metric, filters).map(({ groupBy, ids }) => ({
      groupBy,
      dps: Object.fromEntries(points(ids)),
    })),
    granularity: interval.granularity,
  };
}

/** One for each id of a filter that says so, and one for the ids of all the others; without a filter, of everything. */
function groups(
  sandbox: Sandbox,
  { of }: Metric,
  filters: JsonObject[],
): { groupBy: JsonObject; ids: string[] }[] {
  if (filters.length === 0) return [{ groupBy: {}, ids: [...countersOf(sandbox, of).keys()] }];
  const single = filters.filter(({ groupBy }) => groupBy === true);
  const together = filters.filter(({ groupBy }) => groupBy !== true);
  const each = single.flatMap((filter) =>
    idsIn([filter]).map((id) => ({ groupBy: { [textAt(filter, 'name') as string]: id }, ids: [id] })),
  );
  return together.length === 0 ? each : [...each, { groupBy: {}, ids: idsIn(together) }];
}

/** Each id once, so that a dataset that is named twice is not counted twice. */
function idsIn(filters: JsonObject[]): string[] {
  const all = filters.flatMap((filter) => (textAt(filter, 'value') ?? '').split('|'));
  return [...new Set(all.filter(Boolean))];
}

/** Version 1: deprecated, published all the same. `id` narrows, `dateRange` is `from/to`, newest first. */
function oldReport(world: World, call: AdmittedCall): Answer {
  const names = call.query.getAll('metric');
  const refuse = (details: string) =>
    new Refusal(400, { errorCode: 'INSGHT-1000-400', httpStatus: 400, title: 'Bad Request', details });
  if (names.length < 1 || names.length > 6 || new Set(names).size < names.length)
    throw refuse('metric must be given one to six times, each time another one.');
  const range = oldRange(world, call.query.get('dateRange'));
  if (!(range.from <= range.to))
    throw refuse('dateRange must be two ISO 8601 timestamps with a slash between.');
  const granularity = range.to - range.from > 31 * DAY ? 'MONTH' : 'DAY';
  const id = call.query.get('id');
  const items = new Map<string, Record<string, number>>();
  for (const name of names) {
    const metric = metricOf(name, refuse);
    const minutes = minutesOf(
      call.sandbox,
      metric,
      id ? [id] : [...countersOf(call.sandbox, metric.of).keys()],
    );
    for (const [timestamp, value] of pointsOf(minutes, metric, { granularity, range }, sum, sum))
      items.set(timestamp, { ...items.get(timestamp), [name]: value });
  }
  const newestFirst = [...items].sort(([a], [b]) => (a < b ? 1 : -1));
  const answer = {
    id,
    imsOrgId: world.settings.organization,
    timeseries: {
      granularity,
      items: newestFirst.map(([timestamp, metrics]) => ({ timestamp, metrics })),
      _page: null,
      _links: null,
    },
    stats: {},
  };
  return json(200, world.settings.quirks['old-metrics'] === 'list' ? [answer] : answer);
}

/** DOCUMENTED: 30 days where nothing is said. */
function oldRange({ clock }: World, given: string | null): Range {
  if (given === null) return { from: clock.now() - 30 * DAY, to: clock.now() };
  const [from, to] = given.split('/');
  return { from: timeOf(from), to: timeOf(to) };
}

function metricOf(name: string, refuse: (reason: string) => Refusal): Metric {
  const metric = own(METRICS, name);
  if (metric) return metric;
  if (UNCOUNTED.includes(name)) throw notSimulated(name, 'It is not counted here');
  throw refuse(`Invalid metric: ${name || 'it has no name'}.`);
}

function aggregatorOf(name: string | undefined, refuse: (reason: string) => Refusal): Aggregate {
  const known = own(AGGREGATORS, name ?? '');
  if (known) return known;
  if (OTHER_AGGREGATORS.test(name ?? '')) throw notSimulated(`The aggregator ${name}`, 'OpenTSDB has it');
  throw refuse(name === undefined ? 'aggregator is required.' : `Invalid aggregator: ${name}.`);
}

function resourceOf(filter: JsonObject): Metric['of'] | undefined {
  if (/^datasets?(id)?$/i.test(textAt(filter, 'name') ?? '')) return 'dataSet';
  return /^inlets?(id)?$/i.test(textAt(filter, 'name') ?? '') ? 'inlet' : undefined;
}

function countersOf(sandbox: Sandbox, of: Metric['of']): Counters<string> {
  return of === 'inlet' ? sandbox.inletCounts : sandbox.dataSetCounts;
}

function minutesOf(sandbox: Sandbox, { of }: Metric, ids: string[]): (readonly Minute<string>[])[] {
  const counters = countersOf(sandbox, of);
  return ids.map((id) => counters.get(id) ?? []);
}

/** In order of time: each resource by itself into the intervals, then the resources of an interval together. */
function pointsOf(
  resources: (readonly Minute<string>[])[],
  metric: Metric,
  { granularity, range }: Interval,
  within: Aggregate,
  across: Aggregate,
): [string, number][] {
  const start = own(GRANULARITIES, granularity) as (iso: string) => string;
  const each = resources.map((minutes) => intervals(minutes, metric, range, start));
  const starts = [...new Set(each.flatMap((found) => [...found.keys()]))].sort();
  if (metric.cumulative) {
    const sizes = resources.map((minutes) => totals(minutes, metric, range.to, start, starts));
    return starts.map((at, index) => [at, across(sizes.map((size) => size[index] as number))]);
  }
  return starts.map((at) => [
    at,
    across(each.flatMap((found) => (found.has(at) ? [within(found.get(at) ?? [])] : []))),
  ]);
}

function intervals(
  minutes: readonly Minute<string>[],
  { count }: Metric,
  { from, to }: Range,
  start: (iso: string) => string,
): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { at, counts } of minutes) {
    const value = counts[count];
    if (value === undefined || at < from - (from % MINUTE) || at > to) continue;
    const interval = start(new Date(at).toISOString());
    const values = found.get(interval);
    if (values) values.push(value);
    else found.set(interval, [value]);
  }
  return found;
}

/** All there was at the end of each interval, or at the end of the range if that is earlier. */
function totals(
  minutes: readonly Minute<string>[],
  { count }: Metric,
  to: number,
  start: (iso: string) => string,
  starts: readonly string[],
): number[] {
  let [next, total] = [0, 0];
  return starts.map((interval) => {
    for (; next < minutes.length; next++) {
      const { at, counts } = minutes[next] as Minute<string>;
      if (at > to || start(new Date(at).toISOString()) > interval) break;
      total += counts[count] ?? 0;
    }
    return total;
  });
}

function timeOf(given: string | undefined): number {
  return given !== undefined && /^\d{4}-\d{2}-\d{2}/.test(given) ? Date.parse(given) : Number.NaN;
}

function refusal({ settings, clock }: World, { sandbox }: AdmittedCall, reason: string): Refusal {
  const tenant = { sandboxName: sandbox.name, sandboxId: sandbox.id, imsOrgId: settings.organization };
  return Refusal.insights('INSGHT-1000-400', `Bad Request - ${reason}`, tenant, clock.now());
}
