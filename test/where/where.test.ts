import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import type {
  DeadLetter,
  ForwardedBatch,
  StoredKind,
  StreamRecord,
  WhereRuntime,
} from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { asksForRecord, asksForRoutes, where, whereOnRoutes } from '../../lib/where/where.ts';
import { kinesisEvent, PUBLISHED, STREAM_ARN, seq, virtualClock } from '../support/forwarding.ts';
import { memoryRoutes } from '../support/routes.ts';

const SHARD = 'shardId-000000000002';
const ARRIVED = 1_770_000_000.25;
const ASKED = { pipeline: 'customers', shardId: SHARD, sequenceNumber: seq(5) };

const line = (first: number, last: number, more: Partial<ForwardedBatch> = {}): ForwardedBatch => ({
  at: '2026-02-02T02:40:01.000Z',
  invocationId: 'i',
  first: seq(first),
  last: seq(last),
  acknowledged: 9,
  filtered: 0,
  rejected: 0,
  ...more,
});

const entry = (more: Partial<DeadLetter> = {}): DeadLetter => ({
  reason: 'refused',
  message: '400: no',
  sequenceNumber: seq(5),
  partitionKey: 'k',
  data: Buffer.from('{"_id":"cust-5"}').toString('base64'),
  ...more,
});

const reject = (entries: DeadLetter[], shardId = SHARD): string =>
  JSON.stringify({
    version: 1,
    pipeline: 'customers',
    streamArn: STREAM_ARN,
    shardId,
    invocationId: 'i',
    storedAt: '2026-02-02T02:40:02.000Z',
    entries,
  });

const givenUp = (first: number, last: number): string =>
  JSON.stringify({
    requestContext: {
      requestId: 'r',
      functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:forward',
      condition: 'RecordAgeExceeded',
      approximateInvokeCount: 3,
    },
    version: '1.0',
    timestamp: '2026-02-03T02:40:02.000Z',
    KinesisBatchInfo: {
      shardId: SHARD,
      startSequenceNumber: seq(first),
      endSequenceNumber: seq(last),
      batchSize: 3,
      streamArn: STREAM_ARN,
    },
  });

interface Given {
  readonly record?: boolean;
  readonly lines?: readonly (readonly ForwardedBatch[])[];
  readonly rejects?: Readonly<Record<string, string>>;
  readonly parked?: Readonly<Record<string, string>>;
  readonly givenUp?: Readonly<Record<string, string>>;
  readonly msPerRead?: number;
  readonly shardGone?: boolean;
  /** What the pipeline does with its records now. */
  readonly records?: object;
  /** Of each object of the store. */
  readonly bytes?: number;
  /** What is in the record. */
  readonly data?: string;
  /** The routes of the stream, and what each does with its records. */
  readonly routes?: Readonly<Record<string, { readonly records?: object; readonly from?: number }>>;
}

function runtime(given: Given): WhereRuntime & { readonly asked: unknown[] } {
  const clock = virtualClock();
  const asked: unknown[] = [];
  const objects = { ...given.rejects, ...given.parked, ...given.givenUp };
  const none = () => Promise.reject(new Error('it changes nothing'));
  const records: StreamRecord[] = given.record
    ? [{ sequenceNumber: seq(5), partitionKey: 'k', data: Buffer.from(given.data ?? ''), arrivedAt: ARRIVED }]
    : [];
  return {
    asked,
    settings: settingsFrom({}),
    clock,
    random: () => 0.5,
    fetch: none,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    secrets: {
      get: async (id) => {
        const pipeline = id.split('/').at(-1) ?? '';
        const records = given.routes?.[pipeline]?.records ?? given.records;
        return JSON.stringify({ ...PUBLISHED, pipeline, ...(records && { records }) });
      },
      create: none,
      put: none,
      remove: none,
    },
    routes: given.routes === undefined ? memoryRoutes() : listOf(given.routes),
    ledger: {
      takeFencingToken: none,
      check: none,
      write: none,
      names: async () => ['customers'],
      read: async (pipeline) =>
        pipeline.startsWith('customer')
          ? { pipeline, manifest: { source: { kind: 'inlet', stream: 'customers' } } }
          : undefined,
    },
    streams: { arn: async () => STREAM_ARN },
    stream: {
      async *pages() {
        if (given.shardGone) throw new Failure('AWS_REFUSED', 'no such shard');
        yield { records, last: true };
      },
    },
    deadLetters: {
      async list(what: StoredKind, after = '') {
        asked.push(what);
        const of = { rejected: given.rejects, parked: given.parked, 'on-failure': given.givenUp };
        const stored = of[what.kind] ?? {};
        const keys = Object.keys(stored).filter(
          (key) =>
            given.routes === undefined || what.kind === 'on-failure' || key.startsWith(`${what.pipeline}/`),
        );
        // A page has two.
        const rest = keys.filter((key) => key > after);
        return {
          objects: rest.slice(0, 2).map((key) => ({ key, bytes: given.bytes ?? 10 })),
          more: rest.length > 2,
        };
      },
      async read(key) {
        if (given.msPerRead !== undefined) await clock.sleep(given.msPerRead);
        const text = objects[key];
        return text === undefined ? undefined : { text, version: '1' };
      },
    },
    forwardLog: {
      async *batches({ shardId }, from) {
        asked.push({ shardId, from });
        yield* given.lines ?? [];
      },
      waiting: () => {
        throw new Error('one record is looked for');
      },
    },
  };
}

function listOf(routes: NonNullable<Given['routes']>): ReturnType<typeof memoryRoutes> {
  const value = {
    version: 1,
    streamArn: STREAM_ARN,
    settings: { compression: 'none', unrouted: 'count' },
    routes: Object.fromEntries(
      Object.entries(routes).map(([pipeline, { from }]) => [
        pipeline,
        { revision: 'r', ...(from && { from }) },
      ]),
    ),
  };
  return { ...memoryRoutes(), read: async () => ({ value, version: '1' }) };
}

describe('a record asked for by shard and sequence number', () => {
  it.each<[string, Given, string]>([
    ['in a batch of which all were acknowledged', { record: true, lines: [[line(1, 9)]] }, 'delivered'],
    [
      'below the checkpoint of its batch',
      { record: true, lines: [[line(1, 9, { checkpoint: seq(6) })]] },
      'delivered',
    ],
    ['in a batch with rejects', { lines: [[line(1, 9, { rejected: 1 })]] }, 'settled'],
    ['14 A 3: in a batch of which some was parked', { lines: [[line(1, 9, { parked: 1 })]] }, 'settled'],
    ['in a batch with filtered messages', { lines: [[line(1, 9, { filtered: 1 })]] }, 'settled'],
    ['that is the checkpoint', { record: true, lines: [[line(1, 9, { checkpoint: seq(5) })]] }, 'in-stream'],
    [
      'that came again and was settled then',
      { record: true, lines: [[line(1, 9, { checkpoint: seq(2) })], [line(2, 9)]] },
      'delivered',
    ],
    ['that nobody has read yet', { record: true, lines: [[line(1, 4)]] }, 'in-stream'],
    [
      'in the store',
      { lines: [[line(1, 9, { rejected: 1 })]], rejects: { a: reject([entry()]) } },
      'dead-letter',
    ],
    [
      'of an aggregate, in the store',
      { rejects: { a: reject([entry({ subSequenceNumber: 3 })]) } },
      'dead-letter',
    ],
    ['that Lambda has discarded', { givenUp: { x: givenUp(3, 5) } }, 'discarded'],
    ['in no document of Lambda’s', { givenUp: { x: givenUp(6, 9) } }, 'unknown'],
    ['of another shard', { rejects: { a: reject([entry()], 'shardId-000000000003') } }, 'unknown'],
    ['of which nothing is known', { shardGone: true }, 'unknown'],
  ])('%s', async (_, given, place) => {
    const found = await where(ASKED, runtime(given));
    expect(found).toMatchObject({
      pipeline: 'customers',
      place,
      shardId: SHARD,
      sequenceNumber: seq(5),
      inStream: given.record === true,
      searched: { complete: true },
    });
    expect(found.says).toMatch(/\w{3}/);
  });

  it('is told with its invocations, reasons and keys, and with nothing that is in it', async () => {
    const w = runtime({
      record: true,
      lines: [
        [line(0, 9, { checkpoint: seq(3) })],
        [line(3, 9, { rejected: 1, invocationId: 'j' }), line(4, 9)],
      ],
      rejects: { a: reject([entry({ sequenceNumber: seq(4) })]), b: reject([entry()]), c: reject([entry()]) },
    });
    const found = await where(ASKED, w);
    expect(found.arrivedAt).toBe('2026-02-02T02:40:00.250Z');
    expect(found.batches.map(({ invocationId, settled }) => [invocationId, settled])).toEqual([
      ['i', false],
      ['j', true],
    ]);
    expect(found.deadLetters).toMatchObject([
      { key: 'b', reason: 'refused', message: '400: no', storedAt: '2026-02-02T02:40:02.000Z' },
      { key: 'c' },
    ]);
    expect(found.searched).toEqual({ objects: 3, complete: true });
    expect(JSON.stringify(found)).not.toContain('cust-5');
    expect(JSON.stringify(found)).not.toContain('"k"');
    // From a minute before it came, and from the day on which it came.
    expect(w.asked).toEqual([
      { shardId: SHARD, from: 1_770_000_000_250 - 60_000 },
      { kind: 'parked', pipeline: 'customers', since: '2026-02-02T02:40:00.250Z' },
      { kind: 'rejected', pipeline: 'customers', since: '2026-02-02T02:40:00.250Z' },
      { kind: 'rejected', pipeline: 'customers', since: '2026-02-02T02:40:00.250Z' },
      { kind: 'on-failure' },
    ]);
  });

  it('that the stream has no more is looked for from the time that is given', async () => {
    const w = runtime({ lines: [[line(1, 9)]] });
    await where({ ...ASKED, arrivedAt: '2026-02-02T00:00:00Z' }, w);
    expect(w.asked[0]).toEqual({ shardId: SHARD, from: Date.parse('2026-02-01T23:59:00Z') });
  });

  it('is looked for within a minute: what was not looked at is said', async () => {
    const rejects = Object.fromEntries(Array.from({ length: 99 }, (_, n) => [`r${n + 100}`, reject([])]));
    const found = await where(ASKED, runtime({ rejects, msPerRead: 1_000 }));
    expect(found.searched.complete).toBe(false);
    expect(found.searched.objects).toBeLessThan(65);
    expect(found.says).toContain('the search ran out of time');
  });
});

describe('A 4: what AEP said of a record', () => {
  const rules = { redact: [{ field: '/email', action: 'mask' }] };
  const said = entry({ message: '400: ana@example.com is no email' });
  const redacted = { redacted: true, rules: 'r' } as const;
  const document = (one: DeadLetter, more: object = {}) =>
    JSON.stringify({ ...(JSON.parse(reject([one])) as object), ...more });

  it.each<[string, Given, boolean]>([
    ['the pipeline hides nothing', { rejects: { a: document(said) } }, true],
    [
      'the record was redacted by all the rules there are',
      { records: rules, rejects: { a: document({ ...said, ...redacted }, { rules: { r: rules.redact } }) } },
      true,
    ],
    ['it was stored before there were rules', { records: rules, rejects: { a: document(said) } }, false],
    [
      'it was stored while there were fewer',
      { records: rules, rejects: { a: document({ ...said, ...redacted }, { rules: { r: [] } }) } },
      false,
    ],
    [
      'nobody knows by which it was redacted',
      { records: rules, rejects: { a: document({ ...said, redacted: true }) } },
      false,
    ],
    [
      '14 A 3: it is parked',
      { records: rules, parked: { a: document({ ...said, reason: 'parked' }) } },
      false,
    ],
    [
      'the words are our own',
      { records: rules, rejects: { a: document({ ...said, reason: 'too-large' }) } },
      true,
    ],
    ['what is published is damaged', { records: { redact: 7 }, rejects: { a: document(said) } }, false],
  ])('is told only where it can quote nothing that is hidden: %s', async (_, given, told) => {
    const [found] = (await where(ASKED, runtime(given))).deadLetters;
    expect(found).toMatchObject({ key: 'a' });
    expect('message' in (found ?? {})).toBe(told);
  });

  it('A 3: an object that is too large to be looked into is said', async () => {
    const found = await where(ASKED, runtime({ bytes: 65 * 1024 * 1024, rejects: { a: document(said) } }));
    expect(found).toMatchObject({ deadLetters: [], searched: { objects: 0, complete: false } });
  });
});

it('C 4: of a pipeline that is not known names the one that was likely meant', async () => {
  const asked = where({ pipeline: 'costumers', _id: 'x' }, runtime({}));
  await expect(asked).rejects.toMatchObject({
    code: 'EVENT_INVALID',
    what: expect.stringContaining('; did you mean "customers"?'),
  });
});

describe('a record asked for by its _id', () => {
  const DERIVE = [
    { member: '_id', from: '/event/id' },
    { member: 'timestamp', from: '/event/at', as: 'iso' },
    { member: '_id', from: '/number' },
    '_id',
  ];
  const storedAs = (record: object | string) =>
    entry({
      data: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)).toString('base64'),
    });

  it.each([
    ['derived from a field', { derive: DERIVE }, { event: { id: 'cust-5' }, number: 7 }, 'cust-5'],
    [
      'derived from a number, with all its digits',
      { derive: DERIVE },
      '{"number":12345678901234567890}',
      '12345678901234567890',
    ],
    [
      'derived from around the part that is sent',
      { derive: DERIVE, select: '/detail' },
      { event: { id: 'cust-5' }, detail: {} },
      'cust-5',
    ],
    ['in the part that is sent', { select: ['/new', '/old'] }, { old: { _id: 'cust-5' } }, 'cust-5'],
    [
      'in the entity of the part that is sent',
      { select: '/new' },
      { new: { body: { xdmEntity: { _id: 'cust-5' } } } },
      'cust-5',
    ],
    ['of the record, whatever part is sent', { select: '/new' }, { _id: 'cust-5', new: {} }, 'cust-5'],
  ])('issue 14 B: is found among dead letters by an _id %s', async (_, records, record, _id) => {
    const rejects = { key: reject([storedAs(record)]), other: reject([storedAs({ event: { id: 'x' } })]) };
    const found = await where({ pipeline: 'customers', _id }, runtime({ rejects, records }));
    expect(found).toMatchObject({
      place: 'dead-letter',
      deadLetters: [{ key: 'key' }],
      searched: { objects: 2, complete: true },
    });
    expect(found.deadLetters).toHaveLength(1);
    expect((await where({ pipeline: 'customers', _id: 'nobody' }, runtime({ rejects, records }))).place).toBe(
      'unknown',
    );
  });

  it.each([
    ['its own', { event: { id: 'cust-5' }, _id: 'own' }],
    ['one from a field before', { event: { id: 'first' }, number: 'cust-5' }],
  ])('is not found by what its _id would be derived from, where it has %s', async (_, record) => {
    const given = { rejects: { key: reject([storedAs(record)]) }, records: { derive: DERIVE } };
    const found = await where({ pipeline: 'customers', _id: 'cust-5' }, runtime(given));
    expect(found).toMatchObject({ place: 'unknown', deadLetters: [] });
  });

  it('is found by its own _id although the rules of its pipeline cannot be read', async () => {
    const own = runtime({ rejects: { key: reject([entry()]) } });
    own.secrets.get = async () => '{}';
    expect(await where({ pipeline: 'customers', _id: 'cust-5' }, own)).toMatchObject({
      place: 'dead-letter',
    });
  });

  it.each<[string, DeadLetter]>([
    ['in the record', entry()],
    ['in a packed record', entry({ data: gzipSync('{"a":1,"_id":"cust-5"}').toString('base64') })],
    [
      'in the entity of a whole message',
      entry({ data: Buffer.from('{"header":{},"body":{"xdmEntity":{"_id":"cust-5"}}}').toString('base64') }),
    ],
  ])('%s is found among the dead letters', async (_, one) => {
    const rejects = {
      a: reject([entry({ data: Buffer.from('no JSON').toString('base64') })]),
      b: reject([one]),
    };
    const found = await where({ pipeline: 'customers', _id: 'cust-5' }, runtime({ rejects }));
    expect(found).toMatchObject({
      place: 'dead-letter',
      deadLetters: [{ key: 'b', sequenceNumber: seq(5) }],
    });
    expect(await where({ pipeline: 'customers', _id: 'cust-6' }, runtime({ rejects }))).toMatchObject({
      place: 'unknown',
      deadLetters: [],
    });
  });

  it('that Penstock has derived is looked for by the place that is in it', async () => {
    const _id = `customers:${SHARD}:${seq(5)}:3`;
    const rejects = {
      a: reject([entry({ subSequenceNumber: 2 }), entry({ subSequenceNumber: 3, reason: 'not-json' })]),
    };
    const found = await where({ pipeline: 'customers', _id }, runtime({ rejects, record: true }));
    expect(found).toMatchObject({
      place: 'dead-letter',
      deadLetters: [{ reason: 'not-json' }],
      inStream: true,
    });
    expect(found.deadLetters).toHaveLength(1);
  });
});

describe('14 A 3: a record of a stream with several routes', () => {
  const TWO = { customers: {}, orders: {} };
  const STREAM = { stream: 'customers', shardId: SHARD, sequenceNumber: seq(5) };
  const of = (pipeline: string, more: Partial<ForwardedBatch> = {}) =>
    line(1, 9, { pipeline, unrouted: 0, returned: 0, ...more });
  const rejectOf = (pipeline: string, more: Partial<DeadLetter> = {}) =>
    JSON.stringify({ ...(JSON.parse(reject([entry(more)])) as object), pipeline });

  it('is told for each: delivered by one, dead letter of another', async () => {
    const lines = [[of('customers'), of('orders', { rejected: 1 })]];
    const given = { record: true, routes: TWO, lines, rejects: { 'orders/a': rejectOf('orders') } };
    expect(await whereOnRoutes(STREAM, runtime(given))).toMatchObject({
      stream: STREAM_ARN,
      says: 'delivered by customers, dead letter of orders',
      routes: [
        { pipeline: 'customers', place: 'delivered', deadLetters: [] },
        { pipeline: 'orders', place: 'dead-letter', deadLetters: [{ key: 'orders/a' }] },
      ],
    });
    const parked = {
      ...given,
      rejects: {},
      parked: { 'orders/a': rejectOf('orders', { reason: 'parked' }) },
    };
    const asked = { streamArn: STREAM_ARN, shardId: SHARD, sequenceNumber: seq(5) };
    expect(await whereOnRoutes(asked, runtime(parked))).toMatchObject({
      says: 'delivered by customers, parked by orders',
      routes: [
        { place: 'delivered' },
        { place: 'parked', says: expect.stringContaining('waits'), deadLetters: [{ reason: 'parked' }] },
      ],
    });
  });

  it('asked for one pipeline, counts no line of another', async () => {
    const lines = [
      [of('orders'), of('customers', { checkpoint: seq(5), ownCheckpoint: seq(5), returned: 2 })],
    ];
    const given = { record: true, routes: TWO, lines };
    expect(await where(ASKED, runtime(given))).toMatchObject({
      place: 'in-stream',
      batches: [{ pipeline: 'customers', settled: false }],
    });
  });

  it('is delivered by the route that has it while another holds the shard', async () => {
    const held = { checkpoint: seq(3), returned: 0 };
    const lines = [[of('customers', held), of('orders', { ...held, ownCheckpoint: seq(3), returned: 7 })]];
    expect(await whereOnRoutes(STREAM, runtime({ record: true, routes: TWO, lines }))).toMatchObject({
      says: 'delivered by customers, waiting for orders',
    });
    // What is filtered or rejected behind the checkpoint is counted as returned: it may be this one.
    const unclear = [[of('customers', { ...held, returned: 1 })]];
    const found = await whereOnRoutes(STREAM, runtime({ record: true, routes: TWO, lines: unclear }));
    expect(found.routes[0]).toMatchObject({
      place: 'settled',
      says: expect.stringContaining('Another route'),
    });
  });

  it('is settled by the later line of a route, which is not about it any more for the other', async () => {
    const lines = [
      [of('customers', { checkpoint: seq(2) }), of('orders', { checkpoint: seq(2), ownCheckpoint: seq(2) })],
      [of('customers'), of('orders'), of('orders', { rejected: 9 })],
    ];
    const { routes } = await whereOnRoutes(STREAM, runtime({ routes: TWO, lines }));
    expect(routes.map(({ place, batches }) => [place, batches.map(({ settled }) => settled)])).toEqual([
      ['delivered', ['by-route', true]],
      ['delivered', [false, true]],
    ]);
  });

  it('waits on every route where a batch was not forwarded at all', async () => {
    const whole = line(1, 9, { pipeline: 'customers', checkpoint: seq(1), returned: 9, acknowledged: 0 });
    const { says } = await whereOnRoutes(STREAM, runtime({ record: true, routes: TWO, lines: [[whole]] }));
    expect(says).toBe('waiting for customers, waiting for orders');
  });

  it.each<[string, Given]>([
    ['the log shows it', { lines: [[of('orders', { acknowledged: 0, filtered: 9 })]] }],
    ['its field says so', { record: true, data: '{"kind":"b"}', lines: [[of('orders', { filtered: 1 })]] }],
  ])('is not taken by a route: %s', async (_, given) => {
    const orders = { records: { where: [{ field: '/kind', equals: 'a' }] } };
    const { routes } = await whereOnRoutes(STREAM, runtime({ ...given, routes: { customers: {}, orders } }));
    expect(routes[1]).toMatchObject({ pipeline: 'orders', place: 'filtered' });
  });

  it('is not taken by a route that starts later', async () => {
    const orders = { from: ARRIVED * 1_000 + 1 };
    const lines = [[of('orders', { filtered: 1 })]];
    const given = { record: true, data: '{}', lines, routes: { customers: {}, orders } };
    expect((await whereOnRoutes(STREAM, runtime(given))).routes[1]).toMatchObject({ place: 'filtered' });
  });

  it('that Lambda discarded is not discarded for the route that a redrive has sent it through', async () => {
    const event = JSON.parse(givenUp(5, 5)) as object;
    const [record] = kinesisEvent([{ data: '{}', seq: seq(5) }]).Records;
    const raw = { ...record, penstock: { routes: { customers: true } } };
    const given = { routes: TWO, givenUp: { x: JSON.stringify({ ...event, payload: { Records: [raw] } }) } };
    expect(await whereOnRoutes(STREAM, runtime(given))).toMatchObject({
      says: 'settled by customers, discarded before it was delivered by orders',
      routes: [{ deadLetters: [] }, { deadLetters: [{ settledBy: ['customers'] }] }],
    });
  });

  it('by its _id is looked for among the dead letters of each', async () => {
    const given = { routes: TWO, rejects: { 'orders/a': rejectOf('orders') } };
    expect((await whereOnRoutes({ stream: 'customers', _id: 'cust-5' }, runtime(given))).says).toBe(
      'not found for customers, dead letter of orders',
    );
  });

  it('is asked for by a pipeline or by a stream, and not by both or neither', async () => {
    expect([asksForRoutes(STREAM), asksForRoutes(ASKED), asksForRoutes({ stream: 'customers' })]).toEqual([
      true,
      false,
      false,
    ]);
    for (const asked of [
      { ...STREAM, pipeline: 'customers' },
      { ...ASKED, pipeline: undefined },
    ])
      await expect(whereOnRoutes(asked, runtime({ routes: TWO }))).rejects.toMatchObject({
        code: 'EVENT_INVALID',
      });
    const none = whereOnRoutes({ ...STREAM, streamArn: undefined, stream: 'x' }, runtime({ routes: {} }));
    await expect(none).rejects.toMatchObject({ what: expect.stringContaining('no pipeline is published') });
  });
});

it('events/where.json asks for a record', async () => {
  const event: unknown = JSON.parse(
    readFileSync(new URL('../../events/where.json', import.meta.url), 'utf8'),
  );
  expect(asksForRecord(event)).toBe(true);
  expect(await where(event, runtime({}))).toMatchObject({ pipeline: 'customer-profiles', place: 'unknown' });
});

describe('what is no question', () => {
  it.each([
    { pipeline: 'customers', shardId: SHARD },
    { pipeline: 'customers', sequenceNumber: '1' },
    { ...ASKED, sequenceNumber: '12a' },
    { ...ASKED, sequenceNumber: 5 },
    { ...ASKED, arrivedAt: 'yesterday' },
    { ...ASKED, other: 1 },
    { ...ASKED, pipeline: 'other' },
    { _id: 'x' },
  ])('is refused: %j', async (event) => {
    await expect(where(event, runtime({}))).rejects.toThrow(/EVENT_INVALID/);
  });

  it('is told apart from a question about a pipeline', () => {
    expect([ASKED, { pipeline: 'p', _id: 'x' }].map(asksForRecord)).toEqual([true, true]);
    expect([{}, { pipeline: 'p' }, undefined, null, 'x', []].map(asksForRecord)).toEqual(
      Array(6).fill(false),
    );
  });
});
