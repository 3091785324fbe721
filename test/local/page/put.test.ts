import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { recordsFeed } from '../../../local/page/areas/records.ts';
import { putByHand } from '../../../local/page/put.ts';
import { createStore } from '../../../local/page/store.ts';
import type { PutTold, RecordsUpdate } from '../../../local/page/told.ts';
import type { Watched } from '../../../local/page/watched.ts';
import { toldStack } from '../../support/watched.ts';

const stream = 'shop';
let kinesis: LocalKinesis;
let client: KinesisClient;
let watched: Watched;

beforeAll(async () => {
  kinesis = await startKinesis();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new KinesisClient({ endpoint: kinesis.endpoint, region: 'eu-west-1', credentials });
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
  const told = toldStack();
  watched = { ...told, streams: { ...told.streams, client, arn: (name) => kinesis.streamArn(name) } };
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

const putIn = (body: unknown) =>
  putByHand(watched, { method: 'POST', path: '', body: Buffer.from(JSON.stringify(body)) });

describe('records put in by hand', () => {
  it('are in the stream as they were typed: one with its key and its place, or the lines of a file', async () => {
    const one = await putIn({ stream, text: '{"id":\n "1"}', key: 'mine' });
    expect(one).toMatchObject({ status: 200, body: { records: 1, refused: [] } });
    const many = await putIn({ stream, text: 'a\r\n\nb\n', areLines: true });
    expect(many).toEqual({ status: 200, body: { records: 2, refused: [] } });
    const { added } = (await recordsFeed(
      { watched, store: createStore('/nowhere') },
      stream,
    )()) as RecordsUpdate;
    expect(added.map(({ begins }) => begins)).toEqual(['{"id":\n "1"}', 'a', 'b']);
    const put = one?.body as PutTold | undefined;
    expect(added[0]).toMatchObject({ ...put?.first, partitionKey: 'mine' });
  });

  it('are refused with the reason', async () => {
    const large = `x\n${'y'.repeat(1_100_000)}`;
    expect(await putIn({ stream, text: large, areLines: true })).toMatchObject({
      status: 200,
      body: { records: 1, refused: [expect.stringContaining('Line 2: too large')] },
    });
    for (const wrong of [{}, { stream }, { stream, text: '' }, { stream: 'none', text: 'x' }, null])
      expect(await putIn(wrong)).toMatchObject({ status: 400, body: { why: expect.stringMatching(/./) } });
    expect(await putByHand(watched, { method: 'POST', path: 'more', body: Buffer.alloc(0) })).toBeUndefined();
  });
});
