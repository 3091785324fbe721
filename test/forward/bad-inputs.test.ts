// The bad inputs of the forwarder, numbered as in docs/promises.md: each one and what has to become of it.
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_LANES } from '../../lib/forward/send/batch.ts';
import {
  ALL_SETTLED,
  from,
  kinesisEvent,
  PUBLISHED,
  type RecordInput,
  SECRET,
  seq,
  world,
} from '../support/forwarding.ts';
import { acknowledgeAll, acknowledgeBut, fakeInlet, inTurn, json, multi } from '../support/inlet.ts';
import { aggregate, field, MAGIC, number, sealed, varint } from '../support/kpl.ts';

const GOOD = '{"id":"good"}';
const INVOCATION = { remainingMs: () => 60_000, invocationId: 'i' };

/** Forwards the records between two good ones, and tells what became of them. */
async function among(records: RecordInput[], published: Parameters<typeof world>[0] = {}) {
  const w = world(published);
  const answer = JSON.stringify(await w.run([GOOD, ...records, GOOD]));
  const sent = w.inlet.requests.flatMap(({ messages }) => messages).slice(1, -1);
  return {
    answer,
    sent,
    reasons: w.reasons(),
    entries: w.store.documents.flatMap(({ entries }) => entries),
    w,
  };
}

describe('events', () => {
  it('B 1: an empty list is success without a call', async () => {
    const w = world();
    expect(JSON.stringify(await w.forward({ Records: [] }, INVOCATION))).toBe(ALL_SETTLED);
    expect([w.inlet.requests, w.secretReads]).toEqual([[], []]);
  });

  it.each([
    [{}],
    [{ Records: null }],
    [null],
    [undefined],
    ['text'],
    [[]],
    [{ records: [] }],
    [{ Records: {} }],
  ])('B 2: %j is not an event', async (event) => {
    const w = world();
    await expect(w.forward(event, INVOCATION)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    expect(w.secretReads).toEqual([]);
  });

  it.each<[string, (record: Record<string, unknown>) => unknown]>([
    ['without kinesis', ({ kinesis: _, ...rest }) => rest],
    [
      'without a sequence number',
      (r) => ({ ...r, kinesis: { ...(r.kinesis as object), sequenceNumber: undefined } }),
    ],
    [
      'with a sequence number that is none',
      (r) => ({ ...r, kinesis: { ...(r.kinesis as object), sequenceNumber: '1e3' } }),
    ],
    ['without a stream', (r) => ({ ...r, eventSourceARN: undefined })],
    ['of another stream', (r) => ({ ...r, eventSourceARN: 'arn:aws:kinesis:eu-west-1:1:stream/other' })],
    ['whose data is a number', (r) => ({ ...r, kinesis: { ...(r.kinesis as object), data: 7 } })],
    ['that is null', () => null],
  ])('B 3: a record %s fails the event before anything is sent', async (_, damage) => {
    const w = world();
    const { Records } = kinesisEvent([GOOD, GOOD]);
    const event = { Records: [Records[0], damage(Records[1] as Record<string, unknown>)] };
    await expect(w.forward(event, INVOCATION)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    expect(w.inlet.requests).toEqual([]);
  });
});

describe('records', () => {
  it('B 4: no data, null and "" are rejected as empty', async () => {
    const { answer, reasons, sent } = await among([{}, { data: null }, { data: '' }, { data: '\uFEFF' }]);
    expect(answer).toBe(ALL_SETTLED);
    expect(reasons).toEqual(['empty', 'empty', 'empty', 'empty']);
    expect(sent).toEqual([]);
  });

  it.each([
    ['a character that is none', 'eyJhIjoxfQ=!'],
    ['URL-safe letters', Buffer.from('{"a":"ÿÿÿ¿"}').toString('base64').replaceAll('/', '_')],
    ['no padding', 'eyJhIjoxfQ'],
    ['too much padding', 'eyJhIjoxfQ==='],
    ['stray bits', 'eyJhIjoxfR=='],
    ['a line break', 'eyJhIjox\nfQ=='],
    ['a second text', 'eyJhIjoxfQ==eyJhIjoxfQ=='],
    ['plain JSON', '{"a":1}'],
    ['padding alone', '===='],
  ])('B 5: base64 with %s is rejected and kept as it came', async (_, base64) => {
    const { answer, reasons, entries, sent } = await among([{ base64 }]);
    expect([answer, reasons, sent]).toEqual([ALL_SETTLED, ['not-base64'], []]);
    expect(Buffer.from(entries[0]?.data ?? '', 'base64').toString()).toBe(base64);
  });

  it.each([
    ['a lone byte', Buffer.from('7b2261223a22ff227d', 'hex')],
    ['an encoded surrogate', Buffer.from('7b2261223a22eda080227d', 'hex')],
    ['an overlong slash', Buffer.from('7b2261223a22c0af227d', 'hex')],
    ['a cut character', Buffer.from('7b2261223a22e282227d', 'hex')],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le').subarray(0, -1)],
  ])('B 6: %s is not UTF-8, or not JSON', async (_, data) => {
    const { answer, reasons, entries } = await among([data]);
    expect(answer).toBe(ALL_SETTLED);
    expect(reasons).toEqual([reasons[0] === 'not-json' ? 'not-json' : 'not-utf8']);
    expect(entries[0]?.data).toBe(data.toString('base64'));
  });

  it('B 7: a byte order mark is taken off', async () => {
    const { answer, sent } = await among(['\uFEFF{"a":"\uFEFF"}']);
    expect([answer, sent]).toEqual([ALL_SETTLED, ['{"a":"\uFEFF"}']]);
  });

  it.each([
    'hello',
    '{"a":1',
    '{"a":1},{"b":2}',
    '{"a":1}{"b":2}',
    '{"a":1}\n{"b":2}',
    ']},{"messages":[{}',
    "{'a':1}",
    '{"a":01}',
    '{"a":NaN}',
    '{"a":1,}',
    '{"a":"\u0001"}',
    '\uFEFF\uFEFF{}',
    '/**/{}',
    ' ',
  ])('B 8: %j is not JSON', async (text) => {
    const { answer, reasons, sent } = await among([text]);
    expect([answer, reasons, sent]).toEqual([ALL_SETTLED, ['not-json'], []]);
  });

  it.each(['1', '"text"', 'true', 'null', '[]', '[{"a":1}]', '-0'])(
    'B 9: %s is not an object',
    async (text) => {
      const { answer, reasons } = await among([text]);
      expect([answer, reasons]).toEqual([ALL_SETTLED, ['not-an-object']]);
    },
  );

  it.each([
    ['arrays', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['arrays that never end', `{"a":${'['.repeat(400_000)}`],
    ['513 levels', `{"a":${'['.repeat(512)}${']'.repeat(512)}}`],
  ])('B 10: %s too deep are rejected', async (_, text) => {
    const { answer, reasons } = await among([text]);
    expect([answer, reasons]).toEqual([ALL_SETTLED, ['too-deep']]);
  });

  it('B 10: 512 levels, and brackets within text, are not too deep', async () => {
    const texts = [`{"a":${'['.repeat(511)}${']'.repeat(511)}}`, `{"a":"${'[\\"{'.repeat(2_000)}"}`];
    const { sent } = await among(texts);
    expect(sent).toEqual(texts);
  });

  it.each([
    ['B 11: numbers', '{"a":9007199254740993,"b":1e400,"c":-0,"d":1E+2,"e":1.10,"f":0.1e-7}'],
    ['B 12: duplicate keys', '{"a":1,"a":2,"\\u0061":3}'],
    ['B 13: a lone surrogate', '{"a":"\\ud800","b":"\\udc00\\ud800"}'],
    ['B 13: NUL', '{"a":"\\u0000","\\u0000":1}'],
    ['B 13: line separators', '{"a":"\u2028\u2029","b":"😀"}'],
    [
      'B 22: names with a meaning',
      '{"__proto__":{"x":1},"constructor":{"prototype":{}},"_aws":{"CloudWatchMetrics":[]}}',
    ],
    ['B 23: a CloudWatch envelope', '{"messageType":"DATA_MESSAGE","logEvents":[{"message":"{}"}]}'],
    ['B 23: a Debezium envelope', '{"schema":{},"payload":{"before":null,"after":{"id":1}}}'],
    ['B 23: header and body in raw data', '{"header":{"title":"x"},"body":{"xdmEntity":{"a":1}}}'],
    ['white space', ' \r\n{ "a" :\t1 }\n '],
    ['slashes', '{"a":"\\/ /"}'],
  ])('%s are sent as they are', async (_, text) => {
    const raw = await among([text]);
    expect([raw.answer, raw.sent]).toEqual([ALL_SETTLED, [text]]);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it.each(['raw', 'xdm'] as const)(
    'B 14: a message too large for a request is rejected (%s)',
    async (data) => {
      const w = world({ published: { data } });
      const size = (n: number) => `{"a":"${'ü'.repeat(n)}"}`;
      const answer = JSON.stringify(await w.run([size(600_000), GOOD]));
      expect([answer, w.reasons()]).toEqual([ALL_SETTLED, ['too-large']]);
      // The largest that passes, found by halving, fills its request to the byte.
      let passes = 1;
      for (let step = 1_000_000; step >= 1; step = Math.floor(step / 2)) {
        const tried = world({ published: { data } });
        await tried.run([`{"a":"${'x'.repeat(passes + step)}"}`]);
        if (tried.reasons().length === 0) passes += step;
      }
      const last = world({ published: { data } });
      await last.run([`{"a":"${'x'.repeat(passes)}"}`]);
      expect(last.inlet.requests[0]?.bytes).toBeGreaterThan(989_990);
      expect(last.inlet.requests[0]?.bytes).toBeLessThanOrEqual(990_000);
    },
  );

  it('B 14: a record of a stream that takes 10 MiB is rejected whole, its bytes kept, its neighbours sent', async () => {
    const large = `{"a":"${'x'.repeat(4_400_000)}"}`;
    const { answer, reasons, sent, entries } = await among([large]);
    expect([answer, reasons, sent]).toEqual([ALL_SETTLED, ['too-large'], []]);
    expect(Buffer.from(entries[0]?.data ?? '', 'base64').toString()).toBe(large);
  });

  it('B 15: 10,000 records of a byte are all accounted for', async () => {
    const w = world();
    const answer = await w.run(Array.from({ length: 10_000 }, (_, n) => String(n % 10)));
    expect(JSON.stringify(answer)).toBe(ALL_SETTLED);
    expect([w.inlet.requests.length, w.reasons().length]).toEqual([0, 10_000]);
    expect(w.counted).toMatchObject({
      RecordsReceived: 10_000,
      RecordsRejected: 10_000,
      ConservationDifference: 0,
    });
  });

  it('B 15: an event of 6 MB with 10,000 records is chunked, each one sent once', async () => {
    const lanes = Promise.withResolvers<void>();
    let open = 0;
    const w = world({
      inlet: fakeInlet(async (request) => {
        // Nothing is answered until all lanes are on their way.
        if (++open === MAX_LANES) lanes.resolve();
        await lanes.promise;
        return acknowledgeAll(request);
      }),
    });
    const texts = Array.from({ length: 10_000 }, (_, n) => `{"n":${n},"t":"${'x'.repeat(410)}"}`);
    expect(JSON.stringify(await w.run(texts))).toBe(ALL_SETTLED);
    expect(w.inlet.acknowledged.toSorted()).toEqual(texts.toSorted());
    expect(w.inlet.requests.length).toBeLessThanOrEqual(9);
    expect(Math.max(...w.inlet.requests.map(({ bytes }) => bytes))).toBeLessThanOrEqual(1_000_000);
    expect(w.inlet.peak.most).toBe(MAX_LANES);
    expect(w.counted).toMatchObject({ RecordsReceived: 10_000, RecordsAcknowledged: 10_000 });
  });

  it('B 16: one sequence number twice, disorder and an unknown shard settle at the lowest by value', async () => {
    const inlet = fakeInlet(acknowledgeBut((text) => (/bad/.test(text) ? { status: 503 } : undefined)));
    const w = world({ inlet });
    const records = [
      { data: '{"n":1}', seq: '100' },
      { data: '{"bad":2}', seq: '20' },
      { data: '{"bad":3}', seq: '20' },
      { data: '{"n":4}', seq: '3' },
      { data: '{"bad":5}', seq: '99999999999999999999' },
    ];
    const event = kinesisEvent(records);
    for (const record of event.Records) record.eventID = 'nonsense';
    const answer = await w.forward(event, INVOCATION);
    expect(JSON.stringify(answer)).toBe('{"batchItemFailures":[{"itemIdentifier":"20"}]}');
    expect(w.counted).toMatchObject({ RecordsReceived: 5, RecordsAcknowledged: 2, RecordsReturned: 3 });
  });
});

describe('formats', () => {
  const subs = (n: number) =>
    Array.from({ length: n }, (_, at) => ({ key: `k${at % 7}`, data: Buffer.from(`{"n":${at}}`) }));

  it.each([0, 1, 10_000])('B 17: an aggregate of %i sub-records', async (n) => {
    const { answer, w } = await among([aggregate(subs(n))]);
    expect(answer).toBe(ALL_SETTLED);
    const sent = w.inlet.requests
      .flatMap(({ messages }) => messages)
      .filter((text) => !text.includes('good'));
    // Many messages go out in lanes: in order by key, not all in all.
    const inOrder = (texts: readonly string[]) => [...texts].sort();
    expect(inOrder(sent)).toEqual(inOrder(subs(n).map(({ data }) => data.toString())));
    for (const { messages } of w.inlet.requests) expect(messages.length).toBeLessThanOrEqual(2_000);
    expect(w.counted).toMatchObject({ RecordsReceived: n + 2, RecordsAcknowledged: n + 2 });
  });

  it('B 17: explicit hash keys are passed over', async () => {
    const body = Buffer.concat([
      field(1, Buffer.from('k')),
      field(2, Buffer.from('170141183460469231731687303715884105728')),
      field(3, Buffer.concat([number(1, 0), number(2, 0), field(3, Buffer.from('{"a":1}'))])),
    ]);
    expect((await among([sealed(body)])).sent).toEqual(['{"a":1}']);
  });

  it('B 17: an aggregate of nothing, alone, is settled without a call', async () => {
    const w = world();
    expect(JSON.stringify(await w.run([aggregate([])]))).toBe(ALL_SETTLED);
    expect(w.inlet.requests).toEqual([]);
  });

  it('B 17: one unresolved sub-record gives back its parent; a rejected one keeps its place', async () => {
    const parts = ['{"n":0}', 'no', '{"bad":1}'].map((text) => ({ key: 'k', data: Buffer.from(text) }));
    const inlet = fakeInlet(acknowledgeBut((text) => (/bad/.test(text) ? { status: 503 } : undefined)));
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD, aggregate(parts), GOOD]))).toBe(from(1));
    expect(w.reasons()).toEqual([]);
    const calm = world();
    expect(JSON.stringify(await calm.run([GOOD, aggregate(parts), GOOD]))).toBe(ALL_SETTLED);
    expect(calm.store.documents[0]?.entries).toEqual([
      expect.objectContaining({
        reason: 'not-json',
        sequenceNumber: seq(1),
        subSequenceNumber: 1,
        partitionKey: 'k',
      }),
    ]);
  });

  it('B 18: magic with a wrong checksum is plain data, and no JSON', async () => {
    const bytes = aggregate(subs(2));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    const { answer, reasons, entries } = await among([bytes, MAGIC]);
    expect([answer, reasons]).toEqual([ALL_SETTLED, ['not-utf8', 'not-utf8']]);
    expect(entries[0]?.data).toBe(bytes.toString('base64'));
  });

  it.each<[string, Buffer]>([
    [
      'a key index out of range',
      Buffer.concat([
        field(1, Buffer.from('k')),
        field(3, Buffer.concat([number(1, 1), field(3, Buffer.from('{}'))])),
      ]),
    ],
    ['no key at all', field(3, Buffer.concat([number(1, 0), field(3, Buffer.from('{}'))]))],
    ['no key index', Buffer.concat([field(1, Buffer.from('k')), field(3, field(3, Buffer.from('{}')))])],
    ['no data', Buffer.concat([field(1, Buffer.from('k')), field(3, number(1, 0))])],
    ['a negative length', Buffer.concat([varint(0x1a), varint(0xffffffffffffffffn)])],
    [
      'a length one beyond the end',
      Buffer.concat([
        field(1, Buffer.from('k')),
        field(3, Buffer.concat([number(1, 0), field(3, Buffer.from('{}'))])).fill(7, 1, 2),
      ]),
    ],
    ['a cut number', Buffer.from([0x1a, 0x80, 0x80])],
    ['a number without end', Buffer.from([0x1a, ...Array<number>(64).fill(0xff)])],
    ['a length of 2 GB', Buffer.concat([varint(0x1a), varint(2 ** 31 - 1), Buffer.from('{}')])],
    ['a number where bytes belong', number(3, 5)],
    ['an unknown wire type', Buffer.from([0x0b])],
    [
      'a good record before the damage',
      Buffer.concat([
        field(1, Buffer.from('k')),
        field(3, Buffer.concat([number(1, 0), field(3, Buffer.from('{}'))])),
        Buffer.from([0x1a, 9]),
      ]),
    ],
  ])('B 19: an aggregate with %s is rejected whole', async (_, body) => {
    const { answer, reasons, sent, entries } = await among([sealed(body)]);
    expect([answer, reasons, sent]).toEqual([ALL_SETTLED, ['bad-aggregate'], []]);
    expect(entries[0]?.data).toBe(sealed(body).toString('base64'));
  });

  it('B 19: more sub-records than any producer makes are rejected whole', async () => {
    const one = field(3, Buffer.concat([number(1, 0), field(3, Buffer.from(''))]));
    const body = Buffer.concat([field(1, Buffer.from('k')), ...Array<Buffer>(100_001).fill(one)]);
    expect((await among([sealed(body)])).reasons).toEqual(['bad-aggregate']);
  });

  it('B 20: an aggregate in an aggregate is taken apart once', async () => {
    const inner = aggregate([{ key: 'k', data: Buffer.from('{"a":1}') }]);
    const { answer, reasons, sent, entries } = await among([aggregate([{ key: 'k', data: inner }])]);
    expect([answer, reasons, sent]).toEqual([ALL_SETTLED, ['not-utf8'], []]);
    expect(entries[0]).toMatchObject({ subSequenceNumber: 0, data: inner.toString('base64') });
  });

  const packed = gzipSync('{"a":1}');

  it('B 21: gzip is rejected where the pipeline does not say so', async () => {
    const { answer, reasons } = await among([packed]);
    expect([answer, reasons]).toEqual([ALL_SETTLED, ['not-utf8']]);
  });

  it('B 21: gzip is unpacked where the pipeline says so, in aggregates too, and plain records pass', async () => {
    const inAggregate = aggregate([{ key: 'k', data: gzipSync('{"b":2}') }]);
    const { answer, sent } = await among([packed, inAggregate, '{"c":3}'], {
      published: { compression: 'gzip' },
    });
    expect([answer, sent]).toEqual([ALL_SETTLED, ['{"a":1}', '{"b":2}', '{"c":3}']]);
  });

  it.each<[string, Buffer, string]>([
    ['truncated', packed.subarray(0, -3), 'not-gzip'],
    ['only its first bytes', packed.subarray(0, 2), 'not-gzip'],
    [
      'with a wrong checksum',
      Buffer.concat([packed.subarray(0, -8), Buffer.alloc(4), packed.subarray(-4)]),
      'not-gzip',
    ],
    ['with something behind it', Buffer.concat([packed, Buffer.from('garbage')]), 'not-gzip'],
    ['with zeros behind it', Buffer.concat([packed, Buffer.alloc(16)]), 'not-gzip'],
    [
      'with something behind it that looks like its length',
      Buffer.concat([packed, Buffer.from([0, 1, 2, 7, 0, 0, 0])]),
      'not-gzip',
    ],
    ['of two members', Buffer.concat([gzipSync('{"a":'), gzipSync('1}')]), 'not-gzip'],
    ['of two whole messages', Buffer.concat([packed, packed]), 'not-gzip'],
    ['of nothing', gzipSync(''), 'empty'],
    ['of gzip', gzipSync(packed), 'not-utf8'],
    ['a bomb', gzipSync(Buffer.alloc(50 * 1024 * 1024)), 'gzip-too-large'],
    ['more than a request takes', gzipSync(`{"a":"${'x'.repeat(1_000_000)}"}`), 'too-large'],
  ])('B 21: gzip %s is rejected and kept as it came', async (_, bytes, reason) => {
    const { answer, reasons, entries } = await among([bytes], { published: { compression: 'gzip' } });
    expect([answer, reasons]).toEqual([ALL_SETTLED, [reason]]);
    expect(entries[0]?.data).toBe(bytes.toString('base64'));
  });

  const frame = zstdCompressSync('{"a":1}');
  const summed = zstdCompressSync('{"a":1}', { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');
  /** A frame that says its window is of 2 to the power of 10 + `exponent` bytes: RFC 8878 §3.1.1.1.2. */
  const windowed = (exponent: number) =>
    Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 0x39, 0, 0]),
      Buffer.from('{"a":1}'),
    ]);

  it('B 21: zstd is rejected where the pipeline does not say so', async () => {
    expect((await among([frame])).reasons).toEqual(['not-utf8']);
    expect((await among([frame], { published: { compression: 'gzip' } })).reasons).toEqual(['not-utf8']);
    expect((await among([packed], { published: { compression: 'zstd' } })).reasons).toEqual(['not-utf8']);
  });

  it.each(['zstd', 'auto'] as const)(
    'B 21: zstd is unpacked where the pipeline says %s, in aggregates too',
    async (compression) => {
      const inAggregate = aggregate([{ key: 'k', data: zstdCompressSync('{"b":2}') }]);
      const records = [frame, summed, windowed(13), inAggregate, '{"c":3}'];
      const { answer, sent } = await among(records, { published: { compression } });
      expect([answer, sent]).toEqual([ALL_SETTLED, ['{"a":1}', '{"a":1}', '{"a":1}', '{"b":2}', '{"c":3}']]);
    },
  );

  it('B 21: with auto, gzip and zstd are told apart by their first bytes', async () => {
    const { sent } = await among([packed, frame], { published: { compression: 'auto' } });
    expect(sent).toEqual(['{"a":1}', '{"a":1}']);
  });

  it.each<[string, Buffer, string]>([
    ['truncated', frame.subarray(0, -3), 'not-zstd'],
    ['only its first bytes', frame.subarray(0, 4), 'not-zstd'],
    ['with a wrong checksum', Buffer.concat([summed.subarray(0, -4), Buffer.alloc(4)]), 'not-zstd'],
    ['with something behind it', Buffer.concat([frame, Buffer.from('garbage')]), 'not-zstd'],
    ['with zeros behind it', Buffer.concat([frame, Buffer.alloc(16)]), 'not-zstd'],
    ['of two frames', Buffer.concat([zstdCompressSync('{"a":'), zstdCompressSync('1}')]), 'not-zstd'],
    ['of two whole messages', Buffer.concat([frame, frame]), 'not-zstd'],
    ['with a skippable frame behind it', Buffer.concat([frame, skippable]), 'not-zstd'],
    ['behind a skippable frame', Buffer.concat([skippable, frame]), 'not-utf8'],
    ['of nothing', zstdCompressSync(''), 'empty'],
    ['of zstd', zstdCompressSync(frame), 'not-utf8'],
    ['with a window of 16 MiB', windowed(14), 'not-zstd'],
    ['with a window of 128 MiB', windowed(17), 'not-zstd'],
    ['a bomb', zstdCompressSync(Buffer.alloc(50 * 1024 * 1024)), 'zstd-too-large'],
    ['more than a request takes', zstdCompressSync(`{"a":"${'x'.repeat(1_000_000)}"}`), 'too-large'],
  ])('B 21: zstd %s is rejected and kept as it came', async (_, bytes, reason) => {
    const { answer, reasons, entries } = await among([bytes], { published: { compression: 'auto' } });
    expect([answer, reasons]).toEqual([ALL_SETTLED, [reason]]);
    expect(entries[0]?.data).toBe(bytes.toString('base64'));
  });

  it('B 21: many small bombs do not outgrow the memory: what is left comes again', async () => {
    const bomb = gzipSync(`{"a":"${'x'.repeat(980_000)}"}`);
    const w = world({ published: { compression: 'gzip' } });
    const records = Array.from({ length: 150 }, () => bomb);
    let at = 0;
    let rounds = 0;
    for (; at < records.length; rounds++) {
      const answer = await w.run(records.slice(at).map((data, n) => ({ data, seq: seq(at + n) })));
      const next = answer.batchItemFailures[0]?.itemIdentifier;
      at = next === undefined ? records.length : Number(BigInt(next) - BigInt(seq(0)));
    }
    expect(rounds).toBe(2);
    expect(w.inlet.acknowledged).toHaveLength(150);
    expect(w.counted.ConservationDifference).toBe(0);
  });
});

describe('replies', () => {
  it('B 24: a 200 in the shape of a single message acknowledges nothing', async () => {
    const inlet = fakeInlet(() => json(200, { inletId: 'x', xactionId: '1:2:3', receivedTimeMs: 1 }));
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD, GOOD]))).toBe(from(0));
    expect(JSON.stringify(await w.run([GOOD]))).toBe(from(0));
    // The two together twice, the first of them alone; then, after a break, one alone.
    expect(inlet.requests.map(({ messages }) => messages.length)).toEqual([2, 2, 1, 1]);
  });

  it.each([
    ['more', (n: number) => n + 1],
    ['none', () => 0],
  ])('B 25: %s responses than messages acknowledge nothing', async (_, count) => {
    const inlet = fakeInlet(({ messages }) =>
      multi(Array.from({ length: count(messages.length) }, (_, at) => ({ xactionId: `a-${at}` }))),
    );
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD, GOOD]))).toBe(from(0));
    expect(w.counted).toMatchObject({ RecordsAcknowledged: 0, RecordsReturned: 2 });
  });

  // The numbers may be those of another request: a delivered record was stored as refused, and others were lost.
  it('A 9 (b), B 25: fewer responses say nothing of anybody, and all are sent again', async () => {
    const inlet = fakeInlet(
      inTurn(() => multi([{ xactionId: 'a-2' }, { xactionId: 'a-0', status: 400 }]), acknowledgeAll),
    );
    const w = world({ inlet });
    const all = ['{"n":0}', '{"n":1}', '{"n":2}'];
    expect(JSON.stringify(await w.run(all))).toBe(ALL_SETTLED);
    expect(inlet.requests.map(({ messages }) => messages)).toEqual([all, all]);
    expect(w.store.documents).toEqual([]);
  });

  it('A 9 (a): a success that bears a status is a success, and is not sent again', async () => {
    const inlet = fakeInlet(({ messages }) =>
      multi(
        messages.map((_, at) => ({
          xactionId: `a-${at}`,
          ...[{ status: 200 }, { statusCode: '202' }, { status: null }][at],
        })),
      ),
    );
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD, GOOD, GOOD]))).toBe(ALL_SETTLED);
    expect(inlet.requests).toHaveLength(1);
  });

  it('A 9 (b): what two readings of an answer disagree about is sent again, and then alone', async () => {
    const swapped = () =>
      multi([{ xactionId: 'b-1' }, { xactionId: 'b-0', status: 503 }, { xactionId: 'b-2' }]);
    const inlet = fakeInlet(({ messages }) =>
      messages.length === 3
        ? swapped()
        : messages.length === 2
          ? multi([{ xactionId: 'b-1' }, { status: 400 }])
          : acknowledgeAll({ messages }),
    );
    const w = world({ inlet });
    expect(JSON.stringify(await w.run(['{"n":0}', '{"n":1}', '{"n":2}']))).toBe(ALL_SETTLED);
    expect(inlet.requests.map(({ messages }) => messages)).toEqual([
      ['{"n":0}', '{"n":1}', '{"n":2}'],
      ['{"n":0}', '{"n":1}'],
      ['{"n":0}'],
      ['{"n":1}'],
    ]);
    expect(w.counted).toMatchObject({ RecordsAcknowledged: 3, ConservationDifference: 0 });
  });

  it.each([
    [{ statusCode: '400', message: 'm' }],
    [{ xactionId: 'a-1', status: 400, message: 'm' }],
    [{ xactionId: 'a-1', status: 200, statusCode: 400, message: 'm' }],
    [{ xactionId: 'a-1', status: '400', statusCode: 200, message: 'm' }],
  ])('B 26: an entry %j is a failure', async (entry) => {
    const w = world({ inlet: fakeInlet(acknowledgeBut((text) => (/bad/.test(text) ? entry : undefined))) });
    expect(JSON.stringify(await w.run([GOOD, '{"bad":1}', GOOD]))).toBe(ALL_SETTLED);
    expect(w.store.documents[0]?.entries).toEqual([
      expect.objectContaining({ reason: 'refused', message: '400: m', sequenceNumber: seq(1) }),
    ]);
  });

  it.each([[{}], [null], [{ xactionId: null }], [[]], ['ok']])(
    'B 27: an entry %j acknowledges nothing',
    async (entry) => {
      const responses = (messages: readonly string[]) =>
        messages.map((text, at) => (/bad/.test(text) ? entry : { xactionId: `a-${at}` }));
      const w = world({ inlet: fakeInlet(({ messages }) => multi(responses(messages))) });
      expect(JSON.stringify(await w.run([GOOD, '{"bad":1}', GOOD]))).toBe(from(1));
      expect(w.reasons()).toEqual([]);
    },
  );

  it.each([429, 503, 500, 408, 425])(
    'B 28: an entry of %i is tried again, and only that message',
    async (status) => {
      let troubled = 2;
      const inlet = fakeInlet(
        acknowledgeBut((text) => (/bad/.test(text) && troubled-- > 0 ? { status, message: 'm' } : undefined)),
      );
      const w = world({ inlet });
      expect(JSON.stringify(await w.run([GOOD, '{"bad":1}', GOOD]))).toBe(ALL_SETTLED);
      expect(inlet.requests.map(({ messages }) => messages.length)).toEqual([3, 1, 1]);
      expect(w.reasons()).toEqual([]);
    },
  );

  it('B 29: a 207 in which all fail for good rejects each', async () => {
    const w = world({ inlet: fakeInlet(acknowledgeBut(() => ({ statusCode: 400, message: 'no' }))) });
    expect(JSON.stringify(await w.run([GOOD, GOOD, GOOD]))).toBe(ALL_SETTLED);
    expect(w.reasons()).toEqual(['refused', 'refused', 'refused']);
    expect(w.inlet.requests).toHaveLength(1);
  });

  const authenticated = { authenticationRequired: true };

  it('B 30: one 401 renews the token, and the messages are sent once more', async () => {
    const inlet = fakeInlet(inTurn(() => json(401, { title: 'Authorization' }), acknowledgeAll));
    const w = world({ inlet, published: authenticated });
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
    expect(inlet.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
    await w.run([GOOD]);
    expect(inlet.tokens).toHaveLength(2);
  });

  it.each([401, 403])('B 30: %i for ever renews once, then gives the records back', async (status) => {
    const inlet = fakeInlet(() => json(status, { title: 'Authorization' }));
    const w = world({ inlet, published: authenticated });
    expect(JSON.stringify(await w.run([GOOD, GOOD]))).toBe(from(0));
    expect([inlet.tokens.length, inlet.requests.length]).toEqual([2, 2]);
    expect(w.reasons()).toEqual([]);
  });

  it('B 30: a 401 of one entry renews too, and that message alone is sent again', async () => {
    let once = true;
    const inlet = fakeInlet(
      acknowledgeBut((text) => {
        if (!/bad/.test(text) || !once) return undefined;
        once = false;
        return { status: 401 };
      }),
    );
    const w = world({ inlet, published: authenticated });
    expect(JSON.stringify(await w.run([GOOD, '{"bad":1}']))).toBe(ALL_SETTLED);
    expect(inlet.requests.map(({ messages, headers }) => [messages.length, headers.authorization])).toEqual([
      [2, 'Bearer token-1'],
      [1, 'Bearer token-2'],
    ]);
  });

  it('B 31: a 403 with a body renews once; one without a word is the set-up’s', async () => {
    const withBody = world({
      inlet: fakeInlet(inTurn(() => json(403, { title: 'x' }), acknowledgeAll)),
      published: authenticated,
    });
    expect(JSON.stringify(await withBody.run([GOOD]))).toBe(ALL_SETTLED);
    const silent = world({
      inlet: fakeInlet(() => new Response(null, { status: 403 })),
      published: authenticated,
    });
    await expect(silent.run([GOOD, 'no'])).rejects.toMatchObject({ code: 'AEP_FORBIDDEN' });
    expect([silent.inlet.requests.length, silent.reasons()]).toEqual([1, []]);
  });

  it.each([301, 302, 307, 308, 404, 410, 415, 422, 501])(
    'B 32, 33: %i for the whole request stops everything and rejects nothing',
    async (status) => {
      const inlet = fakeInlet(
        () => new Response('{}', { status, headers: { location: 'https://evil.example/' } }),
      );
      const w = world({ inlet });
      const big = (n: number) => ({ data: `{"n":${n},"t":"${'x'.repeat(300_000)}"}` });
      await expect(w.run([...Array.from({ length: 14 }, (_, n) => big(n)), 'no'])).rejects.toMatchObject({
        status,
      });
      expect(inlet.requests.length).toBeLessThanOrEqual(MAX_LANES);
      expect(w.reasons()).toEqual([]);
      expect(w.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
      expect(w.counted).toMatchObject({ RecordsReceived: 15, RecordsReturned: 15 });
    },
  );

  it('B 33: what was delivered before the inlet went is settled, the rest comes again', async () => {
    const big = (n: number) => ({ data: `{"n":${n},"t":"${'x'.repeat(600_000)}"}`, key: 'one' });
    const w = world({ inlet: fakeInlet(inTurn(acknowledgeAll, () => json(404, {}))) });
    expect(JSON.stringify(await w.run([big(0), big(1), big(2), 'no']))).toBe(from(1));
    expect(w.reasons()).toEqual([]);
    expect(w.lines.some(({ level, fields }) => level === 'error' && fields.code === 'AEP_NOT_FOUND')).toBe(
      true,
    );
  });

  it('B 34: a 413 halves the request; of one message it rejects', async () => {
    const inlet = fakeInlet((request) =>
      request.messages.some((text) => /big/.test(text)) ? json(413, {}) : acknowledgeAll(request),
    );
    const w = world({ inlet });
    const texts = ['{"n":0}', '{"n":1}', '{"big":2}', '{"n":3}', '{"n":4}'];
    expect(JSON.stringify(await w.run(texts))).toBe(ALL_SETTLED);
    expect(w.store.documents[0]?.entries).toEqual([
      expect.objectContaining({ reason: 'too-large', sequenceNumber: seq(2) }),
    ]);
    expect(inlet.acknowledged).toEqual(texts.filter((text) => !/big/.test(text)));
  });

  it('B 34: a whole 400 is halved down to the culprit, which is kept with what the inlet said', async () => {
    const inlet = fakeInlet((request) =>
      request.messages.some((text) => /bad/.test(text))
        ? json(400, { status: 400, title: 'x', report: { message: 'no such thing' } })
        : acknowledgeAll(request),
    );
    const w = world({ inlet });
    const texts = Array.from({ length: 300 }, (_, n) => (n === 137 ? '{"bad":1}' : `{"n":${n}}`));
    expect(JSON.stringify(await w.run(texts))).toBe(ALL_SETTLED);
    expect(w.store.documents[0]?.entries).toEqual([
      expect.objectContaining({
        reason: 'refused',
        sequenceNumber: seq(137),
        message: expect.stringContaining('no such thing'),
      }),
    ]);
    expect(inlet.acknowledged).toEqual(texts.filter((text) => !/bad/.test(text)));
    expect(inlet.requests.length).toBeLessThan(24);
  });

  it.each<[string, number, number]>([
    ['abc', 500, 1_000],
    ['-5', 500, 1_000],
    ['2', 2_000, 3_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0, 1_000],
    ['Sat, 31 Jan 2026 12:00:09 GMT', 9_000, 10_000],
    ['0', 0, 1_000],
  ])('B 35: a 429 with Retry-After %j waits that long and a little', async (value, least, most) => {
    const inlet = fakeInlet(inTurn(() => json(429, {}, { 'retry-after': value }), acknowledgeAll));
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
    expect(w.clock.slept).toHaveLength(1);
    expect(w.clock.slept[0]).toBeGreaterThanOrEqual(least);
    expect(w.clock.slept[0]).toBeLessThanOrEqual(most);
  });

  it.each(['99999', '1000000000', '9'.repeat(400), 'Sat, 31 Jan 2026 13:00:00 GMT'])(
    'B 35: a Retry-After of %s beyond the time left gives the records back at once',
    async (value) => {
      const inlet = fakeInlet(() => json(429, {}, { 'retry-after': value }));
      const w = world({ inlet });
      expect(JSON.stringify(await w.run([GOOD, GOOD]))).toBe(from(0));
      expect([w.clock.slept, inlet.requests.length]).toEqual([[], 1]);
    },
  );

  it('B 36: a 500 with a page of 10 MB is read in part and gives the records back', async () => {
    const page = 'x'.repeat(10_000_000);
    const inlet = fakeInlet(() => new Response(page, { status: 500 }));
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD, 'no']))).toBe(from(0));
    expect(inlet.requests).toHaveLength(5);
    expect(JSON.stringify(w.lines)).not.toContain('xxx');
  });

  it('B 37: a connection that breaks after the request is tried again', async () => {
    let broken = 2;
    const inlet = fakeInlet((request) => {
      if (broken-- > 0)
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
      return acknowledgeAll(request);
    });
    const w = world({ inlet });
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
    expect(inlet.requests).toHaveLength(3);
    expect(w.counted).toMatchObject({ RecordsAcknowledged: 1, Requests: 3, ConservationDifference: 0 });
  });
});

describe('the environment', () => {
  it('B 38: with a second left nothing is sent and everything comes again', async () => {
    const w = world();
    expect(
      JSON.stringify(
        await w.run(
          [
            { data: GOOD, seq: '9' },
            { data: GOOD, seq: '10' },
          ],
          1_000,
        ),
      ),
    ).toBe('{"batchItemFailures":[{"itemIdentifier":"9"}]}');
    expect([w.inlet.requests, w.secretReads]).toEqual([[], []]);
  });

  it('B 41: an invocation after one that failed starts afresh', async () => {
    const inlet = fakeInlet(inTurn(() => json(404, {}), acknowledgeAll));
    const w = world({ inlet });
    await expect(w.run(['{"first":1}'])).rejects.toMatchObject({ code: 'AEP_NOT_FOUND' });
    expect(JSON.stringify(await w.run(['{"second":2}']))).toBe(ALL_SETTLED);
    expect(inlet.acknowledged).toEqual(['{"second":2}']);
  });

  it('B 45: a store that does not take the rejects gives them back', async () => {
    const w = world({ deadLetters: { put: () => Promise.reject(new Error('AccessDenied')) } });
    expect(JSON.stringify(await w.run([GOOD, 'no', GOOD]))).toBe(from(1));
    expect(w.counted).toMatchObject({ RecordsAcknowledged: 2, RecordsRejected: 0, RecordsReturned: 1 });
    expect(w.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it('no token, secret, record, partition key or inlet id is in any line or error', async () => {
    const inlet = fakeInlet(
      inTurn(
        () => json(500, { detail: 'ana.reis@example.com' }),
        () => json(401, { detail: `ana.reis@example.com ${PUBLISHED.inletUrl}` }),
        () => json(404, { detail: `ana.reis@example.com ${PUBLISHED.inletUrl}` }),
      ),
    );
    const w = world({ inlet, published: authenticated() });
    const records = ['{"email":"ana.reis@example.com"}', 'ana.reis@example.com'].map((data) => ({
      data,
      key: 'ana.reis@example.com',
    }));
    const error: unknown = await w.run(records).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const seen = JSON.stringify(w.lines) + String(error) + (error as Error).stack;
    expect(w.lines.length).toBeGreaterThan(2);
    for (const canary of ['ana.reis', 'token-1', SECRET, 'c1f0c1f0']) expect(seen).not.toContain(canary);
  });
});

function authenticated() {
  return { authenticationRequired: true };
}
