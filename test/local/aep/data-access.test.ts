// The files of a failed batch as the platform lists and shows them (contract §3.4).
import { expect, test } from 'vitest';
import { CATALOG, type Caller, caller, makePipeline, ROW, sendBatch, WARM_UP } from './support.ts';

const EXPORT = '/data/foundation/export/batches';
const REFUSED = { ...ROW, id: 'cust-2', gender: 'Male!' };

async function failedBatch(with_: Caller, diagnostics: boolean): Promise<string> {
  const made = await makePipeline(with_);
  const operation = { op: 'add', path: '/enableErrorDiagnostics', value: diagnostics };
  const type = { 'content-type': 'application/json-patch+json' };
  await with_.call('PATCH', `${CATALOG}/dataSets/${made.dataSetId}`, [operation], type);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [REFUSED]);
  const query = `dataSet=${made.dataSetId}&status=failure`;
  return Object.keys((await with_.call('GET', `${CATALOG}/batches?${query}`)).body)[0] ?? '';
}

test('a list goes on where it is asked to, and says how much of it this is', async () => {
  const with_ = await caller();
  const base = `${EXPORT}/${await failedBatch(with_, true)}/failed`;
  const whole = (await with_.call('GET', base)).body;
  expect(whole).toMatchObject({ _page: { limit: 100, count: 2 } });
  expect(whole.data[1]).toMatchObject({ name: '_SUCCESS', length: '0' });
  const second = (await with_.call('GET', `${base}?start=1&limit=1`)).body;
  expect(second).toEqual({ data: [whole.data[1]], _page: { limit: 1, count: 1 } });
  expect((await with_.call('GET', `${base}?start=2`)).body.data).toEqual([]);
  expect((await with_.call('GET', `${base}?limit=101`)).status).toBe(400);
});

test('diagnostics hold the rows as they had come in, file by file in a folder', async () => {
  const with_ = await caller();
  const base = `${EXPORT}/${await failedBatch(with_, true)}/meta`;
  const { data } = (await with_.call('GET', `${base}?path=row_errors`)).body;
  expect(data).toMatchObject([{ name: 'conversion_errors_0.json', length: expect.stringMatching(/^\d+$/) }]);
  const { href } = data[0]._links.self;
  const file = await with_.call('GET', href.slice(href.indexOf('/data/')));
  const { _errors, _filename, ...row } = JSON.parse(file.text);
  expect(row).toEqual(REFUSED);
  expect(_errors).toMatchObject([{ code: 'DCVS-1106-400', column: '#/person/gender' }]);
  expect((await with_.call('GET', `${base}?path=row_errors/other.json`)).status).toBe(404);
  expect((await with_.call('GET', `${base}?path=row_error_samples.json`)).text).toBe(file.text);
});

test('a dataset without diagnostics has none', async () => {
  const with_ = await caller();
  const base = `${EXPORT}/${await failedBatch(with_, false)}/meta`;
  expect((await with_.call('GET', base)).body.data).toEqual([]);
  expect((await with_.call('GET', `${base}?path=row_errors`)).body.data).toEqual([]);
});

test('12 B 7: a failed line has body, header and _errors first and in this order, as aepp’s decoder looks for them', async () => {
  const with_ = await caller();
  const base = `${EXPORT}/${await failedBatch(with_, true)}/failed`;
  const { data } = (await with_.call('GET', base)).body;
  const line = (await with_.call('GET', `${base}?path=${data[0].name}`)).text.split('\n')[0] ?? '';
  expect(Object.keys(JSON.parse(line)).slice(0, 3)).toEqual(['body', 'header', '_errors']);
});
