// A route that parks: after a long outage its messages wait in the store, and no longer hold the shard.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeadLetterDocument } from '../../lib/runtime.ts';
import { runs } from '../support/depth.ts';
import { ALL_SETTLED, from, type RecordInput, seq } from '../support/forwarding.ts';
import { type Answer, acknowledgeAll, acknowledgeBut, json, multi } from '../support/inlet.ts';
import { type Routed, type RouteInput, routed } from '../support/routed.ts';

const AFTER_SECONDS = 900;
const down: Answer = () => json(503, {});
const PARKS = { park: { afterSeconds: AFTER_SECONDS } } as const;
const recordAt = (n: number): RecordInput => ({ data: `{"n":${n}}`, key: `key-${n % 5}`, seq: seq(n) });
const recordsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => recordAt(first + n));
const RECORDS = recordsFrom(0, 10);
const ONE: readonly RouteInput[] = [{ pipeline: 'b', published: PARKS, answer: down }];
const TWO: readonly RouteInput[] = [{ pipeline: 'a' }, ...ONE];

const pass = (w: Routed, seconds: number) => w.clock.sleep(seconds * 1_000);
const answered = async (run: Promise<unknown>) => JSON.stringify(await run);
const numbersIn = (documents: readonly DeadLetterDocument[]) =>
  documents.flatMap(({ entries }) =>
    entries.map(({ data }) => (JSON.parse(Buffer.from(data, 'base64').toString()) as { n: number }).n),
  );
const numbersOn = (w: Routed, pipeline: string) =>
  (w.taken[pipeline] ?? []).map((text) => (JSON.parse(text) as { n: number }).n).sort((a, b) => a - b);
const outageOf = (w: Routed) => [...w.marks.outages.values()][0];
const range = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n);

/** In an outage that has lasted long enough, before the invocation that parks. */
async function inOutage(inputs: readonly RouteInput[] = ONE): Promise<Routed> {
  const w = routed(inputs);
  expect(await answered(w.run(RECORDS))).toBe(from(0));
  await pass(w, AFTER_SECONDS);
  return w;
}

/** The same, when all of the first batch is parked. */
async function parkedRoute(inputs: readonly RouteInput[] = ONE): Promise<Routed> {
  const w = await inOutage(inputs);
  expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
  return w;
}

describe('issue 14 A 3: onOutage "park"', () => {
  it('holds the shard until the outage has lasted so long, and then parks', async () => {
    const w = routed(ONE);
    expect(await answered(w.run(RECORDS))).toBe(from(0));
    await pass(w, AFTER_SECONDS / 2);
    expect(await answered(w.run(RECORDS))).toBe(from(0));
    expect([w.store.parked, outageOf(w)?.parkedSince]).toEqual([[], undefined]);
    await pass(w, AFTER_SECONDS / 2);
    expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(outageOf(w)?.parkedSince).toBeDefined();
    expect(numbersIn(w.store.parked)).toEqual(range(0, 10));
    expect(w.store.parked[0]?.entries[0]).toMatchObject({ reason: 'parked', sequenceNumber: seq(0) });
    expect(w.lines.filter(({ fields }) => fields.event === 'route-parked')).toHaveLength(1);
  });

  it('queues new ones behind those that are parked, in their order, and sends nothing', async () => {
    const w = await parkedRoute();
    w.answer('b', acknowledgeAll);
    const sent = w.requests.b?.length;
    for (const first of [10, 20]) expect(await answered(w.run(recordsFrom(first, 10)))).toBe(ALL_SETTLED);
    expect(w.requests.b).toHaveLength(sent ?? -1);
    expect(numbersIn(w.store.parked)).toEqual(range(0, 30));
    expect(w.marks.calls.outageLasts).toBe(2);
    // Redrive sends them and ends the outage.
    await w.sendParked('b');
    expect(await answered(w.run(recordsFrom(30, 10)))).toBe(ALL_SETTLED);
    expect(numbersOn(w, 'b')).toEqual(range(0, 40));
    expect(w.store.parked).toEqual([]);
  });

  it('parks in the order of the stream, however many lanes there are', async () => {
    const w = await parkedRoute();
    const many = range(10, 200).map((n) => ({
      data: `{"n":${n},"text":"${'x'.repeat(10_000)}"}`,
      key: `key-${n}`,
      seq: seq(n),
    }));
    expect(await answered(w.run(many))).toBe(ALL_SETTLED);
    expect(numbersIn(w.store.parked)).toEqual(range(0, 210));
  });

  it('does not queue what comes while the outage ends: it comes again and is sent', async () => {
    const w = await parkedRoute();
    w.answer('b', acknowledgeAll);
    const { outageLasts } = w.marks;
    w.marks.outageLasts = async (...given) => {
      await w.sendParked('b');
      return outageLasts(...given);
    };
    expect(await answered(w.run(recordsFrom(10, 10)))).toBe(from(10));
    expect(w.marks.outages.size).toBe(0);
    expect(await answered(w.run(recordsFrom(10, 10)))).toBe(ALL_SETTLED);
    expect(numbersOn(w, 'b')).toEqual(range(0, 20));
  });

  it('lets the other routes go on: their records are taken once, and the shard moves', async () => {
    const w = await parkedRoute(TWO);
    for (const first of [10, 20]) expect(await answered(w.run(recordsFrom(first, 10)))).toBe(ALL_SETTLED);
    expect(numbersOn(w, 'a')).toEqual(range(0, 30));
    expect(numbersIn(w.store.parked)).toEqual(range(0, 30));
  });

  it('stores nothing beyond the checkpoint that another route holds', async () => {
    const w = await inOutage([{ pipeline: 'a', answer: down }, ...ONE]);
    expect(await answered(w.run(RECORDS))).toBe(from(0));
    expect(w.store.parked).toEqual([]);
    w.answer('a', acknowledgeAll);
    expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(numbersIn(w.store.parked)).toEqual(range(0, 10));
  });

  it('counts what is parked by itself: it is neither rejected nor lost', async () => {
    const w = await parkedRoute();
    expect(w.counted.b).toMatchObject({ RecordsParked: 10, RecordsRejected: 0, ConservationDifference: 0 });
    expect(w.lineOf('b')).toMatchObject({ parked: 10, rejected: 0, returned: 0, acknowledged: 0 });
    expect(w.store.documents).toEqual([]);
  });

  it('keeps rejects and parked ones of one batch apart', async () => {
    const w = await parkedRoute();
    expect(await answered(w.run([{ data: 'no JSON', seq: seq(10) }, recordAt(11)]))).toBe(ALL_SETTLED);
    expect(w.store.documents.map(({ entries }) => entries.map(({ reason }) => reason))).toEqual([
      ['not-json'],
    ]);
    expect(numbersIn(w.store.parked)).toEqual([...range(0, 10), 11]);
    expect(w.counted.b).toMatchObject({ RecordsParked: 11, RecordsRejected: 1 });
  });

  it('parks the route of a fault of its set-up as well, and the invocation no longer fails', async () => {
    const w = routed(ONE);
    w.answer('b', () => json(404, {}));
    await expect(w.run(RECORDS)).rejects.toMatchObject({ code: 'AEP_NOT_FOUND' });
    await pass(w, AFTER_SECONDS);
    expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(numbersIn(w.store.parked)).toEqual(range(0, 10));
  });

  it('parks a message alone that is never taken, and goes on sending the others', async () => {
    const w = routed(ONE);
    w.answer(
      'b',
      acknowledgeBut((message) => (message.includes('"n":3}') ? { status: 503 } : undefined)),
    );
    const container = w.container();
    expect(await answered(w.run(RECORDS, container))).toBe(from(3));
    await pass(w, AFTER_SECONDS);
    expect(await answered(w.run(RECORDS.slice(3), container))).toBe(ALL_SETTLED);
    expect([numbersIn(w.store.parked), outageOf(w)?.parkedSince]).toEqual([[3], undefined]);
    expect(await answered(w.run(recordsFrom(10, 10), container))).toBe(ALL_SETTLED);
    expect([numbersIn(w.store.parked), w.marks.outages.size]).toEqual([[3], 0]);
  });

  it('takes no backlog for an outage: while the inlet takes messages, those that have no turn are not parked', async () => {
    const slow = { ...PARKS, rate: { messagesPerSecond: 1 } };
    const w = routed([{ pipeline: 'b', published: slow }]);
    const container = w.container();
    let position = 0;
    for (let times = 0; times < 60 && position < 100; times++) {
      const records = recordsFrom(position, 100 - position);
      const { batchItemFailures } = await w.run(records, container, 8_000);
      const [first] = batchItemFailures;
      position = first === undefined ? 100 : range(0, 100).findIndex((n) => seq(n) === first.itemIdentifier);
      await pass(w, AFTER_SECONDS / 2);
    }
    expect(position).toBe(100);
    expect(w.store.parked).toEqual([]);
    expect(numbersOn(w, 'b')).toEqual(range(0, 100));
  });

  it('begins anew with the next outage, once the inlet has taken everything', async () => {
    const w = await inOutage();
    w.answer('b', acknowledgeAll);
    expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(w.marks.outages.size).toBe(0);
    w.answer('b', down);
    expect(await answered(w.run(recordsFrom(10, 10)))).toBe(from(10));
    expect(w.store.parked).toEqual([]);
  });

  it('holds, as without it, while the marks are away', async () => {
    const w = await inOutage();
    w.marks.away = new Error('away');
    expect(await answered(w.run(RECORDS))).toBe(from(0));
    expect(w.store.parked).toEqual([]);
  });

  it('parks nothing where its outage cannot be written', async () => {
    const w = await inOutage();
    w.marks.outage = () => Promise.reject(new Error('away'));
    expect(await answered(w.run(RECORDS))).toBe(from(0));
    expect(w.store.parked).toEqual([]);
  });

  it('lets the batch come again where the store does not take it', async () => {
    let isAway = true;
    const stored: DeadLetterDocument[] = [];
    const deadLetters = {
      async put(document: DeadLetterDocument) {
        if (isAway) throw new Error('away');
        stored.push(document);
        return { key: 'k', entries: document.entries.length };
      },
    };
    const w = routed(ONE, { deadLetters });
    await w.run(RECORDS);
    await pass(w, AFTER_SECONDS);
    expect(await answered(w.run(RECORDS))).toBe(from(0));
    expect(w.counted.b).toMatchObject({ RecordsParked: 0, ConservationDifference: 0 });
    isAway = false;
    expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(numbersIn(stored)).toEqual(range(0, 10));
  });

  it('gives back only what the store did not take, where it takes the rejects and not what is parked', async () => {
    const stored: DeadLetterDocument[] = [];
    let isAway = true;
    const deadLetters = {
      async put(document: DeadLetterDocument, kind?: string) {
        if (isAway && kind === 'parked') throw new Error('away');
        stored.push(document);
        return { key: 'k', entries: document.entries.length };
      },
    };
    const w = routed(ONE, { deadLetters });
    const records = [{ data: 'no JSON', seq: seq(0) }, recordAt(1), { data: 'no JSON', seq: seq(2) }];
    const container = w.container();
    expect(await answered(w.run(records, container))).toBe(from(1));
    await pass(w, AFTER_SECONDS);
    expect(await answered(w.run(records.slice(1), container))).toBe(from(1));
    expect(w.counted.b).toMatchObject({ RecordsRejected: 2, RecordsParked: 0, ConservationDifference: 0 });
    isAway = false;
    // What was stored behind the checkpoint is not stored again.
    expect(await answered(w.run(records.slice(1), container))).toBe(ALL_SETTLED);
    expect(stored.map(({ entries }) => entries.map(({ reason }) => reason))).toEqual([
      ['not-json'],
      ['not-json'],
      ['parked'],
    ]);
  });

  it('asks for no marks where the only route of a stream holds', async () => {
    const w = routed([{ pipeline: 'b', answer: down }]);
    await w.run(RECORDS);
    expect(Object.values(w.marks.calls).every((times) => times === 0)).toBe(true);
    expect(w.counted.b).not.toHaveProperty('RecordsParked');
  });

  it('redaction holds for what is parked', async () => {
    const redact = [{ field: '/email', action: 'drop' as const }];
    const w = routed([{ pipeline: 'b', published: { ...PARKS, records: { redact } }, answer: down }]);
    const records = [{ data: '{"n":1,"email":"ada@example.com"}', key: 'ada@example.com', seq: seq(0) }];
    await w.run(records);
    await pass(w, AFTER_SECONDS);
    expect(await answered(w.run(records))).toBe(ALL_SETTLED);
    const [document] = w.store.parked;
    expect(document?.entries[0]).toMatchObject({ reason: 'parked', redacted: true });
    const text = JSON.stringify(document);
    expect([text, Buffer.from(document?.entries[0]?.data ?? '', 'base64').toString()].join()).not.toContain(
      'ada@example.com',
    );
    expect(numbersIn(w.store.parked)).toEqual([1]);
  });
});

describe('issue 14 A 3: a container that dies while it parks loses nothing', () => {
  it.each(
    ['outage', 'put'].flatMap((call) => [
      [call, 'before'],
      [call, 'after'],
    ]) as [string, 'before' | 'after'][],
  )('when the first ones are parked: %s, %s', async (call, when) => {
    const w = await inOutage(TWO);
    const dying = w.mortal(
      () => undefined,
      (name, index) => (name === call && index === 0 ? when : undefined),
    );
    expect(await dying.run(RECORDS)).toBe('died');
    expect(await answered(w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(new Set(numbersIn(w.store.parked))).toEqual(new Set(range(0, 10)));
    expect(numbersOn(w, 'a')).toEqual(range(0, 10));
  });

  it.each(
    ['read', 'outageLasts', 'put'].flatMap((call) => [
      [call, 'before'],
      [call, 'after'],
    ]) as [string, 'before' | 'after'][],
  )('when others queue behind them: %s, %s', async (call, when) => {
    const w = await parkedRoute(ONE);
    const dying = w.mortal(
      () => undefined,
      (name, index) => (name === call && index === 0 ? when : undefined),
    );
    expect(await dying.run(recordsFrom(10, 10))).toBe('died');
    expect(await answered(w.run(recordsFrom(10, 10)))).toBe(ALL_SETTLED);
    expect(new Set(numbersIn(w.store.parked))).toEqual(new Set(range(0, 20)));
    expect(numbersOn(w, 'b')).toEqual([]);
  });
});

const MOODS: Readonly<Record<string, Answer>> = {
  fine: acknowledgeAll,
  down,
  lost: () => {
    throw new Error('the connection was reset');
  },
  wrong: () => json(404, {}),
  some: ({ messages }) =>
    multi(messages.map((_, at) => (at % 3 === 1 ? { status: 503 } : { xactionId: `x-${at}` }))),
  poison: acknowledgeBut((message) => (message.includes('7}') ? { status: 503 } : undefined)),
  refused: acknowledgeBut((message) => (message.includes('5}') ? { status: 400 } : undefined)),
};
const CALLS = ['read', 'write', 'clear', 'outage', 'outageLasts', 'outageEnded', 'put'] as const;
const isOneIn = (many: number) => fc.integer({ min: 1, max: many }).map((one) => one === 1);

const turn = fc.record({
  other: fc.constantFrom('fine', 'fine', 'fine', 'some', 'down'),
  own: fc.constantFrom('fine', 'down', 'down', 'lost', 'wrong', 'some', 'poison', 'refused'),
  /** Its inlet is as it was in the turn before. */
  isSame: fc.integer({ min: 1, max: 4 }).map((one) => one > 1),
  size: fc.integer({ min: 1, max: 6 }),
  later: fc.constantFrom(0, 400, 1_000),
  isFresh: fc.boolean(),
  isSent: isOneIn(5),
  isAway: isOneIn(12),
  dies: fc.option(
    fc.record({
      call: fc.constantFrom(...CALLS),
      index: fc.nat(1),
      when: fc.constantFrom('before', 'after'),
    }),
    { freq: 1 },
  ),
});
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;
const CALM = {
  other: 'fine',
  own: 'fine',
  isSame: false,
  size: 12,
  later: 0,
  isFresh: true,
  isAway: false,
  dies: null,
};

describe('issue 14 A 3: random outages of a route that parks, kills at any call, and sending in between', () => {
  it.each([1, 2])('nothing is lost on any of %i routes, and what is parked is no reject', async (routes) => {
    let parked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 10, maxLength: 40 }), async (turns) => {
        const w = routed(routes === 1 ? ONE : TWO);
        const all = recordsFrom(0, 60);
        let mood = 'fine';
        let [position, container] = [0, w.mortal(() => undefined)];
        const step = async ({ dies, ...one }: Turn) => {
          if (!one.isSame) mood = one.own;
          await pass(w, one.later);
          if (one.isSent) await w.sendParked('b');
          w.answer('a', MOODS[one.other] ?? down);
          w.answer('b', MOODS[mood] ?? down);
          w.marks.away = one.isAway ? new Error('away') : undefined;
          const diesAt = (call: string, index: number) =>
            dies?.call === call && dies.index === index ? (dies.when as 'before' | 'after') : undefined;
          if (one.isFresh || dies !== null || container.isDead())
            container = w.mortal(() => undefined, diesAt);
          const batch = all.slice(position, position + one.size);
          const answer = await container.run(batch).catch(() => 'failed' as const);
          if (answer === 'died' || answer === 'failed') return;
          const [item] = answer.batchItemFailures;
          const passed = item === undefined ? batch.length : batch.findIndex((_, n) => isAt(item, n));
          for (let n = position; n < position + passed; n++) check(n);
          position += passed;
        };
        const isAt = ({ itemIdentifier }: { itemIdentifier: string }, n: number) =>
          itemIdentifier === seq(position + n);
        const check = (n: number) => {
          const kept = [...w.store.documents, ...w.store.parked];
          for (const pipeline of routes === 1 ? ['b'] : ['a', 'b']) {
            const isKept = numbersIn(kept.filter((document) => document.pipeline === pipeline)).includes(n);
            if (!isKept && !numbersOn(w, pipeline).includes(n))
              throw new Error(`${n} is lost on ${pipeline}`);
          }
        };
        for (const one of turns) if (position < all.length) await step(one);
        for (let times = 0; position < all.length && times < 20; times++)
          await step({ ...CALM, isSent: true } as Turn);
        expect(position).toBe(all.length);
        const reasons = w.store.documents.flatMap(({ entries }) => entries.map(({ reason }) => reason));
        expect(reasons).not.toContain('parked');
        expect(w.counted.b?.ConservationDifference ?? 0).toBe(0);
        parked += w.counted.b?.RecordsParked ?? 0;
      }),
      { numRuns: runs(40), seed: 20_261_128 },
    );
    // Otherwise the stories tell nothing of it.
    expect(parked).toBeGreaterThan(50);
  });
});
