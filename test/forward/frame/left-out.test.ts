// What several routes leave out of a group is counted by their conditions, and not by what is missing in their requests.
import { expect, it } from 'vitest';
import { MAX_REQUEST_BYTES } from '../../../lib/forward/frame/body.ts';
import { createRouteBlocks } from '../../../lib/forward/frame/route-blocks.ts';
import { createTakers, type Takers } from '../../../lib/forward/frame/takers.ts';
import { STREAM_ARN, seq } from '../../support/forwarding.ts';

const recordsOf = (types: readonly string[]) =>
  types.map((type, index) => ({
    eventSourceARN: STREAM_ARN,
    kinesis: { sequenceNumber: seq(index), data: btoa(JSON.stringify({ type })) },
  }));

function blocksOf(...types: readonly string[]) {
  const takers = createTakers(types.map((type) => [{ field: '/type', equals: type }])) as Takers;
  const frame = { before: Buffer.alloc(0), after: Buffer.alloc(0) };
  const routes = types.map(() => ({ frame, mostMessages: 2_000 }));
  return createRouteBlocks(routes, takers, () => Buffer.alloc(MAX_REQUEST_BYTES), false);
}

it('counts each group by itself, and tells for each record who leaves it out', () => {
  const blocks = blocksOf('a', 'b', 'c');
  const first = blocks.add(recordsOf(['a', 'b', 'none', 'a']));
  expect(first?.left).toEqual([2, 3, 4]);
  // A record that none takes is left out by all but the first, which counts it.
  expect(first?.leftOut.by).toEqual([0b110, 0b101, 0b110, 0b110]);
  expect(first?.leftOut.messages.map(({ sequenceNumber }) => sequenceNumber)).toEqual([0, 1, 2, 3].map(seq));
  expect(first?.unrouted.map(({ kinesis }) => kinesis.sequenceNumber)).toEqual([seq(2)]);
  expect(blocks.take(0, 0)?.length).toBe(2);
  const second = blocks.add(recordsOf(['b', 'b']));
  expect(second?.left).toEqual([2, 0, 2]);
  expect([blocks.take(0, 0), blocks.take(1, 0)?.length]).toEqual([undefined, 3]);
});

it('counts nothing of a group that was not added', () => {
  const blocks = blocksOf('a', 'b');
  expect(
    blocks.add([
      ...recordsOf(['a']),
      { eventSourceARN: STREAM_ARN, kinesis: { sequenceNumber: seq(1), data: '*' } },
    ]),
  ).toBeUndefined();
  expect(blocks.add(recordsOf(['b']))?.left).toEqual([1, 0]);
});
