// Amazon Kinesis on loopback: kinesalite in memory, behind HTTP/2, which the SDK's client speaks, and HTTP/1.1, which the CLI does.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import kinesalite from 'kinesalite';
import type { AccessKeys } from './access-keys.ts';
import { type Asked, type Calls, isOwnKey, noCalls } from './calls.ts';
import { type FrontRequest, startFront } from './front.ts';
import { createKinesisConsumers } from './kinesis-consumers.ts';
import { createDistribution } from './kinesis-distribution.ts';
import { type Account, LOCAL_ACCOUNT, type RunningServer } from './server.ts';
import { placeIn } from './shard-iterator.ts';
import type { ShardLimits } from './shard-limits.ts';
import { signatureIn } from './signature.ts';

/** What a test may let go wrong: an answer instead of kinesalite's, or `undefined` to let the request through. */
export type KinesisFault = (
  operation: string,
) => { type: string; message: string; status?: number } | undefined;

export interface KinesisOptions {
  account?: Account;
  /** How long a stream stays CREATING or DELETING; callers have to wait for ACTIVE, as on AWS. */
  transitionMs?: number;
  fault?: KinesisFault;
  /** Told of what functions ask for. */
  calls?: Calls;
  /** Keys of strangers. Without them any key is taken. */
  keys?: AccessKeys;
  /** What a shard gives its readers. Without them as much as is asked for. */
  limits?: ShardLimits;
}

export interface LocalKinesis extends RunningServer {
  streamArn(streamName: string): string;
}

export async function startKinesis(options: KinesisOptions = {}): Promise<LocalKinesis> {
  const { account = LOCAL_ACCOUNT, calls = noCalls } = options;
  const inner = createKinesalite(account, options.transitionMs ?? 0);
  const distribution = createDistribution();
  const regions = new Map<string, string>();
  let client: KinesisClient | undefined;
  const consumers = createKinesisConsumers({ streamArn: existing, transitionMs: options.transitionMs ?? 0 });

  const front = await startFront((request, response) => {
    void handle(request, response);
  });
  const { endpoint } = front;

  async function handle(request: FrontRequest, response: ServerResponse): Promise<void> {
    try {
      const whole = await readAll(request);
      const named = nameStream(whole);
      const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
      admit(operation, request, whole, named);
      calls.request(request.headers.authorization, () => asked(operation, named, account));
      const fault = options.fault?.(operation);
      if (fault)
        return sendJson(response, { __type: fault.type, message: fault.message }, fault.status ?? 400);
      const answered = consumers.answer(operation, fieldsIn(named));
      if (answered !== undefined) return sendJson(response, await answered);
      const passedOn = distribution.request(operation, named);
      if ('answer' in passedOn) return sendJson(response, passedOn.answer);
      const { body } = passedOn;
      const timestamp = operation === 'GetShardIterator' ? timestampAsked(body) : undefined;
      if (timestamp) {
        return sendJson(response, { ShardIterator: await iteratorAt(own(), timestamp) });
      }
      const shard = operation === 'GetRecords' ? limited(named) : undefined;
      const passed = ANSWERED_OTHERWISE.has(operation)
        ? rewritten(response, (text) => {
            // Its records are in base64, which is longer by a third.
            if (shard !== undefined) options.limits?.gave(shard, text.length * 0.75);
            return distribution.response(operation, text);
          })
        : response;
      inner.emit('request', replay(request, body), passed);
    } catch (error) {
      if (!response.headersSent) sendJson(response, errorBody(error), 400);
    }
  }

  function own(): KinesisClient {
    client ??= localClient(endpoint, account.region);
    return client;
  }

  async function existing(StreamName: string): Promise<string> {
    const answer = await own().send(new DescribeStreamSummaryCommand({ StreamName }));
    return answer.StreamDescriptionSummary?.StreamARN ?? '';
  }

  /** Whether the caller may ask for it. A stranger finds a stream in the region only in which it was made. */
  function admit(operation: string, request: FrontRequest, whole: Buffer, named: Buffer): void {
    const { keys } = options;
    if (keys === undefined) return;
    const { headers, method = '', url = '' } = request;
    const given = signatureIn(headers.authorization);
    const { region = account.region, accessKeyId = '' } = given ?? {};
    // Most requests are ours, and their records are not to be read once more.
    if (isOwnKey(accessKeyId) && operation !== 'CreateStream') return;
    const { StreamName, ShardIterator } = JSON.parse(named.toString('utf8')) as Record<string, string>;
    const stream = StreamName ?? placeIn(ShardIterator)?.streamName;
    const place = stream === undefined ? undefined : `stream/${stream}`;
    const resource = place === undefined ? '*' : `arn:aws:kinesis:${region}:${account.accountId}:${place}`;
    keys.check({ method, url, headers, body: whole }, { action: `kinesis:${operation}`, resource });
    if (stream === undefined) return;
    if (operation === 'CreateStream' && !regions.has(stream)) regions.set(stream, region);
    const home = regions.get(stream);
    if (home !== undefined && home !== region)
      throw Object.assign(new Error(`Stream ${stream} under account ${account.accountId} not found.`), {
        name: 'ResourceNotFoundException',
      });
  }

  /** The shard that is read. @throws Error where it has given all it gives */
  function limited(body: Buffer): string | undefined {
    if (options.limits === undefined) return undefined;
    const place = placeIn((JSON.parse(body.toString('utf8')) as Record<string, unknown>).ShardIterator);
    if (place === undefined) return undefined;
    const shard = `${place.shardId} in stream ${place.streamName} under account ${account.accountId}`;
    options.limits.ask(shard);
    return shard;
  }

  return {
    endpoint,
    streamArn: (name) => `arn:aws:kinesis:${account.region}:${account.accountId}:stream/${name}`,
    close: async () => {
      client?.destroy();
      await front.close();
      // Closes the in-memory store; the inner server never listened, so its own "not running" error is expected.
      await new Promise<void>((resolve) => inner.close(() => resolve()));
    },
  };
}

// kinesalite reads account and region from the environment, at creation only.
function createKinesalite(account: Account, transitionMs: number) {
  const { AWS_ACCOUNT_ID, AWS_REGION } = process.env;
  process.env.AWS_ACCOUNT_ID = account.accountId;
  process.env.AWS_REGION = account.region;
  try {
    return kinesalite({
      createStreamMs: transitionMs,
      deleteStreamMs: transitionMs,
      updateStreamMs: transitionMs,
      shardLimit: 100,
    });
  } finally {
    restore('AWS_ACCOUNT_ID', AWS_ACCOUNT_ID);
    restore('AWS_REGION', AWS_REGION);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

async function readAll(request: FrontRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// kinesalite knows streams by name only; Kinesis takes either, and callers may hold just the ARN.
function nameStream(body: Buffer): Buffer {
  if (!body.includes('"StreamARN"')) return body;
  const { StreamARN, ...rest } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  if (typeof StreamARN !== 'string') return body;
  return Buffer.from(JSON.stringify({ StreamName: StreamARN.slice(StreamARN.indexOf('/') + 1), ...rest }));
}

// kinesalite is handed a whole body, because it concatenates pieces in quadratic time. It also rethrows the errors of a
// request that the client aborted, which would end this process.
function replay(request: FrontRequest, body: Buffer): Readable {
  const { method, url, headers } = request;
  return Object.assign(Readable.from(body.length > 0 ? [body] : []), { method, url, headers });
}

function fieldsIn(body: Buffer): Record<string, unknown> {
  return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Record<string, unknown>);
}

/**
 * A page of shards after the first names no stream: what was asked for stands with the first. What is about a consumer
 * that there is has the consumer as its resource. AWS: "Actions, resources, and condition keys for Amazon Kinesis Data Streams".
 */
function asked(operation: string, body: Buffer, { region, accountId }: Account): Asked[] {
  const { StreamName, ConsumerName, ConsumerARN } = fieldsIn(body) as Record<string, string | undefined>;
  const about = (resource: string) => ({
    api: `kinesis:${operation}`,
    action: `kinesis:${operation}`,
    resource,
  });
  if (ConsumerARN !== undefined) return [about(ConsumerARN)];
  if (StreamName === undefined) return [];
  const stream = `arn:aws:kinesis:${region}:${accountId}:stream/${StreamName}`;
  const there = ConsumerName !== undefined && operation !== 'RegisterStreamConsumer';
  return [about(there ? `${stream}/consumer/${ConsumerName}:1` : stream)];
}

/** Operations whose answers are not kinesalite's alone. */
const ANSWERED_OTHERWISE = new Set(['GetRecords', 'DescribeStreamSummary']);

/** The same response, whose body is another. */
function rewritten(response: ServerResponse, rewrite: (text: string) => string): ServerResponse {
  return new Proxy(response, {
    get(target, name) {
      if (name === 'end')
        return (body: string) => {
          const text = rewrite(body);
          target.setHeader('content-length', Buffer.byteLength(text));
          target.end(text);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}

function errorBody(error: unknown): { __type: string; message: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { __type: name, message };
}

interface TimestampAsked {
  StreamName: string;
  ShardId: string;
  at: Date;
}

function timestampAsked(body: Buffer): TimestampAsked | undefined {
  const asked = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  if (asked.ShardIteratorType !== 'AT_TIMESTAMP' || typeof asked.Timestamp !== 'number') return undefined;
  const milliseconds = Math.round(asked.Timestamp * 1000);
  if (milliseconds > Date.now()) {
    throw Object.assign(
      new Error('The timestampInMillis parameter cannot be greater than the currentTimestampInMillis.'),
      { name: 'InvalidArgumentException' },
    );
  }
  return {
    StreamName: String(asked.StreamName),
    ShardId: String(asked.ShardId),
    at: new Date(milliseconds),
  };
}

/**
 * AT_TIMESTAMP, which kinesalite never answers while the shard has no record at or after that time.
 *
 * The LATEST iterator is taken before the scan, so a record put during the scan is not missed.
 */
async function iteratorAt(
  client: KinesisClient,
  { StreamName, ShardId, at }: TimestampAsked,
): Promise<string> {
  const shard = { StreamName, ShardId };
  const latest = await client.send(new GetShardIteratorCommand({ ...shard, ShardIteratorType: 'LATEST' }));
  const oldest = await client.send(
    new GetShardIteratorCommand({ ...shard, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  let iterator = oldest.ShardIterator;
  while (iterator) {
    const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 1000 }));
    const found = page.Records?.find((record) => (record.ApproximateArrivalTimestamp ?? at) >= at);
    if (found) {
      const exact = { ...shard, StartingSequenceNumber: found.SequenceNumber };
      const answer = await client.send(
        new GetShardIteratorCommand({ ...exact, ShardIteratorType: 'AT_SEQUENCE_NUMBER' }),
      );
      return answer.ShardIterator ?? '';
    }
    if (!page.Records?.length) break;
    iterator = page.NextShardIterator;
  }
  return latest.ShardIterator ?? '';
}

function localClient(endpoint: string, region: string): KinesisClient {
  return new KinesisClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}
