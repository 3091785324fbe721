// Sending again on a stream of several routes: through the one that is named, without taking anything from the others.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SHARD_ID, seq } from '../support/forwarding.ts';
import { acknowledgeBut, fakeInlet } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  type RedriveWorld,
  redriveWorld,
  streamRecord,
} from '../support/redriving.ts';

const of = (kind: string, n: number) => `{"kind":"${kind}","n":${n}}`;
const ORDERS = { pipeline: 'orders' };
const CUSTOMERS = { pipeline: 'customers' };
const given = (own: RedriveWorld, options: Partial<Parameters<typeof onFailureDocument>[0]> = {}) =>
  own.s3.objects.set(
    ON_FAILURE_KEY,
    onFailureDocument({
      records: [of('order', 0), of('customer', 1), of('both', 2)],
      payload: 'object',
      ...options,
    }),
  );
const left = ({ s3 }: RedriveWorld) =>
  JSON.parse(s3.objects.get(ON_FAILURE_KEY) ?? '{}') as {
    KinesisBatchInfo?: object;
    payload?: { Records: { kinesis: { sequenceNumber: string }; penstock?: object }[] };
    penstock?: object;
  };
const recordsLeft = (own: RedriveWorld) =>
  (left(own).payload?.Records ?? []).map(({ kinesis, penstock }) => [kinesis.sequenceNumber, penstock]);

/** Two routes: each takes its own kind, and both take `both`. */
const TWO = {
  published: { records: { where: [{ field: '/kind', oneOf: ['customer', 'both'] }] } },
  others: { orders: { records: { where: [{ field: '/kind', oneOf: ['order', 'both'] }] } } },
};

describe('A 3: which route is meant', () => {
  it('has to be said where the stream has several; the answer names them', async () => {
    const own = redriveWorld(TWO);
    await expect(own.run({ source: 'rejected' })).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      what: expect.stringContaining('customers, orders'),
    });
    await expect(own.run({ source: 'rejected', pipeline: 'invoices' })).rejects.toMatchObject({
      code: 'NOT_PUBLISHED',
      what: expect.stringContaining('customers, orders'),
    });
  });

  it('may be said where there is one, and what goes on from there says it', async () => {
    const own = redriveWorld();
    await own.store(document([entry(1, '{}'), entry(2, '{}')]));
    const first = await own.run({ source: 'rejected', ...CUSTOMERS, limit: 1 });
    expect(first.next).toMatchObject(CUSTOMERS);
    expect(await own.run(first.next ?? {})).toMatchObject({ complete: true, delivered: 1 });
  });

  it('is kept where another one joins before it goes on', async () => {
    const own = redriveWorld();
    await own.store(document([entry(1, '{}'), entry(2, '{}')]));
    const { next } = await own.run({ source: 'rejected', limit: 1 });
    const joined = redriveWorld({ s3: own.s3, others: { orders: {} } });
    expect(await joined.run(next ?? {})).toMatchObject({ ...CUSTOMERS, complete: true, delivered: 1 });
  });

  it('has its own dead letters, its own inlet, and nothing of another', async () => {
    const own = redriveWorld(TWO);
    const key = await own.store(document([entry(1, of('customer', 1))]));
    await own.store(document([entry(1, of('order', 2))], ORDERS));
    expect(await own.run({ source: 'rejected', ...ORDERS })).toMatchObject({ delivered: 1, ...ORDERS });
    expect(own.sentBy('orders')).toEqual([of('order', 2)]);
    expect(own.sentBy('customers')).toEqual([]);
    expect([...own.documents().keys()]).toEqual([key]);
  });

  it('works while the secret of another is missing, and fails where its own is', async () => {
    const own = redriveWorld({ others: { orders: false } });
    await own.store(document([entry(1, '{}')]));
    expect(await own.run({ source: 'rejected', ...CUSTOMERS })).toMatchObject({ complete: true });
    await expect(own.run({ source: 'rejected', ...ORDERS })).rejects.toMatchObject({
      code: 'SECRET_MISSING',
    });
  });
});

describe('A 2: a stretch of the stream', () => {
  it('goes through the named route alone, also what came before the route joined', async () => {
    const from = 1_770_000_100_000;
    const own = redriveWorld({ ...TWO, others: { orders: { ...TWO.others.orders, from } } });
    own.stream.records.push(...['order', 'customer', 'both'].map((kind, n) => streamRecord(n, of(kind, n))));
    const where = { sequence: { shardId: SHARD_ID, from: seq(0), to: seq(2) } };
    expect(await own.run({ source: 'stream', ...ORDERS, where })).toMatchObject({
      complete: true,
      delivered: 2,
      filtered: 1,
    });
    expect(own.sentBy('orders')).toEqual([of('order', 0), of('both', 2)]);
    expect(own.sentBy('customers')).toEqual([]);
  });
});

describe("A 3: Lambda's document belongs to every route", () => {
  it('a record leaves it when every route that takes it has settled it, whichever comes first', async () => {
    for (const [first, second] of [
      ['orders', 'customers'],
      ['customers', 'orders'],
    ] as const) {
      const own = redriveWorld(TWO);
      given(own);
      expect(await own.run({ source: 'on-failure', pipeline: first })).toMatchObject({
        complete: true,
        delivered: 2,
        filtered: 1,
      });
      const open = first === 'orders' ? 1 : 0;
      const note = { routes: { [first]: true } };
      expect(recordsLeft(own)).toEqual([
        [seq(open), note],
        [seq(2), note],
      ]);
      // A second time there is nothing for it to do.
      expect(await own.run({ source: 'on-failure', pipeline: first })).toMatchObject({ chosen: 0 });
      expect(await own.run({ source: 'on-failure', pipeline: second })).toMatchObject({
        complete: true,
        delivered: 2,
        filtered: 0,
      });
      expect(own.s3.objects.size).toBe(0);
      expect(own.sentBy('orders')).toEqual([of('order', 0), of('both', 2)]);
      expect(own.sentBy('customers')).toEqual([of('customer', 1), of('both', 2)]);
    }
  });

  it('a reject of one route is stored as its own, and the record stays for the other', async () => {
    const own = redriveWorld({ ...TWO, inlet: fakeInlet(acknowledgeBut(refuseOnce())) });
    given(own, { records: [of('both', 0)] });
    expect(await own.run({ source: 'on-failure', ...ORDERS })).toMatchObject({ rejectedAgain: 1 });
    expect([...own.documents().values()]).toMatchObject([
      { ...ORDERS, entries: [{ sequenceNumber: seq(0) }] },
    ]);
    expect(await own.run({ source: 'on-failure', ...CUSTOMERS })).toMatchObject({ delivered: 1 });
    expect(own.others()).toEqual([]);
    expect(own.documents().size).toBe(1);
  });

  it('an aggregate stays until each route has settled the messages that are for it', async () => {
    const own = redriveWorld(TWO);
    const parts = [of('order', 0), of('customer', 1), of('both', 2)];
    const bytes = aggregate(parts.map((data, n) => ({ key: `k${n}`, data: Buffer.from(data) })));
    const event = JSON.parse(onFailureDocument({ records: [''], payload: 'object' })) as {
      payload: { Records: { kinesis: { data: string } }[] };
    };
    for (const { kinesis } of event.payload.Records) kinesis.data = bytes.toString('base64');
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(event));
    const where = { field: { pointer: '/n', equals: 2 } };
    expect(await own.run({ source: 'on-failure', ...ORDERS, where })).toMatchObject({ delivered: 1 });
    expect(recordsLeft(own)).toEqual([[seq(0), { routes: { orders: [2] } }]]);
    expect(await own.run({ source: 'on-failure', ...CUSTOMERS })).toMatchObject({ delivered: 2 });
    expect(recordsLeft(own)).toEqual([[seq(0), { routes: { orders: [2], customers: true } }]]);
    expect(await own.run({ source: 'on-failure', ...ORDERS })).toMatchObject({ delivered: 1, filtered: 1 });
    expect(own.s3.objects.size).toBe(0);
    expect(own.sentBy('orders')).toEqual([of('both', 2), of('order', 0)]);
    expect(own.sentBy('customers')).toEqual([of('customer', 1), of('both', 2)]);
  });

  it('a route that joined after the record arrived does not hold it; named, it is sent it', async () => {
    const from = 1_770_000_100_000;
    const others = { orders: { from }, late: { from: 1 } };
    const own = redriveWorld({ others });
    given(own, { records: [of('both', 0)] });
    expect(await own.run({ source: 'on-failure', ...ORDERS })).toMatchObject({ delivered: 1 });
    expect(await own.run({ source: 'on-failure', ...CUSTOMERS })).toMatchObject({ delivered: 1 });
    expect(recordsLeft(own)).toHaveLength(1);
    expect(await own.run({ source: 'on-failure', pipeline: 'late' })).toMatchObject({ delivered: 1 });
    expect(own.s3.objects.size).toBe(0);
  });

  it('a route whose secret is missing may take any record: it stays', async () => {
    const own = redriveWorld({ others: { orders: false } });
    given(own, { records: [of('customer', 0)] });
    expect(await own.run({ source: 'on-failure', ...CUSTOMERS })).toMatchObject({ delivered: 1 });
    expect(recordsLeft(own)).toEqual([[seq(0), { routes: { customers: true } }]]);
  });

  it('what a route that has left had not settled leaves with the next run of another', async () => {
    const own = redriveWorld({ others: { orders: {} } });
    given(own, { records: [of('both', 0)] });
    await own.run({ source: 'on-failure', ...CUSTOMERS });
    const alone = redriveWorld({ s3: own.s3 });
    expect(await alone.run({ source: 'on-failure' })).toMatchObject({ complete: true, chosen: 0 });
    expect(alone.inlet.requests).toEqual([]);
    expect(own.s3.objects.size).toBe(0);
  });

  it.each([false, true])(
    'one without its records is noted as well (a route redacts: %s)',
    async (redacts) => {
      const redact = redacts ? { redact: [{ field: '/mail', action: 'drop' as const }] } : {};
      const records = { ...TWO.others.orders.records, ...redact };
      const own = redriveWorld({ ...TWO, others: { orders: { records } } });
      own.stream.records.push(
        ...['order', 'customer', 'both'].map((kind, n) => streamRecord(n, of(kind, n))),
      );
      given(own, { payload: 'none' });
      expect(await own.run({ source: 'on-failure', ...CUSTOMERS })).toMatchObject({ delivered: 2 });
      // What comes from the stream is not put into the store where it would have to be redacted.
      expect(own.s3.objects.get(ON_FAILURE_KEY)?.includes('"Records"')).toBe(!redacts);
      expect(await own.run({ source: 'on-failure', ...CUSTOMERS })).toMatchObject({ delivered: 0 });
      expect(await own.run({ source: 'on-failure', ...ORDERS })).toMatchObject({ delivered: 2 });
      expect(own.s3.objects.size).toBe(0);
      expect(own.sentBy('customers')).toEqual([of('customer', 1), of('both', 2)]);
      expect(own.sentBy('orders')).toEqual([of('order', 0), of('both', 2)]);
    },
  );

  it('killed at any call to the store, before or after it took effect, it loses nothing for any route', async () => {
    const requests = [ORDERS, CUSTOMERS].map((route) => ({ source: 'on-failure', ...route }));
    /** Both routes, one after the other; the process dies at one of the calls. Returns the number of calls. */
    const live = async (s3: RedriveWorld['s3'], clock: RedriveWorld['clock'], dies?: [number, string]) => {
      const own = redriveWorld({ ...TWO, s3, clock });
      let [calls, isDead] = [0, false];
      s3.fault = (when) => {
        if (when === 'before') calls++;
        isDead ||= dies !== undefined && calls === dies[0] && when === dies[1];
        if (isDead) throw new Error('killed');
      };
      for (const request of requests) await own.run(request).catch(() => undefined);
      s3.fault = () => undefined;
      return { own, calls };
    };
    const golden = redriveWorld(TWO);
    given(golden);
    const { calls } = await live(golden.s3, golden.clock);
    expect(calls).toBeGreaterThan(10);
    expect(golden.s3.objects.size).toBe(0);
    for (let at = 1; at <= calls; at++) {
      for (const when of ['before', 'after']) {
        const { s3, clock } = redriveWorld(TWO);
        given({ s3 } as RedriveWorld);
        const dead = (await live(s3, clock, [at, when])).own;
        await clock.sleep(3_600_000);
        const { own } = await live(s3, clock);
        const sentBy = (pipeline: string) => [...new Set([dead, own].flatMap((one) => one.sentBy(pipeline)))];
        expect({ at, when, documents: own.others().filter((key) => key === ON_FAILURE_KEY) }).toEqual({
          at,
          when,
          documents: [],
        });
        expect(sentBy('orders').sort()).toEqual([of('both', 2), of('order', 0)]);
        expect(sentBy('customers').sort()).toEqual([of('both', 2), of('customer', 1)]);
      }
    }
  });
});

describe('A 1: what was kept once for all routes', () => {
  const UNROUTED = { reason: 'unrouted', message: 'no route of the stream takes it' } as const;
  const unrouted = { source: 'unrouted' } as const;

  it('is sent through the route that takes it now, wherever it was kept, and only then goes', async () => {
    const own = redriveWorld(TWO);
    // The first route in the order of names has kept them.
    await own.store(document([entry(1, of('invoice', 1), UNROUTED), entry(2, of('order', 2), UNROUTED)]));
    expect(await own.run({ ...unrouted, ...CUSTOMERS })).toMatchObject({ delivered: 0, filtered: 2 });
    expect(await own.run({ ...unrouted, ...ORDERS })).toMatchObject({ delivered: 1, filtered: 1 });
    expect(own.sentBy('orders')).toEqual([of('order', 2)]);
    expect([...own.documents().values()]).toMatchObject([{ entries: [{ sequenceNumber: seq(1) }] }]);
    const { others } = TWO;
    const widened = redriveWorld({ s3: own.s3, others });
    expect(await widened.run({ ...unrouted, ...CUSTOMERS })).toMatchObject({ complete: true, delivered: 1 });
    expect(widened.sentBy('customers')).toEqual([of('invoice', 1)]);
    expect(own.documents().size).toBe(0);
  });

  it('of which two routes take a record now: each gets it once, and it goes with the second', async () => {
    const own = redriveWorld(TWO);
    await own.store(document([entry(1, of('both', 1), UNROUTED)], ORDERS));
    expect(await own.run({ ...unrouted, ...CUSTOMERS })).toMatchObject({ delivered: 1 });
    expect([...own.documents().values()]).toMatchObject([{ entries: [{ routes: { customers: true } }] }]);
    expect(await own.run({ ...unrouted, ...CUSTOMERS })).toMatchObject({ chosen: 0 });
    // It is among the other's own rejects, too.
    expect(await own.run({ source: 'rejected', ...ORDERS })).toMatchObject({ delivered: 1 });
    expect(own.documents().size).toBe(0);
    expect([own.sentBy('customers'), own.sentBy('orders')]).toEqual([[of('both', 1)], [of('both', 1)]]);
  });

  it.each([CUSTOMERS, ORDERS])(
    'and refused by the inlet becomes a reject of the route (kept by %o)',
    async (keeper) => {
      const own = redriveWorld({ ...TWO, inlet: fakeInlet(acknowledgeBut(refuseOnce())) });
      await own.store(document([entry(1, of('both', 1), UNROUTED)], keeper));
      expect(await own.run({ ...unrouted, ...ORDERS })).toMatchObject({ rejectedAgain: 1 });
      const kept = [...own.documents().values()].flatMap(({ pipeline, entries }) =>
        entries.map(({ reason }) => `${pipeline}: ${reason}`),
      );
      expect(kept.sort()).toEqual(['orders: refused', `${keeper.pipeline}: unrouted`].sort());
      expect(await own.run({ ...unrouted, ...CUSTOMERS })).toMatchObject({ delivered: 1 });
      expect(await own.run({ source: 'rejected', ...ORDERS })).toMatchObject({ delivered: 1 });
      expect(own.documents().size).toBe(0);
    },
  );

  it('because it could not be read stays for the route whose it is, once it can be read', async () => {
    const own = redriveWorld({
      published: { ...TWO.published, compression: 'gzip' },
      others: { orders: { ...TWO.others.orders, compression: 'gzip' } },
    });
    const packed = { reason: 'not-json', message: 'not JSON' } as const;
    const data = gzipSync(of('order', 1)).toString('base64');
    await own.store(document([entry(1, '', { ...packed, data }), entry(2, '{"broken', packed)]));
    // Until now it was filtered, and gone.
    expect(await own.run({ source: 'rejected', ...CUSTOMERS })).toMatchObject({
      filtered: 1,
      rejectedAgain: 1,
    });
    expect(await own.run({ ...unrouted, ...ORDERS })).toMatchObject({ delivered: 1, rejectedAgain: 1 });
    expect(own.sentBy('orders')).toEqual([of('order', 1)]);
    expect([...own.documents().values()]).toMatchObject([{ entries: [{ sequenceNumber: seq(2) }] }]);
  });

  it('stays where the only route does not take it', async () => {
    const own = redriveWorld({ published: TWO.published });
    await own.store(document([entry(1, of('invoice', 1), UNROUTED)]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ filtered: 1 });
    expect(own.documents().size).toBe(1);
  });

  it('a limit and its cursor lead through the documents of all routes', async () => {
    const own = redriveWorld({ others: { 'a-b': {}, a: {}, zebra: {} } });
    for (const [at, pipeline] of ['zebra', 'a', 'customers', 'a-b'].entries())
      await own.store(document([entry(at, `{"n":${at}}`, UNROUTED)], { pipeline }));
    let request: object | undefined = { ...unrouted, pipeline: 'a', limit: 1 };
    let runs = 0;
    for (; request !== undefined && runs < 9; runs++) request = (await own.run(request)).next;
    expect(own.sentBy('a').toSorted()).toEqual([0, 1, 2, 3].map((n) => `{"n":${n}}`));
    expect(runs).toBe(4);
  });
});

/** The first message is refused, and every later one is taken. */
function refuseOnce() {
  let refused = false;
  return () => {
    const first = !refused;
    refused = true;
    return first ? { statusCode: 400, message: 'no' } : undefined;
  };
}
