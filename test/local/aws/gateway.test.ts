// 13 A 3: one address for the whole local AWS, and what Lambda and S3 tell there, by the SDK's own clients.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateStreamCommand, KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import {
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListLayersCommand,
  paginateListFunctions,
  ResourceNotFoundException,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../../../local/aws/gateway.ts';
import { type LocalAws, startLocalAws } from '../../../local/aws/index.ts';
import type { RunningServer } from '../../../local/aws/server.ts';
import { http1 } from '../../support/http1.ts';

const module = new URL('fixtures/echo.ts', import.meta.url);
let folder: string;
let aws: LocalAws;
let gateway: RunningServer;
let lambda: LambdaClient;
let s3: S3Client;
const opened: { destroy(): void }[] = [];

/** A client that knows the one address alone. */
function client<T extends { destroy(): void }>(make: new (config: never) => T, more: object = {}): T {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const config = { endpoint: gateway.endpoint, region: 'eu-west-1', credentials, maxAttempts: 1, ...more };
  const made = new make(config as never);
  opened.push(made);
  return made;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  aws = await startLocalAws({
    functions: {
      'a-echo': { module, timeoutSeconds: 120, memoryMB: 256 },
      'b-echo': { module },
      'c-echo': { module },
    },
    tables: { pipelines: 'pipeline' },
    onFailureFolder: folder,
  });
  gateway = await startGateway(aws.services);
  lambda = client(LambdaClient);
  s3 = client(S3Client, { forcePathStyle: true });
});
afterAll(async () => {
  for (const one of opened) one.destroy();
  await gateway.close();
  await aws.close();
  await rm(folder, { recursive: true });
});

describe('one address', () => {
  it('answers for each service, by what a request is signed for, Kinesis over either HTTP', async () => {
    const [two, one] = [client(KinesisClient), client(KinesisClient, { requestHandler: http1() })];
    await two.send(new CreateStreamCommand({ StreamName: 's', ShardCount: 1 }));
    expect((await one.send(new ListStreamsCommand({}))).StreamNames).toEqual(['s']);
    expect((await client(SecretsManagerClient).send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    const table = { TableName: 'pipelines' };
    expect((await client(DynamoDBClient).send(new ScanCommand(table))).Count).toBe(0);
    const { logGroups } = await client(CloudWatchLogsClient).send(new DescribeLogGroupsCommand({}));
    expect(logGroups).toHaveLength(3);
  });

  it('answers what is not simulated with an error, in the form of each protocol', async () => {
    await expect(client(CloudFormationClient).send(new DescribeStacksCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'The local AWS does not simulate the service cloudformation.',
    });
    await expect(lambda.send(new ListLayersCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'The local AWS does not simulate this part of Lambda: /2018-10-31/layers.',
    });
    const unsigned = await fetch(gateway.endpoint, { method: 'POST', body: '{}' });
    expect([unsigned.status, await unsigned.text()]).toEqual([400, expect.stringContaining('not signed')]);
  });
});

describe('Lambda', () => {
  it('lists its functions, in pages', async () => {
    const pages = [];
    for await (const { Functions } of paginateListFunctions({ client: lambda, pageSize: 2 }, {}))
      pages.push(Functions?.map(({ FunctionName }) => FunctionName));
    expect(pages).toEqual([['a-echo', 'b-echo'], ['c-echo']]);
  });

  it('describes one, by name or ARN', async () => {
    const FunctionArn = aws.functions.arn('a-echo');
    for (const FunctionName of ['a-echo', FunctionArn, 'a-echo:$LATEST']) {
      const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName }));
      expect(Configuration).toMatchObject({
        FunctionName: 'a-echo',
        Timeout: 120,
        MemorySize: 256,
        State: 'Active',
      });
      expect(Configuration?.FunctionArn?.replace(':$LATEST', '')).toBe(FunctionArn);
    }
    const waited = await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 300 },
      { FunctionName: 'b-echo' },
    );
    expect(waited.state).toBe('SUCCESS');
  });

  it('refuses to start an unknown function, and a DryRun of a known one starts nothing', async () => {
    const invoke = (FunctionName: string, InvocationType: 'Event' | 'DryRun') =>
      lambda.send(new InvokeCommand({ FunctionName, InvocationType }));
    expect((await invoke('a-echo', 'DryRun')).StatusCode).toBe(204);
    for (const type of ['Event', 'DryRun'] as const)
      await expect(invoke('none', type)).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('refuses an unknown function, and any version or alias', async () => {
    for (const FunctionName of ['none', 'a-echo:prod', `${aws.functions.arn('a-echo')}:1`]) {
      await expect(lambda.send(new GetFunctionCommand({ FunctionName }))).rejects.toBeInstanceOf(
        ResourceNotFoundException,
      );
      await expect(lambda.send(new InvokeCommand({ FunctionName }))).rejects.toBeInstanceOf(
        ResourceNotFoundException,
      );
    }
    const invoke = (Qualifier: string) =>
      lambda.send(new InvokeCommand({ FunctionName: 'a-echo', Qualifier, Payload: '{"n":1}' }));
    expect(Buffer.from((await invoke('$LATEST')).Payload ?? []).toString()).toBe('{"n":1}');
    await expect(invoke('prod')).rejects.toBeInstanceOf(ResourceNotFoundException);
  });
});

describe('S3', () => {
  const Bucket = 'dead-letters';

  it('answers `aws s3 ls` and `aws s3 cp`', async () => {
    expect((await s3.send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: Bucket }]);
    await writeFile(join(folder, 'not-landed.ndjson'), '{}');
    for (const Key of ['rejected/a/1.json', 'rejected/a/2.json', 'rejected/b/3.json'])
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: `{"key":"${Key}"}` }));
    const list = (more: object) => s3.send(new ListObjectsV2Command({ Bucket, ...more }));
    const top = await list({ Delimiter: '/' });
    expect(top.Contents).toMatchObject([
      { Key: 'not-landed.ndjson', Size: 2, LastModified: expect.any(Date) },
    ]);
    expect(top.CommonPrefixes).toEqual([{ Prefix: 'rejected/' }]);
    expect((await list({ Delimiter: '/', Prefix: 'rejected/' })).CommonPrefixes).toEqual([
      { Prefix: 'rejected/a/' },
      { Prefix: 'rejected/b/' },
    ]);
    expect((await list({ Prefix: 'rejected/a/2' })).Contents?.map(({ Key }) => Key)).toEqual([
      'rejected/a/2.json',
    ]);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'rejected/b/3.json' }));
    expect(head).toMatchObject({ ContentLength: 27, LastModified: expect.any(Date) });
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key: 'rejected/b/3.json' }));
    expect(ETag).toBe(head.ETag);
    expect(await Body?.transformToString()).toBe('{"key":"rejected/b/3.json"}');
    const none = s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }));
    await expect(none).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  it('takes a body in chunks, with a checksum behind them, as the AWS CLI sends it', async () => {
    const put = (text: string) =>
      fetch(`${gateway.endpoint}/${Bucket}/chunked.txt`, {
        method: 'PUT',
        headers: {
          authorization:
            'AWS4-HMAC-SHA256 Credential=local/20261128/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0',
          'content-encoding': 'aws-chunked',
          'x-amz-trailer': 'x-amz-checksum-crc32',
        },
        body: text,
      });
    const signed = '6;chunk-signature=ab\r\nä\r\nbc\r\n';
    expect((await put(`${signed}2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`)).status).toBe(200);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'chunked.txt' }));
    expect(await Body?.transformToString()).toBe('ä\r\nbcde');
    for (const broken of ['5\r\nab', 'ab'])
      expect(await (await put(broken)).text()).toContain('<Code>IncompleteBody</Code>');
  });

  it('lists more than a thousand objects in pages', async () => {
    await Promise.all(
      Array.from({ length: 1_002 }, (_, n) =>
        writeFile(join(folder, `many-${String(n).padStart(4, '0')}`), ''),
      ),
    );
    const sizes = [];
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: 'many-' }))
      sizes.push(page.KeyCount ?? 0);
    expect(sizes.length).toBe(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_002);
  });
});
