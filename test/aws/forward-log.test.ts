import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createForwardLog } from '../../lib/aws/forward-log.ts';
import type { ForwardedBatch, WaitingShard } from '../../lib/runtime.ts';
import { type LocalLogs, startLogsApi } from '../../local/aws/logs-api.ts';
import { json } from '../support/inlet.ts';
import { routed } from '../support/routed.ts';

const SHARD = 'shardId-000000000000';
const STREAM = 'customers';

let logs: LocalLogs;
let client: CloudWatchLogsClient;

beforeAll(async () => {
  logs = await startLogsApi();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new CloudWatchLogsClient({ endpoint: logs.endpoint, region: 'eu-west-1', credentials });
});

afterAll(async () => {
  client.destroy();
  await logs.close();
});

const line = (n: number, more: object = {}) =>
  JSON.stringify({
    level: 'INFO',
    message: 'whatever it says',
    event: 'batch-ended',
    shardId: SHARD,
    invocationId: `i-${n}`,
    firstSequenceNumber: String(n),
    lastSequenceNumber: String(n + 9),
    acknowledged: 10,
    filtered: 0,
    rejected: 0,
    ...more,
  });

async function read(forwarder: string, shardId = SHARD, from = 0): Promise<ForwardedBatch[]> {
  const batches: ForwardedBatch[] = [];
  for await (const page of createForwardLog(forwarder, client).batches({ stream: STREAM, shardId }, from))
    batches.push(...page);
  return batches;
}

it('gives what was said of a shard, over all pages, and nothing else', async () => {
  for (let n = 0; n < 12_000; n++) logs.put('forward', line(n));
  logs.put('forward', line(1, { shardId: 'shardId-000000000001' }));
  logs.put('forward', line(1, { message: 'batch-ended', event: 'miscounted' }));
  logs.put('forward', `batch-ended ${SHARD} is no JSON`);
  logs.put('forward', line(1, { firstSequenceNumber: undefined }));
  logs.put('other', line(1));
  logs.put('forward', line(1, { stream: 'orders' }));
  logs.put('forward', `2026-01-31T12:00:00.000Z\tid\tINFO\t${line(12_000, { checkpoint: '12003' })}`);
  const batches = await read('arn:aws:lambda:eu-west-1:123456789012:function:forward');
  expect(batches).toHaveLength(12_001);
  expect(batches[0]).toEqual({
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    invocationId: 'i-0',
    first: '0',
    last: '9',
    acknowledged: 10,
    filtered: 0,
    rejected: 0,
  });
  expect(batches.at(-1)).toMatchObject({ first: '12000', checkpoint: '12003' });
  expect(await read('forward', SHARD, Date.now() + 1_000)).toEqual([]);
});

it('14 A 3: tells of each line which route it is about, and how far that one was', async () => {
  const routed = { stream: STREAM, pipeline: 'orders', unrouted: 0, returned: 3, checkpoint: '4' };
  logs.put('routed', line(1, { ...routed, ownCheckpoint: '7' }));
  logs.put('routed', line(1, { ...routed, pipeline: 'customers' }));
  expect(await read('routed')).toMatchObject([
    { pipeline: 'orders', checkpoint: '4', ownCheckpoint: '7', returned: 3, unrouted: 0 },
    { pipeline: 'customers', checkpoint: '4', returned: 3 },
  ]);
});

it('14 A 3: tells which route of several holds a shard, by what the forwarder writes', async () => {
  const w = routed([{ pipeline: 'orders', answer: () => json(503, {}) }, { pipeline: 'web' }]);
  await w.run(['{"n":1}', '{"n":2}']);
  for (const { fields } of w.lines) logs.put('waiting', JSON.stringify(fields));
  const own = { event: 'batch-ended', stream: STREAM, pipeline: 'web', shardId: 'shardId-000000000002' };
  logs.put('waiting', JSON.stringify({ ...own, checkpoint: '4', ownCheckpoint: '7', code: 'AEP_BUSY' }));
  logs.put('waiting', JSON.stringify({ ...own, stream: 'other', checkpoint: '4', ownCheckpoint: '4' }));
  const found: WaitingShard[] = [];
  for await (const page of createForwardLog('waiting', client).waiting(STREAM, 0)) found.push(...page);
  expect(found).toEqual([
    {
      at: expect.any(String),
      pipeline: 'orders',
      shardId: expect.any(String),
      holds: true,
      code: 'AEP_UNAVAILABLE',
    },
    {
      at: expect.any(String),
      pipeline: 'web',
      shardId: 'shardId-000000000002',
      holds: false,
      code: 'AEP_BUSY',
    },
  ]);
});

it('gives nothing of a function that was never called, and fails where it may not read', async () => {
  expect(await read('never')).toEqual([]);
  await expect(read('forward', 'a shard "quoted"')).resolves.toEqual([]);
  const refused = {
    send: () => Promise.reject(Object.assign(new Error('no'), { name: 'AccessDeniedException' })),
  };
  await expect(
    createForwardLog('forward', refused)
      .batches({ stream: STREAM, shardId: SHARD }, 0)
      [Symbol.asyncIterator]()
      .next(),
  ).rejects.toThrow(/AWS_REFUSED/);
  await expect(
    createForwardLog(undefined, client)
      .batches({ stream: STREAM, shardId: SHARD }, 0)
      [Symbol.asyncIterator]()
      .next(),
  ).rejects.toThrow(/SETTINGS_INVALID/);
});
