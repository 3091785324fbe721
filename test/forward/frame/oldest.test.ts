// When the oldest message of a request arrived: told of blocks as of single messages.
import { expect, it } from 'vitest';
import { createBlockWriter } from '../../../lib/forward/frame/block.ts';
import { MAX_REQUEST_BYTES } from '../../../lib/forward/frame/body.ts';
import { createRouteBlocks } from '../../../lib/forward/frame/route-blocks.ts';
import { createTakers, type Takers } from '../../../lib/forward/frame/takers.ts';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import { older } from '../../../lib/forward/read/message.ts';
import { STREAM_ARN, seq } from '../../support/forwarding.ts';

type Arrival = number | null | undefined;

const frame = { before: Buffer.alloc(0), after: Buffer.alloc(0) };
const memory = () => Buffer.alloc(MAX_REQUEST_BYTES);

function recordsOf(arrivals: readonly Arrival[], text = '{"a":1}'): KinesisRecord[] {
  return arrivals.map((approximateArrivalTimestamp, index) => ({
    eventSourceARN: STREAM_ARN,
    kinesis: { sequenceNumber: seq(index), data: btoa(text), approximateArrivalTimestamp },
  }));
}

const CASES: readonly (readonly [readonly Arrival[], Arrival])[] = [
  [[5, 3, 4], 3],
  [[undefined, 7, null, 6, undefined], 6],
  [[1, 2], 1],
  [[null, undefined], undefined],
];

it.each(CASES)('of %j it is %j', (arrivals, wanted) => {
  const own = createBlockWriter(frame)(recordsOf(arrivals), memory, 2_000);
  expect(own?.oldestArrival).toBe(wanted);
  expect(arrivals.reduce(older, undefined)).toBe(wanted);
  const shared = createRouteBlocks(
    [{ frame, mostMessages: 2_000 }],
    createTakers([undefined]) as Takers,
    memory,
    false,
  );
  shared.add(recordsOf(arrivals));
  expect(shared.take(0, 0)?.oldestArrival).toBe(wanted);
});

it('is that of all groups in the request, and of no group that was taken out again', () => {
  const shared = createRouteBlocks(
    [{ frame, mostMessages: 2_000 }],
    createTakers([undefined]) as Takers,
    memory,
    false,
  );
  expect(shared.add(recordsOf([5, 6]))).toBeDefined();
  expect(shared.add([...recordsOf([1]), ...recordsOf([2], 'no JSON')])).toBeUndefined();
  expect(shared.add(recordsOf([4, 7]))).toBeDefined();
  const block = shared.take(0, 0);
  expect(block?.messages().map(({ message }) => message.arrivedAt)).toEqual([5, 6, 4, 7]);
  expect(block?.oldestArrival).toBe(4);
});
