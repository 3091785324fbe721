// The oracle of Lambda's checkpoints finds what it is there to find: one that cannot would make every load a success.
import { beforeEach, expect, it } from 'vitest';
import { CheckpointOracle } from './checkpoint-oracle.ts';

const MAX_AGE_MS = 60_000;
const record = (n: number) => ({ sequenceNumber: String(10 ** 9 + n), arrivedAt: n * 1_000 });
const SHARDS = {
  parent: { parents: [], records: [0, 1, 2, 3, 4].map(record) },
  child: { parents: ['parent', 'gone'], records: [5, 6].map(record) },
};
const numbers = (...all: number[]) => all.map((n) => record(n).sequenceNumber);
const answer = (n: number) => `{"batchItemFailures":[{"itemIdentifier":"${record(n).sequenceNumber}"}]}`;
const document = (from: number, to: number, more: object = {}) => ({
  requestContext: { condition: 'RecordAgeExceeded' },
  KinesisBatchInfo: {
    shardId: 'parent',
    startSequenceNumber: record(from).sequenceNumber,
    endSequenceNumber: record(to).sequenceNumber,
    batchSize: to - from + 1,
  },
  ...more,
});

let wrong: string[];
let oracle: CheckpointOracle<ReturnType<typeof record>>;
beforeEach(() => {
  wrong = [];
  const shards: Record<string, (typeof SHARDS)['parent'] | (typeof SHARDS)['child']> = SHARDS;
  oracle = new CheckpointOracle((shardId) => shards[shardId] ?? { parents: [], records: [] }, {
    maxAgeMs: MAX_AGE_MS,
    wrong: (what) => wrong.push(what),
  });
});

it('has nothing to say where Lambda does as it does', () => {
  oracle.handed('parent', numbers(0, 1, 2, 3), 0);
  expect(oracle.answered('parent', undefined)).toEqual([]);
  oracle.handed('parent', numbers(0, 1), 0);
  expect(oracle.answered('parent', answer(1))).toEqual([record(0)]);
  oracle.said('parent', 1, 'partial', 2);
  expect(oracle.givenUp(document(1, 2), 70_000)).toEqual([record(1), record(2)]);
  oracle.handed('parent', numbers(3, 4), 63_000);
  expect(oracle.answered('parent', '{"batchItemFailures":[]}')).toHaveLength(2);
  oracle.handed('child', numbers(5, 6), 0);
  oracle.answered('child', '""');
  oracle.stopped([{ shardId: 'parent', checkpoint: record(4).sequenceNumber }]);
  expect([wrong, oracle.passed('parent')]).toEqual([[], 5]);
});

it.each<[RegExp, (one: typeof oracle) => unknown]>([
  [/not what comes next/, (one) => one.handed('parent', numbers(1, 2), 0)],
  [/not what comes next/, (one) => one.handed('parent', numbers(0, 2), 0)],
  [/not what comes next/, (one) => one.handed('parent', numbers(1, 0), 0)],
  [/not what comes next/, (one) => one.handed('parent', [], 0)],
  [/before the parent's last/, (one) => one.handed('child', numbers(5), 0)],
  [/too old/, (one) => one.handed('parent', numbers(0), MAX_AGE_MS + 1)],
  [
    /not cut in two/,
    (one) => {
      one.handed('parent', numbers(0, 1, 2), 0);
      one.answered('parent', undefined);
      one.handed('parent', numbers(0, 1, 2), 0);
    },
  ],
  [/read in two ways/, (one) => one.said('parent', 1, 'delivered', 2)],
  [/read in two ways/, (one) => one.said('parent', 0, 'partial', 2)],
  [/not about what comes next/, (one) => one.givenUp(document(1, 2), 70_000)],
  [/not too old/, (one) => one.givenUp(document(0, 1), MAX_AGE_MS + 500)],
  [
    /RetryAttemptsExhausted/,
    (one) => one.givenUp(document(0, 0, { requestContext: { condition: 'RetryAttemptsExhausted' } }), 70_000),
  ],
  [/the checkpoint is/, (one) => one.stopped([{ shardId: 'parent', checkpoint: record(0).sequenceNumber }])],
])('says %s', (what, happens) => {
  happens(oracle);
  expect(wrong).toEqual([expect.stringMatching(what)]);
});
