// Observability Insights tells what inlets and datasets really took in, by minute, hour, day or month.

import { expect, it } from 'vitest';
import {
  type Body,
  type Caller,
  caller,
  type Made,
  makePipeline,
  ROW,
  sendBatch,
  WARM_UP,
} from './support.ts';

const METRICS = '/data/infrastructure/observability/insights/metrics';
const RECEIVED = 'timeseries.data.collection.inlet.total.messages.received';
const SIZE = 'timeseries.data.collection.inlet.total.messages.size.received';
const SUCCESS = 'timeseries.data.collection.inlet.success';
const FAILURE = 'timeseries.data.collection.inlet.failure';
const RECORDS = 'timeseries.ingestion.dataset.recordsuccess.count';
const BATCHES = 'timeseries.ingestion.dataset.batchsuccess.count';
const FAILED = 'timeseries.ingestion.dataset.batchfailed.count';
const PRESENCE = 'timeseries.data.collection.validation.category.presence.count';
const ENUM = 'timeseries.data.collection.validation.category.enum.count';
const LAKE_SIZE = 'timeseries.ingestion.dataset.size';
const RANGE = { start: '2026-02-13T00:00:00.000Z', end: '2026-02-15T00:00:00.000Z' };

/** Two rows that land and one whose gender is none of the allowed, the next minute one more; then a call that is refused. It begins at 09:05. */
async function someTraffic(): Promise<{ platform: Caller; made: Made }> {
  const platform = await caller();
  const made = await makePipeline(platform);
  platform.clock.advance(WARM_UP);
  await sendBatch(platform, made, [ROW, ROW, { ...ROW, gender: 'Robot' }]);
  platform.clock.advance(60_000);
  await sendBatch(platform, made, [ROW]);
  await platform.bare('POST', `/collection/batch/${made.inletId}`, '{');
  return { platform, made };
}

async function asked({ call }: Caller, metrics: object[], more: object = {}): Promise<Body> {
  return (await call('POST', METRICS, { ...RANGE, granularity: 'day', metrics, ...more })).body;
}

const values = (body: Body) =>
  body.metricResponses.map(({ datapoints }: Body) => datapoints.map(({ dps }: Body) => dps));

it("12 B 8: an inlet's messages, bytes, successful and failed calls, and what became of the records, are what happened", async () => {
  const { platform, made } = await someTraffic();
  const inlet = { filters: [{ name: 'inletId', value: made.inletId }], aggregator: 'sum', downsample: 'sum' };
  const dataSet = {
    filters: [{ name: 'dataSetId', value: made.dataSetId }],
    aggregator: 'sum',
    downsample: 'sum',
  };
  const body = await asked(platform, [
    { name: RECEIVED, ...inlet },
    { name: SUCCESS, ...inlet },
    { name: FAILURE, ...inlet },
    { name: RECORDS, ...dataSet },
    { name: BATCHES, ...dataSet },
    { name: FAILED, ...dataSet },
    { name: ENUM, ...dataSet },
    { name: PRESENCE, ...dataSet },
  ]);
  const of = (value: number) => [{ '2026-02-13T00:00:00Z': value }];
  expect(values(body)).toEqual([of(4), of(2), of(1), of(3), of(2), of(1), of(1), [{}]]);
  const sent = [[ROW, ROW, { ...ROW, gender: 'Robot' }], [ROW]].map((messages) =>
    JSON.stringify({ messages }),
  );
  expect(values(await asked(platform, [{ name: SIZE, ...inlet }]))).toEqual([of(sent.join('').length)]);
});

it('12 B 8: the answer has the shape of the page: metric, filters, datapoints with groupBy and dps, granularity', async () => {
  const { platform, made } = await someTraffic();
  const filters = [{ name: 'dataSetId', value: `${made.dataSetId}|5eddb21420f516191b7a8dad`, groupBy: true }];
  const body = await asked(platform, [{ name: RECORDS, filters, aggregator: 'sum' }]);
  expect(body).toEqual({
    metricResponses: [
      {
        metric: RECORDS,
        filters,
        datapoints: [
          { groupBy: { dataSetId: made.dataSetId }, dps: { '2026-02-13T00:00:00Z': 3 } },
          { groupBy: { dataSetId: '5eddb21420f516191b7a8dad' }, dps: {} },
        ],
        granularity: 'DAY',
      },
    ],
  });
});

it('12 B 8: each filter of a metric counts, and an id that is named twice counts once', async () => {
  const { platform, made } = await someTraffic();
  const nothing = { name: 'dataSetId', value: '5eddb21420f516191b7a8dad' };
  const all = { name: 'dataSetId', value: `${made.dataSetId}|${made.dataSetId}` };
  const told = async (filters: object[]) => {
    const body = await asked(platform, [{ name: RECORDS, filters, aggregator: 'sum' }]);
    return body.metricResponses[0].datapoints;
  };
  const dps = { '2026-02-13T00:00:00Z': 3 };
  expect(await told([nothing, all])).toEqual([{ groupBy: {}, dps }]);
  expect(await told([nothing, { ...all, groupBy: true }])).toEqual([
    { groupBy: { dataSetId: made.dataSetId }, dps },
    { groupBy: {}, dps: {} },
  ]);
});

it('12 B 8: granularity and range: minutes, hours, months; what lies outside of the range is not told', async () => {
  const { platform } = await someTraffic();
  const metrics = [{ name: RECEIVED, aggregator: 'sum', downsample: 'sum' }];
  const told = async (more: object) => values(await asked(platform, metrics, more))[0][0];
  expect(await told({ granularity: 'MINUTE' })).toEqual({
    '2026-02-13T09:05:00Z': 3,
    '2026-02-13T09:06:00Z': 1,
  });
  expect(await told({ granularity: 'hour' })).toEqual({ '2026-02-13T09:00:00Z': 4 });
  expect(await told({ granularity: 'MONTH' })).toEqual({ '2026-02-01T00:00:00Z': 4 });
  expect(await told({ end: '2026-02-13T09:05:59Z' })).toEqual({ '2026-02-13T00:00:00Z': 3 });
  expect(await told({ start: '2026-02-13T09:06:30Z' })).toEqual({ '2026-02-13T00:00:00Z': 1 });
  expect(await told({ start: '2026-02-14T00:00:00Z' })).toEqual({});
});

it('12 B 8: downsample works within an interval, aggregator across resources, and a size is told with all before it', async () => {
  const { platform, made } = await someTraffic();
  const told = async (name: string, downsample: string, aggregator = 'sum') =>
    values(await asked(platform, [{ name, aggregator, downsample }], { granularity: 'HOUR' }))[0][0];
  expect(await told(RECEIVED, 'max')).toEqual({ '2026-02-13T09:00:00Z': 3 });
  expect(await told(RECEIVED, 'avg')).toEqual({ '2026-02-13T09:00:00Z': 2 });
  expect(await told(RECEIVED, 'sum', 'count')).toEqual({ '2026-02-13T09:00:00Z': 1 });
  const early = await told(LAKE_SIZE, 'sum');
  platform.clock.advance(3_600_000);
  await sendBatch(platform, made, [ROW]);
  const later = await told(LAKE_SIZE, 'sum');
  expect(later['2026-02-13T09:00:00Z']).toBe(early['2026-02-13T09:00:00Z']);
  expect(later['2026-02-13T10:00:00Z']).toBeGreaterThan(later['2026-02-13T09:00:00Z']);
});

it('12 B 8: a request that is wrong is INSGHT-1000-400 in the shape of the page, and a metric that is not counted is 501', async () => {
  const { platform } = await someTraffic();
  const metrics = [{ name: RECORDS, aggregator: 'sum' }];
  const wrong = async (more: object) => asked(platform, metrics, more);
  expect(await wrong({ start: RANGE.end, end: RANGE.start })).toMatchObject({
    type: 'http://ns.adobe.com/aep/errors/INSGHT-1000-400',
    title: 'Bad Request - Start date cannot be after end date.',
    status: 400,
    report: { tenantInfo: { sandboxName: 'dev1' }, additionalContext: null },
    'error-chain': [{ serviceId: 'INSGHT', errorCode: 'INSGHT-1000-400', invokingServiceId: 'INSGHT' }],
  });
  for (const more of [
    { start: 'yesterday' },
    { end: undefined },
    { granularity: 'fortnight' },
    { metrics: [] },
    { metrics: [{ name: RECORDS }] },
    { metrics: [{ name: RECORDS, aggregator: 'summe' }] },
    { metrics: [{ name: 'timeseries.data.collection.inlet.sucess', aggregator: 'sum' }] },
    { metrics: [{ name: RECORDS, aggregator: 'sum', filters: [{ name: 'inletId', value: 'x' }] }] },
    { metrics: [{ name: 'constructor', aggregator: 'sum' }] },
  ])
    expect.soft((await wrong(more)).status, JSON.stringify(more)).toBe(400);
  const uncounted = await wrong({ metrics: [{ name: 'timeseries.profiles.dataset.recordread.count' }] });
  expect(uncounted).toMatchObject({ status: 501, penstock: 'not simulated' });
});

it('12 B 8: an unknown sandbox is INSGHT-1003-401', async () => {
  const { call } = await caller();
  const { status, body } = await call('POST', METRICS, {}, { 'x-sandbox-name': 'none' });
  expect([status, body]).toMatchObject([
    401,
    {
      type: 'http://ns.adobe.com/aep/errors/INSGHT-1003-401',
      report: { tenantInfo: { sandboxName: 'none' } },
    },
  ]);
});

it('12 B 8: version 1 is answered as well: metrics by name, one id, newest first', async () => {
  const { platform, made } = await someTraffic();
  platform.clock.advance(20 * 3_600_000);
  await sendBatch(platform, made, [ROW]);
  const query = `metric=${RECORDS}&metric=${BATCHES}&id=${made.dataSetId}`;
  const { body } = await platform.call('GET', `${METRICS}?${query}`);
  expect(body).toEqual({
    id: made.dataSetId,
    imsOrgId: platform.platform.settings.organization,
    timeseries: {
      granularity: 'DAY',
      items: [
        { timestamp: '2026-02-14T00:00:00Z', metrics: { [RECORDS]: 1, [BATCHES]: 1 } },
        { timestamp: '2026-02-13T00:00:00Z', metrics: { [RECORDS]: 3, [BATCHES]: 2 } },
      ],
      _page: null,
      _links: null,
    },
    stats: {},
  });
  const range = 'dateRange=2026-02-13T00:00:00Z/2026-06-13T00:00:00Z';
  const months = (await platform.call('GET', `${METRICS}?metric=${RECORDS}&${range}`)).body.timeseries;
  expect(months).toMatchObject({ granularity: 'MONTH', items: [{ metrics: { [RECORDS]: 4 } }] });
  const none = await platform.call('GET', METRICS);
  expect([none.status, none.body.errorCode, none.body.httpStatus]).toEqual([400, 'INSGHT-1000-400', 400]);
});

it('12 B 8: a copy of the platform counts on by itself from what there was', async () => {
  const { platform, made } = await someTraffic();
  const copy: Caller = { ...platform, platform: platform.platform.copy() };
  const told = async (of: Caller) =>
    values(
      await (
        await of.platform.fetch(
          new Request(`https://platform.adobe.io${METRICS}`, {
            method: 'POST',
            body: JSON.stringify({
              ...RANGE,
              granularity: 'DAY',
              metrics: [{ name: RECEIVED, aggregator: 'sum' }],
            }),
            headers: {
              authorization: `Bearer ${platform.token}`,
              'x-api-key': 'simulated-client-id',
              'x-gw-ims-org-id': platform.platform.settings.organization,
              'x-sandbox-name': 'dev1',
              'content-type': 'application/json',
            },
          }),
        )
      ).json(),
    )[0][0];
  await sendBatch(platform, made, [ROW]);
  expect(await told(platform)).toEqual({ '2026-02-13T00:00:00Z': 5 });
  expect(await told(copy)).toEqual({ '2026-02-13T00:00:00Z': 4 });
});
