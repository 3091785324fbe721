import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../lib/aep/inlet.ts';
import { Session } from '../../../lib/aep/token.ts';
import { HANDFUL } from '../../../lib/forward/send/classes.ts';
import { createLimits } from '../../../lib/forward/send/limits.ts';
import type { Sender, Sent } from '../../../lib/forward/send/run.ts';
import { createStanding } from '../../../lib/forward/send/standing.ts';
import type { DeadLetterDocument } from '../../../lib/runtime.ts';
import { seededRandom } from '../../../local/aep/ids.ts';
import {
  ALL_SETTLED,
  from,
  kinesisEvent,
  PUBLISHED,
  type RecordInput,
  seq,
  virtualClock,
  type World,
  world,
} from '../../support/forwarding.ts';
import { acknowledgeAll, fakeInlet, json } from '../../support/inlet.ts';
import { type Asked, answerOf, Load, type Trouble } from '../../support/load.ts';
import { all, answered, failed, type Post, sending } from '../../support/sending.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const serverError = () => failed('transient', undefined, 500);
const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(20);

function rejectsOf({ settled }: Sent): string {
  return settled
    .filter(({ verdict }) => verdict.kind === 'rejected')
    .map(({ message }) => message.partitionKey)
    .join('');
}

describe('A 5: a burst of 500s in mid-invocation', () => {
  /** In virtual time, every request taking so many ms. */
  function timed(isDown: (ms: number) => boolean, latencyMs: number, broken = '') {
    const clock = virtualClock();
    const began = clock.now();
    const post: Post = async (name, batch) => {
      await clock.sleep(latencyMs);
      const bad = isDown(clock.now() - began) || [...name].some((one) => broken.includes(one));
      return bad ? serverError() : all(batch);
    };
    const budgetMs = () => began + 58_000 - clock.now();
    return sending(post, { clock, limits: createLimits(clock), budgetMs });
  }

  it.each([
    [10, 50],
    [50, 50],
    [200, 50],
    [500, 20],
  ])('that begins after one request costs none of the %i records of the next', async (size, latencyMs) => {
    const { run } = timed((ms) => ms > latencyMs, latencyMs);
    const sent = await run(`a,${letters.slice(0, size)}`);
    expect(rejectsOf(sent)).toBe('');
    expect(sent).toMatchObject({ acknowledged: 1, stop: { why: 'attempts', fault: false } });
  });

  it('that begins and ends within the invocation costs no record, whenever that is', async () => {
    const story = fc.record({
      sizes: fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 3,
      }),
      from: fc.integer({ min: 0, max: 3_000 }),
      lasts: fc.integer({ min: 0, max: 60_000 }),
      latencyMs: fc.constantFrom(5, 50, 400),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ sizes, from, lasts, latencyMs }) => {
        const { run } = timed((ms) => ms >= from && ms < from + lasts, latencyMs);
        const texts = sizes.map((lane) => lane.map((size) => letters.slice(0, size)).join(','));
        expect(rejectsOf(await run(...texts))).toBe('');
      }),
      { numRuns: 300, seed: 20_261_128 },
    );
  });

  it.each([
    ['500', () => serverError()],
    ['400', () => failed('data', undefined, 400)],
  ] as const)(
    'answered %s: what was taken before it and answered in it is no evidence',
    async (_, refusal) => {
      for (let seed = 1; seed <= 100; seed++) {
        const random = seededRandom(seed);
        const clock = new VirtualTime({ now: 0 });
        const from = random() * 2_000;
        const post: Post = async (_name, batch) => {
          const down = clock.now() >= from;
          await clock.sleep(down ? 20 : random() < 0.5 ? 50 : random() * 15_000);
          return down ? refusal() : all(batch);
        };
        const more = { clock, limits: createLimits(clock), budgetMs: () => 58_000 - clock.now(), random };
        const lane = () => Array.from({ length: 6 }, () => letters.slice(0, 1 + random() * 6)).join(',');
        const sent = await sending(post, more).run(...Array.from({ length: 8 }, lane));
        const unproven = [...rejectsOf(sent)].length;
        expect(unproven, `seed ${seed}`).toBeLessThanOrEqual(sent.unproven.size);
        expect(unproven).toBeLessThanOrEqual(HANDFUL);
      }
    },
  );

  it.each([0.5, 0.7, 0.9])('of %f of all requests, by chance, costs next to no record', async (share) => {
    let rejected = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const clock = new VirtualTime({ now: 0 });
      const post: Post = async (_name, batch) => {
        await clock.sleep(50);
        return random() < share ? serverError() : all(batch);
      };
      const more = { clock, limits: createLimits(clock), budgetMs: () => 58_000 - clock.now(), random };
      const lane = Array.from({ length: 5 }, () => letters.slice(0, 100)).join(',');
      rejected += rejectsOf(await sending(post, more).run(lane, lane, lane, lane)).length;
    }
    // Of 80,000. By chance alone they cannot all be told apart.
    expect(rejected).toBeLessThanOrEqual(4);
  });

  it('by chance, in strict order, lets none of a key be taken before an earlier one that is still to be sent', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = seededRandom(seed);
      const share = random();
      const clock = new VirtualTime({ now: 0 });
      const takenFirst: number[][] = [];
      const post: Post = async (_name, batch) => {
        await clock.sleep(random() * 400);
        if (random() < share || (seed % 3 === 0 && batch.some(({ message }) => message.partitionKey === '!')))
          return serverError();
        takenFirst.push(batch.map(({ message }) => Number(message.sequenceNumber)));
        return all(batch);
      };
      const budgetMs = () => 58_000 - clock.now();
      const more = { clock, limits: createLimits(clock), budgetMs, random, strict: true };
      const sent = await sending(post, more).run('a,b,!,d,e,f', 'g,h,i,!,k', 'l,m,n');
      const first = sent.settled[0]?.message.sequenceNumber ?? 0;
      const [taken, open] = [new Set(takenFirst.flat()), new Set<number>()];
      for (const { message, verdict } of sent.settled) {
        const at = Number(message.sequenceNumber);
        // A lane each: a key.
        if ([6, 11].includes(at - Number(first))) open.clear();
        if (taken.has(at)) expect([...open], `seed ${seed}`).toEqual([]);
        if (verdict.kind === 'retry') open.add(at);
      }
    }
  });

  it('does not hide the record that fails for itself: others are taken before it is tried, and after', async () => {
    const { run } = timed((ms) => ms > 500 && ms < 4_000, 50, '!');
    const sent = await run(`${letters.slice(0, 30)}!${letters.slice(0, 9)},abc`);
    expect(rejectsOf(sent)).toBe('!');
    expect(sent.acknowledged).toBe(42);
  });
});

describe('A 5: one record that fails for itself', () => {
  const poisoned: Post = (name, batch) => (name.includes('!') ? serverError() : all(batch));

  it('is rejected wherever it stands, in one invocation: the message that was taken last is sent once more', async () => {
    for (const text of ['!a', 'a!', 'a!b', 'ab,!', 'a!,b', 'a,b!c,d!']) {
      const { run, posts } = sending(poisoned);
      const sent = await run(text);
      expect(rejectsOf(sent)).toBe([...text].filter((one) => one === '!').join(''));
      expect(sent).toMatchObject({ stop: undefined, acknowledged: text.replaceAll(/[!,]/g, '').length });
      // Copies of sound messages: once before it is tried, and once after.
      const last = text.replaceAll(/[!,]/g, '').at(-1) as string;
      expect(posts.filter((name) => name === last).length).toBeLessThanOrEqual(3);
    }
  });

  it.each([
    ['429', () => failed('throttled', undefined, 429), undefined],
    ['503', () => failed('transient', undefined, 503), undefined],
    ['401', () => failed('auth', undefined, 401), new Session('t', 'c', 'o')],
  ] as const)(
    'is rejected, too, where the message that was taken last is answered %s once',
    async (_, once, session) => {
      for (const [text, bad] of [
        ['abc,d!', (name: string) => (name.includes('!') ? serverError() : undefined)],
        [
          'abc,d!!!!!!!!',
          (name: string) => (name.includes('!') ? failed('data', undefined, 400) : undefined),
        ],
      ] as const) {
        let turn = 0;
        const again = (name: string) => name === 'd' && ++turn === 2;
        const current = () => Promise.resolve(session as Session);
        const sessions = session && { current, accept: () => {}, reject: () => {} };
        const { run } = sending((name, batch) => bad(name) ?? (again(name) ? once() : all(batch)), {
          sessions,
        });
        const sent = await run(text);
        expect(rejectsOf(sent)).toBe(text.replaceAll(/[^!]/g, ''));
        expect(sent).toMatchObject({ acknowledged: 4, stop: undefined });
        expect(turn).toBeGreaterThan(2);
      }
    },
  );

  it('is sent in front of no later one of its key, and the copy is of the latest', async () => {
    const { run, posts } = sending(poisoned);
    await run('abc,def!');
    expect(posts.slice(posts.lastIndexOf('!')).filter((name) => name !== '!')).toEqual(['f']);
  });

  it('alone waits in the stream: nobody can tell it from an outage', async () => {
    const { run, posts } = sending(poisoned);
    expect(await run('!')).toMatchObject({ verdicts: '!t', stop: { why: 'attempts', fault: false } });
    expect(posts).toHaveLength(5);
  });

  it('among more than a handful in a row, nothing else being new, waits for a record that is taken', async () => {
    const { run, posts } = sending(poisoned);
    expect(rejectsOf(await run('!'.repeat(HANDFUL + 3)))).toBe('');
    posts.splice(0);
    const sent = await run(`${'!'.repeat(HANDFUL + 3)}a,bcd,efgh`);
    expect(rejectsOf(sent)).toBe('!'.repeat(HANDFUL + 3));
    expect(sent.acknowledged).toBe(8);
  });

  it('in strict order holds its lane where nothing shows that the inlet takes anything', async () => {
    const order: string[] = [];
    const { run } = sending(
      (name, batch) => {
        if (name.includes('!')) return serverError();
        order.push(name);
        return all(batch);
      },
      { strict: true },
    );
    // One key: a request each.
    expect((await run('!,a,b')).verdicts).toBe('!t at bt');
    expect(order).toEqual([]);
    expect((await run('a,!,b')).verdicts).toBe('al !j bl');
  });

  it('in strict order, in one outage that ends: nothing is rejected', async () => {
    for (let from = 0; from <= 2_000; from += 500)
      for (let ms = 1_000; ms <= 30_000; ms += 1_000) {
        let w: World | undefined;
        let began = 0;
        const now = () => (w?.clock.now() ?? 0) - began;
        const inlet = fakeInlet(async (request) => {
          await w?.clock.sleep(100);
          return now() >= from && now() < from + ms ? json(500, {}) : acknowledgeAll(request);
        });
        w = world({ inlet, published: { order: 'strict' } });
        began = w.clock.now();
        for (let turn = 0; turn < 3; turn++)
          await w.run([0, 1, 2, 3, 4, 5].map((n) => ({ data: `{"n":${n}}`, key: n % 2 ? 'a' : 'b' })));
        expect(w.reasons(), `from ${from} for ${ms} ms`).toEqual([]);
      }
  });

  it('in strict order in an outage: nothing is rejected, and nothing passes it', async () => {
    const { run, posts } = sending(serverError, { strict: true });
    const sent = await run('a,b,c,d,e,f,g,h');
    expect(sent.verdicts).toBe('at bt ct dt et ft gt ht');
    expect(posts.join('')).toMatch(/^a+b*c*d*e*f*g*h*$/);
  });
});

describe('A 5: where everything is refused the same way', () => {
  const kinds: [string, Post][] = [
    ['400', () => failed('data', undefined, 400)],
    ['413', () => failed('too-large', undefined, 413)],
    [
      'a 207 with a 400 for each',
      (_, batch) =>
        answered(batch.map((): Outcome => ({ kind: 'refused', class: 'data', status: 400, said: 'no' }))),
    ],
  ];

  it.each(kinds)('%s: nothing is rejected, sending stops, and says so', async (_, post) => {
    const { run, posts } = sending(post);
    const sent = await run(`${letters},${letters}`, letters.slice(0, 200));
    expect(rejectsOf(sent)).toBe('');
    expect(sent.stop).toMatchObject({ why: 'set-up', fault: true, failure: { code: 'AEP_REFUSED' } });
    expect(sent.stop?.failure?.next).toContain('stay in the stream');
    expect(posts.length).toBeLessThanOrEqual(40);
  });

  it.each(kinds)('%s: from some moment on, nothing is rejected any more', async (_, post) => {
    let turn = 0;
    const { run } = sending((name, batch, session) => (turn++ < 1 ? all(batch) : post(name, batch, session)));
    const sent = await run(`${letters.slice(0, 50)},${letters.slice(0, 50)},${letters.slice(0, 50)}`);
    expect(rejectsOf(sent)).toBe('');
    expect(sent).toMatchObject({ acknowledged: 50, stop: { why: 'set-up', fault: true } });
  });

  it.each(kinds)(
    '%s: in small events, no more than a handful are rejected until something is taken',
    async (_, post) => {
      let up = false;
      const clock = virtualClock();
      const standing = createStanding(clock);
      const more: Partial<Sender> = {
        clock,
        standing,
        limits: createLimits(clock),
        budgetMs: () => 58_000,
      };
      const { run } = sending((name, batch, session) => (up ? all(batch) : post(name, batch, session)), more);
      let rejected = 0;
      for (let turn = 0; turn < 20; turn++) {
        const sent = await run(letters.slice(0, 1 + turn));
        standing.refused(sent.unproven.size);
        rejected += rejectsOf(sent).length;
        await clock.sleep(60_000);
      }
      expect(rejected).toBeGreaterThan(0);
      expect(rejected).toBeLessThanOrEqual(HANDFUL);
      up = true;
      expect((await run('ab')).acknowledged).toBe(2);
      up = false;
      expect(rejectsOf(await run('ab'))).toBe('ab');
    },
  );

  it('and some are taken after all, all that were refused before are rejected', async () => {
    for (const [, post] of kinds) {
      const { run } = sending((name, batch, session) => {
        const bad = [...name].filter((one) => one === '!').length;
        if (bad === 0) return all(batch);
        if (bad === name.length) return post(name, batch, session);
        const reply = post(name, batch, session);
        if (reply instanceof Promise || reply.kind === 'failed') return reply;
        const outcomes = reply.outcomes.map((one, at) =>
          name[at] === '!' ? one : ({ kind: 'acknowledged' } as const),
        );
        return answered(outcomes);
      });
      const sent = await run(`${'!'.repeat(HANDFUL + 4)}abc,def`);
      expect(rejectsOf(sent)).toBe('!'.repeat(HANDFUL + 4));
      expect(sent).toMatchObject({ acknowledged: 6, stop: undefined });
    }
  });
});

describe('A 5: what comes again by itself, and nothing with it', () => {
  it('is let go one an hour where it is refused: six do not hold their shard until they are too old', async () => {
    const load: Load = new Load({
      trouble: ({ texts }) =>
        texts.some((text) => text.includes('"broken"')) ? () => answerOf(400, {}) : undefined,
    });
    for (let n = 0; n < 6; n++) load.produce('key', (m) => `{"n":${m},"a":"broken"}`, 'refused');
    const later = async () => {
      await load.clock.sleep(60_000);
      for (let n = 0; n < 20; n++) load.produce('key', (m) => `{"n":${m}}`);
    };
    await Promise.all([load.drain(undefined, 4 * 3_600_000), later()]);
    expect([load.pending, load.stored.size, load.taken.size]).toEqual([0, 6, 20]);
    expect([load.wrong, load.lost]).toEqual([[], []]);
  });

  it('is looked into where it gets a 500, whatever Retry-After that bears', async () => {
    const { run } = sending((name, batch) =>
      name.includes('!') ? failed('transient', 300_000, 500) : all(batch),
    );
    expect((await run('ab!cd')).verdicts).toBe('al bl !j cl dl');
  });

  it('is looked into where a 207 has 500 for one, and other failures of the service for others', async () => {
    const { run } = sending((_, batch) =>
      answered(
        batch.map(({ message: { partitionKey } }): Outcome => {
          const status =
            partitionKey === '!' ? 500 : partitionKey === '?' && batch.length > 1 ? 503 : undefined;
          return status === undefined
            ? { kind: 'acknowledged' }
            : { kind: 'refused', class: 'transient', status, said: 'later' };
        }),
      ),
    );
    expect((await run('ab!c?d')).verdicts).toBe('al bl !j cl ?l dl');
  });
});

describe('A 5: the forwarder, by the rules of Lambda', () => {
  const broken = ({ texts }: Asked): Trouble | undefined =>
    texts.some((text) => text.includes('"broken"')) ? () => answerOf(500, {}) : undefined;

  it('loses nothing and rejects nothing sound in bursts of 500s, one after the other', async () => {
    const load: Load = new Load({
      latencyMs: 50,
      // Many requests an invocation.
      published: { rate: { messagesPerSecond: 50 } },
      // Half of every minute.
      trouble: () => (load.time.now % 60_000 < 30_000 ? () => answerOf(500, {}) : undefined),
    });
    for (let n = 0; n < 3_000; n++) load.produce(`key-${n % 50}`, (m) => `{"n":${m}}`);
    await load.drain(() => 400);
    expect([load.wrong, load.lost, load.misjudged]).toEqual([[], [], []]);
    expect(load.stored.size).toBe(0);
  });

  it('keeps a stream that is refused whole, but for a handful, and sends it once the set-up is mended', async () => {
    let mended = false;
    const load: Load = new Load({ trouble: () => (mended ? undefined : () => answerOf(400, {})) });
    for (let n = 0; n < 1_000; n++) load.produce(`key-${n % 50}`, (m) => `{"n":${m}}`);
    await load.drain(() => 100, 3_600_000);
    expect(load.stored.size).toBeLessThanOrEqual(HANDFUL);
    expect(load.counts.get('threw AEP_REFUSED')).toBeGreaterThan(0);
    mended = true;
    await load.drain(() => 100);
    expect(load.lost).toEqual([]);
    expect(load.taken.size).toBe(1_000 - load.stored.size);
  });

  it('gets past a record that gets 500 every time while others are taken', async () => {
    const load: Load = new Load({ trouble: (asked) => broken(asked) });
    for (let n = 0; n < 300; n++)
      load.produce(`key-${n % 7}`, (m) => (m % 100 === 50 ? `{"n":${m},"a":"broken"}` : `{"n":${m}}`));
    await load.drain(() => 60);
    expect([...load.stored.keys()]).toEqual([50, 150, 250]);
    expect(load.taken.size).toBe(297);
  });
});

const BROKEN = '{"n":"broken"}';

/** An inlet that fails with a processing error on whatever holds the broken record, and on everything while it is down. */
function failing(isDown: () => boolean = () => false) {
  return fakeInlet((request) =>
    isDown() || request.text.includes('"broken"') ? json(500, {}) : acknowledgeAll(request),
  );
}

/** An event of that shard, in the same container. */
async function ofShard(shard: number, w: World, inputs: readonly RecordInput[], remainingMs = 60_000) {
  const { Records } = kinesisEvent(inputs);
  const shardId = `shardId-${String(shard).padStart(12, '0')}`;
  for (const record of Records) record.eventID = String(record.eventID).replace(/^[^:]+/, shardId);
  const deadline = w.clock.now() + remainingMs;
  const invocation = { remainingMs: () => deadline - w.clock.now(), invocationId: `of-${shardId}` };
  return JSON.stringify(await w.forward({ Records }, invocation));
}

const sound = (n: number): RecordInput => ({ data: `{"n":${n}}`, seq: seq(1_000 + n) });

describe('A 5: a record that gets 500 every time, alone in its event', () => {
  it('is rejected once records of other shards were taken after each of five failures', async () => {
    const w = world({ inlet: failing() });
    for (let stretch = 1; stretch <= 5; stretch++) {
      expect(await ofShard(7, w, [BROKEN]), `stretch ${stretch}`).toBe(from(0));
      expect(await ofShard(8, w, [sound(stretch)])).toBe(ALL_SETTLED);
    }
    expect(w.reasons()).toEqual([]);
    expect(await ofShard(7, w, [BROKEN])).toBe(ALL_SETTLED);
    expect(w.reasons()).toEqual(['refused']);
  });

  it('is rejected in strict order as well, once others were taken after each of five failures', async () => {
    const w = world({ inlet: failing(), published: { order: 'strict' } });
    const both = [BROKEN, '{"n":9}'].map((data) => ({ data, key: 'one' }));
    for (let stretch = 1; stretch <= 5; stretch++) {
      expect(await ofShard(7, w, both), `stretch ${stretch}`).toBe(from(0));
      expect(await ofShard(8, w, [sound(stretch)])).toBe(ALL_SETTLED);
    }
    expect(w.reasons()).toEqual([]);
    expect(await ofShard(7, w, both)).toBe(ALL_SETTLED);
    expect(w.reasons()).toEqual(['refused']);
  });

  it('waits as long as nothing was taken after its last failure, however often it comes', async () => {
    const w = world({ inlet: failing() });
    for (let turn = 0; turn < 5; turn++) expect(await ofShard(7, w, [BROKEN])).toBe(from(0));
    await ofShard(8, w, [sound(1), sound(2), sound(3)]);
    for (let turn = 0; turn < 5; turn++) expect(await ofShard(7, w, [BROKEN])).toBe(from(0));
    expect(w.reasons()).toEqual([]);
  });

  it('is said to hold its shard: the log names it, and a metric counts it', async () => {
    const w = world({ inlet: failing() });
    await ofShard(7, w, [BROKEN]);
    await ofShard(8, w, [sound(1)]);
    await ofShard(7, w, [BROKEN]);
    const lines = w.lines.filter(({ message }) => message === 'a record that fails alone holds its shard');
    expect(lines.map(({ fields }) => fields)).toMatchObject([
      { stream: 'customers', shardId: 'shardId-000000000007', sequenceNumber: seq(0), stretches: 1 },
      { pipeline: 'customers', sequenceNumber: seq(0), stretches: 2, failing: 1 },
    ]);
    expect(w.counted.ShardsHeld).toBe(2);
  });

  it('is sent beside the one that was taken behind it before, where that was the last of its shard', async () => {
    const w = world({ inlet: failing() });
    // Too little time to find anything out, but for what is taken.
    expect(await ofShard(7, w, [BROKEN, '{"n":1}'], 4_500)).toBe(from(0));
    expect(w.inlet.acknowledged).toContain('{"n":1}');
    expect(await ofShard(7, w, [BROKEN, '{"n":1}'])).toBe(ALL_SETTLED);
    expect(w.reasons()).toEqual(['refused']);
    expect(w.counted.ConservationDifference).toBe(0);
  });

  it('has no witness in what lies before the last one taken: a copy of that would go back behind the last', async () => {
    const w = world({ inlet: failing() });
    await ofShard(7, w, [BROKEN, '{"n":1}', '{"n":2}'], 4_500);
    w.inlet.requests.splice(0);
    expect(await ofShard(7, w, [BROKEN, '{"n":1}'])).toBe(from(0));
    expect(w.inlet.requests.some(({ text }) => text.includes('{"n":1}'))).toBe(false);
  });

  it('is not rejected where others failed for nothing meanwhile: that tells of the inlet', async () => {
    let down = false;
    const w = world({ inlet: failing(() => down) });
    for (let turn = 1; turn <= 12; turn++) {
      expect(await ofShard(7, w, [BROKEN])).toBe(from(0));
      down = true;
      expect(await ofShard(8, w, [sound(turn)])).toBe(from(1_000 + turn));
      down = false;
      expect(await ofShard(8, w, [sound(turn)])).toBe(ALL_SETTLED);
    }
    expect(w.reasons()).toEqual([]);
  });

  it('holds its shard no longer than its age limit, with no other to show whose fault it is: Lambda keeps it, and goes on', async () => {
    const isBroken = ({ texts }: Asked) => texts.some((text) => text.includes('"broken"'));
    const load = new Load({ trouble: (asked) => (isBroken(asked) ? () => answerOf(500, {}) : undefined) });
    load.produce('key', (n) => `{"n":${n},"a":"broken"}`);
    const later = async () => {
      await load.clock.sleep(12 * 3_600_000);
      for (let n = 0; n < 3; n++) load.produce('key', (m) => `{"n":${m}}`);
    };
    await Promise.all([load.drain(() => 1, 23 * 3_600_000), later()]);
    expect([load.counts.get('expired'), load.pending, load.stored.size]).toEqual([1, 0, 0]);
    expect(load.wrong).toEqual(['1 records were given up']);
    expect([...load.taken.keys()]).toEqual([1, 2, 3]);
    expect(load.metrics.ShardsHeld).toBeGreaterThan(500);
  });

  it.each([500, 400])(
    'or %i: what was found out about it is forgotten once something else is published, as a mended mapping is',
    async (status) => {
      const stored: unknown[] = [];
      let isFull = true;
      const deadLetters = {
        put: async (document: DeadLetterDocument) => {
          if (isFull) throw new Error('AccessDenied');
          stored.push(document);
          return { key: 'k', entries: document.entries.length };
        },
      };
      const inlet = fakeInlet((request) =>
        request.text.includes('"broken"') ? json(status, {}) : acknowledgeAll(request),
      );
      // More than may be rejected by the inlet's word alone.
      const broken = Array.from({ length: HANDFUL + 2 }, () => BROKEN);
      const publish = (w: World, more: object) => {
        w.secrets.set('penstock/dev/streams/customers', JSON.stringify({ ...PUBLISHED, ...more }));
        return w.clock.sleep(61_000);
      };
      for (const [more, isRemembered] of [
        [{}, true],
        [{ flowId: '5a0c6a0e-2a1b-4a55-9a37-3e7c9c0d1e23' }, false],
      ] as const) {
        isFull = true;
        const w = world({ inlet, deadLetters });
        expect(await ofShard(7, w, [...broken, '{"n":1}'])).toBe(from(0));
        await publish(w, more);
        isFull = false;
        const again = await ofShard(7, w, broken).catch(() => undefined);
        expect(again === ALL_SETTLED).toBe(isRemembered);
        expect(stored.splice(0)).toHaveLength(isRemembered ? 1 : 0);
      }
    },
  );

  it('is told from an outage that comes and goes while shards take turns: that costs no sound record', async () => {
    let rejected = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const periodMs = 5_000 + random() * 115_000;
      const w: World = world({ inlet: failing(() => w.clock.now() % periodMs < periodMs / 2) });
      const due = [0, 0, 0];
      for (let turn = 0; turn < 60; turn++) {
        const shard = Math.floor(random() * due.length);
        const answer = await ofShard(shard, w, [sound(shard * 100 + (due[shard] as number))]);
        if (answer === ALL_SETTLED) due[shard] = (due[shard] as number) + 1;
        await w.clock.sleep(random() * 60_000);
      }
      rejected += w.reasons().length;
    }
    expect(rejected).toBe(0);
  });
});
