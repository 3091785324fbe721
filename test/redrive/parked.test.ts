import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { SHARD_ID } from '../support/forwarding.ts';
import { acknowledgeAll, acknowledgeBut, fakeInlet, json } from '../support/inlet.ts';
import { memoryMarks } from '../support/marks.ts';
import {
  document,
  entry,
  type RedriveWorld,
  type RedriveWorldOptions,
  redriveWorld,
} from '../support/redriving.ts';
import { memoryS3 } from '../support/s3.ts';

// What is parked for a route is sent once its inlet answers again, and nothing of it is lost on the way.

const parkedEntry = (index: number, data = `{"n":${index}}`) =>
  entry(index, data, { reason: 'parked', message: '503: not now' });
const park = (own: RedriveWorld, index: number, count = 1, more: object = {}) =>
  own.store(
    document(
      Array.from({ length: count }, (_, at) => parkedEntry(index + at)),
      { invocationId: `i-${index}`, ...more },
    ),
    'parked',
  );
const ask = { source: 'parked' };
const numbersIn = (messages: readonly string[]) =>
  messages.map((message) => (JSON.parse(message) as { n: number }).n);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

describe('14 A 3: what is parked', () => {
  it('is sent oldest first once the inlet answers, and its documents go', async () => {
    const own = redriveWorld();
    await park(own, 4, 2);
    await park(own, 2, 2);
    await park(own, 6, 2, { storedAt: '2026-01-29T12:00:00.000Z' });
    expect(await own.run(ask)).toMatchObject({
      source: 'parked',
      complete: true,
      documents: 3,
      chosen: 6,
      delivered: 6,
      left: 0,
    });
    expect(numbersIn(own.inlet.acknowledged)).toEqual([6, 7, 2, 3, 4, 5]);
    expect([...own.s3.objects.keys()]).toEqual([]);
  });

  it('stays as it is while the inlet is away, after a few requests', async () => {
    const own = redriveWorld({ inlet: fakeInlet(() => json(503, {})) });
    for (const index of range(0, 300)) await park(own, index);
    const before = new Map(own.s3.objects);
    expect(await own.run(ask)).toMatchObject({
      complete: false,
      delivered: 0,
      stopped: { why: 'attempts' },
    });
    expect(new Map(own.s3.objects)).toEqual(before);
    expect(own.started).toEqual([]);
    expect(own.inlet.requests.length).toBeLessThan(12);
  });

  it('becomes a reject with its reason where it is refused now, and the rest is sent', async () => {
    const refusesOdd = acknowledgeBut((message) =>
      message.includes('"bad"') ? { statusCode: 400, message: 'no' } : undefined,
    );
    const own = redriveWorld({ inlet: fakeInlet(refusesOdd) });
    const key = await own.store(
      document([parkedEntry(1), parkedEntry(2, '{"bad":1}'), parkedEntry(3)]),
      'parked',
    );
    expect(await own.run(ask)).toMatchObject({ complete: true, delivered: 2, rejectedAgain: 1, left: 0 });
    expect(own.documents('parked').has(key)).toBe(false);
    const [rejects] = [...own.documents().values()];
    expect(rejects).toMatchObject({ pipeline: 'customers', shardId: 'shardId-000000000002' });
    expect(rejects?.entries).toEqual([
      { ...parkedEntry(2, '{"bad":1}'), reason: 'refused', message: '400: no' },
    ]);
    // They are rejects like all others now.
    expect(await own.run({ source: 'rejected' })).toMatchObject({ chosen: 1, rejectedAgain: 1 });
  });

  it('is no reject: sending rejects leaves it alone', async () => {
    const own = redriveWorld();
    await park(own, 1);
    expect(await own.run({ source: 'rejected' })).toMatchObject({ chosen: 0, documents: 0 });
    expect(own.documents('parked').size).toBe(1);
  });

  it('and is not ready for yet is left, and holds up no documents behind it', async () => {
    const busy = acknowledgeBut((message) => (message.includes('"n":3}') ? { statusCode: 503 } : undefined));
    const own = redriveWorld({ inlet: fakeInlet(busy) });
    for (const index of range(0, 250)) await park(own, index);
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 249, left: 1, chosen: 250 });
    expect(own.documents('parked').size).toBe(1);
    expect(numbersIn(own.inlet.acknowledged).sort((a, b) => a - b)).toEqual(
      range(0, 250).filter((index) => index !== 3),
    );
  });

  it('in the meantime is sent by the same run, until nothing is left', async () => {
    let next = 10;
    const inlet = fakeInlet(async (request) => {
      // The forwarder queues new ones behind, with a key before the last one too.
      next += 1;
      if (next < 15) await park(own, next % 2 === 0 ? next : next - 9);
      return acknowledgeAll(request);
    });
    const own = redriveWorld({ inlet });
    await park(own, 1);
    expect(await own.run(ask)).toMatchObject({ complete: true, delivered: 5, left: 0, skipped: {} });
    expect(own.documents('parked').size).toBe(0);
  });

  it('goes on where the time ran out, and looks from the start again afterwards', async () => {
    const own = redriveWorld();
    for (const index of range(0, 250)) await park(own, index);
    const answer = await own.runAll({ ...ask, rate: 2 }, 100_000);
    expect(answer).toMatchObject({ complete: true, chosen: 250, delivered: 250 });
    expect(own.inlet.acknowledged).toHaveLength(250);
    expect([...own.s3.objects.keys()]).toEqual([]);
  });

  it('is looked for before the place where the run before ended: new ones may stand there', async () => {
    const own = redriveWorld();
    await park(own, 1);
    const answer = await own.run({ ...ask, cursor: { after: 'parked/customers/2026/12/31/z' } });
    expect(answer).toMatchObject({ complete: true, delivered: 1 });
    expect(own.documents('parked').size).toBe(0);
  });

  it('in a form that the rules in force cannot be applied to becomes a reject: nothing would send it', async () => {
    const published = { records: { redact: [{ field: '/a', action: 'hash' as const, salt: 's' }] } };
    const own = redriveWorld({ published });
    const redacted = {
      ...parkedEntry(1, '{"a":"x"}'),
      redacted: true,
      rules: 'aaa',
      partitionKey: 'hidden',
    } as const;
    const rules = { aaa: [{ field: '/a', action: 'mask' }] };
    await own.store(document([redacted, parkedEntry(2, '{"a":"y"}')], { rules }), 'parked');
    expect(await own.run(ask)).toMatchObject({ complete: true, delivered: 1, rejectedAgain: 1, withheld: 0 });
    expect(own.documents('parked').size).toBe(0);
    const [rejects] = [...own.documents().values()];
    expect(rejects?.rules).toMatchObject(rules);
    expect(rejects?.entries).toMatchObject([
      {
        reason: 'redacted-otherwise',
        data: redacted.data,
        redacted: true,
        rules: 'aaa',
        partitionKey: 'hidden',
      },
    ]);
  });

  it('is sent once by two runs at a time', async () => {
    const [s3, inlet] = [memoryS3(), fakeInlet()];
    const [one, other] = [redriveWorld({ s3, inlet }), redriveWorld({ s3, inlet })];
    for (const index of range(0, 300)) await park(one, index);
    await Promise.all([one.run(ask), other.run(ask)]);
    expect(numbersIn(inlet.acknowledged).sort((a, b) => a - b)).toEqual(range(0, 300));
    expect(one.documents('parked').size).toBe(0);
  });
});

describe('14 A 3: an outage', () => {
  const SHARD = { stream: 'customers', shardId: SHARD_ID };
  /** A route that has parked for a minute. */
  async function out(options: RedriveWorldOptions = {}) {
    const marks = memoryMarks();
    const own = redriveWorld({ marks, ...options });
    const since = own.clock.now() - 60_000;
    await marks.outage(SHARD, 'customers', { since: since - 900_000, parkedSince: since });
    return { own, marks, isOver: () => marks.outages.size === 0 };
  }

  it('ends when all that was parked is sent, and new messages are sent again', async () => {
    const { own, marks } = await out();
    await marks.outage(SHARD, 'orders', { since: 1, parkedSince: 2 });
    for (const index of range(0, 120)) await park(own, index);
    await own.run(ask);
    expect([...marks.outages.keys()]).toEqual([`customers ${SHARD_ID} orders`]);
    expect(own.lines.map(({ message }) => message)).toContain(
      'all that was parked is sent: the outage has ended',
    );
  });

  const notYet = (...numbers: number[]) =>
    fakeInlet(
      acknowledgeBut((one) =>
        numbersIn([one]).some((n) => numbers.includes(n)) ? { statusCode: 503 } : undefined,
      ),
    );

  it('is of the inlet: one message that is never taken stays, and the outage ends once others were', async () => {
    const { own, isOver } = await out({ inlet: notYet(3) });
    for (const index of range(0, 6)) await park(own, index);
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 5, left: 1 });
    expect(own.documents('parked').size).toBe(1);
    expect(isOver()).toBe(true);
    // The schedule tries it again, and nothing waits for it.
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 0, left: 1 });
    expect(own.documents('parked').size).toBe(1);
  });

  it('goes on where nothing else shows whether the inlet takes any, and ends behind the next that it takes', async () => {
    const { own, isOver } = await out({ inlet: notYet(3) });
    await park(own, 3);
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 0, left: 1 });
    expect(isOver()).toBe(false);
    await park(own, 4);
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 1, left: 1 });
    expect(isOver()).toBe(true);
  });

  it('ends in all shards, where one message of the first shard is never taken', async () => {
    const { own, isOver } = await out({ inlet: notYet(1, 3) });
    await park(own, 1, 1, { shardId: 'shardId-000000000001' });
    await park(own, 2, 3, { shardId: 'shardId-000000000009' });
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 2, left: 2 });
    expect(isOver()).toBe(true);
  });

  it('ends behind a whole request of messages that are never taken', async () => {
    const { own, isOver } = await out({ inlet: notYet(...range(0, 2_000)) });
    await park(own, 0, 2_400);
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 400, left: 2_000 });
    expect(isOver()).toBe(true);
  });

  it('ends where its documents are gone by another hand', async () => {
    const { own, isOver } = await out();
    expect(await own.run(ask)).toMatchObject({ complete: true, chosen: 0 });
    expect(isOver()).toBe(true);
  });

  it.each<[string, object, RedriveWorldOptions]>([
    ['the inlet is away', {}, { inlet: fakeInlet(() => json(503, {})) }],
    ['only a part is asked for', { where: { reasons: ['other'] } }, {}],
    ['nothing is to be done', { dryRun: true }, {}],
    ['no more than some are asked for', { limit: 2 }, {}],
  ])('goes on while %s', async (_, more, options) => {
    const { own, isOver } = await out(options);
    for (const index of range(0, 6)) await park(own, index);
    await own.run({ ...ask, ...more });
    expect(own.documents('parked').size).toBeGreaterThan(0);
    expect(isOver()).toBe(false);
  });

  it('goes on while another run has some of it, and ends by that run', async () => {
    const marks = memoryMarks();
    const s3 = memoryS3();
    const outages: number[] = [];
    let other: Promise<unknown> | undefined;
    // The first request of one run is under way while another run looks.
    const inlet = fakeInlet(async (request) => {
      other ??= redriveWorld({ s3, marks, inlet: fakeInlet() }).run(ask);
      await other;
      outages.push(marks.outages.size);
      return acknowledgeAll(request);
    });
    const { own } = await out({ s3, marks, inlet });
    for (const index of range(0, 3)) await park(own, index);
    await marks.outage(SHARD, 'customers', { since: 1, parkedSince: 2 });
    await own.run(ask);
    expect(outages).toEqual([1]);
    expect(marks.outages.size).toBe(0);
  });

  it('that has begun since the last look goes on: what it parks is not sent yet', async () => {
    const { own, marks, isOver } = await out();
    await marks.outage(SHARD, 'customers', { since: 1, parkedSince: own.clock.now() + 1 });
    await own.run(ask);
    expect(isOver()).toBe(false);
  });

  it('that is not parked for yet is none of its business', async () => {
    const { own, marks, isOver } = await out();
    await marks.outage(SHARD, 'customers', { since: 1 });
    await own.run(ask);
    expect(isOver()).toBe(false);
  });

  it('is not held up by a document that nobody can read', async () => {
    const { own, isOver } = await out();
    await park(own, 1);
    own.s3.objects.set('parked/customers/2026/01/01/damaged.json', '{"version":1}');
    expect(await own.run(ask)).toMatchObject({ complete: false, delivered: 1, skipped: { damaged: 1 } });
    expect(isOver()).toBe(true);
  });

  it('goes on where the marks are away, and the answer still counts what was sent', async () => {
    const { own, marks, isOver } = await out();
    await park(own, 1);
    marks.away = new Failure('AWS_UNAVAILABLE', 'the marks are away');
    expect(await own.run(ask)).toMatchObject({ complete: true, delivered: 1 });
    expect(isOver()).toBe(false);
    expect(own.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('could not be ended') }),
    );
  });
});
