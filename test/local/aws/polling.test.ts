// Lambda's polling rules in virtual time: a stream in memory, and a function that answers as each test wants.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InvocationReport } from '../../../local/aws/delivery.ts';
import { failure, type InvocationResult } from '../../../local/aws/function-errors.ts';
import type { StreamEvent } from '../../../local/aws/kinesis-event.ts';
import { createPoller, type Poller } from '../../../local/aws/polling.ts';
import type { Discarded } from '../../../local/aws/retry-rules.ts';
import type { ReaderSettings } from '../../../local/aws/shard-reader.ts';
import type { StartingPosition, Stream } from '../../../local/aws/stream.ts';
import { MemoryStream } from '../../support/memory-stream.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const START = Date.UTC(2026, 10, 23, 10);
/** Longer than anything takes here. */
const LONG_MS = 3_600_000;

let time: VirtualTime;
let stream: MemoryStream<string>;
/** Throws in place of an answer of the stream. */
let fault: (operation: keyof Stream) => void;
let poller: Poller;
let events: StreamEvent[];
let reports: InvocationReport[];
let discarded: Discarded[];
let answer: (event: StreamEvent) => unknown;

type EventRecord = StreamEvent['Records'][number];
const text = (record: EventRecord) => Buffer.from(record.kinesis.data, 'base64').toString();
const shardOf = (record: EventRecord | undefined) => record?.eventID.split(':')[0];
const batches = () => events.map(({ Records }) => Records.map(text));
const report = (record: EventRecord | undefined) => ({
  batchItemFailures: [{ itemIdentifier: record?.kinesis.sequenceNumber }],
});
const threw = failure('handled', 'Error', 'no');

beforeEach(() => {
  time = new VirtualTime({ now: START });
  stream = new MemoryStream(1, () => time.now());
  [events, reports, discarded] = [[], [], []];
  answer = () => ({ batchItemFailures: [] });
  fault = () => undefined;
});
afterEach(() => poller.end());

const defaults: ReaderSettings = {
  batchSize: 100,
  windowMs: 0,
  parallelization: 1,
  reportsItemFailures: true,
  bisects: false,
  maxRetryAttempts: -1,
  maxRecordAgeSeconds: -1,
};

async function poll(
  settings: Partial<ReaderSettings> = {},
  start: StartingPosition = { type: 'TRIM_HORIZON' },
): Promise<void> {
  poller = createPoller(
    {
      stream: unreliable(),
      streamName: 's',
      source: { eventSourceArn: 'arn:aws:kinesis:eu-west-1:1:stream/s', region: 'eu-west-1', roleArn: 'r' },
      clock: time,
      pace: { idleMs: 20, firstRetryMs: 10, maxRetryMs: 40 },
      invoke: async (event) => {
        events.push(event);
        const given = await answer(event);
        return isFailure(given) ? given : { ok: given };
      },
      onInvocation: (one) => reports.push(one),
      onDiscard: async (_, one) => void discarded.push(one),
    },
    start,
  );
  await poller.start({ ...defaults, ...settings });
}

function isFailure(given: unknown): given is InvocationResult {
  return typeof given === 'object' && given !== null && 'error' in given;
}

/** The stream, with its faults. */
function unreliable(): Stream {
  const through =
    <A extends unknown[], R>(operation: keyof Stream, act: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      fault(operation);
      return act(...args);
    };
  return {
    shards: through('shards', () => stream.shards()),
    iterator: through('iterator', (shardId, from) => stream.iterator(shardId, from)),
    read: through('read', (iterator, limit) => stream.read(iterator, limit)),
  };
}

/** Records that are their own keys. @returns their sequence numbers */
function put(...data: string[]): string[] {
  return data.map((one) => stream.put(one, Buffer.from(one), one).sequenceNumber);
}

async function until(holds: () => boolean): Promise<void> {
  const end = time.now() + LONG_MS;
  while (!holds() && time.now() < end) await time.sleep(5);
  expect(holds()).toBe(true);
}

it('makes batches of BatchSize in order, and keeps a checkpoint', async () => {
  const numbers = put('a', 'b', 'c', 'd', 'e');
  await poll({ batchSize: 2 });
  await poller.drained();
  expect(batches()).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[4] }]);
  expect(poller.totals).toEqual({ invocations: 3, records: 5, redelivered: 0, discarded: 0 });
});

it('keeps an event within 6 MB', async () => {
  // 900 kB are 1.2 MB in base64: five fit, the sixth does not.
  for (let n = 0; n < 7; n++) stream.put(`${n}`, Buffer.alloc(900_000, n), `${n}`);
  await poll();
  await poller.drained();
  expect(reports.map(({ records }) => records)).toEqual([5, 2]);
  for (const event of events)
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(6 * 1024 * 1024);
});

it('gathers for the batching window, or until the batch is full', async () => {
  await poll({ windowMs: 800, batchSize: 3 });
  put('a');
  await time.sleep(60);
  put('b');
  await poller.drained();
  expect(batches()).toEqual([['a', 'b']]);
  expect(reports.map(({ startedAt }) => startedAt - START)).toEqual([800]);
  const full = time.now();
  put('c', 'd', 'e');
  await poller.drained();
  expect(batches()[1]).toEqual(['c', 'd', 'e']);
  expect(reports[1]?.startedAt).toBeLessThanOrEqual(full + 20);
});

it('delivers again from the lowest reported record on, and nothing new in between', async () => {
  const numbers = put('a', 'b', 'c');
  let failing = true;
  answer = ({ Records }) => {
    const failed = failing ? Records.filter((record) => text(record) !== 'a').reverse() : [];
    return { batchItemFailures: failed.map(({ kinesis }) => ({ itemIdentifier: kinesis.sequenceNumber })) };
  };
  await poll();
  await until(() => events.length > 2);
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[0] }]);
  put('d');
  failing = false;
  await poller.drained();
  const seen = batches();
  expect(seen[0]).toEqual(['a', 'b', 'c']);
  for (const again of seen.slice(1, -1)) expect(again).toEqual(['b', 'c']);
  expect(seen.at(-1)).toEqual(['d']);
  expect(reports[0]).toMatchObject({ outcome: 'partial', records: 3, redelivered: 0 });
  expect(reports[1]).toMatchObject({ records: 2, redelivered: 2 });
  expect(poller.totals.redelivered).toBe(2 * (seen.length - 2));
});

it.each([
  ['a thrown error', failure('handled', 'TypeError', 'bad')],
  ['a timeout', failure('timeout', 'Sandbox.Timedout', 'Task timed out after 3.00 seconds')],
  ['an identifier that is not in the batch', { batchItemFailures: [{ itemIdentifier: 'x' }] }],
])('delivers the whole batch again after %s', async (_, trouble) => {
  put('a', 'b');
  answer = () => (events.length < 3 ? trouble : null);
  await poll();
  await poller.drained();
  expect(batches()).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(reports.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'delivered']);
});

it('waits longer before each delivery of a batch that makes no progress', async () => {
  put('a');
  answer = () => (events.length < 5 ? threw : '');
  await poll();
  await poller.drained();
  // 10, 20, 40, and 40 again because that is the highest here.
  expect(reports.map(({ startedAt }) => startedAt - START)).toEqual([0, 10, 30, 70, 110]);
});

it('tells how long an invocation took', async () => {
  put('a');
  answer = () => time.sleep(1_234);
  await poll();
  await poller.drained();
  expect(reports).toMatchObject([{ startedAt: START, durationMs: 1_234 }]);
});

it('ignores what the function returns unless item failures are reported', async () => {
  put('a', 'b');
  answer = ({ Records }) => report(Records[0]);
  await poll({ reportsItemFailures: false });
  await poller.drained();
  expect(batches()).toEqual([['a', 'b']]);
});

it('begins at the starting position of the mapping', async () => {
  put('old');
  await time.sleep(1);
  const timestamp = new Date(time.now());
  put('new');
  await poll({}, { type: 'AT_TIMESTAMP', timestamp });
  await poller.drained();
  expect(batches()).toEqual([['new']]);
  await poller.end();

  events = [];
  await poll({}, { type: 'LATEST' });
  await poller.drained();
  put('newest');
  await poller.drained();
  expect(batches()).toEqual([['newest']]);
});

it('finishes the invocation in flight when it is stopped, and resumes from the checkpoint', async () => {
  const numbers = put('a', 'b');
  const released = Promise.withResolvers<unknown>();
  answer = () => released.promise;
  await poll({ batchSize: 2 });
  await until(() => events.length === 1);
  let stopped = false;
  const stopping = poller.stop().then(() => {
    stopped = true;
  });
  await time.sleep(1_000);
  expect(stopped).toBe(false);
  released.resolve(report(events[0]?.Records[1]));
  await stopping;
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[0] }]);

  put('c');
  await time.sleep(1_000);
  expect(events).toHaveLength(1);
  answer = () => null;
  await poller.start(defaults);
  await poller.drained();
  expect(batches().slice(1)).toEqual([['b', 'c']]);
});

it('loses nothing when a mapping that began at LATEST is stopped before its first success', async () => {
  answer = () => threw;
  await poll({}, { type: 'LATEST' });
  await poller.drained();
  put('a');
  await until(() => events.length > 0);
  await poller.stop();
  put('b');
  answer = () => null;
  await poller.start(defaults);
  await poller.drained();
  expect(batches().at(-1)).toEqual(['a', 'b']);
});

it('reads on after an iterator that is refused and other failed reads', async () => {
  put('a');
  await poll();
  await poller.drained();
  const asked: string[] = [];
  fault = (operation) => {
    if (operation === 'shards') return;
    asked.push(operation);
    if (asked.length < 3) throw new Error('not now');
  };
  put('b');
  await poller.drained();
  expect(asked.slice(0, 4)).toEqual(['read', 'iterator', 'iterator', 'read']);
  expect(batches()).toEqual([['a'], ['b']]);
});

it('reads shards side by side, one invocation at a time for each', async () => {
  stream = new MemoryStream(4, () => time.now());
  const inFlight = new Map<string, number>();
  let [most, mostPerShard] = [0, 0];
  answer = async ({ Records }) => {
    const shard = shardOf(Records[0]) ?? '';
    inFlight.set(shard, (inFlight.get(shard) ?? 0) + 1);
    most = Math.max(
      most,
      [...inFlight.values()].reduce((a, b) => a + b),
    );
    mostPerShard = Math.max(mostPerShard, ...inFlight.values());
    await time.sleep(20);
    inFlight.set(shard, (inFlight.get(shard) ?? 1) - 1);
  };
  put(...Array.from({ length: 200 }, (_, i) => `${i}`));
  await poll({ batchSize: 10 });
  await poller.drained();
  expect(new Set(batches().flat()).size).toBe(200);
  expect(poller.totals).toMatchObject({ records: 200, redelivered: 0 });
  expect([most, mostPerShard]).toEqual([4, 1]);
  for (const { Records } of events) expect(new Set(Records.map(shardOf)).size).toBe(1);
});

it('goes on after records that were discarded, and counts them', async () => {
  const numbers = put('a', 'bad', 'b', 'c');
  answer = ({ Records }) => (Records.some((record) => text(record) === 'bad') ? threw : null);
  await poll({ batchSize: 3, bisects: true, maxRetryAttempts: 1 });
  await poller.drained();
  expect(batches()).toEqual([['a', 'bad', 'b'], ['a', 'bad'], ['a'], ['bad'], ['bad'], ['b'], ['c']]);
  expect(discarded).toMatchObject([{ condition: 'RetryAttemptsExhausted', invocations: 4 }]);
  expect(poller.totals).toMatchObject({ discarded: 1 });
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[3] }]);
});

describe('ParallelizationFactor', () => {
  const putKeyed = (keys: number, each: number) =>
    Array.from({ length: keys * each }, (_, i) => stream.put(`k${i % keys}`, Buffer.from(`${i}`), `${i}`));
  const keyOf = (record: EventRecord) => String(record.kinesis.partitionKey);

  it('delivers batches of a shard side by side, and keeps the order per partition key through retries', async () => {
    let [inFlight, most] = [0, 0];
    const keysInFlight = new Map<string, number>();
    const settled = new Map<string, number[]>();
    let clashes = 0;
    answer = async ({ Records }) => {
      const keys = new Set(Records.map(keyOf));
      inFlight += 1;
      most = Math.max(most, inFlight);
      for (const key of keys) {
        keysInFlight.set(key, (keysInFlight.get(key) ?? 0) + 1);
        if ((keysInFlight.get(key) ?? 0) > 1) clashes += 1;
      }
      await time.sleep(5);
      inFlight -= 1;
      for (const key of keys) keysInFlight.set(key, (keysInFlight.get(key) ?? 1) - 1);
      // Every third invocation leaves the second half of its batch over.
      const cut = events.length % 3 === 0 ? Math.floor(Records.length / 2) : Records.length;
      for (const record of Records.slice(0, cut))
        settled.set(keyOf(record), [...(settled.get(keyOf(record)) ?? []), Number(text(record))]);
      return cut < Records.length ? report(Records[cut]) : null;
    };
    putKeyed(20, 15);
    await poll({ batchSize: 10, parallelization: 4 });
    await poller.drained();
    expect(most).toBe(4);
    expect(clashes).toBe(0);
    expect([...settled.values()].flat()).toHaveLength(300);
    for (const numbers of settled.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(events.every(({ Records }) => Records.length <= 10)).toBe(true);
  });

  it('never moves the checkpoint past an unsettled record, and a pause loses none', async () => {
    const numbers = putKeyed(8, 5).map(({ sequenceNumber }) => sequenceNumber);
    const stuck = (record: EventRecord) => keyOf(record) === 'k3';
    let failing = true;
    answer = ({ Records }) => (failing && Records.some(stuck) ? report(Records.find(stuck)) : null);
    const settings = { batchSize: 40, parallelization: 8 };
    await poll(settings);
    // The other lanes are through, the one with the key that fails is at its second attempt.
    await until(() => new Set(batches().flat()).size === 40);
    await until(() => reports.some(({ redelivered }) => redelivered > 0));
    expect(poller.positions).toMatchObject([{ checkpoint: numbers[2] }]);
    await poller.stop();
    failing = false;
    const before = events.length;
    await poller.start({ ...defaults, ...settings });
    await poller.drained();
    // What was settled beyond the checkpoint comes again, and is counted as such.
    const again = batches().slice(before).flat().map(Number);
    expect(again.sort((a, b) => a - b)).toEqual(Array.from({ length: 37 }, (_, i) => i + 3));
    expect(reports.slice(before).reduce((sum, { redelivered }) => sum + redelivered, 0)).toBe(37);
    expect(poller.positions).toMatchObject([{ checkpoint: numbers.at(-1) }]);
  });

  it('stops reading while one lane is stuck and the others are full', async () => {
    putKeyed(1, 100);
    answer = () => threw;
    await poll({ batchSize: 5, parallelization: 2 });
    await until(() => events.length > 2);
    expect(new Set(batches().flat())).toEqual(new Set(['0', '1', '2', '3', '4']));
    expect(poller.positions).toMatchObject([{ checkpoint: undefined }]);
    answer = () => null;
    await poller.drained();
    expect(new Set(batches().flat()).size).toBe(100);
  });
});

describe('a shard that', () => {
  const children = (shardId: string) => stream.get(shardId).children.map(({ id }) => id);
  const [ROOT, SECOND] = ['shardId-000000000000', 'shardId-000000000001'];

  it('is split is read to its end before its children', async () => {
    put('a', 'b');
    stream.split(ROOT);
    put('c', 'd', 'e', 'f');
    answer = () => (events.length === 1 ? threw : null);
    await poll();
    await poller.drained();
    expect(batches().slice(0, 2)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(batches().slice(2).flat().sort()).toEqual(['c', 'd', 'e', 'f']);
    expect(poller.positions.map(({ finished }) => finished)).toEqual([true, false, false]);
  });

  it('two are merged into is read after both of them', async () => {
    stream = new MemoryStream(2, () => time.now());
    put('a', 'b', 'c', 'd');
    const before = new Set([ROOT, SECOND].map((id) => stream.get(id).records.length));
    expect(before.has(0)).toBe(false);
    stream.merge(ROOT, SECOND);
    put('e', 'f');
    const [child] = children(ROOT);
    // One of the parents gets nowhere for a while.
    answer = ({ Records }) => (shardOf(Records[0]) === SECOND && time.now() < START + 5_000 ? threw : null);
    await poll();
    await time.sleep(4_000);
    expect(events.some(({ Records }) => shardOf(Records[0]) === child)).toBe(false);
    await poller.drained();
    expect(batches().at(-1)).toEqual(['e', 'f']);
    expect(shardOf(events.at(-1)?.Records[0])).toBe(child);
  });

  it.each<StartingPosition>([{ type: 'TRIM_HORIZON' }, { type: 'LATEST' }])(
    'is split while it is polled from $type has its children found',
    async (start) => {
      // A shard that was closed before the mapping began, which LATEST must leave alone for good.
      stream.split(ROOT);
      await poll({}, start);
      await poller.drained();
      stream.split(SECOND);
      put('a', 'b', 'c', 'd', 'e', 'f');
      await poller.drained();
      expect(batches().flat().sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      const numbers = start.type === 'LATEST' ? ['1', '2', '3', '4'] : ['0', '1', '2', '3', '4'];
      expect(poller.positions.map(({ shardId }) => shardId.at(-1)).sort()).toEqual(numbers);
    },
  );

  it('ends leaves children: nothing is drained until they are read', async () => {
    await poll();
    await poller.drained();
    let failing = true;
    fault = (operation) => {
      if (failing && operation === 'read') throw new Error('not now');
    };
    stream.split(ROOT);
    put('a', 'b', 'c', 'd');
    const waiting = poller.drained();
    await time.sleep(1_000);
    failing = false;
    await waiting;
    expect(batches().flat().sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

it('rejects who waits for a drain once the mapping has ended', async () => {
  await poll();
  put('a');
  answer = () => threw;
  const waiting = poller.drained();
  await Promise.all([expect(waiting).rejects.toThrow('has ended'), poller.end()]);
});

it('keeps asking for the shards until the stream answers', async () => {
  put('a');
  let left = 2;
  fault = (operation) => {
    if (operation !== 'shards' || left === 0) return;
    left -= 1;
    throw new Error('not now');
  };
  await poll();
  await poller.drained();
  expect({ left, seen: batches() }).toEqual({ left: 0, seen: [['a']] });
});

it('is not drained while a record is not settled', async () => {
  put('a');
  answer = () => threw;
  await poll();
  let drained = false;
  const waiting = poller.drained().then(() => {
    drained = true;
  });
  await time.sleep(10_000);
  expect(drained).toBe(false);
  answer = () => null;
  await waiting;
});

it('is not drained by a read that began before', async () => {
  await poll();
  await poller.drained();
  const held = Promise.withResolvers<void>();
  const { read } = stream;
  let under = false;
  stream.read = async (iterator, limit) => {
    const page = await read.call(stream, iterator, limit);
    under = true;
    await held.promise;
    return page;
  };
  await until(() => under);
  put('a');
  const waiting = poller.drained();
  held.resolve();
  await waiting;
  expect(batches()).toEqual([['a']]);
});
