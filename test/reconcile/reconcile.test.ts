import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { recordId } from '../../lib/forward/read/record-id.ts';
import { sendBatch, WARM_UP } from '../local/aep/support.ts';
import { Killed, type Reconciling, reconciling, STREAM_ARN, xdmMessage } from '../support/reconciling.ts';

// The function against the simulated platform: what was received with a 207 and refused afterwards.

const SHARD = 'shardId-000000000001';
const at = (index: number) =>
  (49590338271490256608559692538361571095921575989136588898n + BigInt(index)).toString();
const idOf = (index: number) => recordId({ stream: 'customers', shardId: SHARD, sequenceNumber: at(index) });
const good = (id: string) => ({ _id: id, person: { gender: 'female' } });
const bad = (id: string) => ({ _id: id, person: { gender: 'female!' } });

/** Sends records of which `spoilt` do not pass validation; all are acknowledged. */
async function send(own: Reconciling, records: readonly object[]): Promise<void> {
  const reply = await sendBatch(
    own.with_,
    own.made,
    records.map((record) => xdmMessage(own, record)),
  );
  expect(reply.status).toBe(207);
  for (const one of reply.body.responses) expect(one).not.toHaveProperty('status');
  own.with_.clock.advance(1_000);
}

async function warm(...given: Parameters<typeof reconciling>): Promise<Reconciling> {
  const own = await reconciling(...given);
  own.with_.clock.advance(WARM_UP);
  return own;
}

describe('a record that was received and refused later', () => {
  it("is in the store once, with AEP's reason, under the coordinates in its derived _id", async () => {
    const own = await warm();
    await send(own, [good(idOf(1)), bad(idOf(2)), good(idOf(3)), bad(`${idOf(4)}:7`), bad('their-own')]);
    expect(await own.run()).toEqual({
      pipelines: 1,
      batches: 1,
      stored: 3,
      alreadyThere: 0,
      unreadable: [],
      parked: 0,
      complete: true,
    });
    expect(own.entries()).toEqual([
      {
        reason: 'refused-later',
        message: 'DCVS-1106-400: #/person/gender: female! is not a valid enum value',
        shardId: SHARD,
        sequenceNumber: at(2),
        record: JSON.stringify(bad(idOf(2))),
      },
      expect.objectContaining({
        shardId: SHARD,
        sequenceNumber: at(4),
        record: JSON.stringify(bad(`${idOf(4)}:7`)),
      }),
      expect.objectContaining({ shardId: 'unknown', record: JSON.stringify(bad('their-own')) }),
    ]);
    const documents = [...own.store.documents.values()];
    expect(documents[0]).toMatchObject({ version: 1, pipeline: 'customers', streamArn: STREAM_ARN });
    expect(documents[0]?.entries[1]).toMatchObject({ subSequenceNumber: 7 });
    expect(own.counted).toEqual({ RecordsRefusedLater: 3 });
  });

  it('is not put there again, nor read again, by any later run', async () => {
    const own = await warm();
    await send(own, [bad('a'), bad('b')]);
    await own.run();
    const before = structuredClone([...own.store.documents]);
    for (let run = 0; run < 3; run++) {
      own.with_.clock.advance(900_000);
      expect(await own.run()).toMatchObject({ batches: 0, stored: 0, alreadyThere: 0, complete: true });
    }
    expect([...own.store.documents]).toEqual(before);
    expect(own.counted).toEqual({ RecordsRefusedLater: 2 });
  });

  it('is found there already where it is forgotten how far was read', async () => {
    const own = await warm();
    await send(own, [bad('a'), bad('b')]);
    await own.run();
    own.forget();
    await own.progress.write('customers', 'damaged', 0);
    expect(await own.run()).toMatchObject({ batches: 1, stored: 0, alreadyThere: 2 });
    expect(own.counted).toEqual({ RecordsRefusedLater: 2 });
  });

  it('is seen however late its batch fails, also when the batch is elder than the last run', async () => {
    const own = await warm({ batchWindowMs: 3_600_000 });
    await send(own, [bad('a')]);
    for (let run = 0; run < 3; run++) {
      expect(await own.run()).toMatchObject({ batches: 0, stored: 0, complete: true });
      own.with_.clock.advance(900_000);
    }
    own.with_.clock.advance(900_000);
    expect(await own.run()).toMatchObject({ batches: 1, stored: 1, complete: true });
  });

  it('says nothing of itself in the log', async () => {
    const own = await warm();
    await send(own, [bad('canary-1'), { ...bad('canary-2'), person: { gender: 'canary-3' } }]);
    await own.run();
    expect(JSON.stringify(own.entries())).toContain('canary-3');
    expect(JSON.stringify(own.lines)).not.toContain('canary');
    expect(own.lines.at(-1)).toMatchObject({
      level: 'info',
      message: 'reconciled',
      fields: { pipeline: 'customers', batches: 1, stored: 2, complete: true, others: 0 },
    });
  });
});

describe('a run that is killed', () => {
  it('at any change it makes, before it or after it, is finished by the next: every row once', async () => {
    const whole = await warm();
    const records = Array.from({ length: 1_203 }, (_, index) =>
      bad(index % 3 === 0 ? idOf(index) : `own-${index}`),
    );
    await send(whole, records.slice(0, 1_100));
    await send(whole, records.slice(1_100));
    await whole.run();
    const wanted = whole
      .entries()
      .map(({ record }) => record)
      .sort();
    expect(wanted).toHaveLength(1_203);
    const steps = whole.changes();
    expect(steps).toBeGreaterThan(10);

    for (let killAt = 0; killAt < steps; killAt++) {
      for (const after of [false, true]) {
        whole.store.documents.clear();
        whole.forget();
        await expect(whole.run({ killAt, after })).rejects.toThrow(Killed);
        expect(await whole.run()).toMatchObject({ complete: true });
        const found = whole
          .entries()
          .map(({ record }) => record)
          .sort();
        expect(found, `killed ${after ? 'after' : 'before'} change ${killAt}`).toEqual(wanted);
      }
    }
  });

  it('for lack of time goes on where it stopped', async () => {
    const own = await warm();
    await send(
      own,
      Array.from({ length: 1_600 }, (_, index) => bad(`own-${index}`)),
    );
    const slow = {
      putOnce: async (key: string, document: Parameters<typeof own.store.putOnce>[1]) => {
        own.with_.clock.advance(20_000);
        return own.store.putOnce(key, document);
      },
    };
    const stored: number[] = [];
    for (let run = 0; run < 10; run++) {
      const done = await own.run({ remainingMs: 50_000, store: slow });
      stored.push(done.stored);
      expect(done.alreadyThere).toBe(0);
      if (done.complete) break;
    }
    expect(stored).toEqual([1_000, 600]);
    expect(new Set(own.entries().map(({ record }) => record)).size).toBe(1_600);
  });

  it('for lack of time does so for its share of it: the next pipeline has its own', async () => {
    const own = await warm();
    const second = {
      ...own.published,
      pipeline: 'second',
      streamArn: STREAM_ARN.replace('customers', 'second'),
    };
    own.secrets.set('penstock/dev/streams/second', JSON.stringify(second));
    const manifest = { source: { kind: 'inlet', stream: 'second' } };
    own.ledger.items.set('second', { pipeline: { S: 'second' }, manifest: { S: JSON.stringify(manifest) } });
    for (const name of ['own', 'more']) {
      await send(
        own,
        Array.from({ length: 1_300 }, (_, index) => bad(`${name}-${index}`)),
      );
    }
    const slow = {
      putOnce: async (key: string, document: Parameters<typeof own.store.putOnce>[1]) => {
        own.with_.clock.advance(20_000);
        return own.store.putOnce(key, document);
      },
    };
    expect(await own.run({ remainingMs: 100_000, store: slow })).toMatchObject({
      pipelines: 2,
      complete: false,
    });
    const pipelines = [...own.store.documents.values()].map(({ pipeline }) => pipeline);
    expect(pipelines).toEqual(['customers', 'customers', 'customers', 'second', 'second']);
  });

  it('by another that began later stops, and both together store every row once', async () => {
    const own = await warm();
    await send(
      own,
      Array.from({ length: 1_600 }, (_, index) => bad(`own-${index}`)),
    );
    let second: Promise<unknown> | undefined;
    const interrupted = {
      putOnce: async (key: string, document: Parameters<typeof own.store.putOnce>[1]) => {
        const outcome = await own.store.putOnce(key, document);
        second ??= own.run();
        await second;
        return outcome;
      },
    };
    expect(await own.run({ store: interrupted })).toMatchObject({ stored: 0, complete: false });
    expect(await second).toMatchObject({ stored: 1_100, alreadyThere: 500, complete: true });
    expect(new Set(own.entries().map(({ record }) => record)).size).toBe(1_600);
    expect(own.entries()).toHaveLength(1_600);
    expect(own.counted).toEqual({ RecordsRefusedLater: 1_600 });
  });
});

describe('whose batch it is', () => {
  const republish = (own: Reconciling, more: object) =>
    own.secrets.set('penstock/dev/streams/customers', JSON.stringify({ ...own.published, ...more }));
  const know = (own: Reconciling, known: object) =>
    own.ledger.items.set('customers', {
      ...own.ledger.items.get('customers'),
      known: { S: JSON.stringify(known) },
    });

  it('another flow of the dataset is left alone, and said', async () => {
    const own = await warm();
    await send(own, [bad('a')]);
    republish(own, { flowId: 'another' });
    know(own, { ids: { flow: 'another' }, old: [] });
    expect(await own.run()).toMatchObject({ batches: 0, stored: 0, complete: true });
    expect(own.lines.at(-1)?.fields).toMatchObject({ others: 1, withoutFlow: 0 });
  });

  it.each([
    ['as what is about to go', { ids: { flow: 'new' }, old: [{ resource: 'flow', id: 'FLOW' }] }, false],
    ['from an earlier run, when it is long gone', { ids: { flow: 'new' }, old: [] }, true],
  ])('an earlier flow is known %s', async (_, known, ranBefore) => {
    const own = await warm();
    if (ranBefore) await own.run();
    await send(own, [bad('a')]);
    republish(own, { flowId: 'new' });
    know(own, JSON.parse(JSON.stringify(known).replace('FLOW', own.made.flowId)) as object);
    expect(await own.run()).toMatchObject({ batches: 1, stored: 1 });
  });

  it('one that names no flow is left alone with a warning', async () => {
    const own = await warm();
    await send(own, [bad('a')]);
    const untagged: typeof own.runtime.fetch = async (url, init) => {
      const answer = await own.runtime.fetch(url, init);
      return new URL(url).pathname.endsWith('/batches')
        ? new Response((await new Response(answer.body).text()).replaceAll('"flowId"', '"noId"'))
        : answer;
    };
    expect(await own.run({ fetch: untagged })).toMatchObject({ batches: 0, stored: 0 });
    expect(own.lines.at(-1)).toMatchObject({ level: 'warn', fields: { others: 1, withoutFlow: 1 } });
  });
});

describe('what is asked for', () => {
  it.each([
    ['a schedule', { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} }],
    ['nothing', null],
    ['a name', { pipeline: 'customers' }],
    ['a stream', { streamArn: STREAM_ARN }],
  ])('%s', async (_, event) => {
    const own = await warm();
    await send(own, [bad('a')]);
    expect(await own.run({ event })).toMatchObject({ pipelines: 1, stored: 1 });
  });

  it.each([
    ['a pipeline that is not there', { pipeline: 'nobodys' }, 'NOT_PUBLISHED'],
    ['a stream without one', { streamArn: STREAM_ARN.replace('customers', 'none') }, 'NOT_PUBLISHED'],
    ['a number', { pipeline: 7 }, 'EVENT_INVALID'],
    ['text', 'customers', 'EVENT_INVALID'],
  ])('%s is refused', async (_, event, code) => {
    const own = await warm();
    await expect(own.run({ event })).rejects.toMatchObject({ code });
  });

  it('pipelines that AEP feeds itself, and retired ones, are passed over', async () => {
    const own = await warm();
    const item = (manifest?: object) => ({ ...(manifest && { manifest: { S: JSON.stringify(manifest) } }) });
    own.ledger.items.set('pulled', { pipeline: { S: 'pulled' }, ...item({ source: { kind: 'pubsub' } }) });
    own.ledger.items.set('retired', { pipeline: { S: 'retired' } });
    const stream = { source: { kind: 'inlet', stream: 'customers' } };
    own.ledger.items.set('not-its-stream', { pipeline: { S: 'not-its-stream' }, ...item(stream) });
    expect(await own.run()).toMatchObject({ pipelines: 1, complete: true });
  });

  it('one pipeline that fails keeps no other from being looked at, and fails the run at its end', async () => {
    const own = await warm();
    await send(own, [bad('a')]);
    const broken = {
      ...own.published,
      pipeline: 'broken',
      datasetId: '../x',
      streamArn: 'arn:aws:kinesis:r:1:stream/b',
    };
    own.secrets.set('penstock/dev/streams/b', JSON.stringify(broken));
    const manifest = { source: { kind: 'inlet', stream: 'b' } };
    own.ledger.items.set('broken', { pipeline: { S: 'broken' }, manifest: { S: JSON.stringify(manifest) } });
    const { write } = own.progress;
    own.progress.write = async (name, value, version) => {
      if (name === 'broken') throw new TypeError('a defect');
      return write(name, value, version);
    };
    await expect(own.run()).rejects.toThrow('a defect');
    expect(own.entries()).toHaveLength(1);
  });
});

describe('14 A 3: of a stream with several pipelines', () => {
  const BY_STREAM = { streamArn: STREAM_ARN };
  it.each([
    ['asked by a schedule, one that is damaged', undefined, '{}', 'SECRET_INVALID'],
    ['asked by the stream, one that is damaged', BY_STREAM, '{}', 'SECRET_INVALID'],
    ['asked by a schedule, one without its secret', undefined, undefined, 'SECRET_MISSING'],
    ['asked by the stream, one without its secret', BY_STREAM, undefined, 'SECRET_MISSING'],
  ])('%s keeps no other from being looked at, is logged and counted', async (_, event, other, code) => {
    const own = await warm();
    await send(own, [bad('a')]);
    const text = own.secrets.get('penstock/dev/streams/customers') ?? '';
    own.secrets.set('penstock/dev/streams/customers/customers', text);
    if (other !== undefined) own.secrets.set('penstock/dev/streams/customers/another', other);
    const settings = { compression: 'none', unrouted: 'count' };
    const routes = { another: { revision: 'r' }, customers: { revision: 'r' } };
    await own.routes.write('customers', { version: 1, streamArn: STREAM_ARN, settings, routes }, undefined);
    const manifest = { source: { kind: 'inlet', stream: 'customers' } };
    own.ledger.items.set('another', {
      pipeline: { S: 'another' },
      manifest: { S: JSON.stringify(manifest) },
    });
    await expect(own.run({ event })).rejects.toMatchObject({ code });
    expect(own.entries()).toHaveLength(1);
    expect(own.counted).toMatchObject({ PipelinesUnreadable: 1 });
    const fields = expect.objectContaining({ pipeline: 'another', code });
    expect(own.lines).toContainEqual(expect.objectContaining({ level: 'error', fields }));
  });
});

describe('trouble on the way', () => {
  it('a store that does not take it fails the run; the next one stores every row', async () => {
    const own = await warm();
    await send(own, [bad('a'), bad('b')]);
    const down = { putOnce: () => Promise.reject(new Error('down')) };
    await expect(own.run({ store: down })).rejects.toThrow('down');
    expect(own.counted).toEqual({});
    expect(await own.run()).toMatchObject({ stored: 2, complete: true });
  });

  it('one batch that cannot be read keeps no other from being read, and is asked for again', async () => {
    const own = await warm();
    await send(own, [bad('a')]);
    await send(own, [bad('b')]);
    let refused: string | undefined;
    const fetch: typeof own.runtime.fetch = async (url, init) => {
      const { pathname } = new URL(url);
      const id = /batches\/([^/]+)\/failed/.exec(pathname)?.[1];
      refused ??= id;
      if (id !== undefined && id === refused) return new Response('{"title":"gone"}', { status: 404 });
      return own.runtime.fetch(url, init);
    };
    expect(await own.run({ fetch })).toMatchObject({ batches: 2, stored: 1, complete: false });
    expect(own.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { code: 'AEP_NOT_FOUND', batchId: refused } },
    ]);
    expect(await own.run()).toMatchObject({ batches: 1, stored: 1, complete: true });
  });

  it('a download that breaks off keeps what came before it', async () => {
    const own = await warm();
    await send(
      own,
      Array.from({ length: 700 }, (_, index) => bad(`own-${index}`)),
    );
    const fetch: typeof own.runtime.fetch = async (url, init) => {
      const answer = await own.runtime.fetch(url, init);
      if (!url.includes('path=part')) return answer;
      const text = await new Response(answer.body).text();
      const cut = text.slice(0, Math.floor(text.length * 0.9));
      const pieces = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(cut));
        },
        pull(controller) {
          controller.error(new TypeError('terminated'));
        },
      });
      return new Response(pieces);
    };
    expect(await own.run({ fetch })).toMatchObject({ complete: false });
    expect(own.entries()).toHaveLength(500);
    expect(await own.run()).toMatchObject({ stored: 200, alreadyThere: 0, complete: true });
    expect(new Set(own.entries().map(({ record }) => record)).size).toBe(700);
  });

  it('a download that breaks off each minute is begun anew where it was left, as long as it gets on', async () => {
    const own = await warm();
    await send(
      own,
      Array.from({ length: 1_600 }, (_, index) => bad(`own-${index}`)),
    );
    const lengths = [0.4, 0.7, 1];
    const fetch: typeof own.runtime.fetch = async (url, init) => {
      const answer = await own.runtime.fetch(url, init);
      if (!url.includes('path=part')) return answer;
      const text = await new Response(answer.body).text();
      const share = lengths.shift() ?? 1;
      async function* body() {
        yield Buffer.from(text.slice(0, Math.floor(text.length * share)));
        if (share < 1) throw new TypeError('terminated');
      }
      return { status: 200, headers: new Headers(), body: body() };
    };
    expect(await own.run({ fetch })).toMatchObject({ stored: 1_600, alreadyThere: 0, complete: true });
    expect(lengths).toEqual([]);
    expect(new Set(own.entries().map(({ record }) => record)).size).toBe(1_600);
  });

  const parquet =
    (own: Reconciling, name: string): typeof own.runtime.fetch =>
    async (url, init) => {
      const { pathname, searchParams } = new URL(url);
      if (!pathname.endsWith('/failed')) return own.runtime.fetch(url, init);
      if (searchParams.has('path')) return new Response('PAR1\u0000\u0001');
      return Response.json({ data: [{ name, length: '900' }], _page: { limit: 100, count: 1 } });
    };

  it.each(['part-00000.parquet', 'part-00000.json'])(
    'rows in parquet (%s) are taken from the diagnostics',
    async (name) => {
      const own = await warm();
      await own.with_.call(
        'PATCH',
        `/data/foundation/catalog/dataSets/${own.made.dataSetId}`,
        [{ op: 'add', path: '/enableErrorDiagnostics', value: true }],
        { 'content-type': 'application/json-patch+json' },
      );
      await send(own, [bad('a')]);
      expect(await own.run({ fetch: parquet(own, name) })).toMatchObject({
        stored: 1,
        unreadable: [],
        complete: true,
      });
      expect(own.entries()).toMatchObject([
        { record: JSON.stringify(bad('a')), message: expect.stringContaining('DCVS-1106-400') },
      ]);
    },
  );

  it('rows in parquet without diagnostics are said to be so, once', async () => {
    const own = await warm();
    await send(own, [bad('a')]);
    const fetch = parquet(own, 'part-00000.parquet');
    const { unreadable } = await own.run({ fetch });
    expect(unreadable).toEqual([expect.stringMatching(/^[0-9A-Z]{26}$/)]);
    expect(own.counted).toEqual({ BatchesUnreadable: 1 });
    expect(own.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { batchId: unreadable[0], code: 'DCVS-1106-400' } },
    ]);
    expect(await own.run({ fetch })).toMatchObject({ batches: 0, unreadable: [] });
  });
});

/** Bytes that somebody still holds. What nobody does is collected first: how soon that would be is no matter of the code. */
function held(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a failed file of 100 MB', () => {
  it('is never in memory as a whole', async () => {
    const own = await warm();
    await send(own, [bad('a')]);
    const line = `${JSON.stringify({ body: JSON.stringify({ xdmEntity: { ...bad('x'), pad: 'p'.repeat(9_700) } }), _errors: '{"code":"DCVS-1"}' })}\n`;
    const piece = Buffer.from(line.repeat(8));
    let left = Math.ceil(100_000_000 / piece.length);
    let rows = 0;
    let peak = 0;
    const fetch: typeof own.runtime.fetch = async (url, init) => {
      if (!url.includes('path=part')) return own.runtime.fetch(url, init);
      const pull = (controller: ReadableStreamDefaultController) =>
        left-- > 0 ? controller.enqueue(Buffer.from(piece)) : controller.close();
      return new Response(new ReadableStream({ pull }, { highWaterMark: 1 }));
    };
    const store = {
      putOnce: async (_: string, { entries }: { entries: readonly unknown[] }) => {
        rows += entries.length;
        peak = Math.max(peak, held());
        return 'stored' as const;
      },
    };
    const before = held();
    const wanted = left * 8;
    expect(await own.run({ fetch, store })).toMatchObject({ complete: true });
    expect(rows).toBe(wanted);
    expect((peak - before) / 1e6).toBeLessThan(150);
  });
});
