import { CreateStreamCommand, type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublishedStream } from '../../../lib/published.ts';
import type { Batch } from '../../../local/aep/state.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { recordDetail, recordsFeed } from '../../../local/page/areas/records.ts';
import { fateOf } from '../../../local/page/fate.ts';
import { createStore } from '../../../local/page/store.ts';
import type { RecordsUpdate } from '../../../local/page/told.ts';
import type { Looked } from '../../../local/page/watched.ts';
import { PUBLISHED } from '../../support/forwarding.ts';
import { clientOf } from '../../support/streams.ts';
import { toldStack } from '../../support/watched.ts';

const StreamName = 'shop';
let kinesis: LocalKinesis;
let client: KinesisClient;
let looked: Looked;

beforeAll(async () => {
  kinesis = await startKinesis();
  client = clientOf(kinesis);
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
  const streamArn = kinesis.streamArn(StreamName);
  const published: PublishedStream = {
    streamArn,
    settings: { compression: 'none', unrouted: 'count' },
    routes: [
      { ...PUBLISHED, streamArn, pipeline: 'orders', records: { derive: ['_id'] } },
      {
        ...PUBLISHED,
        streamArn,
        pipeline: 'returns',
        records: { where: [{ field: '/type', equals: 'return' }] },
      },
    ],
  };
  looked = {
    watched: {
      ...toldStack(),
      streams: { client, arn: (name) => kinesis.streamArn(name), published: async () => published },
    },
    store: createStore('/nowhere'),
  };
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const put = (...texts: string[]) =>
  client.send(
    new PutRecordsCommand({
      StreamName,
      Records: texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: text })),
    }),
  );

describe('the records of a stream', () => {
  it('are told from the oldest on, of all shards, and then as they come', async () => {
    await put('{"id":"one"}', '{"id":"two"}', '<b>');
    const feed = recordsFeed(looked, StreamName);
    const first = (await feed()) as RecordsUpdate;
    expect(first.added.map(({ begins }) => begins).toSorted()).toEqual([
      '<b>',
      '{"id":"one"}',
      '{"id":"two"}',
    ]);
    expect(await feed()).toBeUndefined();
    await put(`{"id":"${'x'.repeat(900)}"}`.slice(0, 256));
    const { added } = (await feed()) as RecordsUpdate;
    expect(added).toMatchObject([{ bytes: 256, begins: expect.stringMatching(/^.{200}$/) }]);
  });

  it('are told a page at a time, so that the first of many show at once', async () => {
    await client.send(new CreateStreamCommand({ StreamName: 'many', ShardCount: 1 }));
    for (let page = 0; page < 3; page++)
      await client.send(
        new PutRecordsCommand({
          StreamName: 'many',
          Records: Array.from({ length: 400 }, (_, n) => ({ Data: Buffer.from(`${n}`), PartitionKey: 'a' })),
        }),
      );
    const feed = recordsFeed(looked, 'many');
    const first = (await feed()) as RecordsUpdate;
    expect([first.added.length, first.isMore]).toEqual([1_000, true]);
    const second = (await feed()) as RecordsUpdate;
    expect([second.added.length, second.isMore]).toEqual([200, undefined]);
  });

  it('are followed on each route: sent with an _id, not taken, or rejected with the reason', async () => {
    const { added } = (await recordsFeed(looked, StreamName)()) as RecordsUpdate;
    const followed = async (text: string) => {
      const line = added.find(({ begins }) => begins === text);
      const place = { shardId: line?.shardId ?? '', sequenceNumber: line?.sequenceNumber ?? '' };
      return recordDetail(looked, { stream: StreamName, ...place });
    };
    const one = await followed('{"id":"one"}');
    expect(one?.came.text).toBe('{"id":"one"}');
    expect([one?.messages, one?.unpacked.map(({ text }) => text)]).toEqual([1, ['{"id":"one"}']]);
    expect(one?.routes).toMatchObject([
      { pipeline: 'orders', messages: [{ says: 'It is sent.', fate: { health: 'busy' } }] },
      { pipeline: 'returns', messages: [{ says: expect.stringContaining('does not take it') }] },
    ]);
    expect(one?.routes[0]?.messages[0]?.sent?.text).toContain(one?.sequenceNumber);
    expect((await followed('<b>'))?.routes[0]?.messages[0]).toMatchObject({
      health: 'bad',
      why: expect.stringContaining('not-json'),
    });
  });

  it('are not there under another address', async () => {
    const place = { stream: StreamName, shardId: 'shardId-000000000000', sequenceNumber: '1' };
    for (const one of [place, { ...place, shardId: 'x' }, { ...place, stream: 'none' }])
      expect(await recordDetail(looked, one)).toBeUndefined();
  });
});

describe('what became of a message', () => {
  const route = { ...PUBLISHED, pipeline: 'orders', sandbox: 'dev1', datasetId: 'd', data: 'raw' as const };
  const batch: Batch = {
    ...{ id: 'b', dataSetId: 'd', flowId: 'f', created: 0, sealAt: 0, updated: 0, bytes: 0, rowCount: 0 },
    rows: [{ _id: 'one', person: { name: 'A' } }],
    refused: [
      {
        stage: 'mapper',
        code: 'M',
        violations: [
          { keyword: 'type', message: 'no number', pointerToViolation: '#/a', schemaLocation: '' },
        ],
        header: {},
        body: { a: 'x' },
        source: { _id: 'two' },
      },
    ],
  };
  const fate = (sends: object) => {
    looked.watched.platform.platform.state.sandboxes.get('dev1')?.batches.set('b', batch);
    return fateOf(looked.watched, route, JSON.stringify(sends), []);
  };

  it('is its row, or why it was refused, by its _id', () => {
    expect(fate({ _id: 'one' })).toMatchObject({
      health: 'good',
      row: { text: expect.stringContaining('"A"') },
    });
    expect(fate({ _id: 'two' })).toMatchObject({
      health: 'bad',
      says: expect.stringContaining('#/a: no number'),
    });
    expect(fate({ _id: 'three' }).health).toBe('busy');
    expect(fate({ id: 'one' }).health).toBe('off');
  });
});
