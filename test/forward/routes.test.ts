// Several routes of one stream: each has its own inlet, verdicts, rejects, memory and log line.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { ALL_SETTLED, from, type RecordInput, SECRET } from '../support/forwarding.ts';
import { type Answer, acknowledgeAll, acknowledgeBut, json } from '../support/inlet.ts';
import { rulesOf } from '../support/presets.ts';
import { type Routed, type RouteInput, routed } from '../support/routed.ts';

const record = (n: number, type: string) => `{"n":${n},"type":"${type}"}`;
const only = (type: string) => ({ records: { where: [{ field: '/type', equals: type }] } });
const numbers = (messages: readonly string[] = []) => messages.map((text) => JSON.parse(text).n);
const down: Answer = () => json(503, {});

/** Routes `a`, `b` and `c`, of which each takes the records of its own type. */
const THREE: readonly RouteInput[] = ['a', 'b', 'c'].map((pipeline) => ({
  pipeline,
  published: only(pipeline),
}));
const RECORDS = ['a', 'b', 'c', 'a', 'b', 'c'].map((type, n) => record(n, type));
const reasons = ({ store }: Routed) =>
  store.documents.map(({ pipeline, entries }) => [pipeline, entries.map(({ reason }) => reason)]);

describe('A 3: the routes of a stream', () => {
  it('each takes the records that meet its conditions, and settles them by itself', async () => {
    const w = routed([...THREE, { pipeline: 'all' }]);
    expect(JSON.stringify(await w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(Object.fromEntries(Object.entries(w.taken).map(([name, all]) => [name, numbers(all)]))).toEqual({
      a: [0, 3],
      all: [0, 1, 2, 3, 4, 5],
      b: [1, 4],
      c: [2, 5],
    });
    expect(w.lineOf('a')).toMatchObject({
      event: 'batch-ended',
      decoded: 6,
      acknowledged: 2,
      filtered: 4,
      unrouted: 0,
    });
    expect(w.counted).toMatchObject({
      a: { RecordsReceived: 6, RecordsAcknowledged: 2, RecordsFiltered: 4, Requests: 1 },
      all: {
        RecordsReceived: 6,
        RecordsAcknowledged: 6,
        RecordsFiltered: 0,
        RecordsUnrouted: 0,
        Requests: 1,
      },
    });
  });

  it('counts a record that no route takes, once', async () => {
    const w = routed(THREE);
    expect(JSON.stringify(await w.run([...RECORDS, record(6, 'z'), record(7, 'y')]))).toBe(ALL_SETTLED);
    const unrouted = Object.values(w.counted).map(({ RecordsUnrouted = 0 }) => RecordsUnrouted);
    expect(unrouted.reduce((sum, number) => sum + number)).toBe(2);
    expect([w.lineOf('a')?.unrouted, reasons(w)]).toEqual([2, []]);
  });

  it('keeps a record that no route takes, with its bytes', async () => {
    const w = routed(THREE, { unrouted: 'keep' });
    const lost = record(6, 'z');
    expect(JSON.stringify(await w.run([...RECORDS, lost]))).toBe(ALL_SETTLED);
    expect(reasons(w)).toEqual([['a', ['unrouted']]]);
    expect(w.store.documents[0]?.entries[0]?.data).toBe(Buffer.from(lost).toString('base64'));
  });

  it('keeps what the only route of a stream does not take, where it is told to', async () => {
    const w = routed([{ pipeline: 'a', published: only('a') }], { unrouted: 'keep' });
    await w.run(RECORDS);
    expect(reasons(w)).toEqual([['a', ['unrouted', 'unrouted', 'unrouted', 'unrouted']]]);
  });

  it('never keeps or counts as unrouted what a route drops by its rules, or a record of no bytes', async () => {
    const where = [{ field: '/type', oneOf: ['a', 'gone'] }];
    const deletions = { where: [{ field: '/type', equals: 'gone' }], are: 'dropped' as const };
    const dropping = { pipeline: 'a', published: { records: { where, deletions } } };
    const other = { pipeline: 'b', published: only('b') };
    for (const [routes, unrouted] of [
      [[dropping], 'keep'],
      [[dropping, other], 'keep'],
      [[dropping, other], 'count'],
    ] as const) {
      const w = routed(routes, { unrouted });
      expect(JSON.stringify(await w.run([record(0, 'gone'), '']))).toBe(ALL_SETTLED);
      expect([reasons(w), w.lineOf('a')]).toMatchObject([[], { filtered: 2 }]);
      expect(w.counted.a?.RecordsUnrouted ?? 0).toBe(0);
    }
  });

  it.each([
    [
      'debezium',
      '/source/table',
      [
        '{"ts_ms":7}',
        '{"schema":{"type":"struct"},"payload":{"ts_ms":7}}',
        '{"status":"BEGIN","id":"571:53","event_count":null}',
        '{"status":"END","id":"571:53","event_count":2,"ts_ms":7}',
        '{"source":{"table":"x"},"ts_ms":7,"databaseName":"shop","ddl":"DROP TABLE x","tableChanges":[]}',
        '{"payload":{"source":{"table":"x"},"databaseName":"shop","ddl":"DROP TABLE x","tableChanges":[]}}',
        '{"op":"m","ts_ms":7,"message":{"prefix":"p","content":"YQ=="}}',
        'null',
        '',
      ],
      ['{"op":"c","ts_ms":7,"source":{"table":"z"},"after":{"id":1}}', '{"op":"?","ts_ms":7}', '{"id":1}'],
    ],
    [
      'dms',
      '/metadata/table-name',
      [
        '{"control":{},"metadata":{"record-type":"control","operation":"create-table","table-name":"x"}}',
        '{"metadata":{"record-type":"control","operation":"drop-table","table-name":"a"}}',
      ],
      [
        '{"data":{"id":1},"metadata":{"record-type":"data","operation":"insert","table-name":"z"}}',
        '{"id":1}',
      ],
    ],
  ])(
    'never keeps control records of %s as unrouted, and keeps the rows that no route takes',
    async (...of) => {
      const [format, field, control, rest] = of;
      const route = (pipeline: string): RouteInput => {
        const records = rulesOf({ format, records: { where: [{ field, equals: pipeline }] } }, false);
        return { pipeline, published: { records } };
      };
      const plain: RouteInput = { pipeline: 'a', published: { records: rulesOf({ format }, false) } };
      const several = [route('a'), route('b')];
      // The format's own `where` takes every row of a change stream, whatever its table.
      for (const [routes, kept] of [
        [several, rest],
        [several.slice(1), rest],
        [[plain], rest.filter((text) => !text.includes('"z"'))],
      ] as const) {
        const w = routed(routes, { unrouted: 'keep' });
        expect(JSON.stringify(await w.run([...control, ...rest]))).toBe(ALL_SETTLED);
        const data = w.store.documents.flatMap(({ entries }) => entries.map((one) => [one.reason, one.data]));
        expect(data).toEqual(kept.map((text) => ['unrouted', Buffer.from(text).toString('base64')]));
      }
      const counting = routed(several);
      await counting.run([...control, ...rest]);
      expect(counting.counted.a?.RecordsUnrouted).toBe(rest.length);
    },
  );

  it('passes a record over by its rules although the bytes say already that where leaves it out', async () => {
    const passOver = [{ field: '/type', equals: 'ping' }];
    const routes = ['a', 'b'].map((pipeline) => ({
      pipeline,
      published: { records: { ...only(pipeline).records, passOver } },
    }));
    const w = routed([...routes, { pipeline: 'c', published: only('c') }], { unrouted: 'keep' });
    expect(JSON.stringify(await w.run([record(0, 'ping'), record(1, 'a'), record(2, 'z')]))).toBe(
      ALL_SETTLED,
    );
    expect(w.store.documents.flatMap(({ entries }) => entries)).toMatchObject([
      { reason: 'unrouted', data: Buffer.from(record(2, 'z')).toString('base64') },
    ]);
  });

  it('keeps it without its bytes where any route of the stream redacts', async () => {
    const redacting = {
      records: { ...only('b').records, redact: [{ field: '/n', action: 'drop' as const }] },
    };
    const w = routed([THREE[0] as RouteInput, { pipeline: 'b', published: redacting }], { unrouted: 'keep' });
    await w.run([record(0, 'z'), 'not JSON']);
    const entries = w.store.documents.flatMap((document) => document.entries);
    expect(entries.map(({ reason, data, withheld }) => [reason, data, withheld])).toEqual([
      ['unrouted', '', true],
      ['not-json', '', true],
    ]);
  });

  it.each([
    ['the first route keeps it, if all choose by fields', THREE, ['a']],
    ['who takes everything keeps it', [...THREE, { pipeline: 'z' }], ['z']],
    ['each who takes everything keeps it', [...THREE, { pipeline: 'y' }, { pipeline: 'z' }], ['y', 'z']],
  ] as const)('stores a record that nobody can read: %s', async (_, routes, keepers) => {
    const w = routed(routes);
    expect(JSON.stringify(await w.run([RECORDS[0] as string, 'no JSON', { base64: '?' }]))).toBe(ALL_SETTLED);
    expect(reasons(w)).toEqual(keepers.map((name) => [name, ['not-json', 'not-base64']]));
  });

  it('a route that joined later does not take what arrived before, and nobody counts that as unrouted', async () => {
    // Records arrive a second apart, from 1,770,000,000.5 s on.
    const w = routed([{ pipeline: 'a' }, { pipeline: 'b', from: 1_770_000_002_000 }]);
    await w.run(RECORDS);
    expect([numbers(w.taken.a), numbers(w.taken.b)]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [2, 3, 4, 5],
    ]);
    expect(w.counted).toMatchObject({
      a: { RecordsUnrouted: 0 },
      b: { RecordsUnrouted: 0, RecordsFiltered: 2 },
    });
  });

  it('a route that joined later, and is the only one by now, does not take what arrived before either', async () => {
    const w = routed([{ pipeline: 'b', from: 1_770_000_002_000 }]);
    await w.run(RECORDS);
    expect(numbers(w.taken.b)).toEqual([2, 3, 4, 5]);
  });

  it('no record passes over a route that joined while Secrets Manager cannot be reached', async () => {
    const w = routed([{ pipeline: 'a' }]);
    const forward = w.container();
    expect(JSON.stringify(await w.run(RECORDS.slice(0, 1), forward))).toBe(ALL_SETTLED);
    const since = w.clock.now() + 65_000;
    w.publish([{ pipeline: 'a' }, { pipeline: 'b', from: since }]);
    const read = w.secrets.get.bind(w.secrets);
    w.secrets.get = (id) => {
      if (id.endsWith('/b')) throw new Failure('AWS_UNAVAILABLE', 'reading the secret: TimeoutError');
      return read(id);
    };
    // It takes nothing yet: what was read before is enough.
    await w.clock.sleep(61_000);
    expect(JSON.stringify(await w.run(RECORDS.slice(0, 1), forward))).toBe(ALL_SETTLED);
    await w.clock.sleep(61_000);
    await expect(w.run(RECORDS.slice(0, 1), forward)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    w.secrets.get = read;
    expect(JSON.stringify(await w.run(RECORDS.slice(0, 1), forward))).toBe(ALL_SETTLED);
  });

  it('a record that came before the only route that wants it is unrouted', async () => {
    const w = routed([THREE[0] as RouteInput, { ...(THREE[1] as RouteInput), from: 1_770_000_002_000 }]);
    await w.run([record(0, 'a'), record(1, 'b'), record(2, 'a'), record(3, 'b')]);
    expect([numbers(w.taken.a), numbers(w.taken.b), w.lineOf('a')?.unrouted]).toEqual([[0, 2], [3], 1]);
  });

  it('stores each route’s rejects under its own pipeline, and only below the checkpoint', async () => {
    const refuseSecond = acknowledgeBut((message) =>
      message.includes('"n":1,') || message.includes('"n":4,') ? { status: 400, message: 'no' } : undefined,
    );
    const w = routed([
      { pipeline: 'x', answer: refuseSecond },
      { pipeline: 'y', published: only('c') },
    ]);
    w.answer('y', down);
    const container = w.container();
    expect(JSON.stringify(await w.run(RECORDS, container))).toBe(from(2));
    expect(reasons(w)).toEqual([['x', ['refused']]]);
    w.answer('y', acknowledgeAll);
    expect(JSON.stringify(await w.run(RECORDS.map(at).slice(2), container))).toBe(ALL_SETTLED);
    expect(reasons(w)).toEqual([
      ['x', ['refused']],
      ['x', ['refused']],
    ]);
    expect(w.store.documents.flatMap(({ entries }) => entries.map(({ data }) => nOf(data)))).toEqual([1, 4]);
  });

  it('a store that fails for one route holds the shard there, and stores no other route’s rejects twice', async () => {
    let fails = true;
    const documents: [string, number[]][] = [];
    const put = async ({ pipeline, entries }: { pipeline: string; entries: readonly { data: string }[] }) => {
      if (pipeline === 'x' && fails) throw new Error('the store is away');
      documents.push([pipeline, entries.map(({ data }) => nOf(data))]);
      return { key: 'k', entries: entries.length };
    };
    const refuse = acknowledgeBut((message) => (message.includes('"n":4') ? { status: 400 } : undefined));
    const early = acknowledgeBut((message) => (message.includes('"n":1') ? { status: 400 } : undefined));
    const w = routed(
      [
        { pipeline: 'w', answer: refuse },
        { pipeline: 'x', answer: early },
      ],
      { deadLetters: { put: put as never } },
    );
    const container = w.container();
    expect(JSON.stringify(await w.run(RECORDS, container))).toBe(from(1));
    fails = false;
    expect(JSON.stringify(await w.run(RECORDS.map(at).slice(1), container))).toBe(ALL_SETTLED);
    expect(documents).toEqual([
      ['w', [4]],
      ['x', [1]],
    ]);
  });
});

const at = (data: string, index: number): RecordInput => ({ data, key: `key-${index}`, seq: seqOf(index) });
const seqOf = (index: number) => /"(\d+)"/.exec(from(index))?.[1] ?? '';
const nOf = (data: string) => JSON.parse(Buffer.from(data, 'base64').toString()).n;

describe('A 3: one route’s trouble does not stop the others within the invocation', () => {
  it.each([
    ['an outage', down, 'attempts'],
    ['no such inlet', () => json(404, {}), 'set-up'],
    ['a refusal of everything', () => new Response(null, { status: 403 }), 'set-up'],
  ] as const)(
    '%s: the others go on, and the shard waits at its lowest record',
    async (_, answer, stopped) => {
      const w = routed(THREE);
      w.answer('b', answer);
      expect(JSON.stringify(await w.run(RECORDS))).toBe(from(1));
      expect([numbers(w.taken.a), numbers(w.taken.b), numbers(w.taken.c)]).toEqual([[0, 3], [], [2, 5]]);
      expect(w.lineOf('b')).toMatchObject({ stopped, returned: 6 - 1, checkpoint: seqOf(1) });
      expect(w.lineOf('c')).toMatchObject({ stopped: undefined, acknowledged: 2, checkpoint: seqOf(1) });
      expect(w.lineOf('c')?.ownCheckpoint).toBeUndefined();
    },
  );

  it('an inlet that is not allowed', async () => {
    const [a, b, c] = THREE as [RouteInput, RouteInput, RouteInput];
    const evil = { ...only('b'), inletUrl: `https://evil.example/collection/${'e'.repeat(32)}` };
    const w = routed([a, { ...b, published: evil }, c]);
    expect(JSON.stringify(await w.run(RECORDS))).toBe(from(1));
    expect([numbers(w.taken.a), w.requests.b, numbers(w.taken.c)]).toEqual([[0, 3], [], [2, 5]]);
    expect(w.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ code: 'INLET_NOT_ALLOWED' }),
      }),
    );
  });

  it('credentials that are gone', async () => {
    const [a, b, c] = THREE as [RouteInput, RouteInput, RouteInput];
    const w = routed([a, { ...b, published: { ...only('b'), authenticationRequired: true } }, c]);
    w.secrets.delete('penstock/dev/credentials');
    expect(JSON.stringify(await w.run(RECORDS))).toBe(from(1));
    expect([numbers(w.taken.a), w.requests.b, numbers(w.taken.c)]).toEqual([[0, 3], [], [2, 5]]);
    expect(w.lineOf('b')).toMatchObject({ stopped: 'token' });
    expect(JSON.stringify(w.lines)).not.toContain(SECRET);
  });

  it.each([
    ['missing', undefined, 'SECRET_MISSING'],
    ['damaged', '{"version":1}', 'SECRET_INVALID'],
  ])('a secret that is %s: nobody knows its records, so all of the batch waits', async (_, text, code) => {
    const w = routed(THREE);
    const name = 'penstock/dev/streams/customers/b';
    const whole = w.secrets.get(name) as string;
    if (text === undefined) w.secrets.delete(name);
    else w.secrets.set(name, text);
    const container = w.container();
    expect(JSON.stringify(await w.run(RECORDS, container))).toBe(from(0));
    expect([numbers(w.taken.a), numbers(w.taken.c)]).toEqual([
      [0, 3],
      [2, 5],
    ]);
    expect(w.lineOf('b')).toMatchObject({ code, stopped: 'pipeline', returned: 6 });
    w.secrets.set(name, whole);
    expect(JSON.stringify(await w.run(RECORDS, container))).toBe(ALL_SETTLED);
    expect([numbers(w.taken.a), numbers(w.taken.b), numbers(w.taken.c)]).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it('fails as a whole where no route lets anything through', async () => {
    const w = routed(THREE.map((one) => ({ ...one, answer: () => json(404, {}) })));
    await expect(w.run(RECORDS)).rejects.toMatchObject({ code: 'AEP_NOT_FOUND' });
    expect(['a', 'b', 'c'].map((name) => w.lineOf(name)?.returned)).toEqual([6, 6, 6]);
  });
});
