// What the account of `npm start` expects of each record, on each of a stream's routes.
import { describe, expect, it } from 'vitest';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import type { PublishedStream } from '../../../lib/published.ts';
import { unroutedLines, type Written } from '../../../local/start/account.ts';
import { type Expected, expectedOf } from '../../../local/start/expected.ts';
import { kinesisEvent, SHARD_ID, STREAM_ARN } from '../../support/forwarding.ts';
import { pipelineWith } from '../../support/transforming.ts';

function stream(unrouted: 'count' | 'keep', ...types: string[]): PublishedStream {
  const routes = types.map((type) => ({
    ...pipelineWith({ where: [{ field: '/type', equals: type }] }),
    pipeline: type,
  }));
  const settings = { compression: 'none', unrouted } as unknown as PublishedStream['settings'];
  return { streamArn: STREAM_ARN, settings, routes };
}

const LINES = ['{"type":"a"}', '{"type":"b"}', '{"type":', '{"type":"c"}'];

/** Of each route, what it makes of the lines: sent, filtered, rejected. */
async function ofRoutes(state: PublishedStream) {
  const records = kinesisEvent(LINES).Records as unknown as KinesisRecord[];
  const found = await expectedOf({ records, shardId: SHARD_ID }, state);
  return [...found.values()].map((own) =>
    records.map(({ kinesis }) => own.get(kinesis.sequenceNumber) as Expected),
  );
}

const countsOf = ({ sent, filtered, rejected }: Expected) => [sent.length, filtered, rejected];

describe('14 A 5: the account per route', () => {
  it('a record that no route can read is expected to be kept once, as the forwarder keeps it', async () => {
    const [first = [], second = []] = await ofRoutes(stream('count', 'a', 'b'));
    expect(first.map(countsOf)).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [0, 1, 0],
    ]);
    expect(second.map(countsOf)).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
  });

  it('a record that no route takes is expected among the rejects of one where it is kept, and is told as unrouted', async () => {
    for (const unrouted of ['count', 'keep'] as const) {
      const routes = await ofRoutes(stream(unrouted, 'a', 'b'));
      expect(routes.map((own) => own.at(3)?.rejected)).toEqual([unrouted === 'keep' ? 1 : 0, 0]);
      const lineOf = new Map(LINES.map((_, at) => [String(at), at + 1]));
      const written = routes.map((own) => ({
        lineOf,
        expected: new Map(own.map((one, at) => [String(at), [one]])),
      }));
      expect(unroutedLines(written as unknown as Written[])).toEqual([4]);
    }
  });
});
