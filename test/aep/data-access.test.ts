// Failed batches and their rows: lists with all their oddities (contract §3.4), and files that are read as they come.
import { describe, expect, it } from 'vitest';
import { json } from '../support/scripted.ts';
import { answered, failure } from './simulated.ts';

const BATCH = '01KHZ3W8Q4T1F7M2X9C5B6D0EA';
const text = async (pieces: AsyncIterable<Uint8Array>) => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
};
const listing = (names: readonly string[], length: unknown = '10') =>
  json(200, { data: names.map((name) => ({ name, length })), _page: { limit: 100, count: names.length } });

describe('failed batches', () => {
  const page = { datasetId: 'd1', status: 'failed', createdAfter: 5, start: 0 } as const;

  it('are asked for eldest first, a page at a time', async () => {
    const full = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`b${n}`, { created: n }]));
    const { aep, sent } = answered(json(200, full), json(200, { b1: { created: 1 } }));
    expect((await aep.catalog.failedBatches(page)).more).toBe(true);
    expect(await aep.catalog.failedBatches({ ...page, start: 100 })).toEqual({
      batches: [{ id: 'b1', created: 1 }],
      more: false,
    });
    const { pathname, searchParams } = new URL(sent[1]?.url ?? '');
    expect(pathname).toBe('/data/foundation/catalog/batches');
    expect(Object.fromEntries(searchParams)).toEqual({
      dataSet: 'd1',
      status: 'failed',
      createdAfter: '5',
      orderBy: 'asc:created',
      limit: '100',
      start: '100',
    });
  });

  it('of another dataset are not among them; what they say in an unknown form is not read', async () => {
    const related = (id: string) => [{ type: 'dataSet', id }];
    const { aep } = answered(
      json(200, {
        mine: {
          tags: { flowId: ['f'] },
          relatedObjects: related('d1'),
          errors: [{ code: 'X-1', description: 'x' }],
        },
        other: { relatedObjects: related('d2') },
        odd: { created: 'yesterday', tags: 7, relatedObjects: null, errors: 'many' },
      }),
    );
    expect((await aep.catalog.failedBatches(page)).batches).toEqual([
      expect.objectContaining({
        id: 'mine',
        tags: { flowId: ['f'] },
        errors: [{ code: 'X-1', description: 'x' }],
      }),
      { id: 'odd', created: undefined, tags: undefined, relatedObjects: null, errors: undefined },
    ]);
  });
});

describe('the files of a batch', () => {
  it('are listed without markers and empty ones, whatever a length is', async () => {
    const names = ['_SUCCESS', 'part-1.json', 'empty.json', 'part-2.parquet'];
    const lengths = ['0', '1800', 0, undefined];
    const data = names.map((name, index) => ({ name, length: lengths[index] }));
    const { aep, sent } = answered(json(200, { data, _page: { limit: 100, count: 4 } }));
    expect(await aep.dataAccess.failedFiles(BATCH)).toEqual([
      { path: 'part-1.json', bytes: 1_800 },
      { path: 'part-2.parquet', bytes: undefined },
    ]);
    expect(sent).toHaveLength(1);
    expect(new URL(sent[0]?.url ?? '').pathname).toBe(`/data/foundation/export/batches/${BATCH}/failed`);
  });

  it('are listed page by page, and once where the service knows no pages', async () => {
    const names = Array.from({ length: 130 }, (_, n) => `part-${n}.json`);
    const paged = answered(listing(names.slice(0, 100)), listing(names.slice(100)));
    expect(await paged.aep.dataAccess.failedFiles(BATCH)).toHaveLength(130);
    expect(new URL(paged.sent[1]?.url ?? '').searchParams.get('start')).toBe('100');
    const same = answered(listing(names.slice(0, 100)));
    expect(await same.aep.dataAccess.failedFiles(BATCH)).toHaveLength(100);
    expect(same.sent).toHaveLength(2);
  });

  it('of the diagnostics are in a folder of their own', async () => {
    const { aep, sent } = answered(listing(['conversion_errors_0.json']));
    expect(await aep.dataAccess.rowErrorFiles(BATCH)).toEqual([
      { path: 'row_errors/conversion_errors_0.json', bytes: 10 },
    ]);
    expect(new URL(sent[0]?.url ?? '').searchParams.get('path')).toBe('row_errors');
  });

  it.each(['', '.', '..'])('of a batch with the id "%s" are not asked for', async (id) => {
    const { aep, sent } = answered(listing([]));
    expect(await failure(aep.dataAccess.failedFiles(id))).toMatchObject({ code: 'AEP_UNEXPECTED' });
    expect(sent).toEqual([]);
  });
});

describe('a file', () => {
  const read = (aep: ReturnType<typeof answered>['aep']) =>
    aep.dataAccess.readFile(BATCH, 'failed', 'a&b=c.json', 5_000);

  it('is read with the headers of every call, and its name as one value', async () => {
    const { aep, sent } = answered(json(200, 'line 1\nline 2\n'));
    expect(await text(await read(aep))).toBe('line 1\nline 2\n');
    expect(new URL(sent[0]?.url ?? '').searchParams.get('path')).toBe('a&b=c.json');
    expect(sent[0]?.init).toMatchObject({
      redirect: 'manual',
      headers: { authorization: 'Bearer token-1', 'x-sandbox-name': 'dev1' },
    });
  });

  it('is asked for again where AEP is in trouble, and with a new token where the old one is rejected', async () => {
    const { aep, sent, tokens } = answered(
      json(503, ''),
      json(401, { error_code: '401013' }),
      json(200, 'rows'),
    );
    expect(await text(await read(aep))).toBe('rows');
    expect(sent).toHaveLength(3);
    expect(tokens).toHaveLength(2);
  });

  it.each([
    [404, 'AEP_NOT_FOUND'],
    [403, 'AEP_FORBIDDEN'],
    [302, 'AEP_REDIRECTED'],
  ])('that answers %i is a failure', async (status, code) => {
    const { aep } = answered(
      json(status, { title: 'no', detail: 'no' }, { location: 'https://elsewhere.example' }),
    );
    expect(await failure(read(aep))).toMatchObject({ code, status });
  });

  it('that breaks off is a failure when it does, and not before', async () => {
    let begun = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (begun) return controller.error(new TypeError('terminated'));
        begun = true;
        controller.enqueue(Buffer.from('one\n'));
      },
    });
    const { aep } = answered(() => new Response(body));
    const pieces = (await read(aep))[Symbol.asyncIterator]();
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('one\n');
    expect(await failure(pieces.next())).toMatchObject({ code: 'AEP_UNREACHABLE', retryable: true });
  });

  it('is let go where nobody reads on', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Buffer.from('more')),
      cancel: () => {
        cancelled = true;
      },
    });
    const { aep } = answered(() => new Response(body));
    for await (const _ of await read(aep)) break;
    expect(cancelled).toBe(true);
  });

  it('that cannot be reached is a failure that quotes nothing', async () => {
    const { aep } = answered(new TypeError('Bearer token-1'));
    const error = await failure(read(aep));
    expect(error.code).toBe('AEP_UNREACHABLE');
    expect(error.message).not.toContain('token-1');
  });
});
