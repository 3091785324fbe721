// Lambda's rules for a batch that fails: bisect, retries, record age and discards, one batch at a time and without waiting.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CheckpointState, createCheckpoint } from '../../../local/aws/checkpoint.ts';
import type { Clock } from '../../../local/aws/clock.ts';
import { deliver, type InvocationReport } from '../../../local/aws/delivery.ts';
import { failure, type InvocationResult } from '../../../local/aws/function-errors.ts';
import { type EventRecord, eventRecord } from '../../../local/aws/kinesis-event.ts';
import type { Discarded, RetrySettings } from '../../../local/aws/retry-rules.ts';
import { LAMBDA_PACE } from '../../../local/aws/shard-reader.ts';
import { settledBy } from '../../support/checkpoint-oracle.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const ARRIVAL = Date.UTC(2026, 10, 23, 10);
const defaults: RetrySettings = {
  reportsItemFailures: true,
  bisects: false,
  maxRetryAttempts: -1,
  maxRecordAgeSeconds: -1,
};
const threw = failure('handled', 'Error', 'no');

let clock: Clock;
/** Every one that was asked for, in milliseconds. */
let pauses: number[];
let state: CheckpointState;
let invoked: string[][];
let reports: InvocationReport[];
let discarded: Discarded[];
let onDiscard: (one: Discarded) => void;
let stop: AbortController;
beforeEach(() => {
  begin();
  state = { handedOver: new Set() };
  invoked = [];
  reports = [];
  discarded = [];
  onDiscard = (one) => void discarded.push(one);
  stop = new AbortController();
});

/** A clock on which nothing has happened yet. */
function begin(): void {
  const time = new VirtualTime({ now: ARRIVAL });
  pauses = [];
  clock = {
    now: () => time.now(),
    sleep: (ms, signal) => {
      pauses.push(ms);
      return time.sleep(ms, signal);
    },
  };
}

/** A record for each name, at an age in seconds. */
function batchOf(names: readonly string[], ages: Record<string, number> = {}): EventRecord[] {
  const source = {
    eventSourceArn: 'arn:aws:kinesis:eu-west-1:1:stream/s',
    region: 'eu-west-1',
    roleArn: 'r',
  };
  return names.map((name, i) =>
    eventRecord(source, 'shardId-000000000000', {
      SequenceNumber: `4959033827149025660855969253836157109592157598913658${String(i).padStart(4, '0')}`,
      PartitionKey: name,
      Data: Buffer.from(name),
      ApproximateArrivalTimestamp: new Date(ARRIVAL - (ages[name] ?? 0) * 1000),
    }),
  );
}

type Answer = (names: readonly string[], records: readonly EventRecord[]) => InvocationResult;

async function run(
  batch: readonly EventRecord[],
  answer: Answer,
  settings: Partial<RetrySettings> = {},
): Promise<void> {
  const checkpoint = createCheckpoint(state);
  checkpoint.read(batch);
  const byNumber = new Map(batch.map((record) => [record.sequenceNumber, record]));
  await deliver(
    batch,
    { ...defaults, ...settings },
    {
      streamName: 's',
      shardId: 'shardId-000000000000',
      checkpoint,
      clock,
      pace: LAMBDA_PACE,
      stop: stop.signal,
      invoke: async ({ Records }) => {
        const records = Records.flatMap(({ kinesis }) => byNumber.get(kinesis.sequenceNumber) ?? []);
        const names = namesOf(records);
        invoked.push(names);
        return answer(names, records);
      },
      onInvocation: (report) => reports.push(report),
      onDiscard: async (_, one) => onDiscard(one),
    },
  );
}

const namesOf = (records: readonly EventRecord[]) =>
  records.map(({ record }) => String(record.kinesis.partitionKey));
const ok: InvocationResult = { ok: null };
const report = (...records: (EventRecord | undefined)[]): InvocationResult => ({
  ok: { batchItemFailures: records.map((record) => ({ itemIdentifier: record?.sequenceNumber })) },
});
/** Throws for every batch with one of these in it. */
const throwsFor =
  (...bad: string[]): Answer =>
  (names) =>
    names.some((name) => bad.includes(name)) ? threw : ok;
/** Reports the first of these in the batch. */
const reports1st =
  (...bad: string[]): Answer =>
  (names, records) => {
    const at = names.findIndex((name) => bad.includes(name));
    return at === -1 ? ok : report(records[at]);
  };

describe('BisectBatchOnFunctionError', () => {
  it('cuts a batch in two on a thrown error, down to the culprit, and keeps the order', async () => {
    const batch = batchOf(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    await run(batch, throwsFor('c'), { bisects: true, maxRetryAttempts: 0 });
    expect(invoked.map((names) => names.join(''))).toEqual([
      'abcdefgh',
      'abcd',
      'ab',
      'cd',
      'c',
      'd',
      'efgh',
    ]);
    expect(discarded).toMatchObject([
      { condition: 'RetryAttemptsExhausted', invocations: 4, lastResult: 'error' },
    ]);
    expect(namesOf(discarded[0]?.records ?? [])).toEqual(['c']);
    expect(state.checkpoint).toBe(batch.at(-1)?.sequenceNumber);
  });

  it('does not consume the retry quota by cutting', async () => {
    await run(batchOf(['a', 'b', 'c', 'd']), throwsFor('d'), { bisects: true, maxRetryAttempts: 2 });
    const alone = invoked.filter((names) => names.join() === 'd');
    expect(alone).toHaveLength(1 + 2);
    expect(discarded).toMatchObject([{ invocations: 2 + 3 }]);
  });

  it('cuts at the reported sequence number', async () => {
    await run(batchOf(['a', 'b', 'c', 'd']), reports1st('d'), { bisects: true, maxRetryAttempts: 1 });
    // The cut is no attempt, so there are two more after it.
    expect(invoked.map((names) => names.join(''))).toEqual(['abcd', 'd', 'd']);
    expect(discarded).toMatchObject([{ invocations: 3, lastResult: 'answer' }]);
  });

  it('has nothing to cut where the first record is reported: all of it is delivered again', async () => {
    await run(batchOf(['a', 'b']), reports1st('a'), { bisects: true, maxRetryAttempts: 1 });
    expect(invoked.map((names) => names.join(''))).toEqual(['ab', 'ab']);
    expect(namesOf(discarded[0]?.records ?? [])).toEqual(['a', 'b']);
  });

  it('cuts in two where the answer names no record of the batch, and where the process died', async () => {
    const unknown: InvocationResult = { ok: { batchItemFailures: [{ itemIdentifier: 'unknown' }] } };
    for (const result of [unknown, failure('timeout', 'T', 't'), failure('exit', 'E', 'e')]) {
      invoked = [];
      await run(batchOf(['a', 'b', 'c']), (names) => (names.length > 2 ? result : ok), { bisects: true });
      expect(invoked.map((names) => names.join(''))).toEqual(['abc', 'ab', 'c']);
    }
  });

  it('where it is off, the whole batch is delivered each time', async () => {
    await run(batchOf(['a', 'b']), throwsFor('b'), { maxRetryAttempts: 2 });
    expect(invoked.map((names) => names.join(''))).toEqual(['ab', 'ab', 'ab']);
    expect(namesOf(discarded[0]?.records ?? [])).toEqual(['a', 'b']);
  });
});

describe('MaximumRetryAttempts', () => {
  it('is consumed by a partial success: records that fail once each use up the budget of a healthy batch', async () => {
    const failed = new Set<string>();
    const onceEach: Answer = (names, records) => {
      const at = names.findIndex((name) => !failed.has(name));
      if (at === -1) return ok;
      failed.add(names[at] ?? '');
      return report(records[at]);
    };
    await run(batchOf(['a', 'b', 'c', 'd', 'e']), onceEach, { maxRetryAttempts: 2 });
    expect(invoked.map((names) => names.join(''))).toEqual(['abcde', 'abcde', 'bcde']);
    expect(discarded).toMatchObject([
      { condition: 'RetryAttemptsExhausted', invocations: 3, lastResult: 'answer' },
    ]);
    expect(namesOf(discarded[0]?.records ?? [])).toEqual(['c', 'd', 'e']);
  });

  it('of 0 means one invocation, of -1 no end', async () => {
    await run(batchOf(['a']), throwsFor('a'), { maxRetryAttempts: 0 });
    expect(invoked).toHaveLength(1);
    expect(discarded).toHaveLength(1);
    let left = 500;
    await run(batchOf(['b']), () => (left-- > 0 ? threw : ok));
    expect(invoked).toHaveLength(1 + 501);
    expect(discarded).toHaveLength(1);
  });

  it.each(['throttled', 'rejected'] as const)(
    'does not count an invocation that was %s, nor cut for it',
    async (kind) => {
      let left = 20;
      const answer: Answer = () => (left-- > 0 ? failure(kind, 'E', 'e') : ok);
      await run(batchOf(['a', 'b']), answer, { maxRetryAttempts: 0, bisects: true });
      expect(invoked).toHaveLength(21);
      expect(discarded).toEqual([]);
    },
  );
});

describe('MaximumRecordAgeInSeconds', () => {
  it('splits the batch: the expired records are discarded, the rest is processed', async () => {
    const batch = batchOf(['old', 'a', 'b'], { old: 80 });
    await run(batch, () => ok, { maxRecordAgeSeconds: 60, maxRetryAttempts: 0 });
    expect(invoked).toEqual([['a', 'b']]);
    expect(discarded).toEqual([{ condition: 'RecordAgeExceeded', records: [batch[0]], invocations: 0 }]);
    expect(state.checkpoint).toBe(batch[2]?.sequenceNumber);
  });

  it('keeps a record that is exactly as old as it may be', async () => {
    await run(batchOf(['a'], { a: 60 }), () => ok, { maxRecordAgeSeconds: 60 });
    expect(invoked).toEqual([['a']]);
  });

  it('bounds the retries: 8 invocations in 60 s for a function that fails at once, as recorded', async () => {
    await run(batchOf(['a']), throwsFor('a'), { maxRecordAgeSeconds: 60 });
    expect(invoked).toHaveLength(8);
    expect(discarded).toMatchObject([{ condition: 'RecordAgeExceeded', invocations: 8 }]);
    expect(discarded[0]).not.toHaveProperty('lastResult');
  });

  it('bounds how long throttling can last, though nothing is invoked', async () => {
    const answer: Answer = () => failure('throttled', 'TooManyRequestsException', 'Rate Exceeded.');
    await run(batchOf(['a']), answer, { maxRecordAgeSeconds: 60, maxRetryAttempts: 3 });
    expect(discarded).toMatchObject([{ condition: 'RecordAgeExceeded', invocations: 0 }]);
  });

  it('expires a part of a batch between two attempts', async () => {
    await run(batchOf(['a', 'b'], { a: 59 }), () => (invoked.length < 4 ? threw : ok), {
      maxRecordAgeSeconds: 60,
    });
    expect(invoked.map((names) => names.join(''))).toEqual(['ab', 'ab', 'ab', 'b']);
    expect(namesOf(discarded[0]?.records ?? [])).toEqual(['a']);
  });
});

it('goes on with what is left of a half, one record of which became too old, before the other half', async () => {
  await run(batchOf(['a', 'b', 'c', 'd'], { a: 59.9 }), () => (invoked.length < 2 ? threw : ok), {
    bisects: true,
    maxRecordAgeSeconds: 60,
  });
  expect(invoked.map((names) => names.join(''))).toEqual(['abcd', 'b', 'cd']);
  expect(namesOf(discarded[0]?.records ?? [])).toEqual(['a']);
});

describe('between attempts', () => {
  it('the pause doubles up to its maximum, and starts again after progress', async () => {
    const answer: Answer = (_, records) =>
      invoked.length === 10 ? report(records[1]) : invoked.length < 12 ? threw : ok;
    await run(batchOf(['a', 'b']), answer);
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 250, 500]);
  });

  it('a stop ends the delivery, and the checkpoint stays before what was not settled', async () => {
    const batch = batchOf(['a', 'b', 'c']);
    const answer: Answer = (_, records) => {
      stop.abort();
      return report(records[1]);
    };
    await run(batch, answer, { maxRetryAttempts: 5 });
    expect(invoked).toHaveLength(1);
    expect(state.checkpoint).toBe(batch[0]?.sequenceNumber);
  });
});

it('passes discarded records only once their on-failure document is written', async () => {
  const seen: (string | undefined)[] = [];
  onDiscard = (one) => {
    seen.push(state.checkpoint);
    if (seen.length < 4) throw new Error('no room');
    discarded.push(one);
  };
  const batch = batchOf(['a', 'b']);
  await run(batch, throwsFor('a'), { bisects: true, maxRetryAttempts: 0 });
  expect(seen).toEqual([undefined, undefined, undefined, undefined]);
  expect(discarded).toHaveLength(1);
  // Nothing of the shard went on before.
  expect(invoked.map((names) => names.join(''))).toEqual(['ab', 'a', 'b']);
  expect(state.checkpoint).toBe(batch[1]?.sequenceNumber);
});

it('counts a record that was handed over before as redelivered', async () => {
  await run(batchOf(['a', 'b', 'c']), (_, records) => (invoked.length === 1 ? report(records[1]) : ok));
  expect(reports).toMatchObject([
    { records: 3, redelivered: 0, outcome: 'partial', reason: expect.stringContaining('reported from') },
    { records: 2, redelivered: 2, outcome: 'delivered' },
  ]);
  expect(state.handedOver.size).toBe(0);
});

it('settles or discards every record once, in order, and as often as its settings allow, whatever the function does', async () => {
  const move = fc.oneof(
    fc.constantFrom<'throw' | 'throttle' | 'ok'>('throw', 'throttle', 'ok'),
    fc.array(fc.nat(9), { maxLength: 3 }),
    fc.constant({ batchItemFailures: [{ itemIdentifier: 'unknown' }] }),
  );
  const settingsOf = fc.record({
    bisects: fc.boolean(),
    maxRetryAttempts: fc.constantFrom(-1, 0, 1, 3),
    maxRecordAgeSeconds: fc.constantFrom(-1, 60),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 10 }),
      fc.array(move, { maxLength: 25 }),
      settingsOf,
      async (size, script, settings) => {
        state = { handedOver: new Set() };
        [invoked, reports, discarded] = [[], [], []];
        begin();
        const batch = batchOf(Array.from({ length: size }, (_, i) => String(i)));
        const settled: string[] = [];
        await run(
          batch,
          (names, records) => {
            const next = script[invoked.length - 1] ?? 'ok';
            const result = resultOf(next, records);
            // The oracle reads the exact text; what it counts as settled must never come again.
            const numbers = records.map(({ sequenceNumber }) => sequenceNumber);
            const text = 'error' in result ? undefined : JSON.stringify(result.ok);
            settled.push(...names.slice(0, settledBy(numbers, text)));
            return result;
          },
          settings,
        );
        const ends = [...settled, ...discarded.flatMap(({ records }) => namesOf(records))];
        expect(ends.sort()).toEqual(namesOf(batch));
        expect(state.checkpoint).toBe(batch.at(-1)?.sequenceNumber);
        expect(state.handedOver.size).toBe(0);
        // First deliveries come in the order of the shard.
        expect([...new Set(invoked.flat())]).toEqual([...new Set(invoked.flat())].sort());
        for (const { condition, invocations } of discarded) {
          if (condition === 'RetryAttemptsExhausted')
            expect(invocations).toBeGreaterThan(settings.maxRetryAttempts);
        }
        if (settings.maxRecordAgeSeconds === -1 && settings.maxRetryAttempts === -1)
          expect(discarded).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

function resultOf(
  move: 'throw' | 'throttle' | 'ok' | number[] | object,
  records: readonly EventRecord[],
): InvocationResult {
  if (move === 'ok') return ok;
  if (move === 'throw') return threw;
  if (move === 'throttle') return failure('throttled', 'E', 'e');
  if (!Array.isArray(move)) return { ok: move };
  return report(...move.map((at) => records[at % records.length]));
}
