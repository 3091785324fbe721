import { CreateStreamCommand, type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublishedStream } from '../../../lib/published.ts';
import type { FaultKind } from '../../../local/aep/fault-kinds.ts';
import type { Batch } from '../../../local/aep/state.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { recordDetail, recordsFeed } from '../../../local/page/areas/records.ts';
import { fateOf } from '../../../local/page/fate.ts';
import { createStore } from '../../../local/page/store.ts';
import type { RecordsUpdate } from '../../../local/page/told.ts';
import { toldTries, triesOf } from '../../../local/page/tries.ts';
import type { Looked } from '../../../local/page/watched.ts';
import { PUBLISHED } from '../../support/forwarding.ts';
import { clientOf } from '../../support/streams.ts';
import { ORIGIN, toldStack } from '../../support/watched.ts';
import { caller, makePipeline, ROW, sendBatch, WARM_UP } from '../aep/support.ts';

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
    return fateOf(looked.watched, route, { sends: JSON.stringify(sends), tries: [] }, []);
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

describe('what became of a message whose _id the mapping makes', () => {
  const sends = JSON.stringify(ROW);

  async function sent(kinds: readonly FaultKind[] = []) {
    const with_ = await caller();
    const made = await makePipeline(with_);
    await with_.clock.advance(WARM_UP);
    const { platform } = with_;
    kinds.forEach((kind, after) => {
      platform.faults.add({ kind, path: '/collection/**', times: 1, status: 429, after });
    });
    const watched = { platform: { origin: ORIGIN, platform } };
    const [datasetId, inletUrl] = [made.dataSetId, `https://dcs.example/collection/${made.inletId}`];
    const route = { ...PUBLISHED, sandbox: 'dev1', data: 'raw' as const, datasetId, inletUrl };
    const send = () => sendBatch(with_, made, [{ ...ROW, id: 'another' }, ROW]).catch(() => undefined);
    const told = () => {
      const tries = triesOf(watched, route, sends);
      return {
        tries: toldTries(tries, platform.journal.forgotten),
        fate: fateOf(watched, route, { sends, tries }, []),
      };
    };
    return { send, told, watched, route };
  }

  it('is the row that came with its request', async () => {
    const { send, told, watched, route } = await sent();
    expect(told().fate.health).toBe('off');
    await send();
    const { fate, tries } = told();
    expect(fate.says).toBe('It has landed: this is its row.');
    expect(JSON.parse(fate.row?.text ?? '')).toMatchObject({ _id: ROW.id });
    expect(tries).toMatchObject([{ status: 207, health: 'good', says: 'The message was received.' }]);
    expect(JSON.parse(tries[0]?.reply?.text ?? '')).toHaveProperty('xactionId');
    await send();
    expect(told().fate.says).toContain('landed 2 times');
    // Another inlet of the stream has its own answers.
    expect(triesOf(watched, { ...route, inletUrl: `${route.inletUrl}x` }, sends)).toEqual([]);
  });

  it('is told with each answer on the way: refused, lost, and received', async () => {
    const { send, told } = await sent(['refuse', 'dropAfter', 'notJson', 'short']);
    for (let one = 0; one < 5; one++) await send();
    expect(told().tries.map(({ status, says }) => [status, says])).toEqual([
      [429, 'The request was refused with 429.'],
      [0, 'The connection was cut: no answer came. AEP may have it all the same.'],
      [429, 'The request was refused with 429.'],
      [207, 'The answer says nothing of this message.'],
      [207, 'The message was received.'],
    ]);
    expect(told().tries.map(({ number }) => number)).not.toContain(undefined);
  });
});
