import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FetchInit } from '../../lib/aep/transport.ts';
import { laneOf } from '../../lib/forward/send/batch.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import { runs } from '../support/depth.ts';
import { kinesisEvent, type RecordInput, SHARD_ID, seq, world } from '../support/forwarding.ts';
import { type Answer, acknowledgeAll, type FakeInlet, fakeInlet, json, multi } from '../support/inlet.ts';
import { isBlockBody, moody } from '../support/moody.ts';

/** A condition that every object meets: the forwarder has to look at each record. */
const ONE_BY_ONE: Partial<PublishedPipeline> = {
  records: { where: [{ field: '/no-such-field', exists: false }] },
};

type Fetch = FakeInlet['fetch'];

/** The inlet with a look at each body before it is asked. */
function watched(
  answer: Answer,
  look: (body: Uint8Array, fetch: () => Promise<Response>) => Promise<Response>,
) {
  const inlet = fakeInlet(answer);
  const fetch: Fetch = (url: string, init: FetchInit) =>
    init.body instanceof Uint8Array ? look(init.body, () => inlet.fetch(url, init)) : inlet.fetch(url, init);
  return { ...inlet, fetch };
}

/**
 * A record of its own: most are ordinary, some the inlet does not take, and few have to be looked at by themselves.
 * @param ordinary how many times as many of them are ordinary
 */
const recordOf = (ordinary: number) =>
  fc.oneof(
    { weight: 60 * ordinary, arbitrary: fc.record({ value: fc.jsonValue({ maxDepth: 2 }) }).map(text) },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom('refused', 'down', 'failing', 'unclear', 'never')
        .map((mood) => text({ mood })),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom<(n: number) => RecordInput>(
        (n) => `\ufeff{"n":${n}}`,
        (n) => `{"n":${n}`,
        (n) => `{"n":${n}},{"n":${n}}`,
        (n) => `[${n}]`,
        (n) => `{"header":{"flowId":"f"},"body":{"n":${n}}}`,
        (n) => `{"header":{},"n":${n}}`,
        (n) => Buffer.concat([Buffer.from(`{"n":${n},"t":"`), Buffer.from([0xc3]), Buffer.from('"}')]),
        (n) => ({ base64: `${btoa(`{"n":${n}}`)}*` }),
        () => ({ data: null }),
        () => ({ data: '' }),
      ),
    },
  );

function text(members: object): (n: number) => RecordInput {
  return (n) => JSON.stringify({ n, ...members });
}

interface Batch {
  readonly records: readonly ((n: number) => RecordInput)[];
  readonly keys: number;
  readonly data: 'raw' | 'xdm';
  readonly storeFails: boolean;
  /** Whether Lambda brings what comes again in two halves. */
  readonly isBisected: boolean;
}

function batchesOf(length: { readonly minLength: number; readonly maxLength: number }, ordinary = 1) {
  return fc.record<Batch>({
    records: fc.array(recordOf(ordinary), length),
    keys: fc.integer({ min: 1, max: 9 }),
    data: fc.constantFrom('raw', 'xdm'),
    storeFails: fc.boolean(),
    isBisected: fc.boolean(),
  });
}

/** What shows that a property met what it is about. */
interface Met {
  blocks: number;
  comeAgain: number;
  knownAgain: number;
  rejected: number;
}

/** Forwards the batch, and what comes again of it. Returns the number of blocks, and all that can be seen. */
async function play(
  { records, keys, data, storeFails, isBisected }: Batch,
  { padding = 0, ...more }: Partial<PublishedPipeline> & { readonly padding?: number },
  met: Met,
) {
  const inputs = records.map((make, n): RecordInput => {
    const made = make(n);
    const own = typeof made === 'string' || made instanceof Uint8Array ? { data: made } : made;
    return { ...padded(own, padding), key: `key-${n % keys}`, seq: seq(n) };
  });
  let blocks = 0;
  const inlet = watched(moody(), (body, fetch) => {
    if (isBlockBody(body)) blocks++;
    return fetch();
  });
  let isAway = storeFails;
  const stored: unknown[] = [];
  const w = world({
    inlet,
    published: { data, ...more },
    deadLetters: {
      async put({ entries }) {
        if (isAway) throw new Error('away');
        stored.push(...entries);
        return { key: 'k', entries: entries.length };
      },
    },
  });
  const answers: unknown[] = [];
  const due: (readonly RecordInput[])[] = [inputs];
  for (let turn = 0; turn < 5; turn++) {
    const batch = due.shift();
    if (batch === undefined) break;
    const { batchItemFailures } = await w.run(batch);
    answers.push(batchItemFailures);
    isAway = false;
    const [failure] = batchItemFailures;
    if (failure === undefined) continue;
    met.comeAgain++;
    const left = batch.filter(
      (one) => BigInt((one as { seq: string }).seq) >= BigInt(failure.itemIdentifier),
    );
    const middle = isBisected ? Math.ceil(left.length / 2) : left.length;
    due.unshift(...[left.slice(0, middle), left.slice(middle)].filter(({ length }) => length > 0));
  }
  met.rejected += stored.length;
  met.knownAgain += w.counted.RecordsAcknowledgedBefore ?? 0;
  const requests = inlet.requests.map(({ text }) => text);
  return { blocks, seen: { answers, requests, stored, counted: w.counted } };
}

/** The same with so many characters more, where it is the text of an object. */
function padded<One extends object>(one: One, characters: number): One {
  const { data } = one as { readonly data?: unknown };
  if (characters === 0 || typeof data !== 'string' || !data.startsWith('{')) return one;
  return { ...one, data: `{"pad":"${'x'.repeat(characters)}",${data.slice(1)}` };
}

describe('the way of whole blocks', () => {
  it('does what the way of single messages does: answers, requests, rejects, counts, and what comes again', async () => {
    const met: Met = { blocks: 0, comeAgain: 0, knownAgain: 0, rejected: 0 };
    await fc.assert(
      fc.asyncProperty(batchesOf({ minLength: 1, maxLength: 40 }), async (batch) => {
        const [whole, single] = [await play(batch, {}, met), await play(batch, ONE_BY_ONE, met)];
        expect(whole.seen).toEqual(single.seen);
        expect(single.blocks).toBe(0);
        met.blocks += whole.blocks;
      }),
      { numRuns: runs(1_000), seed: 20_261_129 },
    );
    expect(Math.min(met.blocks, met.comeAgain, met.rejected)).toBeGreaterThan(20);
  });

  it('does the same with an event of several groups, where some are taken whole and others are not', async () => {
    const met: Met = { blocks: 0, comeAgain: 0, knownAgain: 0, rejected: 0 };
    const padding = 20_000;
    await fc.assert(
      fc.asyncProperty(batchesOf({ minLength: 45, maxLength: 90 }, 6), async (batch) => {
        const whole = await play(batch, { padding }, met);
        const single = await play(batch, { padding, ...ONE_BY_ONE }, met);
        // The groups are sent side by side.
        const sorted = ({ seen }: typeof whole) => ({ ...seen, requests: seen.requests.toSorted() });
        expect(sorted(whole)).toEqual(sorted(single));
        met.blocks += whole.blocks;
      }),
      { numRuns: runs(200), seed: 20_261_130 },
    );
    // What was acknowledged beyond a checkpoint came again, and was not sent again.
    expect(Math.min(met.blocks, met.knownAgain)).toBeGreaterThan(20);
  });

  it('puts no more messages into a request than a second may bring', async () => {
    const w = world({ published: { rate: { messagesPerSecond: 40, requestsPerSecond: 1_000 } } });
    const records = Array.from({ length: 120 }, (_, n) => JSON.stringify({ n }));
    expect((await w.run(records)).batchItemFailures).toEqual([]);
    expect(w.inlet.requests.map(({ text }) => keysIn(text).length)).toEqual([40, 40, 40]);
  });

  it('makes the same requests of an event of several groups, for each kind of frame', async () => {
    const records = Array.from({ length: 3_000 }, (_, n) => ({
      data: JSON.stringify({ n, text: 'é"\\\n'.repeat(n % 100) }),
      key: `key-${n % 700}`,
    }));
    for (const data of ['raw', 'xdm'] as const) {
      const sent = await Promise.all(
        [{}, ONE_BY_ONE].map(async (more) => {
          const w = world({ published: { data, ...more } });
          expect((await w.run(records)).batchItemFailures).toEqual([]);
          expect(w.counted).toMatchObject({ RecordsAcknowledged: records.length, ConservationDifference: 0 });
          const { requests } = w.inlet;
          return { texts: requests.map(({ text }) => text).toSorted(), counted: w.counted };
        }),
      );
      expect(sent[0]?.texts.length).toBeGreaterThan(2);
      expect(sent[0]?.texts.flatMap(keysIn).toSorted()).toEqual(sent[1]?.texts.flatMap(keysIn).toSorted());
    }
  });
});

/** So many characters that a few of these fill a request. */
const LARGE = 20_000;

/** Records that fill one request, and others that get another. */
function twoGroups(first: number, others: readonly object[]): RecordInput[] {
  const key = (group: number) =>
    Array.from({ length: 100 }, (_, n) => `key-${n}`).find((one) => laneOf(one, 2, 0) === group) ?? '';
  const large = Array.from({ length: first }, (_, n) => ({
    data: JSON.stringify({ n, pad: 'x'.repeat(LARGE) }),
    key: key(0),
  }));
  return [...large, ...others.map((one) => ({ data: JSON.stringify(one), key: key(1) }))].map((one, n) => ({
    ...one,
    seq: seq(n),
  }));
}

describe('a block of which something is looked at', () => {
  it('was taken last with its last message: that one is sent again to show whether the inlet takes anything', async () => {
    const isBroken = (message: string) => message.includes('"broken"');
    const inlet = fakeInlet(({ messages }) =>
      messages.some(isBroken) ? json(500, {}) : acknowledgeAll({ messages }),
    );
    const w = world({ inlet });
    expect((await w.run(twoGroups(35, [{ broken: true }]))).batchItemFailures).toEqual([]);
    expect(w.reasons()).toEqual(['refused']);
    const again = inlet.requests.slice(1).flatMap(({ messages }) => messages.filter((one) => !isBroken(one)));
    expect(new Set(again.map((one) => keysIn(one).join()))).toEqual(new Set(['"n":34']));
  });

  it('has one message sent by itself where the last answer was unclear, and that one is not sent twice', async () => {
    let isUnclear = true;
    const inlet = fakeInlet(({ messages }) => (isUnclear ? multi([]) : acknowledgeAll({ messages })));
    const w = world({ inlet });
    const records = [0, 1, 2].map((n) => JSON.stringify({ n }));
    expect((await w.run(records)).batchItemFailures).toEqual([{ itemIdentifier: seq(0) }]);
    isUnclear = false;
    const before = inlet.requests.length;
    expect((await w.run(records)).batchItemFailures).toEqual([]);
    const after = inlet.requests.slice(before).map(({ messages }) => messages);
    expect(after).toEqual([records.slice(0, 1), records.slice(1)]);
  });

  it('clears what failed before, and so what was held against others', async () => {
    const failing = new Set(['0', '1']);
    const inlet = fakeInlet(({ messages }) =>
      messages.some((one) => failing.has(JSON.parse(one).n)) ? json(500, {}) : acknowledgeAll({ messages }),
    );
    const w = world({ inlet });
    const of = async (shard: number, n: string) => {
      const event = kinesisEvent([{ data: JSON.stringify({ n }), seq: seq(Number(n)) }]);
      for (const record of event.Records) record.eventID = `${SHARD_ID}${shard}:${n}`;
      const until = w.clock.now() + 60_000;
      const left = { remainingMs: () => until - w.clock.now(), invocationId: n };
      return (await w.forward(event, left)).batchItemFailures.length;
    };
    // Each fails alone often enough to be at fault, with others taken after each time.
    for (let stretch = 0; stretch < 5; stretch++)
      expect([await of(0, '0'), await of(1, '1'), await of(2, '2')]).toEqual([1, 1, 0]);
    failing.delete('0');
    expect(await of(0, '0')).toBe(0);
    expect(await of(1, '1')).toBe(1);
    expect(w.reasons()).toEqual([]);
  });

  it('is made of no further group once half of the time is up', async () => {
    const w = world();
    const records = twoGroups(35, [{ n: 35 }, { n: 36 }]);
    const event = kinesisEvent(records);
    // The forwarder asks at its start. Then the first group takes all of the time that there is for preparing.
    const left = {
      remainingMs: () => (w.inlet.requests.length === 0 ? 60_000 : 25_000),
      invocationId: 'one',
    };
    const { batchItemFailures } = await w.forward(event, left);
    expect(batchItemFailures).toEqual([{ itemIdentifier: seq(35) }]);
    expect(w.inlet.requests.map(({ messages }) => messages.length)).toEqual([35]);
  });
});

function keysIn(body: string): string[] {
  return [...body.matchAll(/"n":\d+/g)].map(([found]) => found);
}

describe('a body on its way', () => {
  it('is never written over, whatever became of its request, with several invocations at a time', async () => {
    const random = generator(20_261_129);
    const open = new Set<{ readonly body: Uint8Array; readonly copy: Buffer }>();
    const memories = new Set<ArrayBufferLike>();
    let looked = 0;
    const check = () => {
      looked++;
      for (const { body, copy } of open) expect(Buffer.compare(body, copy)).toBe(0);
    };
    const inlet = watched(
      ({ messages }) => {
        const dice = random();
        if (dice < 0.1) return json(503, {});
        if (dice < 0.15) return json(413, {});
        if (dice < 0.2) return multi(messages.slice(1).map((_, at) => ({ xactionId: `1:${at}` })));
        return multi(
          messages.map((_, at) => (random() < 0.002 ? { status: 429 } : { xactionId: `1:${at}` })),
        );
      },
      async (body, fetch) => {
        check();
        const one = { body, copy: Buffer.from(body) };
        open.add(one);
        if (isBlockBody(body)) memories.add(body.buffer);
        for (let turn = Math.floor(random() * 6); turn > 0; turn--) await new Promise(setImmediate);
        // No answer comes: nobody knows when the socket is done with the body.
        if (random() < 0.1) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
        const response = await fetch();
        check();
        const said = (await response.clone().json()) as { responses?: { xactionId?: string }[] };
        const count = JSON.parse(one.copy.toString()).messages.length as number;
        const taken = (said.responses ?? []).filter(({ xactionId }) => xactionId !== undefined).length;
        // Only an answer that acknowledges each message shows that all of it has been read.
        if (taken === count) open.delete(one);
        return response;
      },
    );
    const w = world({ inlet });
    let requests = 0;
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 4 }, (_, shard) => {
          const records = Array.from({ length: 150 }, (_, n) => ({
            data: JSON.stringify({ n, shard, round, pad: 'x'.repeat(Math.floor(random() * 300)) }),
            seq: seq(round * 1_000 + n),
          }));
          const event = kinesisEvent(records);
          const shardId = `${SHARD_ID}${shard}`;
          for (const one of event.Records) one.eventID = `${shardId}:${round}`;
          return w.forward(event, { remainingMs: () => 60_000, invocationId: `${round}-${shard}` });
        }),
      );
      requests = w.inlet.requests.length;
    }
    check();
    expect(looked).toBeGreaterThan(requests);
    expect(open.size).toBeGreaterThan(10);
    // Memory is used again, but not where a body in it may still be read.
    expect(memories.size).toBeLessThan(80);
    expect(requests).toBeGreaterThan(160);
  });
});

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
