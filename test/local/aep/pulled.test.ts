// Sources that the platform reads by itself: a Kinesis stream for real, Event Hubs and Pub/Sub by what is put into them here.
import { type AddressInfo, createServer } from 'node:net';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  type KinesisClient,
  ListStreamsCommand,
  PutRecordsCommand,
  SplitShardCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PlatformOptions } from '../../../local/aep/platform.ts';
import { beginning } from '../../../local/aep/pulled/memory.ts';
import type { SourceState } from '../../../local/aep/pulled/readers.ts';
import { describe as describeStream, readable } from '../../../local/aep/pulled/stream.ts';
import { createAccessKeys } from '../../../local/aws/access-keys.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { until } from '../../support/eventually.ts';
import { clientOf } from '../../support/streams.ts';
import {
  type Caller,
  caller,
  FLOWS,
  KINESIS,
  makeDataSet,
  makeMapping,
  makeSchema,
  makeTarget,
  ROW,
  refusedOf,
  rowsOf,
  WARM_UP,
} from './support.ts';

const EVENT_HUBS = 'bf9f5905-92b7-48bf-bf20-455bc6b60a4e';
const PUB_SUB = '70116022-a743-464a-bbfe-e226a7f8210c';
const STREAMING = 'd69717ba-71b4-4313-b654-49f9cf126d7a';
const REGION = 'eu-west-1';
const KEY = { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey: 'fake-secret-key' };
/** Adobe's policy for the reader (sources/connectors/cloud-storage/kinesis.md). */
const ADOBES = ['GetShardIterator', 'GetRecords', 'DescribeStream', 'ListStreams'].map(
  (name) => `kinesis:${name}`,
);

interface Pulled {
  readonly dataSetId: string;
  readonly baseId: string;
  readonly sourceId: string;
  readonly flowId: string;
}

const AUTH = {
  [KINESIS]: { specName: 'Aws Kinesis authentication credentials', params: { ...KEY, region: REGION } },
  [EVENT_HUBS]: {
    specName: 'Azure EventHub authentication credentials',
    params: { sasKeyName: 'fake', sasKey: 'fake', namespace: 'web' },
  },
  [PUB_SUB]: {
    specName: 'Project Based Authentication',
    params: { projectId: 'shop', credentials: '{"fake": true}' },
  },
} as const;

const PARAMS = {
  [KINESIS]: { stream: 'orders', dataType: 'raw' },
  [EVENT_HUBS]: { eventHubName: 'clicks', dataType: 'raw' },
  [PUB_SUB]: { topicName: 'members', subscriptionName: 'members-aep', dataType: 'raw' },
} as const;

type Spec = keyof typeof AUTH;

async function pulled(with_: Caller, spec: Spec, params: object = {}, into?: Pulled): Promise<Pulled> {
  const { call } = with_;
  const connectionSpec = { id: spec, version: '1.0' };
  const made = async (path: string, body: object): Promise<string> => {
    const reply = await call('POST', `${FLOWS}/${path}`, body);
    if (reply.status !== 201) throw new Error(`${path}: ${reply.text}`);
    return reply.body.id;
  };
  const schemaId = await makeSchema(with_, `s-${spec}-${into?.flowId ?? ''}`);
  const dataSetId = await makeDataSet(with_, schemaId);
  const baseId = await made('connections', { name: 'base', auth: AUTH[spec], connectionSpec });
  const sourceId = await made('sourceConnections', {
    name: 'source',
    baseConnectionId: baseId,
    connectionSpec,
    data: { format: 'json' },
    params: { ...PARAMS[spec], ...params },
  });
  const mappingId = (await makeMapping(with_, schemaId)).body.id;
  const flowId = await made('flows', {
    name: 'flow',
    flowSpec: { id: STREAMING, version: '1.0' },
    sourceConnectionIds: [sourceId],
    targetConnectionIds: [await makeTarget(with_, dataSetId, schemaId)],
    transformations: [{ name: 'Mapping', params: { mappingId, mappingVersion: 0 } }],
  });
  return { dataSetId, baseId, sourceId, flowId };
}

const row = (id: string) => JSON.stringify({ ...ROW, id });
const idsOf = async (with_: Caller, { dataSetId }: Pulled) =>
  (await rowsOf(with_, dataSetId)).map(({ _id }) => _id);

async function stateOf({ bare }: Caller, { flowId }: Pulled): Promise<SourceState> {
  const { sources } = (await bare('GET', '/_simulator/')).body;
  return sources.find((one: SourceState) => one.flowId === flowId);
}

async function runsOf({ call }: Caller, { flowId }: Pulled) {
  return (await call('GET', `${FLOWS}/runs?property=flowId==${flowId}`)).body.items;
}

const action = ({ call }: Caller, { flowId }: Pulled, op: string) =>
  call('POST', `${FLOWS}/flows/${flowId}/action?op=${op}`);

describe('a Kinesis stream', () => {
  const keys = createAccessKeys();
  let kinesis: LocalKinesis;
  let client: KinesisClient;
  /** Its name is another one in each test. */
  let stream = '';
  let number = 0;
  /** Called while records are asked for. */
  let onRead: (() => void) | undefined;
  /** How often the stream's description is refused. */
  let refusedDescriptions = 0;

  beforeAll(async () => {
    kinesis = await startKinesis({
      keys,
      fault(operation) {
        if (operation === 'GetRecords') onRead?.();
        if (operation !== 'DescribeStream' || refusedDescriptions === 0) return undefined;
        refusedDescriptions -= 1;
        return { type: 'LimitExceededException', message: 'Rate exceeded' };
      },
    });
    client = clientOf(kinesis);
  });
  afterAll(async () => {
    client.destroy();
    await kinesis.close();
  });
  beforeEach(async () => {
    stream = `orders-${++number}`;
    await created();
    may(ADOBES);
  });

  /** A stream takes its time to come, however short. */
  async function created(): Promise<void> {
    await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
    await waitUntilStreamExists(
      { client, maxWaitTime: 240, minDelay: 1, maxDelay: 1 },
      { StreamName: stream },
    );
  }

  const may = (actions: readonly string[], resource = '*') =>
    keys.put({ ...KEY, user: 'aep', statements: [{ actions, resources: [resource] }] });

  const put = (...records: string[]) =>
    client.send(
      new PutRecordsCommand({
        StreamName: stream,
        Records: records.map((data, index) => ({ Data: Buffer.from(data), PartitionKey: `k-${index}` })),
      }),
    );

  /** Looks happen when the test wants them. */
  async function at(options: PlatformOptions = {}): Promise<Caller> {
    return caller({ kinesis: kinesis.endpoint, pullMs: 3_600_000, ...options });
  }

  async function during<T>(with_: Caller, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      with_.platform.close();
    }
  }

  it('12 A: is read from the oldest record on with the key of the connection, and its records land or are refused later', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      await put(row('before'));
      await with_.platform.readStreams();
      expect(await stateOf(with_, made)).toMatchObject({ state: 'idle', why: 'the flow is not warm yet' });
      with_.clock.advance(WARM_UP);
      await put(row('after'), JSON.stringify({ ...ROW, gender: 'Martian' }), '{"broken', '["no", "object"]');
      await with_.platform.readStreams();
      await put(row('later'));
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['before', 'after', 'later']);
      expect((await refusedOf(with_, made.dataSetId)).map(({ source }) => source.gender)).toEqual([
        'Martian',
      ]);
      expect(await stateOf(with_, made)).toMatchObject({ state: 'reading', read: 4, dropped: 2 });
      expect(with_.platform.state.counts).toMatchObject({
        received: 4,
        landed: 3,
        refused: 1,
        dropped: 2,
        lost: 0,
      });
      // A look that finds nothing more says so.
      const last = await with_.platform.readStreams();
      expect((await stateOf(with_, made)).caughtUpBy).toBe(last);
      const [run] = await runsOf(with_, made);
      expect(run.metrics.recordSummary).toMatchObject({ inputRecordCount: 6, outputRecordCount: 3 });
    });
  });

  it('12 A: is read by a copy of the platform as well, whenever the Kinesis was named', async () => {
    const with_ = await at({ kinesis: '' });
    with_.platform.kinesis = kinesis.endpoint;
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      with_.clock.advance(WARM_UP);
      await put(row('1'));
      const copy = with_.platform.copy();
      try {
        await copy.readStreams();
        expect(copy.state.counts).toMatchObject({ landed: 1 });
        expect(await idsOf(with_, made)).toEqual([]);
      } finally {
        copy.close();
      }
    });
  });

  it('12 A: gives a flow at most 4,000 records a second', async () => {
    // So 200 in each look.
    const with_ = await at({ pullMs: 50 });
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      const ids = Array.from({ length: 450 }, (_, index) => `r-${index}`);
      await put(...ids.map(row));
      with_.clock.advance(WARM_UP);
      const first = await with_.platform.readStreams();
      while ((await stateOf(with_, made)).caughtUpBy <= first) await with_.platform.readStreams();
      expect((await rowsOf(with_, made.dataSetId, 1_000)).map(({ _id }) => _id)).toEqual(ids);
      // Some to see how large they are, 200, the rest, and a look that finds nothing.
      expect((await stateOf(with_, made)).reads).toBeGreaterThanOrEqual(4);
    });
  });

  it('12 A: is asked for at most what AWS returns in one page, however large its records are', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      const large = JSON.stringify({ ...ROW, id: 'large', ignored: 'x'.repeat(900_000) });
      for (let time = 0; time < 4; time++) await put(large, large, large, large);
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      for (let time = 0; time < 4; time++) await put(large, large, large, large);
      await with_.platform.readStreams();
      expect((await stateOf(with_, made)).read).toBe(16 + 12);
    });
  });

  it('12 A: that is read from the latest record on loses what came before the flow was warm', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'latest' });
      await put(row('before'));
      with_.clock.advance(WARM_UP);
      await put(row('unseen'));
      await with_.platform.readStreams();
      await put(row('after'));
      await with_.platform.readStreams();
      await put(row('later'));
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['after', 'later']);
      // Stopped and started again, it is to be made warm once more.
      await action(with_, made, 'disable');
      await put(row('stopped'));
      await action(with_, made, 'enable');
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      await put(row('again'));
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['after', 'later', 'again']);
    });
  });

  it('12 A: goes on where it stopped, through a stop of its flow, an iterator that is lost and a split of its shard', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      with_.clock.advance(WARM_UP);
      await put(row('1'));
      await with_.platform.readStreams();
      await action(with_, made, 'disable');
      await put(row('2'));
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['1']);
      await action(with_, made, 'enable');
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['1', '2']);
      await client.send(
        new SplitShardCommand({
          StreamName: stream,
          ShardToSplit: 'shardId-000000000000',
          NewStartingHashKey: (2n ** 127n).toString(),
        }),
      );
      await put(...['3', '4', '5', '6', '7', '8'].map(row));
      await until(async () => {
        await with_.platform.readStreams();
        return (await idsOf(with_, made)).length >= 8;
      });
      expect((await idsOf(with_, made)).sort()).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    });
  });

  it('12 A: is read through a split although its description is refused at first, and is not said to be read up before that', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      await client.send(
        new SplitShardCommand({
          StreamName: stream,
          ShardToSplit: 'shardId-000000000000',
          NewStartingHashKey: (2n ** 127n).toString(),
        }),
      );
      await put(...['1', '2', '3', '4'].map(row));
      refusedDescriptions = 1;
      let saidWhenRefused: boolean | undefined;
      // Until the split is done, the old shard may be read up without a description.
      await until(async () => {
        const look = await with_.platform.readStreams();
        const isReadUp = (await stateOf(with_, made)).caughtUpBy >= look;
        if (refusedDescriptions === 0) saidWhenRefused ??= isReadUp;
        return refusedDescriptions === 0 && isReadUp;
      });
      expect(saidWhenRefused).toBe(false);
      expect((await idsOf(with_, made)).sort()).toEqual(['1', '2', '3', '4']);
    });
  });

  it('12 A: is read from its start where it was deleted and made again, with records that come while nobody looks', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'latest' });
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      await put(row('1'), row('2'));
      // A look can find that the shard has no room just now.
      await until(async () => {
        await with_.platform.readStreams();
        return (await idsOf(with_, made)).length === 2;
      });
      await client.send(new DeleteStreamCommand({ StreamName: stream }));
      // And to go: its shards first. Made again before it was gone, it cannot be told from itself within the same second.
      await until(async () => {
        await with_.platform.readStreams();
        return /ResourceNotFoundException: Stream /.test((await stateOf(with_, made)).why ?? '');
      });
      expect((await stateOf(with_, made)).state).toBe('failing');
      await created();
      await put(row('3'));
      await until(async () => {
        await with_.platform.readStreams();
        return (await idsOf(with_, made)).length === 3;
      });
      expect((await stateOf(with_, made)).state).toBe('reading');
      expect(await idsOf(with_, made)).toEqual(['1', '2', '3']);
    });
  });

  it('12 A: gives nothing to a flow that was stopped while it was asked, and passes over nothing', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      with_.clock.advance(WARM_UP);
      await put(row('1'));
      onRead = () => {
        onRead = undefined;
        // At once: a request would take its time.
        const flows = with_.platform.state.sandboxes.get('dev1')?.flows;
        const flow = flows?.get(made.flowId);
        if (flow) flows?.put(flow.id, { ...flow, state: 'disabled', etag: '"stopped"' });
      };
      await with_.platform.readStreams();
      expect(onRead).toBeUndefined();
      expect(await idsOf(with_, made)).toEqual([]);
      await action(with_, made, 'enable');
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['1']);
    });
  });

  it('12 A: that cannot be read lets the flow fail, with the reason in its run, and is read on once that is mended', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream, reset: 'earliest' });
      with_.clock.advance(WARM_UP);
      await put(row('1'));
      const fails = async (why: RegExp) => {
        await with_.platform.readStreams();
        const { state, why: told = '' } = await stateOf(with_, made);
        expect([state, told]).toEqual(['failing', expect.stringMatching(why)]);
        const [{ metrics }] = await runsOf(with_, made);
        expect(metrics.statusSummary).toMatchObject({
          status: 'failed',
          errors: [{ code: 'CONNECTOR-1001-500', message: told }],
        });
        expect(JSON.stringify(metrics)).not.toContain(KEY.secretKey);
      };
      const passes = async () =>
        (await with_.call('GET', `${FLOWS}/connections/${made.baseId}/test`)).body.result;
      expect(await passes()).toBe(true);
      keys.remove(KEY.accessKeyId);
      expect(await passes()).toBe(false);
      await fails(/UnrecognizedClientException/);
      keys.put({ ...KEY, secretKey: 'another', user: 'aep', statements: [] });
      await fails(/InvalidSignatureException/);
      may(ADOBES.filter((one) => one !== 'kinesis:GetRecords'));
      await fails(/AccessDeniedException.*kinesis:GetRecords/);
      may(ADOBES, 'arn:aws:kinesis:*:*:stream/another');
      await fails(/AccessDeniedException/);
      may(ADOBES);
      await with_.platform.readStreams();
      expect(await idsOf(with_, made)).toEqual(['1']);
      expect((await stateOf(with_, made)).state).toBe('reading');
      await client.send(new DeleteStreamCommand({ StreamName: stream }));
      const isGone = async () => {
        const { StreamNames } = await client.send(new ListStreamsCommand({}));
        return !StreamNames?.includes(stream);
      };
      while (!(await isGone()));
      await fails(/ResourceNotFoundException/);
      const flow = (await with_.call('GET', `${FLOWS}/flows/${made.flowId}`)).body.items[0];
      expect(flow.state).toBe('enabled');
    });
  });

  it('12 A: of another region than the connection names is not found', async () => {
    const with_ = await at();
    await during(with_, async () => {
      const elsewhere = { ...AUTH[KINESIS].params, region: 'us-west-2' };
      const made = await pulled(with_, KINESIS, { stream });
      const { etag } = (await with_.call('GET', `${FLOWS}/connections/${made.baseId}`)).body.items[0];
      const patch = [{ op: 'replace', path: '/auth/params', value: elsewhere }];
      const headers = { 'if-match': etag };
      await with_.call('PATCH', `${FLOWS}/connections/${made.baseId}`, patch, headers);
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      expect((await stateOf(with_, made)).why).toMatch(/in us-west-2: ResourceNotFoundException/);
    });
  });

  it('12 A: at an address without an answer lets the flow fail, and the reason has the address', async () => {
    const nowhere = 'http://127.0.0.1:1';
    const with_ = await at({ kinesis: nowhere });
    await during(with_, async () => {
      const made = await pulled(with_, KINESIS, { stream });
      with_.clock.advance(WARM_UP);
      await with_.platform.readStreams();
      expect(await stateOf(with_, made)).toMatchObject({
        state: 'failing',
        why: expect.stringContaining(`${nowhere} does not answer as a Kinesis does`),
      });
    });
  });

  it('12 A: that is asked for and never answers is asked no longer once the platform is closed', {
    timeout: 10_000,
  }, async () => {
    const asked = Promise.withResolvers<void>();
    const silent = createServer((socket) => socket.once('data', () => asked.resolve()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const with_ = await at({ kinesis: `http://127.0.0.1:${port}` });
    await pulled(with_, KINESIS, { stream });
    with_.clock.advance(WARM_UP);
    const looks = [with_.platform.readStreams(), with_.platform.readStreams()];
    await asked.promise;
    with_.platform.close();
    await Promise.all(looks);
    silent.close();
  });

  it('12 A: whose old shard is kept no longer is read on with those that came of it, by a flow that slept meanwhile', async () => {
    const shard = (ShardId: string, ParentShardId?: string) => ({
      ShardId,
      ParentShardId,
      SequenceNumberRange: { StartingSequenceNumber: ShardId },
    });
    let shards = [shard('old'), shard('new', 'old')];
    // What AWS answers some days after a split: the shard that was closed is listed no longer.
    const client = {
      send: async () => ({ StreamDescription: { Shards: shards, HasMoreShards: false } }),
    } as unknown as KinesisClient;
    const progress = beginning('source', {}, 0);
    const reader = { client, stream: 'orders', progress, iterators: new Map<string, string>() };
    await describeStream(reader, 'earliest');
    expect(readable(progress).map(([id]) => id)).toEqual(['old']);
    shards = [shard('new', 'old')];
    await describeStream(reader, 'earliest');
    expect(readable(progress).map(([id]) => id)).toEqual(['new']);
  });

  it('12 A: stays unread where no Kinesis is named, and the simulator says why', async () => {
    const with_ = await caller();
    const made = await pulled(with_, KINESIS, { stream });
    with_.clock.advance(WARM_UP);
    await with_.platform.readStreams();
    expect(await stateOf(with_, made)).toMatchObject({
      state: 'idle',
      why: expect.stringMatching(/--kinesis URL/),
      place: `stream ${stream} in ${REGION}`,
    });
    expect((await with_.call('GET', `${FLOWS}/flows/${made.flowId}`)).body.items[0].state).toBe('enabled');
    expect(await runsOf(with_, made)).toEqual([]);
  });
});

const put = ({ bare }: Caller, { sourceId }: Pulled, records: object[]) =>
  bare('POST', `/_simulator/sources/${sourceId}/records`, { records });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const event = (id: string, more: object = {}) => ({ body: base64(row(id)), partitionId: '0', ...more });
const message = (id: string) => ({ data: base64(row(id)), attributes: { origin: 'shop' } });
const refuse = ({ bare }: Caller, { sourceId }: Pulled, why: string | null) =>
  bare('POST', `/_simulator/sources/${sourceId}/refuse`, { why });

describe('an event hub', () => {
  it('12 B 11: gives numbers with all their digits', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [{ body: base64('{"id":9007199254740993}'), partitionId: '0' }]);
    expect(await idsOf(with_, made)).toEqual(['9007199254740993']);
  });

  it('12 A: is read from its oldest event on unless the connection says otherwise', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS);
    expect((await put(with_, made, [event('before')])).body).toEqual({
      place: 'event hub web/clicks',
      records: 1,
    });
    expect(await idsOf(with_, made)).toEqual([]);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [event('after'), { body: base64('no JSON') }]);
    expect(await idsOf(with_, made)).toEqual(['before', 'after']);
    expect(await stateOf(with_, made)).toMatchObject({ state: 'reading', read: 2, dropped: 1 });
  });

  it('12 A: that is read from the latest event on loses what came before the flow was warm, and it is counted', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS, { reset: 'latest' });
    const warm = new Date(with_.clock.now() + WARM_UP).toISOString();
    await put(with_, made, [event('before'), event('stamped', { enqueuedTimeUtc: warm })]);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [event('after')]);
    expect(await idsOf(with_, made)).toEqual(['stamped', 'after']);
    expect(with_.platform.state.counts.lost).toBe(1);
  });

  it('12 A: keeps its events for a flow that takes over, which reads all of them again', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [event('1')]);
    await action(with_, made, 'disable');
    await put(with_, made, [event('2')]);
    const next = await pulled(with_, EVENT_HUBS, { reset: 'earliest' }, made);
    with_.clock.advance(WARM_UP);
    await put(with_, next, [event('3')]);
    expect(await idsOf(with_, made)).toEqual(['1']);
    expect(await idsOf(with_, next)).toEqual(['1', '2', '3']);
  });

  it('12 A: gives nothing to a second flow of the same consumer group', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS);
    const second = await pulled(with_, EVENT_HUBS, {}, made);
    const third = await pulled(with_, EVENT_HUBS, { consumerGroup: 'own' }, second);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [event('1')]);
    expect(await idsOf(with_, made)).toEqual(['1']);
    expect(await idsOf(with_, third)).toEqual(['1']);
    expect(await stateOf(with_, second)).toMatchObject({
      state: 'failing',
      why: expect.stringContaining('the consumer group $Default serves the flow'),
    });
  });

  it('12 A: refuses events in any form but its own', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS);
    expect((await put(with_, made, [{ body: { id: 1 } }])).body.detail).toContain('records[0].body must be');
    expect((await put(with_, made, [{ body: 'not base64!' }])).body.detail).toContain('is not base64');
    expect((await put(with_, made, [event('1', { enqueuedTimeUtc: 'noon' })])).status).toBe(400);
    expect((await put(with_, { ...made, sourceId: 'nobody' }, [])).status).toBe(404);
    const stream = await pulled(with_, KINESIS);
    expect((await put(with_, stream, [])).body.detail).toContain('read for real');
  });
});

describe('a record with operations', () => {
  const merge = (flowId: string) =>
    base64(
      JSON.stringify({ header: { flowId, operations: { data: 'merge' } }, body: { ...ROW, id: 'part' } }),
    );

  it('12 A: is for Profile alone where it comes from an event hub', async () => {
    const with_ = await caller();
    const made = await pulled(with_, EVENT_HUBS);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [{ body: merge(made.flowId) }]);
    expect(await idsOf(with_, made)).toEqual([]);
    // The dataset of this test is not in Profile.
    expect(with_.platform.state.counts).toMatchObject({ received: 1, landed: 0, lost: 1 });
  });

  it('12 A: is a record like any other where it comes from a subscription', async () => {
    const with_ = await caller();
    const made = await pulled(with_, PUB_SUB);
    with_.clock.advance(WARM_UP);
    await put(with_, made, [{ data: merge(made.flowId) }]);
    expect(with_.platform.state.counts).toMatchObject({ received: 1, landed: 1, lost: 0 });
  });
});

describe('a subscription', () => {
  it('12 A: keeps its messages until they are acknowledged, whatever becomes of the flow', async () => {
    const with_ = await caller();
    const made = await pulled(with_, PUB_SUB);
    await put(with_, made, [message('before')]);
    with_.clock.advance(WARM_UP);
    expect(await idsOf(with_, made)).toEqual(['before']);
    await action(with_, made, 'disable');
    await put(with_, made, [message('between'), { attributes: { only: 'these' } }]);
    const next = await pulled(with_, PUB_SUB, {}, made);
    with_.clock.advance(WARM_UP);
    expect(await idsOf(with_, next)).toEqual(['between']);
    expect(await stateOf(with_, next)).toMatchObject({ read: 1, dropped: 1 });
    expect(with_.platform.state.counts).toMatchObject({ received: 2, landed: 2, lost: 0 });
  });

  it.each([
    ['credentials', 'the key is wrong'],
    ['permission', 'may not read'],
    ['gone', 'deleted'],
  ])('12 A: that refuses for its %s lets the flow fail until that is mended', async (why, told) => {
    const with_ = await caller();
    const made = await pulled(with_, PUB_SUB);
    with_.clock.advance(WARM_UP);
    await refuse(with_, made, why);
    await put(with_, made, [message('1')]);
    expect(await idsOf(with_, made)).toEqual([]);
    const [{ metrics }] = await runsOf(with_, made);
    expect(metrics.statusSummary.errors).toEqual([
      { code: 'CONNECTOR-1001-500', message: expect.stringContaining(told) },
    ]);
    expect((await stateOf(with_, made)).state).toBe('failing');
    const test = await with_.call('GET', `${FLOWS}/connections/${made.baseId}/test`);
    expect(test.body.result).toBe(why !== 'credentials');
    await refuse(with_, made, null);
    expect(await idsOf(with_, made)).toEqual(['1']);
    expect((await stateOf(with_, made)).state).toBe('reading');
    expect((await refuse(with_, made, 'weather')).status).toBe(400);
  });

  it.each([PUB_SUB, EVENT_HUBS] as const)(
    '12 A: keeps as much as the simulator keeps of anything, and what it does not is counted (%s)',
    async (spec) => {
      const with_ = await caller({ keepRows: 2 });
      const made = await pulled(with_, spec);
      const form = spec === PUB_SUB ? message : event;
      with_.clock.advance(WARM_UP);
      await put(with_, made, [form('0')]);
      await action(with_, made, 'disable');
      const waiting = ['1', '2', '3', '4', '5'].map((id) => form(id));
      await put(with_, made, waiting);
      await action(with_, made, 'enable');
      with_.clock.advance(WARM_UP);
      await stateOf(with_, made);
      expect(with_.platform.state.counts).toMatchObject({ received: 3, lost: 3 });
      await put(with_, made, [form('6')]);
      expect(with_.platform.state.counts).toMatchObject({ received: 4, lost: 3 });
    },
  );

  it.each([
    ['draft', 'the connection is draft'],
    ['disabled', 'the connection is disabled'],
    [undefined, 'the connection is gone'],
  ])('12 A: whose base connection is %s is not read, and the simulator says so', async (state, why) => {
    const with_ = await caller();
    const made = await pulled(with_, PUB_SUB);
    with_.clock.advance(WARM_UP);
    const { connections } = with_.platform.state.sandboxes.get('dev1') ?? {};
    const base = connections?.get(made.baseId);
    if (state === undefined) connections?.remove(made.baseId);
    else if (base) connections?.put(made.baseId, { ...base, state });
    expect(await stateOf(with_, made)).toMatchObject({ state: 'idle', why });
  });

  it.each([0, 1_000])(
    '12 B 1: whose schema cannot be compiled is told, %s ms later, and stops nobody',
    async (ingestDelayMs) => {
      const with_ = await caller({ ingestDelayMs });
      const made = await pulled(with_, PUB_SUB);
      const { schemas } = with_.platform.state.sandboxes.get('dev1')?.registry ?? {};
      // What no call can bring about, for it is refused: a fault of the simulator itself.
      for (const one of schemas?.values() ?? [])
        schemas?.put(String(one.$id), { ...one, properties: { x: { type: 'string', pattern: '(' } } });
      with_.clock.advance(WARM_UP);
      expect((await put(with_, made, [message('1')])).status).toBe(200);
      with_.clock.advance(ingestDelayMs);
      await with_.platform.idle();
      expect((await with_.bare('GET', '/_simulator/state')).body.losses).toMatchObject([
        { reason: expect.stringMatching(/^simulator error: /), messages: 1 },
      ]);
    },
  );

  it('12 A: that has refused for 30 days lets AEP switch the flow off', async () => {
    const with_ = await caller({ tokenSeconds: 10_000_000 });
    const made = await pulled(with_, PUB_SUB);
    with_.clock.advance(WARM_UP);
    await refuse(with_, made, 'gone');
    const day = 86_400_000;
    for (const days of [15, 14]) with_.clock.advance(days * day);
    expect((await stateOf(with_, made)).state).toBe('failing');
    with_.clock.advance(day);
    expect(await stateOf(with_, made)).toMatchObject({ state: 'idle', why: 'the flow is disabled' });
    await refuse(with_, made, null);
    await put(with_, made, [message('1')]);
    await action(with_, made, 'enable');
    with_.clock.advance(WARM_UP);
    expect(await idsOf(with_, made)).toEqual(['1']);
  });

  it('12 A: is the same in a copy of the platform, each of which goes on by itself', async () => {
    const with_ = await caller();
    const made = await pulled(with_, PUB_SUB);
    await put(with_, made, [message('1')]);
    const copy = with_.platform.copy();
    with_.clock.advance(WARM_UP);
    await put(with_, made, [message('2')]);
    expect(await idsOf(with_, made)).toEqual(['1', '2']);
    copy.readSources();
    expect(copy.state.counts.received).toBe(1);
  });
});
