// Marks: what a route has settled survives the container, as long as another route is in trouble.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createForward } from '../../lib/forward/forward.ts';
import { runs } from '../support/depth.ts';
import { ALL_SETTLED, from, kinesisEvent, type RecordInput } from '../support/forwarding.ts';
import { type Answer, acknowledgeAll, acknowledgeBut, json, multi } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import { type Routed, type RouteInput, routed } from '../support/routed.ts';

const down: Answer = () => json(503, {});
const only = (type: string) => ({ records: { where: [{ field: '/type', equals: type }] } });
const recordAt = (n: number, type = n % 2 === 0 ? 'a' : 'b'): RecordInput => ({
  data: `{"n":${n},"type":"${type}"}`,
  key: `key-${n}`,
  seq: seqOf(n),
});
const seqOf = (index: number) => /"(\d+)"/.exec(from(index))?.[1] ?? '';
const numberIn = (message: string) => (JSON.parse(message) as { n: number }).n;
const RECORDS = Array.from({ length: 10 }, (_, n) => recordAt(n));
const MORE = Array.from({ length: 8 }, (_, n) => recordAt(10 + n));
const TWO: readonly RouteInput[] = [{ pipeline: 'a' }, { pipeline: 'b', published: only('b'), answer: down }];

/** How often each record arrived on a route. */
function timesOn({ taken }: Routed, pipeline: string): number[] {
  const times = RECORDS.map(() => 0);
  for (const text of taken[pipeline] ?? []) {
    const { n } = JSON.parse(text) as { n: number };
    times[n] = (times[n] ?? 0) + 1;
  }
  return times;
}

describe('A 3: a record reaches a healthy route at most twice while another route is out', () => {
  it.each([
    ['before the retry', 'before'],
    ['after the retry', 'after'],
  ] as const)('whichever of the retries kills the container, %s', async (_, when) => {
    const w = routed(TWO);
    let retries = 0;
    for (let retry = 1; retry <= 5; retry++) {
      for (let again = 0; again < 2; again++) {
        const dying = w.mortal((pipeline, index) => (pipeline === 'b' && index === retry ? when : undefined));
        const answer = await dying.run(RECORDS);
        if (answer === 'died') retries++;
        else expect(JSON.stringify(answer)).toBe(from(1));
        expect(Math.max(...timesOn(w, 'a'))).toBeLessThanOrEqual(2);
      }
    }
    expect(retries).toBeGreaterThan(4);
    w.answer('b', acknowledgeAll);
    expect(JSON.stringify(await w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
    expect(timesOn(w, 'b')).toEqual(RECORDS.map((_, n) => n % 2));
    expect(w.marks.all.size).toBe(0);
  });

  it.each([6, 8])(
    'and %i refused ones do not block it, when a mark alone knows all others',
    async (refused) => {
      const refuse = (message: string) =>
        (JSON.parse(message) as { n: number }).n < refused ? { status: 400, message: 'refused' } : undefined;
      const w = routed([
        { pipeline: 'a', answer: acknowledgeBut(refuse) },
        { pipeline: 'b', published: only('b'), answer: down },
      ]);
      await w.run(RECORDS);
      w.answer('b', acknowledgeAll);
      expect(JSON.stringify(await w.run(RECORDS))).toBe(ALL_SETTLED);
      // The last one alone was sent again, to show that the inlet takes anything.
      expect(timesOn(w, 'a').slice(refused, 9)).toEqual(Array(9 - refused).fill(1));
      expect(timesOn(w, 'a')[9]).toBe(2);
    },
  );

  it.each([
    ['by themselves', 6],
    ['by themselves', 30],
    ['with the whole request', 8],
    ['with the whole request', 30],
  ])(
    '%s, %i refused ones do not block it, when the last that AEP took lies behind a batch that Lambda divided',
    async (how, refused) => {
      const all = Array.from({ length: 40 }, (_, n) => recordAt(n, n % 2 === 0 ? 'a' : 'b'));
      const refuse = (message: string) => numberIn(message) < refused;
      const w = routed([
        {
          pipeline: 'a',
          answer: (request) =>
            how === 'with the whole request' && request.messages.some(refuse)
              ? json(413, {})
              : acknowledgeBut((one) => (refuse(one) ? { status: 400 } : undefined))(request),
        },
        { pipeline: 'b', published: only('b'), answer: down },
      ]);
      await w.run(all);
      w.answer('b', acknowledgeAll);
      const before = w.taken.a?.length;
      expect(new Set(w.taken.a?.map(numberIn)).size).toBe(all.length - refused);
      // The first one is rejected already: route b left its checkpoint behind it.
      let left = all.slice(1, 35);
      for (let times = 0; left.length > 0; times++) {
        expect(times).toBeLessThan(10);
        const [open] = (await w.run(left)).batchItemFailures;
        left = left.filter(
          (one) => open !== undefined && (one as { seq: string }).seq >= open.itemIdentifier,
        );
      }
      expect(w.store.documents.flatMap(({ entries }) => entries)).toHaveLength(refused);
      // Nothing was sent again: an earlier message would overwrite newer data.
      expect(w.taken.a).toHaveLength(before ?? 0);
    },
  );

  it('but nothing is rejected by an inlet that refuses what it took last', async () => {
    const w = routed(TWO);
    await w.run(RECORDS);
    w.answer('b', acknowledgeAll);
    w.answer(
      'a',
      acknowledgeBut(() => ({ status: 400 })),
    );
    for (let times = 0; times < 3; times++)
      expect(JSON.stringify(await w.run([...RECORDS, ...MORE]))).toBe(from(10));
    expect(w.store.documents).toEqual([]);
  });

  it('a container for each invocation, without a kill', async () => {
    const w = routed(TWO);
    for (let times = 0; times < 4; times++) expect(JSON.stringify(await w.run(RECORDS))).toBe(from(1));
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
    expect(w.lineOf('a')).toMatchObject({ acknowledged: 0, acknowledgedBefore: 10, requests: 0 });
    expect(w.counted.a?.DuplicatesPossible).toBe(0);
    // What the mark has already is not written again.
    expect(w.marks.calls.write).toBe(1);
  });

  it('a route that is stopped by a fault of its set-up, or has no secret', async () => {
    const w = routed(TWO);
    w.answer('b', () => json(404, {}));
    for (let times = 0; times < 3; times++) await w.run(RECORDS);
    w.secrets.delete('penstock/dev/streams/customers/b');
    for (let times = 0; times < 3; times++) await w.run(RECORDS);
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
  });

  it('an inlet that never answers: the mark does not wait for it', async () => {
    const w = routed(TWO);
    let asked = Promise.withResolvers<void>();
    w.answer('b', () => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    for (let times = 0; times < 3; times++) {
      asked = Promise.withResolvers();
      void w.container()(kinesisEvent(RECORDS), { remainingMs: () => 60_000, invocationId: 'i' });
      await asked.promise;
      // The invocation ends with its container, as at Lambda's timeout.
      while (w.marks.calls.write === 0) await new Promise(setImmediate);
    }
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
  });

  it('rejects of the healthy route are judged again, and stored once, below the checkpoint', async () => {
    const w = routed(TWO);
    w.answer(
      'a',
      acknowledgeBut((message) => (message.includes('"n":5') ? { status: 400 } : undefined)),
    );
    for (let times = 0; times < 3; times++) await w.run(RECORDS);
    expect([timesOn(w, 'a')[4], timesOn(w, 'a')[6], w.store.documents]).toEqual([1, 1, []]);
    w.answer('b', acknowledgeAll);
    expect(JSON.stringify(await w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(w.store.documents.map(({ pipeline, entries }) => [pipeline, entries.length])).toEqual([['a', 1]]);
  });

  it('sub-records are told apart', async () => {
    const parts = ['a', 'b', 'a'].map((type, n) => ({
      key: 'k',
      data: Buffer.from(`{"n":${n},"type":"${type}"}`),
    }));
    const w = routed(TWO);
    for (let times = 0; times < 3; times++) await w.run([aggregate(parts)]);
    expect(timesOn(w, 'a').slice(0, 3)).toEqual([1, 1, 1]);
  });
});

it('A 3: all marks of a shard fit into an item: 40,000 messages are divided among the routes', async () => {
  const w = routed([{ pipeline: 'a' }, { pipeline: 'b', answer: down }]);
  const data = Buffer.from('{"n":1}');
  const records = Array.from({ length: 3 }, () =>
    aggregate(Array.from({ length: 7_000 }, () => ({ key: 'k', data }))),
  );
  await w.run(records);
  expect([...w.marks.all.values()].map(({ keys }) => keys.length)).toEqual([8 * 20_000]);
  expect(w.taken.a).toHaveLength(21_000);
  await w.run(records);
  expect(w.taken.a).toHaveLength(22_000);
});

describe('A 3: a mark never skips what its route did not settle', () => {
  async function marked(): Promise<Routed> {
    const w = routed(TWO);
    await w.run(RECORDS.slice(4, 8));
    expect(w.marks.all.size).toBe(1);
    return w;
  }

  it('is not used by a route with another dataset', async () => {
    const w = await marked();
    w.publish([{ pipeline: 'a', published: { datasetId: 'another' } }, TWO[1] as RouteInput]);
    await w.run(RECORDS.slice(4, 8));
    expect(timesOn(w, 'a').slice(4, 8)).toEqual([2, 2, 2, 2]);
  });

  it('is not used by another route', async () => {
    const w = await marked();
    w.publish([{ pipeline: 'c', published: { datasetId: 'dataset-of-a' } }, TWO[1] as RouteInput]);
    await w.run(RECORDS.slice(4, 8));
    expect(timesOn(w, 'c').slice(4, 8)).toEqual([1, 1, 1, 1]);
  });

  it('knows nothing of records before it, behind it, or between its records', async () => {
    const w = routed(TWO);
    await w.run([RECORDS[2], RECORDS[3], RECORDS[6]] as RecordInput[]);
    await w.run(RECORDS);
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
  });

  it('keeps what lies behind a smaller batch', async () => {
    const w = routed(TWO);
    await w.run(RECORDS);
    await w.run(RECORDS.slice(0, 3));
    w.answer('b', acknowledgeAll);
    expect(JSON.stringify(await w.run(RECORDS.slice(0, 3)))).toBe(ALL_SETTLED);
    expect(w.marks.all.size).toBeGreaterThan(0);
    expect(JSON.stringify(await w.run(RECORDS.slice(3)))).toBe(ALL_SETTLED);
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
    expect(w.marks.all.size).toBe(0);
  });

  it('is of one shard: the records of its children have marks of their own', async () => {
    const w = await marked();
    const event = kinesisEvent(RECORDS.slice(4, 8));
    const Records = event.Records.map((record) => ({
      ...record,
      eventID: `${record.eventID}`.replace(/^[^:]+/, 'shardId-000000000099'),
    }));
    await w.container()({ Records }, { remainingMs: () => 60_000, invocationId: 'i' });
    expect(timesOn(w, 'a').slice(4, 8)).toEqual([2, 2, 2, 2]);
    expect(w.marks.all.size).toBe(2);
  });
});

describe('the store of marks away', () => {
  it('works as without marks, and says so', async () => {
    const w = routed(TWO);
    w.marks.away = new Error('DynamoDB is away');
    const container = w.container();
    for (let times = 0; times < 3; times++)
      expect(JSON.stringify(await w.run(RECORDS.slice(1), container))).toBe(from(1));
    await w.run(RECORDS.slice(0, 1));
    expect(timesOn(w, 'a')).toEqual(RECORDS.map(() => 1));
    expect(w.lines.some(({ message }) => message.includes('could not be read'))).toBe(true);
    w.answer('b', acknowledgeAll);
    expect(JSON.stringify(await w.run(RECORDS))).toBe(ALL_SETTLED);
    expect(timesOn(w, 'b')).toEqual(RECORDS.map((_, n) => n % 2));
  });

  it('asks for none where a stream has one route, and writes none where nothing is in trouble', async () => {
    const one = routed([TWO[0] as RouteInput]);
    await one.run(RECORDS);
    expect(Object.values(one.marks.calls).every((times) => times === 0)).toBe(true);
    const two = routed(TWO);
    two.answer('b', acknowledgeAll);
    await two.run(RECORDS);
    expect(two.marks.calls).toMatchObject({ read: 1, write: 0, clear: 0, outage: 0, outageEnded: 0 });
  });
});

const MOODS = ['fine', 'fine', 'fine', 'down', 'lost', 'some', 'refused', '404', '401'] as const;
type Mood = (typeof MOODS)[number];

function answerOf(mood: Mood): Answer {
  return (request) => {
    if (mood === 'down') return json(503, {});
    if (mood === 'lost') throw new Error('the connection was reset');
    if (mood === '404') return json(404, {});
    if (mood === '401') return json(401, {});
    if (mood === 'refused')
      return acknowledgeBut((message) => (message.includes('7') ? { status: 400 } : undefined))(request);
    if (mood === 'some')
      return multi(
        request.messages.map((_, at) => (at % 3 === 1 ? { status: 503 } : { xactionId: `x-${at}` })),
      );
    return acknowledgeAll(request);
  };
}

const turn = fc.record({
  moods: fc.array(fc.constantFrom(...MOODS), { minLength: 3, maxLength: 3 }),
  size: fc.integer({ min: 1, max: 12 }),
  fresh: fc.boolean(),
  dies: fc.option(fc.record({ of: fc.nat(2), at: fc.nat(3), when: fc.constantFrom('before', 'after') })),
  away: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  republished: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
});

describe('A 4: the records of a batch that is done', () => {
  it('are held by nobody, whatever the clock still waits for', async () => {
    const w = routed(TWO);
    w.answer('b', acknowledgeAll);
    const waits: Promise<void>[] = [];
    const sleep = () => {
      const wait = new Promise<void>(() => undefined);
      waits.push(wait);
      return wait;
    };
    const forward = createForward({ ...w.runtime, clock: { ...w.clock, sleep } });
    const done = async () => {
      const event = kinesisEvent(RECORDS);
      expect(JSON.stringify(await forward(event, { remainingMs: () => 60_000, invocationId: 'i' }))).toBe(
        ALL_SETTLED,
      );
      return event.Records.map((record) => new WeakRef(record));
    };
    const records = await done();
    // What a weak reference was made of lives until the turn ends.
    await new Promise(setImmediate);
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    expect(waits.length).toBeGreaterThan(0);
    expect(records.filter((record) => record.deref() !== undefined)).toEqual([]);
  });
});

describe('random outages of each route, kills, republications and smaller batches', () => {
  it('nothing is lost on any route, and nothing is in the wrong dataset', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 25 }), async (turns) => {
        const types = ['a', 'b', 'c', 'all', 'none'];
        const all = Array.from({ length: 60 }, (_, n) => recordAt(n, types[(n * 7) % types.length]));
        const routesOf = (generation: number): RouteInput[] =>
          ['a', 'b', 'c'].map((pipeline) => ({
            pipeline,
            published: {
              // The third takes everything.
              ...(pipeline !== 'c' && only(pipeline)),
              datasetId: `${pipeline}-${pipeline === 'b' ? generation : 0}`,
            },
          }));
        const isFor = (n: number, pipeline: string) =>
          pipeline === 'c' || types[(n * 7) % types.length] === pipeline;
        let generation = 0;
        const w = routed(routesOf(generation));
        // What has reached the dataset that is published now.
        const since: Record<string, number> = { a: 0, b: 0, c: 0 };
        let container = w.mortal(() => undefined);
        let dies: (typeof turns)[number]['dies'] = null;
        const fresh = () => w.mortal((pipeline, index) => diesAt(dies, pipeline, index));
        let position = 0;
        const step = async (one: (typeof turns)[number]) => {
          ({ dies } = one);
          ['a', 'b', 'c'].forEach((pipeline, index) => {
            w.answer(pipeline, answerOf(one.moods[index] as Mood));
          });
          w.marks.away = one.away ? new Error('away') : undefined;
          if (one.republished) {
            w.publish(routesOf(++generation));
            since.b = w.taken.b?.length ?? 0;
          }
          if (one.fresh || one.republished || one.dies !== null || container.isDead()) container = fresh();
          const batch = all.slice(position, position + one.size);
          const answer = await container.run(batch).catch(() => 'failed' as const);
          if (answer === 'died' || answer === 'failed') return;
          const [item] = answer.batchItemFailures;
          const passed =
            item === undefined
              ? batch.length
              : batch.findIndex((each) => (each as { seq: string }).seq === item.itemIdentifier);
          for (let n = position; n < position + passed; n++) check(n);
          position += passed;
        };
        const check = (n: number) => {
          for (const pipeline of ['a', 'b', 'c']) {
            if (!isFor(n, pipeline)) continue;
            const taken = (w.taken[pipeline] ?? []).slice(since[pipeline]).some((text) => nOf(text) === n);
            const kept = w.store.documents.some(
              (document) =>
                document.pipeline === pipeline &&
                document.entries.some(({ sequenceNumber }) => sequenceNumber === seqOf(n)),
            );
            if (!taken && !kept) throw new Error(`${n} is lost on ${pipeline}`);
          }
        };
        for (const one of turns) if (position < all.length) await step(one);
        const calm = {
          moods: ['fine', 'fine', 'fine'],
          fresh: true,
          dies: null,
          away: false,
          republished: false,
        };
        for (let times = 0; position < all.length && times < 20; times++)
          await step({ ...calm, size: 12 } as (typeof turns)[number]);
        expect(position).toBe(all.length);
        for (const pipeline of ['a', 'b', 'c'])
          for (const text of w.taken[pipeline] ?? []) expect(isFor(nOf(text), pipeline)).toBe(true);
      }),
      { numRuns: runs(60), seed: 20_261_128 },
    );
  });
});

const nOf = (text: string): number => (JSON.parse(text) as { n: number }).n;

function diesAt(
  dies: { readonly of: number; readonly at: number; readonly when: string } | null,
  pipeline: string,
  index: number,
): 'before' | 'after' | undefined {
  if (dies === null || ['a', 'b', 'c'][dies.of] !== pipeline || dies.at !== index) return undefined;
  return dies.when as 'before' | 'after';
}
