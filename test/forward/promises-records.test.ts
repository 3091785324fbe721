// Promises of docs/promises.md about what becomes of records: bad ones, large ones, packed ones, and answers that lie.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createForward } from '../../lib/forward/forward.ts';
import { decode } from '../../lib/forward/read/decode.ts';
import type { KinesisRecord } from '../../lib/forward/read/event.ts';
import { respond, settle } from '../../lib/forward/settle.ts';
import { DELIVERED, FILTERED, RETRY, rejected, type Settled } from '../../lib/forward/verdict.ts';
import { seededRandom } from '../../local/aep/ids.ts';
import { readBatchResponse } from '../../local/aws/batch-response.ts';
import { settledBy } from '../support/checkpoint-oracle.ts';
import { ALL_SETTLED, from, kinesisEvent, STREAM_ARN, seq, world } from '../support/forwarding.ts';
import { acknowledgeAll, fakeInlet } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import { Load } from '../support/load.ts';
import { plainRuntime } from '../support/plain-runtime.ts';

const SEED = 20_261_124;

it('A 6: 100,000 outcomes at random are answered in literal JSON that two readers take for the lowest unresolved record', async () => {
  const random = seededRandom(SEED);
  const verdicts = [DELIVERED, DELIVERED, DELIVERED, FILTERED, rejected('refused', 'no'), RETRY];
  for (let round = 0; round < 100_000; round++) {
    const share = round % 3 === 0 ? 5 : 6;
    const storeFails = random() < 0.2;
    const settled = Array.from(
      { length: 1 + Math.floor(random() * 6) },
      (_, at): Settled => ({
        message: { sequenceNumber: seq(at), partitionKey: 'k', arrivedAt: 0, bytes: new Uint8Array() },
        verdict: verdicts[Math.floor(random() * share)] as (typeof verdicts)[number],
      }),
    );
    const left = random() < 0.1 ? [seq(settled.length)] : [];
    const numbers = [...settled.map(({ message }) => message.sequenceNumber), ...left];
    // Disorder is Kinesis' to avoid, but nothing may depend on it.
    const shuffled = round % 2 === 0 ? settled : settled.toReversed();
    const { checkpoint } = await settle(shuffled, left, async (rejects) =>
      storeFails ? undefined : rejects.length,
    );
    const answer = JSON.stringify(respond(checkpoint, (one) => numbers.includes(one)));
    const open = settled.findIndex(
      ({ verdict }) => verdict.kind === 'retry' || (verdict.kind === 'rejected' && storeFails),
    );
    const expected = open < 0 ? settled.length : open;
    const verdict = readBatchResponse({ ok: JSON.parse(answer) }, numbers, true);
    const read = verdict.kind === 'delivered' ? numbers.length : verdict.from;
    if (read !== expected || settledBy(numbers, answer) !== expected || answer.length > 110)
      expect.fail(
        `${answer} for ${settled.map(({ verdict }) => verdict.kind).join(' ')}, left ${left.length}`,
      );
  }
});

describe('A 7: 100 of 10,000 records are refused for good', () => {
  it.each([
    ['each by its entry', 'refused', 1_000],
    ['each with the whole request that it is in', 'poison', 20_000],
  ] as const)(
    '%s: the others are delivered at once, they are kept, nothing comes again',
    async (_, fate, mostMs) => {
      const load = new Load({ random: seededRandom(SEED), latencyMs: 20 });
      const began = load.time.now;
      for (let n = 0; n < 10_000; n++) {
        const bad = n % 100 === 37;
        load.produce(`key-${n}`, (m) => `{"n":${m}${bad ? `,"${fate}":1` : ''}}`, bad ? fate : 'sound');
      }
      await load.drain();
      expect(load.wrong).toEqual([]);
      expect([load.taken.size, load.stored.size, load.duplicates]).toEqual([9_900, 100, 0]);
      expect(new Set(load.stored.values())).toEqual(new Set(['refused']));
      expect(load.counts.get('invocations')).toBe(1);
      // The window of the mapping is a second; to single out a hundred takes hundreds of requests.
      expect(load.time.now - began).toBeLessThan(mostMs);
    },
  );
});

describe('A 8: the store comes before the acknowledgement', () => {
  const lost = (share: number) => {
    const random = seededRandom(SEED);
    let down = true;
    const load = new Load({ random, storeFails: () => down && random() < share });
    for (let n = 0; n < 2_000; n++)
      load.produce(`key-${n % 50}`, (m) => `{"n":${m}}`, n % 9 === 4 ? 'refused' : 'sound');
    return { load, heal: () => (down = false) };
  };

  it('half of the writes fail: no record is passed over that is not there, and none is lost', async () => {
    const { load } = lost(0.5);
    await load.drain(() => 40);
    expect(load.counts.get('the store failed')).toBeGreaterThan(30);
    expect([load.wrong, load.lost, load.misjudged, load.duplicates]).toEqual([[], [], [], 0]);
  });

  it('all of them fail: the shard stays at the first reject, and goes on once they do not', async () => {
    const { load, heal } = lost(1);
    await load.drain(() => 40, 600_000);
    expect([load.pending, load.stored.size]).toEqual([1_996, 0]);
    heal();
    await load.drain(() => 40);
    expect([load.wrong, load.lost, load.stored.size]).toEqual([[], [], 222]);
  });
});

describe('A 13: a request', () => {
  it.each(['raw', 'xdm'] as const)(
    'is never larger than 1 MB, its envelope included: 25,000 of 50,000 records (%s)',
    async (data) => {
      const random = seededRandom(SEED);
      const units = ['a', '😀', '\\u0000', 'é', '\\"'];
      let [largest, requests, messages] = [0, 0, 0];
      const forward = createForward(
        plainRuntime(
          {
            fetch: async (_, { body = '' }) => {
              const bytes = Buffer.from(body);
              largest = Math.max(largest, bytes.length);
              requests++;
              const count = (JSON.parse(bytes.toString()) as { messages: unknown[] }).messages.length;
              messages += count;
              return acknowledgeAll({ messages: Array.from({ length: count }, () => '') });
            },
          },
          { data },
        ),
      );
      // Mostly a few bytes, now and then nearly all that a request takes.
      const texts = Array.from({ length: 25_000 }, (_, n) => {
        const unit = units[n % units.length] as string;
        const size = n % 2_500 === 7 ? 980_000 : Math.floor(random() ** 4 * 600);
        return `{"t":"${unit.repeat(Math.floor(size / Buffer.byteLength(unit)))}"}`;
      });
      for (let at = 0; at < texts.length; at += 2_500) {
        const event = kinesisEvent(texts.slice(at, at + 2_500));
        const answer = await forward(event, { remainingMs: () => 60_000, invocationId: 'i' });
        expect(JSON.stringify(answer)).toBe(ALL_SETTLED);
      }
      expect(messages).toBe(texts.length);
      expect(requests).toBeGreaterThan(10);
      expect(largest).toBeGreaterThan(980_000);
      expect(largest).toBeLessThanOrEqual(1_000_000);
    },
  );

  it('for a single message that is too large is not made: it is kept, and its neighbours are sent', async () => {
    const w = world();
    expect(JSON.stringify(await w.run(['{"a":1}', `{"t":"${'😀'.repeat(250_000)}"}`, '{"a":2}']))).toBe(
      ALL_SETTLED,
    );
    expect(w.reasons()).toEqual(['too-large']);
    expect(w.inlet.acknowledged).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('that is 413 whatever its size is halved in bounded steps, and is the fault of no record', async () => {
    const inlet = fakeInlet(() => new Response('{}', { status: 413 }));
    const w = world({ inlet });
    const texts = Array.from({ length: 256 }, (_, n) => `{"n":${n}}`);
    await expect(w.run(texts)).rejects.toMatchObject({ code: 'AEP_REFUSED' });
    expect(w.reasons()).toEqual([]);
    expect(inlet.requests.length).toBeLessThan(30);
  });
});

describe('A 15: a success that is', () => {
  const texts = ['{"n":0}', '{"n":1}', '{"n":2}'];
  const good = texts.map((_, at) => ({ xactionId: `1771:3120:78:${at}` }));
  const whole = JSON.stringify({ responses: good });
  const multi = (responses: unknown) => JSON.stringify({ responses });

  it.each<[string, string]>([
    ['truncated', whole.slice(0, -20)],
    ['cut within its last bracket', whole.slice(0, -1)],
    ['a page', '<html><body>OK</body></html>'],
    ['empty', ''],
    ['nothing but null', 'null'],
    ['a list', JSON.stringify(good)],
    ['without responses', '{"inletId":"x","batchId":"y"}'],
    ['of one entry too many', multi([...good, good[0]])],
    ['of no entries', multi([])],
    ['of nulls', multi(good.map(() => null))],
    ['of entries with an id and a refusal', multi(good.map((one) => ({ ...one, status: 500 })))],
    ['of entries with neither', multi(good.map(() => ({ message: 'fine' })))],
    ['of two lists, one of them empty', `{"responses":${JSON.stringify(good)},"responses":[]}`],
    ['of the same place three times, and one too few', multi([good[0], good[0]])],
    ['10 MB long', `${whole.slice(0, -2)}${' '.repeat(10_000_000)}]}`],
  ])('%s acknowledges nothing', async (_, body) => {
    const w = world({ inlet: fakeInlet(() => new Response(body, { status: 200 })) });
    expect(JSON.stringify(await w.run(texts))).toBe(from(0));
    expect([w.counted.RecordsAcknowledged, w.counted.RecordsReturned, w.reasons()]).toEqual([0, 3, []]);
  });
});

describe('A 36: aggregates and gzip', () => {
  const record = (data: Buffer): KinesisRecord => ({
    eventSourceARN: STREAM_ARN,
    kinesis: { sequenceNumber: '7', partitionKey: 'parent', data: data.toString('base64') },
  });
  const random = seededRandom(SEED);
  const some = (most: number) => Math.floor(random() * most);
  /** As a producer library makes them: up to a dozen sub-records of a few keys, some of them packed. */
  const made = () =>
    Array.from({ length: some(12) }, (_, n) => ({
      key: `key-${some(4)}`,
      data: Buffer.from(`{"n":${n},"pad":"${'x'.repeat(some(40))}"}`),
    }));

  it('10,000 aggregates come apart into what went into them', () => {
    for (let round = 0; round < 10_000; round++) {
      const parts = made();
      const packed = round % 4 === 0 ? parts.map(({ key, data }) => ({ key, data: gzipSync(data) })) : parts;
      const decoded = [...decode(record(aggregate(packed)), { compression: 'auto' })];
      const seen = decoded.map((part) => [
        part.message.partitionKey,
        part.message.subSequenceNumber,
        'payload' in part ? Buffer.from(part.payload).toString() : part.verdict.kind,
      ]);
      const expected = parts.map(({ key, data }, at) => [key, at, data.toString()]);
      if (JSON.stringify(seen) !== JSON.stringify(expected)) expect(seen, `round ${round}`).toEqual(expected);
    }
  });

  it('5,000 with one bit turned over are rejected whole, or mean what they meant; nothing breaks', async () => {
    const texts: string[] = [];
    const flipped = Array.from({ length: 5_000 }, (_, round) => {
      const text = `{"n":${round},"pad":"${'x'.repeat(some(200))}"}`;
      texts.push(text);
      const parts = [{ key: 'a', data: Buffer.from(text) }, ...made()];
      const whole = round % 2 === 0 ? aggregate(parts) : gzipSync(text);
      const at = some(whole.length);
      whole[at] = (whole[at] ?? 0) ^ (1 << some(8));
      return whole;
    });
    const w = world({ published: { compression: 'auto' } });
    for (let at = 0; at < flipped.length; at += 500)
      expect(JSON.stringify(await w.run(flipped.slice(at, at + 500)))).toBe(ALL_SETTLED);
    // gzip's own header has fields that are nobody's business; an aggregate has none.
    const sent = w.inlet.acknowledged.map((text) => texts.indexOf(text));
    expect(sent.filter((round) => round % 2 !== 1)).toEqual([]);
    expect(w.counted.RecordsRejected).toBe(5_000 - sent.length);
    expect(sent.length).toBeLessThan(1_000);
    const entries = w.store.documents.flatMap((document) => document.entries);
    expect(entries.some((entry) => 'subSequenceNumber' in entry)).toBe(false);
  });

  it('what unpacks to more than the bound is rejected, and never held', async () => {
    const w = world({ published: { compression: 'gzip' } });
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const before = process.memoryUsage().rss;
    expect(JSON.stringify(await w.run([bomb, '{"n":1}']))).toBe(ALL_SETTLED);
    expect(w.reasons()).toEqual(['gzip-too-large']);
    expect(w.inlet.acknowledged).toEqual(['{"n":1}']);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });
});
