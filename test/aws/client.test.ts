import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetSchemaVersionCommand, GlueClient } from '@aws-sdk/client-glue';
import { KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Client, type Limited, limited } from '../../lib/aws/client.ts';
import { createTableCall } from '../../lib/aws/dynamodb.ts';
import { awsFailure } from '../../lib/aws/failure.ts';
import { objectsInS3, type S3 } from '../../lib/aws/objects-s3.ts';
import { createStreams } from '../../lib/aws/streams.ts';
import { turn } from '../support/eventually.ts';

// B 5: calls that never end. Whatever a service does not do, each call ends, and a later run may still succeed.

const HOUR_MS = 3_600_000;
/** Longer than any machine is slow: time passes by the tests' own hand. */
const LIMITS = { connectMs: HOUR_MS, answerMs: HOUR_MS, attempts: 2 };

/** Every client there is, with a call of it. */
const CALLS = {
  CloudWatchLogsClient: (config: object) =>
    client((more) => new CloudWatchLogsClient({ ...config, ...more })).send(
      new FilterLogEventsCommand({ logGroupName: 'a' }),
    ),
  GlueClient: (config: object) =>
    client((more) => new GlueClient({ ...config, ...more })).send(
      new GetSchemaVersionCommand({ SchemaVersionId: 'a' }),
    ),
  KinesisClient: (config: object) =>
    client((more) => new KinesisClient({ ...config, ...more })).send(
      new ListShardsCommand({ StreamName: 'a' }),
    ),
  LambdaClient: (config: object) =>
    client((more) => new LambdaClient({ ...config, ...more })).send(new InvokeCommand({ FunctionName: 'a' })),
  S3Client: (config: object) =>
    client((more) => new S3Client({ ...config, ...more })).send(new ListObjectsV2Command({ Bucket: 'a' })),
  SecretsManagerClient: (config: object) =>
    client((more) => new SecretsManagerClient({ ...config, ...more })).send(new ListSecretsCommand()),
  SFNClient: (config: object) =>
    client((more) => new SFNClient({ ...config, ...more })).send(
      new DescribeExecutionCommand({ executionArn: 'arn:aws:states:eu-west-1:123456789012:execution:a:b' }),
    ),
} as const;

const ending: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const end of ending.splice(0)) end();
});

function client<C extends Client & { destroy(): void }>(make: (config: Limited) => C): C {
  const made = limited(make, LIMITS);
  ending.push(() => made.destroy());
  return made;
}

/** What becomes of a call where the time of each try is over as soon as the server has been asked. */
async function inHours(call: () => Promise<unknown>, asked: () => number): Promise<unknown> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let end: unknown;
  call().then(
    (value) => {
      end = value;
    },
    (error: unknown) => {
      end = error;
    },
  );
  for (let attempt = 1; end === undefined; ) {
    await turn();
    if (asked() < attempt) {
      // The pause before another try passes a millisecond a turn.
      vi.advanceTimersByTime(attempt > 1 ? 1 : 0);
      continue;
    }
    // What the server has written is read meanwhile.
    for (let turns = 0; turns < 20; turns++) await turn();
    if (end !== undefined) break;
    vi.advanceTimersByTime(LIMITS.connectMs + LIMITS.answerMs);
    attempt++;
  }
  return end;
}

type Answer = (
  asked: number,
  answer: { writeHead(status: number): unknown; write(text: string): unknown },
) => void;

/** A server of the protocol that the client speaks; `asked` counts requests from 1 on. */
async function serving(name: string, answer: Answer) {
  let asked = 0;
  const sessions = new Set<http2.ServerHttp2Session>();
  const server =
    name === 'KinesisClient'
      ? http2
          .createServer((_, response) => answer(++asked, response))
          .on('session', (one) => sessions.add(one))
      : createServer((_, response) => answer(++asked, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.push(() => {
    for (const session of sessions) session.destroy();
    if ('closeAllConnections' in server) server.closeAllConnections();
    (server as Server).close();
  });
  const { port } = server.address() as AddressInfo;
  const config = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
  };
  return { config, asked: () => asked };
}

describe('B 5: every client of AWS gives up what does not end', () => {
  const root = new URL('../../lib/', import.meta.url);
  const made = globSync('**/*.ts', { cwd: root }).flatMap((file) => {
    const text = readFileSync(new URL(file, root), 'utf8');
    return Array.from(text.matchAll(/new (\w+Client)\(/g), ([, name = '']) => ({ file, name, text }));
  });

  it('is made in the one way, and no other is there', () => {
    const found = made.map(({ file, name }) => `${file} ${name}`);
    expect(found.toSorted()).toEqual([
      'aws/consumers.ts KinesisClient',
      'aws/executions.ts SFNClient',
      'aws/forward-log.ts CloudWatchLogsClient',
      'aws/functions.ts LambdaClient',
      'aws/made-at-run-time.ts KinesisClient',
      'aws/made-at-run-time.ts LambdaClient',
      'aws/made-at-run-time.ts SecretsManagerClient',
      'aws/objects-s3.ts S3Client',
      'aws/schema-registry.ts GlueClient',
      'aws/secrets.ts SecretsManagerClient',
      'aws/stream-range.ts KinesisClient',
      'aws/streams.ts KinesisClient',
      'aws/triggers.ts LambdaClient',
    ]);
    for (const { file, name, text } of made)
      expect(text.split(`limited((config) => new ${name}(config), `), file).toHaveLength(
        text.split(`new ${name}(`).length,
      );
    expect([...new Set(made.map(({ name }) => name))].toSorted()).toEqual(Object.keys(CALLS).toSorted());
  });

  it.each(Object.entries(CALLS))('%s: no answer at all', async (name, call) => {
    const { config, asked } = await serving(name, () => undefined);
    const error = await inHours(() => call(config), asked);
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(awsFailure(error, 'asking')).toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(asked()).toBe(LIMITS.attempts);
  });

  it.each(Object.entries(CALLS))('%s: an answer that never comes to its end', async (name, call) => {
    const { config, asked } = await serving(name, (_, response) => {
      response.writeHead(200);
      response.write(' ');
    });
    expect(await inHours(() => call(config), asked)).toMatchObject({ name: 'TimeoutError' });
    expect(asked()).toBe(LIMITS.attempts);
  });

  it.each<[string, Answer]>([
    ['no answer at all', () => undefined],
    [
      'an answer that never comes to its end',
      (_, response) => {
        response.writeHead(200);
        response.write(' ');
      },
    ],
  ])("the call of DynamoDB without the SDK's client: %s", async (_, answer) => {
    const { config, asked } = await serving('', answer);
    const call = createTableCall(() => ({ ...config, ...config.credentials }));
    const error = await inHours(() => call('asking', 'GetItem', {}), asked);
    expect(error).toMatchObject({ code: 'AWS_UNAVAILABLE', cause: { name: 'TimeoutError' } });
    expect(asked()).toBe(3);
  });

  it('over HTTP/2 a connection that is dead is not used for the next call', async () => {
    const dead = new Set<http2.Http2Session | undefined>();
    let asked = 0;
    const server = http2.createServer((request, response) => {
      asked += 1;
      const { session } = request.stream;
      if (dead.size === 0) dead.add(session);
      if (dead.has(session)) return;
      const found = { StreamARN: 'arn', StreamName: 'a', StreamStatus: 'ACTIVE', RetentionPeriodHours: 24 };
      response.end(JSON.stringify({ StreamDescriptionSummary: found }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ending.push(() => {
      for (const session of dead) session?.destroy();
      server.close();
    });
    const config = {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    };
    const kinesis = client((more) => new KinesisClient({ ...config, ...more }));
    expect(
      await inHours(
        () => createStreams(kinesis).arn('a'),
        () => asked,
      ),
    ).toBe('arn');
    expect(dead.size).toBe(1);
  });

  it('an object of S3 is read when its call has ended: that has a limit, too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const Body = { transformToString: () => new Promise<string>(() => undefined) };
      const s3 = { send: async () => ({ Body, ETag: '"1"' }) } as unknown as S3;
      const read = objectsInS3('dead-letter', async () => s3).read('rejected/a.json');
      const failed = expect(read).rejects.toMatchObject({ name: 'TimeoutError' });
      while (vi.getTimerCount() === 0) await turn();
      await vi.advanceTimersByTimeAsync(10_000);
      await failed;
    } finally {
      vi.useRealTimers();
    }
  });
});
