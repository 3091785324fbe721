import { describe, expect, it } from 'vitest';
import { createMemory } from '../../lib/forward/memory.ts';
import type { Message } from '../../lib/forward/read/message.ts';
import { DELIVERED, RETRY, type Settled, type Verdict } from '../../lib/forward/verdict.ts';
import { ALL_SETTLED, from, seq, world } from '../support/forwarding.ts';
import { fakeInlet, multi } from '../support/inlet.ts';

const PLACE = { streamArn: 'arn', shardId: 'shardId-000000000000', pipeline: 'p', datasetId: 'd' };

const message = (number: number, sub?: number): Message => ({
  sequenceNumber: seq(number),
  ...(sub !== undefined && { subSequenceNumber: sub }),
  partitionKey: 'k',
  arrivedAt: 0,
  bytes: new Uint8Array(),
});
const settled = (number: number, verdict: Verdict = DELIVERED, sub?: number): Settled => ({
  message: message(number, sub),
  verdict,
});

describe('the memory', () => {
  it('holds what was acknowledged from the checkpoint on, and nothing else', () => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1), settled(2, RETRY), settled(3), settled(4, RETRY)], seq(2));
    const known = memory.recall(PLACE);
    expect([1, 2, 3, 4].map((n) => known.has(message(n)))).toEqual([false, false, true, false]);
  });

  it('knows a sub-record from its siblings', () => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1, DELIVERED, 0), settled(1, RETRY, 1), settled(1, DELIVERED, 11)], seq(1));
    const known = memory.recall(PLACE);
    expect([0, 1, 11].map((sub) => known.has(message(1, sub)))).toEqual([true, false, true]);
    expect(known.has(message(1))).toBe(false);
  });

  it('tells the last of them in the order of the stream, whatever the order they came in', () => {
    const memory = createMemory();
    expect(memory.recall(PLACE).latest).toBeUndefined();
    const parts = [settled(3, DELIVERED, 2), settled(3, DELIVERED, 10), settled(3, DELIVERED, 9)];
    memory.keep(PLACE, [settled(1, RETRY), ...parts, settled(2)], seq(1));
    expect(memory.recall(PLACE).latest).toBe(`${seq(3)} 10`);
  });

  it.each([
    ['shard', { ...PLACE, shardId: 'shardId-000000000001' }],
    ['stream', { ...PLACE, streamArn: 'other' }],
    ['dataset', { ...PLACE, datasetId: 'other' }],
    ['route', { ...PLACE, pipeline: 'other' }],
  ])('knows nothing of another %s', (_, place) => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1, RETRY), settled(2)], seq(1));
    expect(memory.recall(place).has(message(2))).toBe(false);
    expect(memory.recall(PLACE).has(message(2))).toBe(true);
  });

  it('is divided among the routes of a stream', () => {
    const memory = createMemory(8);
    const all = [1, 2, 3, 4, 5, 6].map((n) => settled(n));
    for (const pipeline of ['p', 'q']) memory.keep({ ...PLACE, pipeline }, all, seq(1), 2);
    for (const pipeline of ['p', 'q']) {
      const known = memory.recall({ ...PLACE, pipeline });
      expect([1, 2, 3, 4, 5, 6].filter((n) => known.has(message(n)))).toEqual([1, 2, 3, 4]);
    }
  });

  it('lets go of what the shard is past', () => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1, RETRY), settled(2)], seq(1));
    memory.keep(PLACE, [settled(1), settled(2)], undefined);
    expect(memory.recall(PLACE).has(message(2))).toBe(false);
  });

  it('keeps what lies behind a batch that Lambda has made smaller', () => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1, RETRY), settled(2, RETRY), settled(3), settled(4)], seq(1));
    memory.keep(PLACE, [settled(1)], undefined);
    memory.keep(PLACE, [settled(2, RETRY), settled(3)], seq(2));
    const known = memory.recall(PLACE);
    expect([1, 2, 3, 4].map((n) => known.has(message(n)))).toEqual([false, false, true, true]);
  });

  it('forgets of a shard what is below the next checkpoint, and keeps what stands at it', () => {
    const memory = createMemory();
    memory.keep(
      PLACE,
      [settled(1, RETRY), settled(2, DELIVERED, 0), settled(2, RETRY, 1), settled(3)],
      seq(1),
    );
    memory.keep(PLACE, [settled(1)], seq(2));
    const known = memory.recall(PLACE);
    expect([known.has(message(2, 0)), known.has(message(2, 1)), known.has(message(3))]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('does not take a message for acknowledged whose number another one bears', () => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1, RETRY), settled(2), settled(2, RETRY)], seq(1));
    expect(memory.recall(PLACE).has(message(2))).toBe(false);
  });

  it('goes by the highest number of a batch that is done, in whatever order it was settled', () => {
    const memory = createMemory();
    memory.keep(PLACE, [settled(1, RETRY), settled(3), settled(4)], seq(1));
    memory.keep(PLACE, [settled(3), settled(1)], undefined);
    const known = memory.recall(PLACE);
    expect([known.has(message(3)), known.has(message(4))]).toEqual([false, true]);
  });

  it('is bounded: the shard that was settled longest ago is forgotten first', () => {
    const memory = createMemory(5);
    const place = (shardId: string) => ({ ...PLACE, shardId });
    const batch = [settled(1, RETRY), settled(2), settled(3)];
    for (const shard of ['a', 'b', 'a', 'c']) memory.keep(place(shard), batch, seq(1));
    expect(['a', 'b', 'c'].map((shard) => memory.recall(place(shard)).has(message(3)))).toEqual([
      true,
      false,
      true,
    ]);
    memory.keep(place('d'), [settled(0, RETRY), ...[1, 2, 3, 4, 5, 6, 7].map((n) => settled(n))], seq(0));
    const kept = [1, 2, 3, 4, 5, 6, 7].filter((n) => memory.recall(place('d')).has(message(n)));
    expect(kept).toHaveLength(5);
  });
});

describe('a batch that comes again', () => {
  it('is sent without what was acknowledged, and counted as it is', async () => {
    let refusing = true;
    const entry = (text: string, index: number) =>
      refusing && text.includes('"n":1}') ? { status: 503, message: 'later' } : { xactionId: `1:2:${index}` };
    const inlet = fakeInlet(({ messages }) => multi(messages.map(entry)));
    const w = world({ inlet });
    const records = [0, 1, 2, 3].map((n) => `{"n":${n}}`);
    expect(JSON.stringify(await w.run(records, 3_000))).toBe(from(1));
    refusing = false;
    const before = inlet.requests.length;
    const rest = records.slice(1).map((data, at) => ({ data, seq: seq(at + 1) }));
    expect(JSON.stringify(await w.run(rest))).toBe(ALL_SETTLED);
    expect(inlet.requests.slice(before).flatMap(({ messages }) => messages)).toEqual(['{"n":1}']);
    expect(inlet.acknowledged.toSorted()).toEqual(records);
    expect(w.counted).toMatchObject({
      RecordsReceived: 7,
      RecordsAcknowledged: 4,
      RecordsAcknowledgedBefore: 2,
      RecordsReturned: 1,
      ConservationDifference: 0,
    });
  });
});
