// Several routes by whole blocks: the same as message by message, whatever the records are and the inlets answer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FetchInit } from '../../lib/aep/transport.ts';
import { createForward } from '../../lib/forward/forward.ts';
import { MAX_REQUEST_BYTES } from '../../lib/forward/frame/body.ts';
import { runs } from '../support/depth.ts';
import { type RecordInput, seq } from '../support/forwarding.ts';
import { isBlockBody, moody } from '../support/moody.ts';
import { type RouteInput, routed } from '../support/routed.ts';

const takes = (...types: readonly string[]) => ({ where: [{ field: '/type', oneOf: [...types] }] });

/** A condition on a number, which no record meets: then all records are looked at one by one. */
const ONE_BY_ONE: RouteInput = {
  pipeline: 'z',
  published: { records: { where: [{ field: '/no-such-field', equals: 5 }] } },
};

const MOODS = ['refused', 'down', 'unclear', 'never'];

type Make = (n: number) => RecordInput;

const typed = fc.constantFrom('a', 'a', 'b', 'c', 'ab', 'none', 'é');

const ordinary = fc.record({ type: typed, value: fc.jsonValue({ maxDepth: 2 }) }).map(
  (members): Make =>
    (n) =>
      JSON.stringify({ n, ...members }),
);
const inMood = (moods: readonly string[]) =>
  fc.record({ type: typed, mood: fc.constantFrom(...moods) }).map(
    (members): Make =>
      (n) =>
        JSON.stringify({ n, ...members }),
  );
const UNUSUAL: readonly Make[] = [
  (n) => `\ufeff{"n":${n},"type":"a"}`,
  (n) => `{"n":${n},"type":"a"`,
  (n) => `{"n":${n},"type":"a"},{"n":${n},"type":"b"}`,
  (n) => `[${n}]`,
  (n) => `{"n":${n},"type":"\\u0061"}`,
  (n) => `{"header":{"flowId":"f"},"body":{"n":${n}},"type":"a"}`,
  (n) => Buffer.concat([Buffer.from(`{"n":${n},"type":"a","t":"`), Buffer.from([0xc3]), Buffer.from('"}')]),
  (n) =>
    Buffer.concat([Buffer.from(`{"n":${n},"type":"none","t":"`), Buffer.from([0xc3]), Buffer.from('"}')]),
  (n) => ({ base64: `${btoa(`{"n":${n},"type":"a"}`)}*` }),
  () => ({ data: null }),
  () => ({ data: '' }),
];
const unusual = fc.constantFrom(...UNUSUAL);

interface Batch {
  readonly records: readonly Make[];
  readonly keys: number;
  readonly data: 'raw' | 'xdm';
  readonly unrouted: 'count' | 'keep';
  readonly storeFails: boolean;
  readonly isNew: boolean;
}

const batchOf = (
  length: { readonly minLength: number; readonly maxLength: number },
  usual: number,
  moods: readonly string[],
) =>
  fc.record<Batch>({
    records: fc.array(
      fc.oneof(
        { weight: 60 * usual, arbitrary: ordinary },
        { weight: 3, arbitrary: inMood(moods) },
        { weight: 2, arbitrary: unusual },
      ),
      length,
    ),
    keys: fc.integer({ min: 1, max: 9 }),
    data: fc.constantFrom('raw', 'xdm'),
    unrouted: fc.constantFrom('count', 'keep'),
    storeFails: fc.boolean(),
    isNew: fc.boolean(),
  });

const met = { blocks: 0, comeAgain: 0, marks: 0, kept: 0, unrouted: 0 };

/** Forwards the batch, and what comes again of it, by the same container or a new one. */
async function play(
  { records, keys, data, unrouted, storeFails, isNew }: Batch,
  more: readonly RouteInput[],
  padding = 0,
) {
  const pad = 'x'.repeat(padding);
  const inputs = records.map((make, n): RecordInput => {
    const made = make(n);
    const own = typeof made === 'string' || made instanceof Uint8Array ? { data: made } : made;
    const isObject = padding > 0 && typeof own.data === 'string' && own.data.startsWith('{"n"');
    return {
      ...own,
      ...(isObject && { data: `{"pad":"${pad}",${(own.data as string).slice(1)}` }),
      key: `key-${n % keys}`,
      seq: seq(n),
    };
  });
  const answer = moody();
  const routes = (['a', 'b', 'c'] as const).map((pipeline): RouteInput => {
    const records = pipeline === 'c' ? takes('c', 'é') : takes(pipeline, 'ab');
    return { pipeline, answer, published: { data, records } };
  });
  let isAway = storeFails;
  const kept: unknown[] = [];
  const w = routed([...routes, ...more], {
    unrouted,
    deadLetters: {
      async put({ pipeline, entries }) {
        if (isAway) throw new Error('away');
        kept.push(...entries.map((entry) => ({ pipeline, ...entry })));
        return { key: 'k', entries: entries.length };
      },
    },
  });
  let blocks = 0;
  const fetch = (url: string, init: FetchInit) => {
    if (isBlockBody(init.body)) blocks++;
    return w.runtime.fetch(url, init);
  };
  const container = () => createForward({ ...w.runtime, fetch });
  let forward = container();
  const answers: unknown[] = [];
  let batch: readonly RecordInput[] = inputs;
  for (let turn = 0; turn < 4 && batch.length > 0; turn++) {
    const { batchItemFailures } = await w.run(batch, forward);
    answers.push(batchItemFailures);
    isAway = false;
    const [failure] = batchItemFailures;
    if (failure === undefined) break;
    met.comeAgain++;
    if (isNew) forward = container();
    batch = batch.filter((one) => BigInt((one as { seq: string }).seq) >= BigInt(failure.itemIdentifier));
  }
  met.kept += kept.length;
  met.marks += w.marks.calls.write;
  const three = <Of>(all: Record<string, Of>) => [all.a, all.b, all.c];
  const { RecordsUnrouted = 0 } = w.counted.a ?? {};
  met.unrouted += RecordsUnrouted;
  return {
    blocks,
    seen: {
      answers,
      requests: three(w.requests).map((all = []) => all.map(({ text }) => text).toSorted()),
      taken: three(w.taken).map((all = []) => all.toSorted()),
      kept: kept.map((one) => JSON.stringify(one)).toSorted(),
      counted: three(w.counted),
    },
  };
}

type Seen = Awaited<ReturnType<typeof play>>['seen'];

function ofMessages({ answers, taken, kept, counted }: Seen) {
  const ofRecords = counted.map((own = {}) =>
    Object.entries(own).filter(([name]) => name.startsWith('Records')),
  );
  return { answers, taken, kept, counted: ofRecords };
}

describe('several routes by whole blocks', () => {
  it.each([
    ['of one group', batchOf({ minLength: 1, maxLength: 40 }, 1, MOODS), 0, 400, (seen: Seen) => seen],
    // Groups that are taken in different ways are in requests of their own. So only what becomes of messages is the same.
    ['of several groups', batchOf({ minLength: 45, maxLength: 110 }, 6, ['refused']), 20_000, 60, ofMessages],
  ] as const)(
    'do what they do message by message, with events %s',
    async (_, batches, padding, times, compared) => {
      for (const name of Object.keys(met) as (keyof typeof met)[]) met[name] = 0;
      await fc.assert(
        fc.asyncProperty(batches, async (batch) => {
          const whole = await play(batch, [], padding);
          const single = await play(batch, [ONE_BY_ONE], padding);
          expect(compared(whole.seen)).toEqual(compared(single.seen));
          expect(single.blocks).toBe(0);
          met.blocks += whole.blocks;
        }),
        { numRuns: runs(times * 5), seed: 20_261_129 },
      );
      expect(Math.min(...Object.values(met)), JSON.stringify(met)).toBeGreaterThan(10);
    },
  );

  it.each(UNUSUAL.map((make, index) => ({ index, shown: String(make(0)), make })))(
    'do what they do message by message with one unusual record, number $index: $shown',
    async ({ make }) => {
      for (const data of ['raw', 'xdm'] as const)
        for (const unrouted of ['count', 'keep'] as const) {
          const ordinary: Make = (n) => JSON.stringify({ n, type: 'a' });
          const records = [ordinary, make, ordinary];
          const batch = { records, keys: 2, data, unrouted, storeFails: false, isNew: false };
          const [whole, single] = [await play(batch, []), await play(batch, [ONE_BY_ONE])];
          expect(whole.seen).toEqual(single.seen);
        }
    },
  );

  const TWO = (published: RouteInput['published']): RouteInput[] =>
    ['a', 'b'].map((pipeline) => ({ pipeline, published: { ...published, records: takes(pipeline) } }));
  const ofTypes = (count: number, key: (n: number) => string, pad = '') =>
    Array.from({ length: count }, (_, n) => ({
      data: JSON.stringify({ n, type: n % 5 === 0 ? 'b' : 'a', pad }),
      key: key(n),
      seq: seq(n),
    }));
  const sizes = (w: ReturnType<typeof routed>) => w.requests.a?.map(({ messages }) => messages.length);

  it('have no more messages in a request than a second may bring', async () => {
    const w = routed(TWO({ rate: { messagesPerSecond: 10, requestsPerSecond: 1_000 } }));
    expect((await w.run(ofTypes(50, (n) => `key-${n}`))).batchItemFailures).toEqual([]);
    expect(sizes(w)).toEqual([10, 10, 10, 10]);
  });

  it('have no more bytes in a request than the inlet takes', async () => {
    const w = routed(TWO({}));
    // One key: all of them are in one group.
    expect((await w.run(ofTypes(75, () => 'key', 'x'.repeat(20_000)))).batchItemFailures).toEqual([]);
    expect(sizes(w)).toEqual([49, 11]);
    expect(w.requests.a?.every(({ text }) => text.length <= MAX_REQUEST_BYTES)).toBe(true);
  });

  it('have no key twice in a request where the order is strict', async () => {
    const w = routed(TWO({ order: 'strict' }));
    expect((await w.run(ofTypes(10, (n) => `key-${n % 2}`))).batchItemFailures).toEqual([]);
    expect(sizes(w)).toEqual([2, 2, 2, 2]);
  });

  it.each([
    ['where one takes all', 4_000, 1_000, [undefined, takes('b')]],
    ['of many small messages', 10_000, 150, [takes('a'), takes('b')]],
  ] as const)('leave in time for the next group to fit: %s', async (_, count, bytes, all) => {
    const w = routed(
      all.map((records, at) => ({ pipeline: `r${at}`, published: { ...(records && { records }) } })),
    );
    let inBlocks = 0;
    const fetch = (url: string, init: FetchInit) => {
      if (isBlockBody(init.body)) inBlocks += Buffer.from(init.body).toString().split('"pad":').length - 1;
      return w.runtime.fetch(url, init);
    };
    const events = Array.from({ length: count }, (_, n) => ({
      data: JSON.stringify({ n, type: n % 2 === 0 ? 'b' : 'a', pad: 'x'.repeat(bytes) }),
      key: `key-${n}`,
      seq: seq(n),
    }));
    const { batchItemFailures } = await w.run(events, createForward({ ...w.runtime, fetch }));
    expect(batchItemFailures).toEqual([]);
    const taken = Object.values(w.taken).flat().length;
    expect(taken).toBe(all[0] === undefined ? 1.5 * count : count);
    expect(inBlocks).toBe(taken);
  });
});
