import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFramer } from '../../../lib/forward/frame/frame.ts';
import type { Framed } from '../../../lib/forward/frame/framed.ts';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import { batch, laneOf, MAX_LANES, MAX_MESSAGES, recordGroups } from '../../../lib/forward/send/batch.ts';
import { kinesisEvent, PUBLISHED } from '../../support/forwarding.ts';
import { itemsOf } from '../../support/inlet.ts';
import { aggregate } from '../../support/kpl.ts';

const framer = createFramer(PUBLISHED);

function framed(text: string, partitionKey = 'k'): Framed {
  const payload = Buffer.from(text);
  const result = framer.frame({
    message: { sequenceNumber: '1', partitionKey, arrivedAt: 0, bytes: payload },
    payload,
  });
  if ('verdict' in result) throw new Error(result.verdict.reason);
  return result;
}

const messages = fc
  .array(fc.tuple(fc.string({ maxLength: 3 }), fc.string({ unit: 'grapheme', maxLength: 40 })), {
    maxLength: 80,
  })
  .map((pairs) => pairs.map(([key, text], n) => framed(JSON.stringify({ n, text }), key)));

describe('batch', () => {
  it('makes requests that fit, loses nothing, doubles nothing and keeps the order of every key', () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 400, max: 3_000 }), (all, maxBytes) => {
        const lanes = batch(all, { maxBytes });
        for (const body of lanes.flat().map((one) => framer.body(one))) {
          expect(body.length).toBeLessThanOrEqual(maxBytes);
        }
        expect(lanes.length).toBeLessThanOrEqual(MAX_LANES);
        expect(lanes.flat().every((one) => one.length > 0)).toBe(true);
        expect(new Set(lanes.flat(2))).toEqual(new Set(all));
        expect(lanes.flat(2)).toHaveLength(all.length);
        const keysOf = lanes.map((lane) => new Set(lane.flat().map(({ message }) => message.partitionKey)));
        for (const key of new Set(all.map(({ message }) => message.partitionKey))) {
          expect(keysOf.filter((keys) => keys.has(key))).toHaveLength(1);
          const of = (list: readonly Framed[]) => list.filter(({ message }) => message.partitionKey === key);
          expect(of(lanes.flat(2))).toEqual(of(all));
        }
      }),
    );
  });

  it('knows the size of a body to the byte, and the body holds exactly the messages', () => {
    for (const data of ['raw', 'xdm'] as const) {
      const { frame, body } = createFramer({ ...PUBLISHED, data });
      fc.assert(
        fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 9 }), (texts) => {
          const items = texts.map((text) => {
            const payload = Buffer.from(JSON.stringify({ text }));
            const message = { sequenceNumber: '1', partitionKey: 'k', arrivedAt: 0, bytes: payload };
            return frame({ message, payload }) as Framed;
          });
          const bytes = body(items);
          expect(bytes.length).toBe(
            items.reduce((sum, { size }) => sum + size, 0) + '{"messages":[]}'.length - 1,
          );
          const sent = itemsOf(Buffer.from(bytes).toString());
          const entities = sent.map((item) => JSON.parse(item));
          expect(data === 'raw' ? entities : entities.map((one) => one.body.xdmEntity)).toEqual(
            texts.map((text) => ({ text })),
          );
        }),
        { numRuns: 50 },
      );
    }
  });

  it('sends a small event as one request', () => {
    const lanes = batch(Array.from({ length: 500 }, (_, n) => framed(`{"n":${n}}`, `k${n}`)));
    expect(lanes).toHaveLength(1);
    expect(lanes[0]).toHaveLength(1);
  });

  it('makes nothing of nothing', () => {
    expect(batch([])).toEqual([]);
  });

  it.each([2, 3, 4])('spreads keys over %i lanes', (lanes) => {
    const counts = Array<number>(lanes).fill(0);
    for (let n = 0; n < 10_000; n++)
      counts[laneOf(`customer-${n}`, lanes, 0)] = (counts[laneOf(`customer-${n}`, lanes, 0)] ?? 0) + 1;
    for (const count of counts) expect(Math.abs(count - 10_000 / lanes)).toBeLessThan(600);
  });
});

describe('groupsOf', () => {
  const records = (count: number, bytes: number) =>
    kinesisEvent(
      Array.from({ length: count }, (_, n) => ({ data: 'x'.repeat(bytes), key: `key-${n % 300}` })),
    ).Records as unknown as KinesisRecord[];

  it('keeps all of a key together and in order, and loses nothing', () => {
    const all = records(3_000, 1_000);
    const groups = recordGroups(all, true);
    expect(groups).toHaveLength(6);
    expect(groups.flat()).toHaveLength(all.length);
    for (const key of new Set(all.map(({ kinesis }) => kinesis.partitionKey))) {
      const of = (list: readonly KinesisRecord[]) => list.filter((one) => one.kinesis.partitionKey === key);
      expect(groups.filter((group) => of(group).length > 0)).toHaveLength(1);
      expect(of(groups.flat())).toEqual(of(all));
    }
  });

  it('makes one of what is little, of what unpacks to more, and of what holds messages of other keys', () => {
    expect(recordGroups(records(500, 1_000), true)).toHaveLength(1);
    expect(recordGroups(records(3_000, 1_000), false)).toHaveLength(1);
    const bytes = aggregate([{ key: 'k', data: Buffer.from('{}') }]);
    const [packed] = kinesisEvent([bytes]).Records as unknown as KinesisRecord[];
    expect(recordGroups([...records(3_000, 1_000), packed as KinesisRecord], true)).toHaveLength(1);
    expect(recordGroups([], true)).toEqual([[]]);
  });

  it('makes one of as many messages as a request takes; of more it makes groups with room for uneven keys', () => {
    expect(recordGroups(records(MAX_MESSAGES, 10), true)).toHaveLength(1);
    expect(recordGroups(records(MAX_MESSAGES + 1, 10), true)).toHaveLength(2);
    const groups = recordGroups(records(3 * MAX_MESSAGES, 10), true);
    expect(groups).toHaveLength(4);
    expect(Math.max(...groups.map(({ length }) => length))).toBeLessThan(MAX_MESSAGES);
  });

  it('counts the frame that each message gets', () => {
    expect(recordGroups(records(500, 1_000), true, 1_000)).toHaveLength(2);
  });

  it('in strict order has no key twice in a request, loses nothing, and keeps the order of every key', () => {
    fc.assert(
      fc.property(
        messages,
        fc.integer({ min: 400, max: 3_000 }),
        fc.integer({ min: 1, max: 9 }),
        (all, maxBytes, maxMessages) => {
          const lanes = batch(all, { maxBytes, maxMessages, strict: true });
          for (const one of lanes.flat()) {
            const keys = one.map(({ message }) => message.partitionKey);
            expect(new Set(keys).size).toBe(keys.length);
            expect(one.length).toBeLessThanOrEqual(maxMessages);
            expect(framer.body(one).length).toBeLessThanOrEqual(maxBytes);
          }
          expect(new Set(lanes.flat(2))).toEqual(new Set(all));
          expect(lanes.flat(2)).toHaveLength(all.length);
          const of = (list: readonly Framed[], key: string | undefined) =>
            list.filter(({ message }) => message.partitionKey === key);
          for (const key of new Set(all.map(({ message }) => message.partitionKey)))
            expect(of(lanes.flat(2), key)).toEqual(of(all, key));
        },
      ),
    );
  });

  it('in strict order fills requests up: keys that come once share them', () => {
    const all = Array.from({ length: 100 }, (_, n) => framed('{}', n % 2 === 0 ? 'hot' : `cold-${n}`));
    const [lane] = batch(all, { lanes: 1, strict: true });
    expect(lane?.map((one) => one.length)).toEqual([51, ...Array(49).fill(1)]);
  });
});
