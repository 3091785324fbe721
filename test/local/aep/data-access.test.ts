// The files of a failed batch as the platform lists and shows them (contract §3.4).
import { describe, expect, test } from 'vitest';
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

test('a list starts at the given offset, and has its size', async () => {
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

describe('12 B 8: what lies in the lake', () => {
  const TILDE = { ...ROW, firstName: 'Añá 🌍' };

  async function landedFile(rows: object[] = [TILDE, { ...ROW, id: 'cust-2' }]) {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    await sendBatch(with_, made, rows);
    const [batchId] = Object.keys((await with_.call('GET', `${CATALOG}/batches?status=success`)).body);
    const [entry] = (await with_.call('GET', `${EXPORT}/${batchId}/files`)).body.data;
    const path = `/data/foundation/export/files/${entry.dataSetFileId}`;
    const [{ name }] = (await with_.call('GET', path)).body.data;
    return { with_, made, entry, path, file: `${path}?path=${name}` };
  }

  test('a file is described by HEAD before it is fetched', async () => {
    const { with_, path, file } = await landedFile();
    const head = await with_.call('HEAD', file);
    const whole = await with_.call('GET', file);
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'content-length': String(Buffer.byteLength(whole.text)),
      'content-type': whole.headers.get('content-type'),
    });
    expect((await with_.call('HEAD', `${path}?path=none`)).status).toBe(404);
    expect((await with_.call('HEAD', path)).status).toBe(400);
    expect((await with_.call('HEAD', `${file.replace(/files\/\w+/, 'files/NONE')}`)).status).toBe(404);
  });

  test.each([
    ['bytes=0-9', 0, 10],
    ['bytes=5-', 5, undefined],
    ['bytes=-7', -7, undefined],
    ['bytes=3-99999999', 3, undefined],
  ])('and comes in the range that %s asks for', async (range, from, to) => {
    const { with_, file } = await landedFile();
    const whole = await with_.call('GET', file);
    const part = await with_.call('GET', file, undefined, { range });
    expect(part.status).toBe(206);
    expect(part.text).toBe(Buffer.from(whole.text).subarray(from, to).toString());
    const total = Buffer.byteLength(whole.text);
    expect(part.headers.get('content-range')).toMatch(new RegExp(`^bytes \\d+-\\d+/${total}$`));
  });

  test('put together again, its parts are the rows; a range beyond its end is 416', async () => {
    const { with_, file } = await landedFile();
    let text = '';
    let part = await with_.call('GET', file, undefined, { range: 'bytes=0-6' });
    while (part.status === 206) {
      text += part.text;
      const range = `bytes=${text.length}-${text.length + 6}`;
      part = await with_.call('GET', file, undefined, { range });
    }
    expect(part.status).toBe(416);
    expect(text.split('\n').map((line) => JSON.parse(line).person.name.firstName)).toEqual(['Añá 🌍', 'Ana']);
    for (const range of ['bytes=-', 'rows=0-1', 'bytes=0-1,4-5'])
      expect((await with_.call('GET', file, undefined, { range })).status).toBe(200);
  });

  test('a dataset shows its first hundred rows, of batches that have landed', async () => {
    const rows = Array.from({ length: 120 }, (_, index) => ({ ...ROW, id: `cust-${index}` }));
    const { with_, made, entry } = await landedFile(rows);
    await sendBatch(with_, made, [REFUSED]);
    const preview = async (id: string) => with_.call('GET', `/data/foundation/export/datasets/${id}/preview`);
    const { data } = (await preview(made.dataSetId)).body;
    expect(data.map((row: { _id: string }) => row._id)).toEqual(rows.slice(0, 100).map(({ id }) => id));
    expect((await preview('000000000000000000000000')).status).toBe(404);
    const { viewId } = (await with_.call('GET', `${CATALOG}/dataSets/${made.dataSetId}`)).body[
      made.dataSetId
    ];
    expect(entry.dataSetViewId).toBe(viewId);
  });
});

test('12 B 7: a failed line has body, header and _errors first and in this order, as aepp’s decoder looks for them', async () => {
  const with_ = await caller();
  const base = `${EXPORT}/${await failedBatch(with_, true)}/failed`;
  const { data } = (await with_.call('GET', base)).body;
  const line = (await with_.call('GET', `${base}?path=${data[0].name}`)).text.split('\n')[0] ?? '';
  expect(Object.keys(JSON.parse(line)).slice(0, 3)).toEqual(['body', 'header', '_errors']);
});
