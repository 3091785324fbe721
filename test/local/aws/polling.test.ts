// Lambda's polling rules, against a real local stream and a function that answers as each test wants.
import {
  CreateStreamCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import type { KinesisStreamEvent } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../local/aws/clock.ts';
import type { InvocationReport } from '../../../local/aws/delivery.ts';
import { failure, type InvocationResult } from '../../../local/aws/function-errors.ts';
import { type KinesisFault, type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { Poller } from '../../../local/aws/polling.ts';
import type { Discarded } from '../../../local/aws/retry-rules.ts';
import type { ReaderSettings, StartingPosition } from '../../../local/aws/shard-reader.ts';
import { createStream } from '../../support/streams.ts';

let kinesis: LocalKinesis;
let client: KinesisClient;
let fault: KinesisFault = () => undefined;
let StreamName = '';
let streams = 0;
let poller: Poller;
let events: KinesisStreamEvent[] = [];
let reports: InvocationReport[] = [];
let discarded: Discarded[] = [];
let answer: (event: KinesisStreamEvent) => unknown;

const text = (record: KinesisStreamEvent['Records'][number]) =>
  Buffer.from(record.kinesis.data, 'base64').toString();
const batches = () => events.map(({ Records }) => Records.map(text));
const report = (record: KinesisStreamEvent['Records'][number] | undefined) => ({
  batchItemFailures: [{ itemIdentifier: record?.kinesis.sequenceNumber }],
});
/** A second, which is vitest's own limit, can be short on a busy machine. */
const patiently = { timeout: 10_000 };
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const clientFor = ({ endpoint }: LocalKinesis) =>
  new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });

beforeAll(async () => {
  kinesis = await startKinesis({ fault: (operation) => fault(operation) });
  client = clientFor(kinesis);
});
beforeEach(async () => {
  streams += 1;
  StreamName = `stream-${streams}`;
  events = [];
  reports = [];
  discarded = [];
  answer = () => ({ batchItemFailures: [] });
  fault = () => undefined;
  await createStream(client, StreamName);
});
afterEach(() => poller.stop());
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const defaults: ReaderSettings = {
  batchSize: 100,
  windowMs: 0,
  parallelization: 1,
  reportsItemFailures: true,
  bisects: false,
  maxRetryAttempts: -1,
  maxRecordAgeSeconds: -1,
};
const trimHorizon: StartingPosition = { type: 'TRIM_HORIZON' };

async function poll(settings: Partial<ReaderSettings> = {}, start = trimHorizon): Promise<void> {
  poller = new Poller(
    {
      kinesis: client,
      streamName: StreamName,
      source: {
        eventSourceArn: kinesis.streamArn(StreamName),
        region: 'us-east-1',
        roleArn: 'arn:aws:iam::1:role/r',
      },
      clock: realClock,
      pace: { idleMs: 20, firstRetryMs: 10, maxRetryMs: 40 },
      invoke: async (event) => {
        // As through a process boundary: what the function gets is a copy.
        const copy = JSON.parse(JSON.stringify(event)) as KinesisStreamEvent;
        events.push(copy);
        const given = await answer(copy);
        return isFailure(given) ? given : { ok: given };
      },
      onInvocation: (one) => reports.push(one),
      onDiscard: async (_, one) => void discarded.push(one),
    },
    { ...defaults, ...settings },
    start,
  );
  await poller.start({ ...defaults, ...settings });
}

function isFailure(given: unknown): given is InvocationResult {
  return typeof given === 'object' && given !== null && 'error' in given;
}

/** One by one, because PutRecords does not promise the order of its entries. */
async function put(...data: string[]): Promise<string[]> {
  const numbers: string[] = [];
  for (const one of data) {
    const answered = await client.send(
      new PutRecordCommand({ StreamName, PartitionKey: one, Data: Buffer.from(one) }),
    );
    numbers.push(answered.SequenceNumber ?? '');
  }
  return numbers;
}

it('hands over records in the shape in which Lambda does', async () => {
  const before = Date.now();
  const [sequenceNumber] = await put('Grüße');
  await poll();
  await poller.drained();
  const arn = kinesis.streamArn(StreamName);
  expect(events).toEqual([
    {
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: 'Grüße',
            sequenceNumber,
            data: Buffer.from('Grüße').toString('base64'),
            approximateArrivalTimestamp: expect.any(Number),
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `shardId-000000000000:${sequenceNumber}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::1:role/r',
          awsRegion: 'us-east-1',
          eventSourceARN: arn,
        },
      ],
    },
  ]);
  const arrival = Number(events[0]?.Records[0]?.kinesis.approximateArrivalTimestamp) * 1000;
  expect(arrival).toBeGreaterThanOrEqual(before - 1);
  expect(arrival).toBeLessThanOrEqual(Date.now());
});

it('makes batches of BatchSize in order, and keeps a checkpoint', async () => {
  const numbers = await put('a', 'b', 'c', 'd', 'e');
  await poll({ batchSize: 2 });
  await poller.drained();
  expect(batches()).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[4] }]);
  expect(poller.totals).toEqual({ invocations: 3, records: 5, redelivered: 0, discarded: 0 });
});

it('keeps an event within 6 MB', async () => {
  // 900 kB are 1.2 MB in base64: five fit, the sixth does not.
  const Records = Array.from({ length: 7 }, (_, i) => ({
    Data: Buffer.alloc(900_000, i),
    PartitionKey: `${i}`,
  }));
  await client.send(new PutRecordsCommand({ StreamName, Records: Records.slice(0, 4) }));
  await client.send(new PutRecordsCommand({ StreamName, Records: Records.slice(4) }));
  await poll({ windowMs: 200 });
  await poller.drained();
  expect(reports.map(({ records }) => records)).toEqual([5, 2]);
  for (const event of events)
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(6 * 1024 * 1024);
});

it('gathers for the batching window, or until the batch is full', async () => {
  await poll({ windowMs: 800, batchSize: 3 });
  const begin = performance.now();
  await put('a');
  await pause(60);
  await put('b');
  await poller.drained();
  expect(batches()).toEqual([['a', 'b']]);
  expect(performance.now() - begin).toBeGreaterThan(600);
  await put('c', 'd', 'e');
  const full = performance.now();
  await poller.drained();
  expect(performance.now() - full).toBeLessThan(600);
  expect(batches()[1]).toEqual(['c', 'd', 'e']);
});

it('delivers again from the lowest reported record on, and nothing new in between', async () => {
  const numbers = await put('a', 'b', 'c');
  let failing = true;
  answer = ({ Records }) => {
    const failed = failing ? Records.filter((record) => text(record) !== 'a').reverse() : [];
    return { batchItemFailures: failed.map(({ kinesis }) => ({ itemIdentifier: kinesis.sequenceNumber })) };
  };
  await poll();
  await expect.poll(() => events.length, patiently).toBeGreaterThan(2);
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[0] }]);
  await put('d');
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
  await put('a', 'b');
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
  await put('a');
  answer = () => (events.length < 5 ? failure('handled', 'Error', 'no') : '');
  await poll();
  await poller.drained();
  const starts = reports.map(({ startedAt }) => startedAt);
  const gaps = starts.slice(1).map((start, i) => start - (starts[i] ?? 0));
  // 10, 20, 40, and 40 again because that is the highest here; timers are coarse.
  const least = [9, 19, 39, 39];
  expect(gaps).toHaveLength(4);
  for (const [i, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual((least[i] ?? 0) - 1);
});

it('ignores what the function returns unless item failures are reported', async () => {
  await put('a', 'b');
  answer = ({ Records }) => report(Records[0]);
  await poll({ reportsItemFailures: false });
  await poller.drained();
  expect(batches()).toEqual([['a', 'b']]);
});

it('begins where it is told to', async () => {
  await put('old');
  await pause(5);
  const timestamp = new Date();
  await put('new');
  await poll({}, { type: 'AT_TIMESTAMP', timestamp });
  await poller.drained();
  expect(batches()).toEqual([['new']]);
  await poller.stop();

  events = [];
  await poll({}, { type: 'LATEST' });
  await poller.drained();
  await put('newest');
  await poller.drained();
  expect(batches()).toEqual([['newest']]);
});

it('finishes the invocation in flight when it is stopped, and resumes from the checkpoint', async () => {
  const numbers = await put('a', 'b');
  let release: (value: unknown) => void = () => undefined;
  answer = () =>
    new Promise((resolve) => {
      release = resolve;
    });
  await poll({ batchSize: 2 });
  await expect.poll(() => events.length, patiently).toBe(1);
  let stopped = false;
  const stopping = poller.stop().then(() => {
    stopped = true;
  });
  await pause(50);
  expect(stopped).toBe(false);
  release(report(events[0]?.Records[1]));
  await stopping;
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[0] }]);

  await put('c');
  await pause(60);
  expect(events).toHaveLength(1);
  answer = () => null;
  await poller.start(defaults);
  await poller.drained();
  expect(batches().slice(1)).toEqual([['b', 'c']]);
});

it('loses nothing when a mapping that began at LATEST is stopped before its first success', async () => {
  answer = () => failure('handled', 'Error', 'no');
  await poll({}, { type: 'LATEST' });
  await poller.drained();
  await put('a');
  await expect.poll(() => events.length, patiently).toBeGreaterThan(0);
  await poller.stop();
  await put('b');
  answer = () => null;
  await poller.start(defaults);
  await poller.drained();
  expect(batches().at(-1)).toEqual(['a', 'b']);
});

it('reads on after an expired iterator and other failed reads', async () => {
  await put('a');
  await poll();
  await poller.drained();
  const failures = ['ProvisionedThroughputExceededException', 'InternalFailure'];
  let expired = true;
  fault = (operation) => {
    if (operation === 'GetShardIterator') expired = false;
    if (operation !== 'GetRecords') return undefined;
    const type = expired ? 'ExpiredIteratorException' : failures.pop();
    return type === undefined ? undefined : { type, message: 'not now' };
  };
  await put('b');
  await poller.drained();
  expect({ expired, failures }).toEqual({ expired: false, failures: [] });
  expect(batches()).toEqual([['a'], ['b']]);
});

it('reads shards side by side, one invocation at a time for each', async () => {
  StreamName = `${StreamName}-wide`;
  await createStream(client, StreamName, 4);
  const inFlight = new Map<string, number>();
  let [most, mostPerShard] = [0, 0];
  answer = async ({ Records }) => {
    const shard = Records[0]?.eventID.split(':')[0] ?? '';
    inFlight.set(shard, (inFlight.get(shard) ?? 0) + 1);
    most = Math.max(
      most,
      [...inFlight.values()].reduce((a, b) => a + b),
    );
    mostPerShard = Math.max(mostPerShard, ...inFlight.values());
    await pause(20);
    inFlight.set(shard, (inFlight.get(shard) ?? 1) - 1);
  };
  const Records = Array.from({ length: 200 }, (_, i) => ({
    Data: Buffer.from(`${i}`),
    PartitionKey: `${i}`,
  }));
  await client.send(new PutRecordsCommand({ StreamName, Records }));
  await poll({ batchSize: 10 });
  await poller.drained();
  expect(new Set(batches().flat()).size).toBe(200);
  expect(poller.totals).toMatchObject({ records: 200, redelivered: 0 });
  expect(most).toBeGreaterThan(1);
  expect(mostPerShard).toBe(1);
  for (const { Records: records } of events) {
    expect(new Set(records.map(({ eventID }) => eventID.split(':')[0])).size).toBe(1);
  }
});

it('goes on after records that were given up on, and counts them', async () => {
  const numbers = await put('a', 'bad', 'b', 'c');
  answer = ({ Records }) =>
    Records.some((record) => text(record) === 'bad') ? failure('handled', 'E', 'e') : null;
  await poll({ batchSize: 3, bisects: true, maxRetryAttempts: 1 });
  await poller.drained();
  expect(batches()).toEqual([['a', 'bad', 'b'], ['a', 'bad'], ['a'], ['bad'], ['bad'], ['b'], ['c']]);
  expect(discarded).toMatchObject([{ condition: 'RetryAttemptsExhausted', invocations: 4 }]);
  expect(poller.totals).toMatchObject({ discarded: 1 });
  expect(poller.positions).toMatchObject([{ checkpoint: numbers[3] }]);
});

describe('ParallelizationFactor', () => {
  const keyed = (keys: number, each: number) =>
    Array.from({ length: keys * each }, (_, i) => ({
      PartitionKey: `k${i % keys}`,
      Data: Buffer.from(`${i}`),
    }));
  const keyOf = (record: KinesisStreamEvent['Records'][number]) => record.kinesis.partitionKey;

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
      await pause(5);
      inFlight -= 1;
      for (const key of keys) keysInFlight.set(key, (keysInFlight.get(key) ?? 1) - 1);
      // Every third invocation leaves the second half of its batch over.
      const cut = events.length % 3 === 0 ? Math.floor(Records.length / 2) : Records.length;
      for (const record of Records.slice(0, cut))
        settled.set(keyOf(record), [...(settled.get(keyOf(record)) ?? []), Number(text(record))]);
      return cut < Records.length ? report(Records[cut]) : null;
    };
    await client.send(new PutRecordsCommand({ StreamName, Records: keyed(20, 15) }));
    await poll({ batchSize: 10, parallelization: 4 });
    await poller.drained();
    expect(most).toBe(4);
    expect(clashes).toBe(0);
    expect([...settled.values()].flat()).toHaveLength(300);
    for (const numbers of settled.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(events.every(({ Records }) => Records.length <= 10)).toBe(true);
  });

  it('moves the checkpoint over no record that is not settled, and loses none by a pause', async () => {
    const Records = keyed(8, 5);
    const put = await client.send(new PutRecordsCommand({ StreamName, Records }));
    const numbers = put.Records?.map(({ SequenceNumber }) => SequenceNumber) ?? [];
    const stuck = (record: KinesisStreamEvent['Records'][number]) => keyOf(record) === 'k3';
    let failing = true;
    answer = ({ Records }) => (failing ? report(Records.find(stuck)) : null);
    const settings = { batchSize: 40, parallelization: 8 };
    const first = answer;
    answer = (event) => (event.Records.some(stuck) ? first(event) : null);
    await poll(settings);
    // The other lanes are through, the one with the key that fails is at its second attempt.
    await expect.poll(() => new Set(batches().flat()).size, patiently).toBe(40);
    await expect.poll(() => reports.some(({ redelivered }) => redelivered > 0), patiently).toBe(true);
    expect(poller.positions).toMatchObject([{ checkpoint: numbers[2] }]);
    await poller.stop();
    failing = false;
    const before = events.length;
    await poller.start({ ...defaults, ...settings });
    await poller.drained();
    // What was settled beyond the checkpoint comes again, and is counted as such.
    expect(
      batches()
        .slice(before)
        .flat()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 37 }, (_, i) => i + 3));
    const again = reports.slice(before).reduce((sum, { redelivered }) => sum + redelivered, 0);
    expect(again).toBe(37);
    expect(poller.positions).toMatchObject([{ checkpoint: numbers.at(-1) }]);
  });

  it('reads no further than there is room while one lane gets nowhere', async () => {
    await client.send(new PutRecordsCommand({ StreamName, Records: keyed(1, 100) }));
    answer = () => failure('handled', 'E', 'e');
    await poll({ batchSize: 5, parallelization: 2 });
    await expect.poll(() => events.length, patiently).toBeGreaterThan(2);
    expect(new Set(batches().flat())).toEqual(new Set(['0', '1', '2', '3', '4']));
    expect(poller.positions).toMatchObject([{ checkpoint: undefined }]);
    answer = () => null;
    await poller.drained();
    expect(new Set(batches().flat()).size).toBe(100);
  });
});

it('goes on with the children of a split shard after the shard itself', async () => {
  await put('a', 'b');
  await split('shardId-000000000000');
  await put('c', 'd', 'e', 'f');
  answer = () => (events.length === 1 ? failure('handled', 'Error', 'once') : null);
  await poll();
  await poller.drained();
  expect(batches().slice(0, 2)).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(batches().slice(2).flat().sort()).toEqual(['c', 'd', 'e', 'f']);
  expect(poller.positions.map(({ finished }) => finished)).toEqual([true, false, false]);
});

it.each<StartingPosition>([{ type: 'TRIM_HORIZON' }, { type: 'LATEST' }])(
  'finds the children of a shard that is split while it polls from $type',
  async (start) => {
    // A shard that was closed before the mapping began, which LATEST must leave alone for good.
    await split('shardId-000000000000');
    await poll({}, start);
    await poller.drained();
    await split('shardId-000000000001');
    await put('a', 'b', 'c', 'd', 'e', 'f');
    await poller.drained();
    expect(batches().flat().sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    const numbers = start.type === 'LATEST' ? ['1', '2', '3', '4'] : ['0', '1', '2', '3', '4'];
    expect(poller.positions.map(({ shardId }) => shardId.at(-1)).sort()).toEqual(numbers);
  },
);

async function split(ShardId: string): Promise<void> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  const range = Shards.find((shard) => shard.ShardId === ShardId)?.HashKeyRange;
  const middle = (BigInt(range?.StartingHashKey ?? 0) + BigInt(range?.EndingHashKey ?? 0)) / 2n;
  await client.send(
    new SplitShardCommand({ StreamName, ShardToSplit: ShardId, NewStartingHashKey: middle.toString() }),
  );
  const count = async () => (await client.send(new ListShardsCommand({ StreamName }))).Shards?.length;
  await expect.poll(count, patiently).toBe(Shards.length + 2);
}

it('is not drained by the end of a shard whose children are yet to be read', async () => {
  await poll();
  await poller.drained();
  fault = (operation) =>
    operation === 'GetRecords' ? { type: 'InternalFailure', message: 'not now' } : undefined;
  await split('shardId-000000000000');
  await put('a', 'b', 'c', 'd');
  const waiting = poller.drained();
  fault = () => undefined;
  await waiting;
  expect(batches().flat().sort()).toEqual(['a', 'b', 'c', 'd']);
});

it('has nothing to wait for once it has ended', async () => {
  await poll();
  const waiting = poller.drained();
  answer = () => failure('handled', 'Error', 'no');
  await Promise.all([expect(waiting).rejects.toThrow('has ended'), poller.end()]);
});

it('keeps asking for the shards until the stream answers', async () => {
  await put('a');
  let left = 2;
  fault = (operation) => {
    if (operation !== 'ListShards' || left === 0) return undefined;
    left -= 1;
    return { type: 'LimitExceededException', message: 'not now' };
  };
  await poll();
  await poller.drained();
  expect({ left, seen: batches() }).toEqual({ left: 0, seen: [['a']] });
});

it('waits for the shards of a stream that is still being made', async () => {
  const others = { kinesis, client };
  kinesis = await startKinesis({ transitionMs: 100 });
  client = clientFor(kinesis);
  try {
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await poll();
    await put('a');
    await poller.drained();
    expect(batches()).toEqual([['a']]);
  } finally {
    await poller.end();
    client.destroy();
    await kinesis.close();
    ({ kinesis, client } = others);
  }
});

it('is not drained while a record is still undelivered', async () => {
  await put('a');
  answer = () => failure('handled', 'Error', 'no');
  await poll();
  let drained = false;
  const waiting = poller.drained().then(() => {
    drained = true;
  });
  await pause(100);
  expect(drained).toBe(false);
  answer = () => null;
  await waiting;
});
