import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { publishedFormat } from '../../lib/formats.ts';
import type { InletSource } from '../../lib/manifest.ts';
import { INLET_ID, PUBLISHED, seq } from '../support/forwarding.ts';
import { acknowledgeBut, fakeInlet, inTurn, json } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import { presetManifest } from '../support/presets.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  type RedriveWorld,
  redriveWorld,
  streamRecord,
} from '../support/redriving.ts';
import { transforming } from '../support/transforming.ts';

// Sending again: what is sent, what stays, and what the answer says. B77 to B86 of the list of bad inputs.

const DERIVED = { records: { derive: ['_id' as const] } };
const idOf = (index: number, sub?: number) =>
  `customers:shardId-000000000002:${seq(index)}${sub === undefined ? '' : `:${sub}`}`;
const idsIn = (messages: readonly string[]) =>
  messages.map((message) => (JSON.parse(message) as { _id?: string })._id);
const refuse = (word: string) =>
  fakeInlet(
    acknowledgeBut((message) =>
      message.includes(word) ? { statusCode: 400, message: 'still no' } : undefined,
    ),
  );

describe('14 B: a deletion that was kept', () => {
  const change = '{"payload":{"op":"d","before":{"id":"1"},"after":null}}';
  const image =
    '{"eventName":"REMOVE","dynamodb":{"Keys":{"id":"1"},"OldImage":{"id":"1","n":12.50}},"eventSource":"aws:dynamodb"}';
  const kept = () => [
    entry(1, change, { reason: 'deletion' }),
    // A piece is plain by now, and is not read as DynamoDB's JSON again.
    entry(2, image, { reason: 'deletion', piece: true, subSequenceNumber: 0 }),
  ];
  const published = (kind: string, deletes: string) => {
    const { records, format } = presetManifest({ format: { kind, deletes } }).source as InletSource;
    const told = publishedFormat(format);
    return { records, ...(told !== undefined && { format: told }) };
  };

  it.each(['debezium', 'dynamodb'])(
    'stays as long as the manifest of %s says so, and is deleted once it says that',
    async (kind) => {
      const one = kept()[kind === 'debezium' ? 0 : 1] as ReturnType<typeof entry>;
      const before = redriveWorld({ published: published(kind, 'keep') });
      const key = await before.store(document([one]));
      expect(await before.run({ source: 'rejected' })).toMatchObject({ delivered: 0, rejectedAgain: 1 });
      expect(before.documents().get(key)?.entries).toMatchObject([{ reason: 'deletion' }]);
      const after = redriveWorld({ published: published(kind, 'apply') });
      await after.store(document([one]));
      expect(await after.run({ source: 'rejected' })).toMatchObject({ delivered: 1, left: 0 });
      const [sent] = after.inlet.acknowledged.map((text) => JSON.parse(text));
      expect(sent.header.operations).toEqual({ data: 'delete' });
      expect(sent.body).toEqual(kind === 'debezium' ? { id: '1' } : { id: '1', n: 12.5 });
    },
  );
});

describe('14 B: a deletion as the forwarder kept it is applied by redrive, once the manifest says so', () => {
  const row = { id: '1', email: 'ana@example.com', n: 12.5 };
  const debezium = JSON.stringify({ payload: { op: 'd', before: row, after: null, ts_ms: 7 } });
  const dms = JSON.stringify({ data: row, metadata: { 'record-type': 'data', operation: 'delete' } });
  const typed = { id: { S: '1' }, email: { S: 'ana@example.com' }, n: { N: '12.5' } };
  const removed = { eventName: 'REMOVE', dynamodb: { Keys: { id: typed.id }, OldImage: typed } };
  const dynamodb = JSON.stringify({ ...removed, eventSource: 'aws:dynamodb' });
  const redact = (field: string) => ({ redact: [{ field, action: 'mask' }] });

  /** The pipeline of a manifest, as it is published. */
  const pipelineOf = (source: { format: string; records?: object }, deletes: string) => {
    const format = { kind: source.format, deletes };
    const manifest = presetManifest({ ...source, format }).source as InletSource;
    const told = publishedFormat(manifest.format);
    const { records, compression } = manifest;
    return { records, compression, ...(told !== undefined && { format: told }) };
  };

  it.each([
    ['debezium', { format: 'debezium' }, debezium, row],
    ['dms', { format: 'dms' }, dms, row],
    ['dynamodb', { format: 'dynamodb' }, dynamodb, row],
    ['gzip', { format: 'debezium', compression: 'gzip' }, gzipSync(debezium), row],
    ['an aggregate', { format: 'dms' }, aggregate([{ key: 'k', data: Buffer.from(dms) }]), row],
    [
      'redacted debezium',
      { format: 'debezium', records: redact('/payload/before/email') },
      debezium,
      { ...row, email: '***' },
    ],
    ['redacted dms', { format: 'dms', records: redact('/data/email') }, dms, { ...row, email: '***' }],
    [
      'redacted dynamodb',
      { format: 'dynamodb', records: redact('/dynamodb/OldImage/email') },
      dynamodb,
      { ...row, email: '***' },
    ],
  ])('%s', async (_, source, data, body) => {
    const { records, ...published } = pipelineOf(source, 'keep');
    const [kept] = transforming(records, published)({ data, seq: seq(1) });
    expect(kept).toMatchObject({ verdict: 'deletion' });
    const [before, after] = ['keep', 'apply'].map((deletes) =>
      redriveWorld({ published: pipelineOf(source, deletes) }),
    ) as [RedriveWorld, RedriveWorld];
    const reject = document([kept?.entry as ReturnType<typeof entry>]);
    await before.store(reject);
    expect(await before.run({ source: 'rejected' })).toMatchObject({ delivered: 0, rejectedAgain: 1 });
    // What is there after a run that could not send it is as good as what was there before.
    for (const still of before.documents().values()) await after.store(still);
    expect(await after.run({ source: 'rejected', where: { reasons: ['deletion'] } })).toMatchObject({
      delivered: 1,
      complete: true,
    });
    const [sent] = after.inlet.acknowledged.map((text) => JSON.parse(text));
    expect([sent.header.operations, sent.body]).toEqual([{ data: 'delete' }, body]);
    expect(after.documents().size).toBe(0);
  });

  it('a truncated table has no row, so that it stays whatever the manifest says', async () => {
    const truncated = '{"payload":{"op":"t","before":null,"after":null}}';
    const own = redriveWorld({ published: pipelineOf({ format: 'debezium' }, 'apply') });
    await own.store(document([entry(1, truncated, { reason: 'deletion' })]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 0, rejectedAgain: 1 });
    expect([...own.documents().values()]).toMatchObject([{ entries: [{ reason: 'deletion' }] }]);
  });
});

describe('rejects', () => {
  it('are sent by the published pipeline as their bytes were, and their document goes', async () => {
    const own = redriveWorld();
    await own.store(document([entry(1, '{"n":9007199254740993}'), entry(2, '{"n":1e400}')]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      pipeline: 'customers',
      complete: true,
      documents: 1,
      chosen: 2,
      delivered: 2,
      left: 0,
    });
    expect(own.inlet.acknowledged).toEqual(['{"n":9007199254740993}', '{"n":1e400}']);
    expect(own.inlet.requests[0]?.headers['x-adobe-flow-id']).toBe(PUBLISHED.flowId);
    expect([...own.s3.objects.keys()]).toEqual([]);
    expect(own.counted).toMatchObject({ RecordsRedriven: 2, RecordsRejectedAgain: 0, RecordsLost: 0 });
  });

  it('of many small documents go out together', async () => {
    const own = redriveWorld();
    for (let index = 0; index < 250; index++) {
      await own.store(document([entry(index, `{"n":${index}}`)], { invocationId: `i-${index}` }));
    }
    expect(await own.run({ source: 'rejected' })).toMatchObject({ complete: true, delivered: 250 });
    // The bucket lists 40 at a time.
    expect(own.inlet.requests.length).toBe(7);
  });

  it('that are rejected again stay, with the new reason and everything else that was known', async () => {
    const own = redriveWorld({ inlet: refuse('bad') });
    const later = { later: true, batchId: 'b-1' } as object;
    const key = await own.store(
      document([entry(1, '{"v":"good"}'), { ...entry(2, '{"v":"bad"}'), ...later }, entry(3, '{"broken')]),
    );
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      complete: true,
      delivered: 1,
      rejectedAgain: 2,
    });
    expect(own.documents().get(key)).toEqual(
      document([
        { ...entry(2, '{"v":"bad"}'), ...later, message: '400: still no' },
        entry(3, '{"broken', { reason: 'not-json', message: 'not JSON' }),
      ]),
    );
    expect(own.others()).toEqual([]);
  });

  it('have the derived id that they had, also as part of an aggregate', async () => {
    const own = redriveWorld({ published: DERIVED });
    await own.store(
      document([entry(1, '{"a":1}'), entry(2, '{"a":2}', { subSequenceNumber: 7 }), entry(3, '{"a":3}')]),
    );
    await own.run({ source: 'rejected' });
    expect(idsIn(own.inlet.acknowledged)).toEqual([idOf(1), idOf(2, 7), idOf(3)]);
  });

  it('of an aggregate within an aggregate stay one', async () => {
    const own = redriveWorld();
    const inner = aggregate([{ key: 'k', data: Buffer.from('{"x":1}') }]);
    const key = await own.store(
      document([entry(1, '', { data: inner.toString('base64'), subSequenceNumber: 4 })]),
    );
    expect(await own.run({ source: 'rejected' })).toMatchObject({ rejectedAgain: 1, delivered: 0 });
    expect(own.documents().get(key)?.entries).toMatchObject([
      { reason: 'bad-aggregate', subSequenceNumber: 4, data: inner.toString('base64') },
    ]);
  });

  it('that were not base64 are no messages now either', async () => {
    const own = redriveWorld();
    const key = await own.store(document([entry(1, '{"json": "but not base64"}', { reason: 'not-base64' })]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ rejectedAgain: 1 });
    expect(own.inlet.requests).toEqual([]);
    expect(own.documents().get(key)?.entries[0]?.data).toBe(
      Buffer.from('{"json": "but not base64"}').toString('base64'),
    );
  });

  it('are redacted once, and without bytes they stay and are counted', async () => {
    const records = { redact: [{ field: '/mail', action: 'hash' as const }] };
    const own = redriveWorld({ published: { records }, inlet: refuse('bad') });
    const mail = '0'.repeat(64);
    const kept = entry(2, '', { reason: 'not-json', withheld: true, length: 4, sha256: 'ff' });
    const redacted = { redacted: true, rules: 'r' } as const;
    const key = await own.store(
      document(
        [
          entry(1, `{"mail":"${mail}"}`, redacted),
          kept,
          entry(3, '{"mail":"x","bad":1}'),
          entry(4, `{"mail":"${mail}","bad":1}`, { ...redacted, partitionKey: 'hashed' }),
        ],
        { rules: { r: records.redact } },
      ),
    );
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      complete: false,
      delivered: 1,
      rejectedAgain: 2,
      withheld: 1,
    });
    expect(own.inlet.acknowledged).toEqual([`{"mail":"${mail}"}`]);
    const [first, second, third] = own.documents().get(key)?.entries ?? [];
    expect(first).toEqual(kept);
    expect(second).toMatchObject({ redacted: true, message: '400: still no' });
    expect(Buffer.from(second?.data ?? '', 'base64').toString()).toMatch(
      /^\{"mail":"[0-9a-f]{64}","bad":1\}$/,
    );
    expect(third).toMatchObject({ redacted: true, partitionKey: 'hashed' });
  });

  it('that the pipeline does not want any more are counted, and go', async () => {
    const own = redriveWorld({ published: { records: { where: [{ field: '/a', equals: 1 }] } } });
    await own.store(document([entry(1, '{"a":1}'), entry(2, '{"a":2}')]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      complete: true,
      delivered: 1,
      filtered: 1,
    });
    expect(own.documents().size).toBe(0);
  });

  it('stay, all of them, where the inlet takes nothing', async () => {
    const own = redriveWorld({ inlet: fakeInlet(() => json(503, {})) });
    const key = await own.store(document([entry(1, '{"a":1}'), entry(2, '{"a":2}')]));
    const before = own.s3.objects.get(key);
    const answer = await own.run({ source: 'rejected' });
    expect(answer).toMatchObject({ complete: false, left: 2, delivered: 0, stopped: { why: 'attempts' } });
    expect(answer.next).toMatchObject({ source: 'rejected' });
    expect(own.started).toEqual([]);
    expect(own.s3.objects.get(key)).toBe(before);
    expect(own.others()).toEqual([]);
  });

  it('of which a part was acknowledged before the inlet failed: that part goes', async () => {
    const inlet = fakeInlet(
      acknowledgeBut((message) => (message.includes('"a":2') ? { statusCode: 503 } : undefined)),
    );
    const own = redriveWorld({ inlet });
    const key = await own.store(document([entry(1, '{"a":1}'), entry(2, '{"a":2}'), entry(3, '{"a":3}')]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 2, left: 1, complete: false });
    expect(own.documents().get(key)?.entries).toEqual([entry(2, '{"a":2}')]);
  });
});

describe('a limit', () => {
  /** Follows `next` to the end; what was tried, in order. */
  const follow = async (own: RedriveWorld, request: object, between = async () => {}) => {
    let answer = await own.run(request);
    let runs = 1;
    for (; answer.next !== undefined && runs < 40; runs++) {
      await between();
      answer = await own.run(answer.next);
    }
    expect(answer.next).toBeUndefined();
    return { runs, tried: own.inlet.requests.flatMap(({ messages }) => messages) };
  };
  const DATA = ['{"n":0,"bad":1}', '{"n":1}', '{"n":2}'];

  it.each([1, 2, 3])('of %i passes what is rejected again, and tries every entry once', async (limit) => {
    const own = redriveWorld({ inlet: refuse('bad') });
    for (let at = 0; at < 5; at++) {
      // Their order in the document is nobody's promise.
      const written = DATA.map((data, n) => entry(at * 3 + n, data));
      const entries = at % 2 === 0 ? written : written.reverse();
      await own.store(document(entries, { invocationId: `i-${at}` }));
    }
    const { tried } = await follow(own, { source: 'rejected', limit });
    expect([...new Set(own.inlet.acknowledged)].sort()).toEqual(DATA.slice(1));
    expect(own.inlet.acknowledged).toHaveLength(10);
    expect(tried.filter((message) => message === DATA[0])).toHaveLength(5);
    const left = [...own.documents().values()].flatMap(({ entries }) => entries);
    expect(left.map(({ sequenceNumber }) => sequenceNumber).sort()).toEqual([0, 3, 6, 9, 12].map(seq).sort());
  });

  it('passes them also where somebody else takes entries out in between', async () => {
    const own = redriveWorld({ inlet: refuse('bad') });
    await own.store(document(Array.from({ length: 8 }, (_, n) => entry(n, `{"n":${n},"bad":1}`))));
    let taken = 0;
    const { tried } = await follow(own, { source: 'rejected', limit: 1 }, async () => {
      const [[key, found] = []] = own.documents();
      if (key === undefined || found === undefined || taken++ > 1) return;
      own.s3.objects.set(key, JSON.stringify({ ...found, entries: found.entries.slice(1) }));
    });
    expect(new Set(tried).size).toBe(8);
    expect(tried).toHaveLength(8);
  });

  it('does not divide what has one sequence number', async () => {
    const own = redriveWorld({ inlet: refuse('bad') });
    const parts = [0, 1, 2].map((n) => entry(0, `{"n":${n},"bad":1}`, { subSequenceNumber: n }));
    await own.store(document([...parts, entry(1, '{"n":9}')]));
    const { runs, tried } = await follow(own, { source: 'rejected', limit: 1 });
    expect({ runs, tried: tried.length }).toEqual({ runs: 2, tried: 4 });
  });

  it("passes them in a document of Lambda's and in a dry run", async () => {
    const own = redriveWorld({ inlet: refuse('bad') });
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: DATA, payload: 'object' }));
    const dry = await follow(own, { source: 'on-failure', limit: 1, dryRun: true });
    expect(dry).toEqual({ runs: 3, tried: [] });
    const { tried } = await follow(own, { source: 'on-failure', limit: 1 });
    expect(tried).toEqual(DATA);
    expect(own.s3.objects.has(ON_FAILURE_KEY)).toBe(false);
  });
});

describe('conditions', () => {
  const own = async () => {
    const made = redriveWorld();
    await made.store(
      document([
        entry(1, '{"country":"PT","address":{"zip":["4000"]}}'),
        entry(2, '{"country":"US"}', { reason: 'not-json' }),
        entry(3, '{"country":"PT"}', { arrivedAt: 1_700_000_000 }),
        entry(4, '["PT"]'),
        entry(5, '{"country":"P'),
      ]),
    );
    await made.store(
      document([entry(6, '{"country":"PT"}')], {
        storedAt: '2025-01-01T00:00:00.000Z',
        invocationId: 'old',
      }),
    );
    return made;
  };

  it.each<[string, object, number[]]>([
    ['reasons', { reasons: ['not-json'] }, [2]],
    ['time of storage', { stored: { from: '2026-01-01T00:00:00Z' } }, [1, 2, 3, 4, 5]],
    ['time of storage, until', { stored: { to: '2026-01-01T00:00:00Z' } }, [6]],
    ['arrival', { arrived: { to: '2024-01-01T00:00:00Z' } }, [3]],
    ['arrival, from', { arrived: { from: '2026-02-02T02:40:04Z' } }, [4, 5, 6]],
    ['field', { field: { pointer: '/country', equals: 'PT' } }, [1, 3, 6]],
    ['field, deep', { field: { pointer: '/address/zip/0', equals: '4000' } }, [1]],
    ['field, whole', { field: { pointer: '/address', equals: { zip: ['4000'] } } }, [1]],
    ['sequence', { sequence: { shardId: 'shardId-000000000002', from: seq(2), to: seq(3) } }, [2, 3]],
    ['another shard', { sequence: { shardId: 'shardId-000000000009', from: seq(2), to: seq(3) } }, []],
    ['two of them', { reasons: ['refused'], field: { pointer: '/country', equals: 'PT' } }, [1, 3, 6]],
  ])('by %s choose some, and the others stay as they are', async (_, where, expected) => {
    const made = await own();
    const answer = await made.run({ source: 'rejected', where });
    expect(answer.chosen).toBe(expected.length);
    const left = [...made.documents().values()].flatMap(({ entries }) => entries);
    const gone = [1, 2, 3, 4, 5, 6].filter(
      (index) => !left.some(({ sequenceNumber }) => sequenceNumber === seq(index)),
    );
    // Two of them are nothing that can be delivered.
    expect(gone.sort()).toEqual(expected.filter((index) => index < 4 || index === 6).sort());
    expect(made.others()).toEqual([]);
  });

  it('limit how many, across documents and within one, and the answer goes on from there', async () => {
    const made = redriveWorld();
    for (let index = 0; index < 10; index += 2) {
      await made.store(
        document([entry(index, '{}'), entry(index + 1, '{}')], { invocationId: `i-${index}` }),
      );
    }
    const first = await made.run({ source: 'rejected', limit: 5 });
    expect(first).toMatchObject({ chosen: 5, delivered: 5, complete: false, stopped: { why: 'limit' } });
    expect(made.started).toEqual([]);
    expect([...made.documents().values()].flatMap(({ entries }) => entries)).toHaveLength(5);
    const second = await made.run(first.next ?? {});
    expect(second).toMatchObject({ chosen: 5, delivered: 5, complete: true });
    expect(made.documents().size).toBe(0);
  });

  it.each([
    ['no stream', { stream: '', source: 'rejected' }],
    ['no source', {}],
    ['another source', { source: 'queue' }],
    ['a stream without a beginning', { source: 'stream' }],
    [
      'a reason in a stream',
      { source: 'stream', where: { arrived: { from: '2026-01-01T00:00:00Z' }, reasons: ['x'] } },
    ],
    [
      'an end before its beginning',
      { source: 'rejected', where: { stored: { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' } } },
    ],
    ['a pointer that is none', { source: 'rejected', where: { field: { pointer: 'country', equals: 1 } } }],
    ['a condition that is not known', { source: 'rejected', where: { reason: 'x' } }],
    ['a limit of nothing', { source: 'rejected', limit: 0 }],
  ])('are refused where they make no sense: %s', async (_, request) => {
    await expect(redriveWorld().run(request)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
  });
});

describe('the rate', () => {
  it('spreads messages over time, each second as many as it says', async () => {
    const times: number[] = [];
    const made = redriveWorld({
      inlet: fakeInlet((request) => {
        times.push(...request.messages.map(() => made.clock.now()));
        return acknowledgeBut(() => undefined)(request);
      }),
    });
    await made.store(document(Array.from({ length: 100 }, (_, index) => entry(index, `{"n":${index}}`))));
    expect(await made.run({ source: 'rejected', rate: 10 })).toMatchObject({
      delivered: 100,
      complete: true,
    });
    const started = times[0] ?? 0;
    for (let second = 0; second < 9; second++) {
      const within = times.filter(
        (time) => time >= started + second * 1_000 && time < started + (second + 1) * 1_000,
      );
      expect(within).toHaveLength(10);
    }
  });

  /** When each message of 200 rejects came to the inlet, in ms after the first, and the sizes of the requests. */
  const timed = async (published: { rate: object }, request: object) => {
    const times: number[] = [];
    const made = redriveWorld({
      published,
      inlet: fakeInlet((got) => {
        times.push(...got.messages.map(() => made.clock.now()));
        return acknowledgeBut(() => undefined)(got);
      }),
    });
    await made.store(document(Array.from({ length: 200 }, (_, index) => entry(index, `{"n":${index}}`))));
    expect(await made.run({ source: 'rejected', ...request })).toMatchObject({
      delivered: 200,
      complete: true,
    });
    const sizes = made.inlet.requests.map(({ messages }) => messages.length);
    return { times: times.map((time) => time - (times[0] ?? 0)), sizes };
  };
  /** The most messages in any second, whenever it begins. */
  const busiest = (times: readonly number[]) =>
    Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + 1_000).length));

  it("of the manifest is kept to, and the request's own only lowers it", async () => {
    const published = { rate: { messagesPerSecond: 10 } };
    const own = await timed(published, {});
    expect(Math.max(...own.sizes)).toBe(10);
    // A second's worth may go at once; then each second has as many as it says.
    expect(own.times.at(-1)).toBeGreaterThanOrEqual(19_000);
    expect(busiest(own.times.slice(10))).toBeLessThanOrEqual(20);
    const higher = await timed(published, { rate: 1_000 });
    expect(higher.times.at(-1)).toBeGreaterThanOrEqual(19_000);
    const lower = await timed(published, { rate: 5 });
    expect(lower.times.at(-1)).toBeGreaterThanOrEqual(39_000);
    expect(busiest(lower.times)).toBe(5);
  });

  it('of the manifest counts requests, too', async () => {
    const made = redriveWorld({ published: { rate: { requestsPerSecond: 1 } } });
    const large = `"${'x'.repeat(600_000)}"`;
    await made.store(document(Array.from({ length: 6 }, (_, index) => entry(index, `{"large":${large}}`))));
    const started = made.clock.now();
    expect(await made.run({ source: 'rejected' })).toMatchObject({ delivered: 6, complete: true });
    expect(made.inlet.requests).toHaveLength(6);
    expect(made.clock.now() - started).toBeGreaterThanOrEqual(5_000);
  });

  it('of the manifest does not overrun the time either, and nothing is sent twice', async () => {
    const made = redriveWorld({ published: { rate: { messagesPerSecond: 1 } } });
    for (let at = 0; at < 4; at++) {
      const entries = Array.from({ length: 30 }, (_, index) => entry(at * 30 + index, '{}'));
      await made.store(document(entries, { invocationId: `i-${at}` }));
    }
    const started = made.clock.now();
    const answer = await made.runAll({ source: 'rejected' }, 60_000);
    expect(answer).toMatchObject({ delivered: 120, chosen: 120, left: 0, complete: true });
    expect(made.inlet.acknowledged).toHaveLength(120);
    expect(made.clock.now() - started).toBeGreaterThan(60_000);
    expect(made.documents().size).toBe(0);
  });

  it('does not overrun the time: it goes on in another invocation', async () => {
    const made = redriveWorld();
    for (let at = 0; at < 4; at++) {
      const entries = Array.from({ length: 30 }, (_, index) => entry(at * 30 + index, '{}'));
      await made.store(document(entries, { invocationId: `i-${at}` }));
    }
    const answer = await made.runAll({ source: 'rejected', rate: 1 }, 60_000);
    expect(answer).toMatchObject({ delivered: 120, chosen: 120, left: 0, complete: true });
    expect(made.inlet.acknowledged).toHaveLength(120);
    expect(made.documents().size).toBe(0);
  });
});

describe('its time', () => {
  const slow = () => {
    const made = redriveWorld({
      inlet: fakeInlet(async (request) => {
        await made.clock.sleep(20_000);
        return acknowledgeBut(() => undefined)(request);
      }),
    });
    return made;
  };

  it('is up: it starts itself with a cursor, and the last answer has all counts', async () => {
    const made = slow();
    for (let index = 0; index < 200; index++) {
      await made.store(document([entry(index, '{}')], { invocationId: `i-${index}` }));
    }
    const first = await made.run({ source: 'rejected', limit: 150 }, 60_000);
    expect(first).toMatchObject({ continues: true, complete: false, stopped: { why: 'time' } });
    expect(made.started).toEqual([first.next]);
    const last = await made.runAll(made.started.shift() as object, 60_000);
    expect(last).toMatchObject({ chosen: 150, delivered: 150, stopped: { why: 'limit' } });
    expect(made.documents().size).toBe(50);
  });

  it('is up: by hand the answer has the cursor', async () => {
    const made = slow();
    for (let index = 0; index < 100; index++) {
      await made.store(document([entry(index, '{}')], { invocationId: `i-${index}` }));
    }
    const first = await made.run({ source: 'rejected', continue: false }, 60_000);
    expect(first.continues).toBeUndefined();
    expect(made.started).toEqual([]);
    expect(first.delivered).toBeGreaterThan(0);
    const second = await made.run(first.next ?? {}, 900_000);
    expect(second).toMatchObject({ delivered: 100, complete: true });
  });

  it('too short to do anything leads to nothing, not to an endless chain', async () => {
    const made = redriveWorld();
    await made.store(document([entry(1, '{}')]));
    const answer = await made.run({ source: 'rejected', cursor: { after: '' } }, 10_000);
    expect(answer).toMatchObject({ complete: false, stopped: { why: 'time' }, delivered: 0 });
    expect(made.started).toEqual([]);
  });
});

describe("Lambda's own documents", () => {
  const RECORDS = ['{"n":0}', '{"n":1}', '{"n":2}'];

  it.each(['object', 'text'] as const)('B77: are read with the payload as %s', async (payload) => {
    const own = redriveWorld({ published: DERIVED });
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: RECORDS, payload }));
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ complete: true, delivered: 3 });
    expect(idsIn(own.inlet.acknowledged)).toEqual([idOf(0), idOf(1), idOf(2)]);
    expect(own.s3.objects.size).toBe(0);
    expect(own.stream.reads).toEqual([]);
  });

  it('B77: without a payload the very range is read from the stream, with the same ids', async () => {
    const own = redriveWorld({ published: DERIVED });
    own.stream.records.push(...Array.from({ length: 10 }, (_, n) => streamRecord(n, `{"n":${n}}`)));
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: RECORDS, first: 4, payload: 'none' }));
    expect(await own.run({ source: 'on-failure' })).toMatchObject({
      complete: true,
      delivered: 3,
      lost: { records: 0, ranges: [] },
    });
    expect(idsIn(own.inlet.acknowledged)).toEqual([idOf(4), idOf(5), idOf(6)]);
    expect(own.stream.reads).toEqual([{ kind: 'at', sequenceNumber: seq(4) }]);
    expect(own.s3.objects.size).toBe(0);
  });

  it('B78: of records that were too old have no responseContext', async () => {
    const own = redriveWorld();
    const text = onFailureDocument({ records: RECORDS, payload: 'text', condition: 'RecordAgeExceeded' });
    expect(text).not.toContain('responseContext');
    own.s3.objects.set(ON_FAILURE_KEY, text);
    const where = { reasons: ['RecordAgeExceeded'] };
    expect(await own.run({ source: 'on-failure', where })).toMatchObject({ complete: true, delivered: 3 });
  });

  it.each([
    ['partly', 2, { from: seq(0), before: seq(2), records: 2 }, 1],
    ['wholly', 8, { from: seq(0), to: seq(2), records: 3 }, 0],
  ])('B79: whose range is trimmed %s are counted as lost, with ids', async (_, trimmed, range, delivered) => {
    const own = redriveWorld();
    own.stream.records.push(...Array.from({ length: 10 }, (_, n) => streamRecord(n, `{"n":${n}}`)));
    own.stream.trimmed = trimmed;
    const text = onFailureDocument({ records: RECORDS, payload: 'none' });
    own.s3.objects.set(ON_FAILURE_KEY, text);
    const lost = { shardId: 'shardId-000000000002', ...range };
    expect(await own.run({ source: 'on-failure', dryRun: true })).toMatchObject({
      lost: { records: range.records, ranges: [lost] },
    });
    const answer = await own.run({ source: 'on-failure' });
    expect(answer).toMatchObject({
      complete: false,
      delivered,
      lost: { records: range.records, ranges: [lost] },
    });
    expect(own.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining(range) }),
    );
    expect(own.counted.RecordsLost).toBe(range.records);
    // Said once, and kept: nobody has to read it from a log.
    expect([...own.s3.objects]).toEqual([[`lost/${ON_FAILURE_KEY}`, text]]);
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ complete: true, lost: { records: 0 } });
  });

  it('B79: whose shard is gone are lost as a whole', async () => {
    const own = redriveWorld();
    own.stream.gone = true;
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: RECORDS, payload: 'none' }));
    expect(await own.run({ source: 'on-failure' })).toMatchObject({
      complete: false,
      lost: { records: 3, ranges: [{ from: seq(0), to: seq(2) }] },
    });
  });

  it('whose rest could be read keep it, should the inlet take nothing now', async () => {
    const own = redriveWorld({ inlet: fakeInlet(() => json(503, {})) });
    own.stream.records.push(...Array.from({ length: 5 }, (_, n) => streamRecord(n, `{"n":${n}}`)));
    own.stream.trimmed = 1;
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: RECORDS, payload: 'none' }));
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ left: 2, lost: { records: 1 } });
    own.stream.trimmed = 5;
    expect(await redriveWorld({ s3: own.s3 }).run({ source: 'on-failure' })).toMatchObject({
      delivered: 2,
      complete: true,
    });
  });

  /** Lambda discarded a part of the batch only; the payload is the whole event. */
  const narrowed = (payload: 'object' | 'text', first: string, last: string) => {
    const found = JSON.parse(onFailureDocument({ records: RECORDS, first: 9, payload })) as {
      KinesisBatchInfo: object;
    };
    const range = { startSequenceNumber: first, endSequenceNumber: last };
    return JSON.stringify({ ...found, KinesisBatchInfo: { ...found.KinesisBatchInfo, ...range } });
  };

  it.each([
    ['object', seq(10), seq(11), [10, 11]],
    ['text', seq(10), seq(10), [10]],
    // As numbers, and not as texts: the first one has a digit less.
    ['object', '9', seq(9), [9]],
  ] as const)(
    'hold what was settled before, too (%s, %s to %s): that is not sent',
    async (payload, first, last, expected) => {
      const own = redriveWorld({ published: DERIVED });
      own.s3.objects.set(ON_FAILURE_KEY, narrowed(payload, first, last));
      expect(await own.run({ source: 'on-failure' })).toMatchObject({
        complete: true,
        chosen: expected.length,
        delivered: expected.length,
      });
      expect(idsIn(own.inlet.acknowledged)).toEqual(expected.map((index) => idOf(index)));
      expect(own.s3.objects.size).toBe(0);
    },
  );

  it('of which a part was settled before keep what was not chosen', async () => {
    const own = redriveWorld({ published: DERIVED });
    own.s3.objects.set(ON_FAILURE_KEY, narrowed('object', seq(10), seq(11)));
    const where = { field: { pointer: '/n', equals: 1 } };
    expect(await own.run({ source: 'on-failure', where })).toMatchObject({ complete: true, delivered: 1 });
    expect(JSON.parse(own.s3.objects.get(ON_FAILURE_KEY) ?? '')).toMatchObject({
      payload: { Records: [{ kinesis: { sequenceNumber: seq(11) } }] },
    });
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ complete: true, delivered: 1 });
    expect(idsIn(own.inlet.acknowledged)).toEqual([idOf(10), idOf(11)]);
  });

  it('whose records are all outside of their own range are damaged, and stay', async () => {
    const own = redriveWorld();
    const text = narrowed('object', seq(20), seq(21));
    own.s3.objects.set(ON_FAILURE_KEY, text);
    expect(await own.run({ source: 'on-failure' })).toMatchObject({
      complete: false,
      chosen: 0,
      skipped: { damaged: 1 },
    });
    expect(own.s3.objects.get(ON_FAILURE_KEY)).toBe(text);
  });

  it('give their rejects to the store first, and keep what was not chosen as Lambda wrote it', async () => {
    const own = redriveWorld({ inlet: refuse('bad') });
    const text = onFailureDocument({
      records: ['{"c":1}', '{"c":1,"bad":1}', '{"c":2}'],
      payload: 'text',
    });
    own.s3.objects.set(ON_FAILURE_KEY, text);
    const where = { field: { pointer: '/c', equals: 1 } };
    expect(await own.run({ source: 'on-failure', where })).toMatchObject({
      complete: true,
      chosen: 2,
      delivered: 1,
      rejectedAgain: 1,
    });
    const writes = own.s3.calls.filter(
      (call) => call.startsWith('Put rejected/') || call.startsWith('Put aws/'),
    );
    expect(writes.map((call) => call.slice(0, 8))).toEqual(['Put reje', 'Put aws/']);
    expect([...own.documents().values()]).toMatchObject([
      { entries: [{ sequenceNumber: seq(1), reason: 'refused', message: '400: still no' }] },
    ]);
    const left = JSON.parse(own.s3.objects.get(ON_FAILURE_KEY) ?? '') as { payload: string };
    const {
      Records: [first, ...more],
    } = JSON.parse(left.payload) as { Records: object[] };
    expect(more).toEqual([]);
    const { Records: original } = JSON.parse((JSON.parse(text) as { payload: string }).payload) as {
      Records: object[];
    };
    expect(first).toEqual(original[2]);
  });

  /** A document of one record: an aggregate of these messages. */
  const ofAggregate = (messages: readonly string[]) => {
    const event = JSON.parse(onFailureDocument({ records: ['x'], payload: 'object' })) as {
      payload: { Records: { kinesis: { data: string } }[] };
    };
    const parts = messages.map((data, n) => ({ key: `k${n}`, data: Buffer.from(data) }));
    for (const { kinesis } of event.payload.Records) kinesis.data = aggregate(parts).toString('base64');
    return event;
  };
  const noted = (event: ReturnType<typeof ofAggregate>, note: object) => ({
    ...event,
    payload: { ...event.payload, Records: [{ ...event.payload.Records[0], penstock: note }] },
  });
  const documentIn = ({ s3 }: RedriveWorld) => JSON.parse(s3.objects.get(ON_FAILURE_KEY) ?? '') as object;

  it('of an aggregate are taken apart, and stay whole until every part is done; each is sent once', async () => {
    let down = true;
    const inlet = fakeInlet(
      acknowledgeBut((message) => (down && message.includes('"n":1}') ? { statusCode: 503 } : undefined)),
    );
    const own = redriveWorld({ inlet, published: DERIVED });
    const event = ofAggregate(['{"n":0}', '{"n":1}', '{"n":2}']);
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(event));
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ delivered: 2, left: 1 });
    expect(documentIn(own)).toEqual(noted(event, { routes: { customers: [0, 2] } }));
    down = false;
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ delivered: 1, complete: true });
    expect(idsIn(own.inlet.acknowledged)).toEqual([idOf(0, 0), idOf(0, 2), idOf(0, 1)]);
    expect(own.s3.objects.size).toBe(0);
  });

  it('of an aggregate of which a part is chosen: it is sent once, and the other parts stay to be chosen', async () => {
    const own = redriveWorld();
    const event = ofAggregate(['{"s":0}', '{"s":1}']);
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(event));
    const where = { field: { pointer: '/s', equals: 0 } };
    expect(await own.run({ source: 'on-failure', where })).toMatchObject({ complete: true, delivered: 1 });
    expect(documentIn(own)).toEqual(noted(event, { routes: { customers: [0] } }));
    expect(await own.run({ source: 'on-failure', where })).toMatchObject({ complete: true, chosen: 0 });
    expect(own.inlet.acknowledged).toEqual(['{"s":0}']);
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ complete: true, delivered: 1 });
    expect(own.inlet.acknowledged).toEqual(['{"s":0}', '{"s":1}']);
    expect(own.s3.objects.size).toBe(0);
  });

  it('of an aggregate whose parts are chosen one by one count as many as there are room for', async () => {
    const own = redriveWorld();
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(ofAggregate(['{"s":0}', '{"s":1}'])));
    own.s3.objects.set(`${ON_FAILURE_KEY}-2`, onFailureDocument({ records: ['{"s":0}'], payload: 'object' }));
    const where = { field: { pointer: '/s', equals: 0 } };
    const first = await own.run({ source: 'on-failure', where, limit: 1 });
    expect(first).toMatchObject({ delivered: 1, stopped: { why: 'limit' } });
    expect(await own.run(first.next ?? {})).toMatchObject({ delivered: 1, complete: true });
  });

  it('of an aggregate give each reject to the store when it is one, and none takes the place of another', async () => {
    const own = redriveWorld({ inlet: refuse('bad') });
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(ofAggregate(['{"bad":0}', '{"bad":1}', '{"n":2}'])));
    for (const equals of [0, 1]) {
      const where = { field: { pointer: '/bad', equals } };
      expect(await own.run({ source: 'on-failure', where })).toMatchObject({ rejectedAgain: 1, chosen: 1 });
    }
    const stored = [...own.documents().values()].flatMap(({ entries }) => entries);
    expect(stored.map(({ subSequenceNumber }) => subSequenceNumber).sort()).toEqual([0, 1]);
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ complete: true, delivered: 1 });
    expect(own.others()).toEqual([]);
  });

  it('of an aggregate that cannot be redacted wholly keep it, and what could be is sent once', async () => {
    const records = { redact: [{ field: '/mail', action: 'drop' as const }] };
    const own = redriveWorld({ published: { records } });
    const event = ofAggregate(['{"n":0,"mail":"a"}', '{"mail":']);
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(event));
    const answers = [await own.run({ source: 'on-failure' }), await own.run({ source: 'on-failure' })];
    expect(answers).toMatchObject([
      { complete: false, chosen: 1, delivered: 1, left: 0, withheld: 1 },
      { complete: false, chosen: 0, delivered: 0, left: 0, withheld: 1 },
    ]);
    expect(own.inlet.acknowledged).toEqual(['{"n":0}']);
    expect(own.documents().size).toBe(0);
    const mended = redriveWorld({ s3: own.s3 });
    expect(await mended.run({ source: 'on-failure' })).toMatchObject({ complete: true, rejectedAgain: 1 });
    expect([...own.documents().values()]).toMatchObject([
      { entries: [{ subSequenceNumber: 1, reason: 'not-json' }] },
    ]);
  });

  it('with a note that is none are damaged, and stay', async () => {
    const own = redriveWorld();
    const text = JSON.stringify(noted(ofAggregate(['{}']), { done: 'all' }));
    own.s3.objects.set(ON_FAILURE_KEY, text);
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ skipped: { damaged: 1 } });
    expect(own.s3.objects.get(ON_FAILURE_KEY)).toBe(text);
  });
});

describe('B80, B81: what is not ours', () => {
  it('is passed over with a reason, counted, and never touched', async () => {
    const own = redriveWorld();
    await own.store(document([entry(1, '{}')]));
    const at = (name: string) => `rejected/customers/2026/01/30/${name}`;
    const foreign: [string, string, string][] = [
      [at('a-empty'), '', 'empty'],
      [at('b-text'), 'hello', 'not-json'],
      [at('c-list'), '[]', 'not-json'],
      [at('d-version'), JSON.stringify({ ...document([]), version: 2 }), 'wrong-version'],
      [at('e-no-version'), '{}', 'wrong-version'],
      [at('f-entries'), JSON.stringify({ ...document([]), entries: [{ data: '%' }] }), 'damaged'],
      [
        at('g-pipeline'),
        JSON.stringify(document([entry(1, '{}')], { pipeline: 'orders' })),
        'another-pipeline',
      ],
      [
        at('h-stream'),
        JSON.stringify(document([entry(1, '{}')], { streamArn: 'arn:aws:kinesis:eu-west-1:1:stream/x' })),
        'another-stream',
      ],
      [at('i-huge'), ' '.repeat(100_000_000), 'too-large'],
    ];
    for (const [key, text] of foreign) own.s3.objects.set(key, text);
    const answer = await own.run({ source: 'rejected' });
    expect(answer).toMatchObject({ complete: false, delivered: 1, documents: 1 });
    expect(answer.skippedObjects).toEqual(foreign.map(([key, , reason]) => ({ key, reason })));
    expect(answer.skipped).toEqual({
      empty: 1,
      'not-json': 2,
      'wrong-version': 2,
      damaged: 1,
      'another-pipeline': 1,
      'another-stream': 1,
      'too-large': 1,
    });
    expect(own.s3.calls).not.toContain(`Get ${at('i-huge')}`);
    for (const [key, text] of foreign) expect(own.s3.objects.get(key)).toBe(text);
    expect(own.inlet.acknowledged).toEqual(['{}']);
  });

  it("among Lambda's documents is passed over too", async () => {
    const own = redriveWorld();
    const good = JSON.parse(onFailureDocument({ records: ['{}'], payload: 'object' })) as Record<
      string,
      unknown
    >;
    const info = good.KinesisBatchInfo as object;
    const foreign: [object, string][] = [
      [{ ...good, version: '2.0' }, 'wrong-version'],
      [{ ...good, KinesisBatchInfo: undefined, DynamoDBBatchInfo: info }, 'damaged'],
      [{ ...good, payload: '{"Records":' }, 'damaged'],
      [{ ...good, payload: { Records: [{}] } }, 'damaged'],
      [
        { ...good, KinesisBatchInfo: { ...info, streamArn: 'arn:aws:kinesis:eu-west-1:1:stream/x' } },
        'another-stream',
      ],
    ];
    foreign.forEach(([value], index) => {
      own.s3.objects.set(`aws/lambda/${index}`, JSON.stringify(value));
    });
    const answer = await own.run({ source: 'on-failure' });
    expect(answer.skippedObjects.map(({ reason }) => reason)).toEqual(foreign.map(([, reason]) => reason));
    expect(own.inlet.requests).toEqual([]);
    expect(own.s3.objects.size).toBe(foreign.length);
  });
});

describe('B82: two at the same time', () => {
  it('never take the same document', async () => {
    const first = redriveWorld();
    const second = redriveWorld({ s3: first.s3, inlet: first.inlet, clock: first.clock });
    for (let index = 0; index < 300; index++) {
      await first.store(document([entry(index, `{"n":${index}}`)], { invocationId: `i-${index}` }));
    }
    const answers = await Promise.all([
      first.run({ source: 'rejected' }),
      second.run({ source: 'rejected' }),
    ]);
    expect(answers.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(300);
    expect(first.inlet.acknowledged).toHaveLength(300);
    expect(new Set(first.inlet.acknowledged).size).toBe(300);
    expect(first.s3.objects.size).toBe(0);
  });

  it('the one that finds a document taken says so', async () => {
    const own = redriveWorld({
      inlet: fakeInlet(async (request) => {
        if (request.index === 0) said = await other.run({ source: 'rejected' });
        return acknowledgeBut(() => undefined)(request);
      }),
    });
    const other = redriveWorld({ s3: own.s3, inlet: own.inlet, clock: own.clock });
    let said: object = {};
    await own.store(document([entry(1, '{}')]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ complete: true, delivered: 1 });
    expect(said).toMatchObject({ complete: false, delivered: 0, skipped: { claimed: 1 } });
  });
});

describe('the stream itself', () => {
  const stocked = (options: Parameters<typeof redriveWorld>[0] = {}) => {
    const own = redriveWorld(options);
    own.stream.records.push(...Array.from({ length: 10 }, (_, n) => streamRecord(n, `{"n":${n}}`)));
    return own;
  };
  const sequence = (from: number, to: number) => ({
    sequence: { shardId: 'shardId-000000000002', from: seq(from), to: seq(to) },
  });

  it('issue 14 A 2: goes through the pipeline that is named, where the stream has several', async () => {
    const flowId = '7f000000-0000-4000-8000-000000000001';
    const own = stocked({ published: DERIVED, others: { second: { flowId } } });
    const request = { source: 'stream', where: sequence(3, 6) };
    await expect(own.run(request)).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('customers, second'),
    });
    await expect(own.run({ ...request, pipeline: 'third' })).rejects.toMatchObject({ code: 'NOT_PUBLISHED' });
    expect(own.inlet.requests).toEqual([]);
    const answer = await own.run({ ...request, pipeline: 'second' });
    expect(answer).toMatchObject({ pipeline: 'second', delivered: 4 });
    expect(new Set(own.inlet.requests.map(({ headers }) => headers['x-adobe-flow-id']))).toEqual(
      new Set([flowId]),
    );
  });

  it('B83: is sent again by sequence, with the ids that the forwarder gave', async () => {
    const own = stocked({ published: DERIVED });
    expect(await own.run({ source: 'stream', where: sequence(3, 6) })).toMatchObject({
      complete: true,
      chosen: 4,
      delivered: 4,
    });
    expect(idsIn(own.inlet.acknowledged)).toEqual([3, 4, 5, 6].map((n) => idOf(n)));
    expect(own.s3.objects.size).toBe(0);
  });

  it('is sent again by time', async () => {
    const own = stocked();
    const where = { arrived: { from: '2026-02-02T02:40:03Z', to: '2026-02-02T02:40:06Z' } };
    expect(await own.run({ source: 'stream', where })).toMatchObject({ complete: true, delivered: 3 });
    expect(own.inlet.acknowledged).toEqual(['{"n":3}', '{"n":4}', '{"n":5}']);
  });

  it('ends at the present where no end is given', async () => {
    const own = stocked();
    const where = { arrived: { from: '2026-02-02T02:40:03Z' } };
    // The clock of this test stands two days before these records came.
    expect(await own.run({ source: 'stream', where })).toMatchObject({ complete: true, delivered: 0 });
  });

  it('gives its rejects to the store', async () => {
    const own = stocked({ inlet: refuse('4') });
    expect(await own.run({ source: 'stream', where: sequence(0, 9) })).toMatchObject({
      complete: true,
      delivered: 9,
      rejectedAgain: 1,
    });
    expect([...own.documents().values()].flatMap(({ entries }) => entries)).toMatchObject([
      { sequenceNumber: seq(4), reason: 'refused' },
    ]);
  });

  it('goes on where it could not go on, and nothing is passed over', async () => {
    const down = () => json(503, {});
    const up = acknowledgeBut(() => undefined);
    const own = stocked({ inlet: fakeInlet(inTurn(up, down, down, down, down, down, up)) });
    const first = await own.run({ source: 'stream', where: sequence(0, 9) });
    expect(first).toMatchObject({ delivered: 3, left: 3, complete: false, stopped: { why: 'attempts' } });
    expect(first.next?.cursor).toEqual({ shardId: 'shardId-000000000002', at: seq(3) });
    const second = await own.run(first.next ?? {});
    expect(second).toMatchObject({ delivered: 10, chosen: 10, left: 0, complete: true });
    expect(own.inlet.acknowledged).toHaveLength(10);
  });

  it('obeys a limit, and the answer goes on from there', async () => {
    const own = stocked();
    const first = await own.run({ source: 'stream', where: sequence(0, 9), limit: 4 });
    expect(first).toMatchObject({ delivered: 4, stopped: { why: 'limit' } });
    expect(await own.run({ ...first.next, limit: 100 })).toMatchObject({ delivered: 6, complete: true });
    expect(own.inlet.acknowledged).toHaveLength(10);
  });

  it('B79: whose beginning is trimmed is counted as lost, with ids', async () => {
    const own = stocked();
    own.stream.trimmed = 5;
    expect(await own.run({ source: 'stream', where: sequence(3, 6) })).toMatchObject({
      complete: false,
      delivered: 2,
      lost: { ranges: [{ shardId: 'shardId-000000000002', from: seq(3), before: seq(5) }] },
    });
    own.stream.gone = true;
    expect(await own.run({ source: 'stream', where: sequence(3, 6) })).toMatchObject({
      lost: { ranges: [{ from: seq(3), to: seq(6) }] },
    });
  });
});

describe('B85: a dry run', () => {
  it('makes no request, changes nothing, and says what would be done', async () => {
    const own = redriveWorld({ published: { authenticationRequired: true } });
    await own.store(document([entry(1, '{"a":1}'), entry(2, '{"broken'), entry(3, '{"a":3}')]));
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: ['{}'], payload: 'object' }));
    own.stream.records.push(streamRecord(0, '{}'));
    const before = new Map(own.s3.objects);
    const dryRun = true;
    expect(await own.run({ source: 'rejected', dryRun })).toMatchObject({
      dryRun: true,
      complete: true,
      chosen: 3,
      left: 2,
      rejectedAgain: 1,
      delivered: 0,
    });
    expect(await own.run({ source: 'on-failure', dryRun })).toMatchObject({ chosen: 1, left: 1 });
    const where = { sequence: { shardId: 'shardId-000000000002', from: seq(0), to: seq(0) } };
    expect(await own.run({ source: 'stream', dryRun, where })).toMatchObject({ chosen: 1, left: 1 });
    expect(own.inlet.requests).toEqual([]);
    expect(own.inlet.tokens).toEqual([]);
    expect(own.s3.objects).toEqual(before);
    expect(own.s3.calls.filter((call) => !/^(Get|List)/.test(call))).toHaveLength(1);
    expect(own.counted).toEqual({});
  });

  // Until now it was false whatever there was.
  it('C 2: is complete where all was looked at and could be sent, as the run after it is', async () => {
    const both = async (own: ReturnType<typeof redriveWorld>, request: object) => {
      const dry = await own.run({ ...request, dryRun: true });
      return [dry.complete, (await own.run(request)).complete];
    };
    const two = redriveWorld();
    await two.store(document([entry(1, '{"a":1}'), entry(2, '{"a":2}')]));
    expect(await both(two, { source: 'rejected', limit: 1 })).toEqual([false, false]);
    expect(await both(two, { source: 'rejected' })).toEqual([true, true]);
    expect(await both(two, { source: 'rejected' })).toEqual([true, true]);
    const kept = redriveWorld();
    const withheld = { reason: 'not-json', withheld: true, length: 4, sha256: 'ff' } as const;
    await kept.store(document([entry(1, '{"a":1}'), entry(2, '', withheld)]));
    expect(await both(kept, { source: 'rejected' })).toEqual([false, false]);
    const lost = redriveWorld();
    lost.stream.records.push(...Array.from({ length: 4 }, (_, n) => streamRecord(n, '{}')));
    lost.stream.trimmed = 2;
    lost.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records: ['{}', '{}', '{}'], payload: 'none' }));
    expect(await both(lost, { source: 'on-failure' })).toEqual([false, false]);
  });
});

describe('the set-up', () => {
  it('B86: with an inlet that is not allowed leads to no call', async () => {
    const own = redriveWorld({
      published: { inletUrl: `https://dcs.adobedc.net.evil.example/collection/${INLET_ID}` },
    });
    await own.store(document([entry(1, '{}')]));
    await expect(own.run({ source: 'rejected' })).rejects.toMatchObject({ code: 'INLET_NOT_ALLOWED' });
    expect(own.inlet.requests).toEqual([]);
    expect(own.documents().size).toBe(1);
  });

  it('without a pipeline for the stream is a failure that says so', async () => {
    const own = redriveWorld();
    await expect(own.run({ stream: 'orders', source: 'rejected' })).rejects.toMatchObject({
      code: 'NOT_PUBLISHED',
    });
    const other = 'arn:aws:kinesis:eu-west-1:999999999999:stream/customers';
    await expect(own.run({ stream: other, source: 'rejected' })).rejects.toMatchObject({
      code: 'NOT_PUBLISHED',
    });
  });

  it('B: may be asked for by the ARN of the stream’s consumer', async () => {
    const own = redriveWorld();
    const consumer =
      'arn:aws:kinesis:eu-west-1:123456789012:stream/customers/consumer/penstock-dev:1767225600';
    await own.store(document([entry(1, '{}')]));
    expect(await own.run({ stream: consumer, source: 'rejected' })).toMatchObject({ delivered: 1 });
  });

  it('that needs a hand stops it at once, and everything stays', async () => {
    const own = redriveWorld({ inlet: fakeInlet(() => json(404, {})) });
    await own.store(document([entry(1, '{}')]));
    const answer = await own.run({ source: 'rejected' });
    expect(answer).toMatchObject({
      complete: false,
      left: 1,
      stopped: { why: 'set-up', code: 'AEP_NOT_FOUND' },
    });
    expect(own.inlet.requests).toHaveLength(1);
    expect(own.documents().size).toBe(1);
  });

  it('says nothing of records, keys and tokens in its lines', async () => {
    const own = redriveWorld({ inlet: refuse('canary'), published: { authenticationRequired: true } });
    await own.store(document([entry(1, '{"canary":1}', { partitionKey: 'canary-key' })]));
    own.s3.objects.set('rejected/customers/2026/01/30/x', 'canary');
    await own.run({ source: 'rejected' });
    expect(own.lines.length).toBeGreaterThan(1);
    expect(JSON.stringify(own.lines)).not.toMatch(/canary|token-1/);
  });
});
