import { describe, expect, it } from 'vitest';
import { emptyTally, type RedriveAnswer, readRequest } from '../../../lib/redrive/request.ts';
import { redriveChosen, redriveRequests } from '../../../local/page/redrive.ts';
import type { Stored } from '../../../local/page/store.ts';
import { toldStack } from '../../support/watched.ts';

const STREAM = 'arn:aws:kinesis:eu-west-1:123456789012:stream/shop';

const stored = (id: string, pipeline: string, reason: string, sequenceNumber: string): Stored => ({
  id,
  pipeline,
  streamArn: STREAM,
  shardId: 'shardId-000000000000',
  storedAt: `2026-11-29T09:00:0${sequenceNumber}.000Z`,
  file: 'one.json',
  entry: { reason, message: '', sequenceNumber, data: '' },
});

const ALL = [
  stored('a', 'orders', 'refused', '1'),
  stored('b', 'orders', 'refused', '2'),
  stored('c', 'orders', 'not-json', '3'),
  stored('d', 'returns', 'refused', '4'),
];

describe('what is chosen of the dead letters', () => {
  it('is asked for by its reasons where it is all of a reason, and nothing that came later', () => {
    const requests = redriveRequests(ALL, ['a', 'b', 'c']);
    expect(requests).toEqual([
      {
        stream: STREAM,
        pipeline: 'orders',
        source: 'rejected',
        where: { reasons: ['refused', 'not-json'], stored: { to: '2026-11-29T09:00:03.000Z' } },
      },
    ]);
    for (const one of requests) expect(readRequest(one)).toMatchObject(one);
  });

  it('is asked for one by one, by its place, where others of the reason are not meant', () => {
    const twice = { ...(ALL[0] as Stored), id: 'e' };
    const requests = redriveRequests([...ALL, twice], ['a', 'e', 'd', 'unknown']);
    expect(requests.map(({ pipeline, where }) => [pipeline, where.sequence])).toEqual([
      ['orders', { shardId: 'shardId-000000000000', from: '1', to: '1' }],
      ['returns', undefined],
    ]);
    for (const one of requests) expect(readRequest(one)).toMatchObject(one);
  });
});

describe('a redrive that the page asks for', () => {
  const looking = (rejected: readonly Stored[]) => {
    const asked: Record<string, unknown>[] = [];
    const watched = {
      ...toldStack(),
      async redrive(request: Readonly<Record<string, unknown>>): Promise<RedriveAnswer> {
        asked.push(request);
        const counts = { ...emptyTally(), chosen: 2, left: request.dryRun ? 2 : 0 };
        const base = { stream: STREAM, pipeline: 'orders', source: 'rejected', complete: true } as const;
        return { ...base, ...counts, delivered: request.dryRun ? 0 : 2, dryRun: request.dryRun === true };
      },
    };
    return { asked, looked: { watched, store: { rejected: async () => rejected } } };
  };
  const body = (value: unknown) => ({ method: 'POST', path: '', body: Buffer.from(JSON.stringify(value)) });

  it('goes to the function, dry first, and is told as one sum', async () => {
    const { asked, looked } = looking(ALL);
    expect(await redriveChosen(looked, body({ ids: ['a', 'd'], dryRun: true }))).toMatchObject({
      status: 200,
      body: { dryRun: true, chosen: 4, left: 4, delivered: 0 },
    });
    expect(await redriveChosen(looked, body({ ids: ['a', 'd'], dryRun: false }))).toMatchObject({
      status: 200,
      body: { dryRun: false, delivered: 4 },
    });
    expect(asked.map(({ dryRun, continue: goesOn }) => [dryRun, goesOn])).toEqual([
      [true, false],
      [true, false],
      [false, false],
      [false, false],
    ]);
  });

  it('is refused where it is not understood, or needs too many calls', async () => {
    const many = Array.from({ length: 102 }, (_, one) => ({ ...(ALL[0] as Stored), id: `m${one}` })).map(
      (one, index) => ({ ...one, entry: { ...one.entry, sequenceNumber: String(index) } }),
    );
    const { asked, looked } = looking(many);
    for (const wrong of [{}, { ids: [], dryRun: true }, { ids: ['a'] }, 'x'])
      expect((await redriveChosen(looked, body(wrong)))?.status).toBe(400);
    const ids = many.slice(1).map(({ id }) => id);
    expect((await redriveChosen(looked, body({ ids, dryRun: true })))?.status).toBe(400);
    expect(await redriveChosen(looked, { ...body({}), path: 'more' })).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
