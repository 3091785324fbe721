// One port, HTTP/1.1 and HTTP/2: which of them is told by how a connection begins.
import { once } from 'node:events';
import { connect as connectTo } from 'node:http2';
import { connect, type Socket } from 'node:net';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  ResourceNotFoundException,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFront } from '../../../local/aws/front.ts';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import type { RunningServer } from '../../../local/aws/server.ts';
import { http1 } from '../../support/http1.ts';

describe('a port', () => {
  let front: RunningServer;
  beforeAll(async () => {
    front = await startFront(({ method, url }, response) => void response.end(`${method} ${url}`));
  });
  afterAll(() => front.close());

  const open = async (): Promise<Socket> => {
    const { port, hostname } = new URL(front.endpoint);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return socket;
  };
  const answerTo = async (socket: Socket): Promise<string> => {
    socket.setEncoding('utf8');
    let text = '';
    for await (const part of socket) text += part;
    return text;
  };

  it('answers HTTP/1.1, also where the first bytes come one by one', async () => {
    const socket = await open();
    socket.setNoDelay(true);
    for (const part of [
      'P',
      'O',
      'ST /a HTTP/1.1\r\nhost: x\r\n',
      'content-length: 0\r\nconnection: close\r\n\r\n',
    ])
      await new Promise<void>((resolve) => socket.write(part, () => resolve()));
    expect(await answerTo(socket)).toMatch(/^HTTP\/1\.1 200 [\s\S]*POST \/a$/);
  });

  it('answers HTTP/2 with prior knowledge', async () => {
    const session = connectTo(front.endpoint);
    const stream = session.request({ ':method': 'POST', ':path': '/b' });
    stream.end();
    let text = '';
    for await (const part of stream.setEncoding('utf8')) text += part;
    session.close();
    expect(text).toBe('POST /b');
  });

  it('survives a caller that sends nothing, half a preface, or goes away', async () => {
    for (const said of ['', 'PRI * HT', '\u0000\u0001']) {
      const socket = await open();
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => socket.write(said, () => resolve()));
      socket.destroy();
      await once(socket, 'close');
    }
    expect(await (await fetch(`${front.endpoint}/c`)).text()).toBe('GET /c');
  });

  it('closes though a silent caller is still connected', async () => {
    const own = await startFront((_, response) => void response.end());
    const { port, hostname } = new URL(own.endpoint);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await own.close();
  });
});

describe('13 A 3: the local Kinesis', () => {
  let kinesis: LocalKinesis;
  const versions = new Set<string>();
  const clients: KinesisClient[] = [];
  const config = () => ({
    endpoint: kinesis.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  beforeAll(async () => {
    kinesis = await startKinesis();
    const requestHandler = http1((version) => void versions.add(version));
    clients.push(new KinesisClient({ ...config(), requestHandler }), new KinesisClient(config()));
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await kinesis.close();
  });

  it('takes a record over HTTP/1.1, and returns it over HTTP/1.1 and HTTP/2', async () => {
    const [one, two] = clients as [KinesisClient, KinesisClient];
    const StreamName = 'customers';
    await one.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await waitUntilStreamExists({ client: one, maxWaitTime: 300, minDelay: 1 }, { StreamName });
    const { ShardId, SequenceNumber } = await one.send(
      new PutRecordCommand({ StreamName, PartitionKey: 'ana', Data: Buffer.from('{"id":"1"}') }),
    );
    expect((await one.send(new ListStreamsCommand({}))).StreamNames).toEqual([StreamName]);
    const { Shards } = await one.send(new ListShardsCommand({ StreamName }));
    expect(Shards?.map((shard) => shard.ShardId)).toEqual([ShardId]);
    const summary = await one.send(
      new DescribeStreamSummaryCommand({ StreamARN: kinesis.streamArn(StreamName) }),
    );
    expect(summary.StreamDescriptionSummary).toMatchObject({ OpenShardCount: 1, StreamStatus: 'ACTIVE' });
    for (const client of [one, two]) {
      const place = {
        StreamName,
        ShardId,
        ShardIteratorType: 'AT_TIMESTAMP' as const,
        Timestamp: new Date(0),
      };
      const { ShardIterator } = await client.send(new GetShardIteratorCommand(place));
      const { Records } = await client.send(new GetRecordsCommand({ ShardIterator }));
      expect(Records).toMatchObject([{ SequenceNumber, PartitionKey: 'ana' }]);
      expect(Buffer.from(Records?.[0]?.Data ?? []).toString()).toBe('{"id":"1"}');
    }
    expect([...versions]).toEqual(['1.1']);
  });

  it('reports errors over HTTP/1.1 too', async () => {
    const [one] = clients as [KinesisClient];
    await expect(one.send(new DescribeStreamSummaryCommand({ StreamName: 'none' }))).rejects.toBeInstanceOf(
      ResourceNotFoundException,
    );
  });
});
