// All of it together: a state machine's step makes the mapping, and records reach a function that knows only its environment.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeregisterStreamConsumerCommand,
  KinesisClient,
  ListStreamConsumersCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  ResourceInUseException,
} from '@aws-sdk/client-kinesis';
import { CreateEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InvocationReport } from '../../../local/aws/delivery.ts';
import { type LocalAws, startLocalAws } from '../../../local/aws/index.ts';
import type { OnFailureDelivery } from '../../../local/aws/on-failure.ts';
import { runStateMachine } from '../../../local/aws/state-machine.ts';
import { eventually } from '../../support/eventually.ts';
import { createStream } from '../../support/streams.ts';

let aws: LocalAws;
let kinesis: KinesisClient;
let secrets: SecretsManagerClient;
const lines: string[] = [];
const reports: InvocationReport[] = [];
const deliveries: OnFailureDelivery[] = [];
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  aws = await startLocalAws({
    onFailureFolder: folder,
    onFailure: (delivery) => deliveries.push(delivery),
    functions: {
      missing: { module: new URL('./fixtures/absent.ts', import.meta.url) },
      forward: {
        module: new URL('./fixtures/forward.ts', import.meta.url),
        env: { SECRET_ID: 'seen' },
        timeoutSeconds: 3_600,
      },
      trigger: { module: new URL('./fixtures/trigger.ts', import.meta.url), timeoutSeconds: 3_600 },
    },
    transitionMs: 20,
    pace: { idleMs: 50, firstRetryMs: 10 },
    onLog: (name, line) => lines.push(`${name}: ${line}`),
    onInvocation: (report) => reports.push(report),
  });
  // The clients are made as production code makes them, with nothing but the environment.
  Object.assign(process.env, aws.env);
  kinesis = new KinesisClient({});
  secrets = new SecretsManagerClient({});
});
afterAll(async () => {
  kinesis.destroy();
  secrets.destroy();
  await aws.close();
  await rm(folder, { recursive: true });
});

it('carries records from the stream to the function that an execution has switched on', async () => {
  const StreamName = 'orders';
  const startAt = new Date().toISOString();
  await createStream(kinesis, StreamName, 2);
  await secrets.send(new CreateSecretCommand({ Name: 'seen', SecretString: '[]' }));

  const result = await runStateMachine({
    definition: {
      StartAt: 'trigger',
      States: { trigger: { Type: 'Task', Resource: { 'Fn::GetAtt': ['trigger', 'Arn'] }, End: true } },
    },
    input: { streamArn: aws.kinesis.streamArn(StreamName), startAt },
    tasks: ({ functionKey }, input) => aws.functions.invoke(functionKey, input),
    functions: aws.functions.names,
  });
  expect(result).toMatchObject({ status: 'SUCCEEDED', output: { mapping: aws.mappings.all[0]?.uuid } });

  const data = Array.from({ length: 40 }, (_, i) => `record ${i}`);
  const Records = data.map((one) => ({ PartitionKey: one, Data: Buffer.from(one) }));
  await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
  await aws.mappings.drained(StreamName);

  const { invocations, records, redelivered } = aws.mappings.progress(StreamName);
  expect({ records, redelivered }).toEqual({ records: 40, redelivered: 0 });
  expect(reports).toHaveLength(invocations);
  // A line and an answer come by ways of their own.
  await eventually(() => lines.filter((line) => line.startsWith('forward: got')).length).toBe(invocations);
  expect(aws.functions.memory('forward')).toBeGreaterThan(20e6);
  // Two shards may have run side by side over one secret, so one write may have covered another.
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: 'seen' }));
  const seen = JSON.parse(SecretString) as string[];
  expect(seen.length).toBeGreaterThan(0);
  expect(data).toEqual(expect.arrayContaining(seen));
});

it('leaves a document of records it discarded, in the folder that stands for the bucket', async () => {
  const StreamName = 'discarded';
  await createStream(kinesis, StreamName);
  await kinesis.send(
    new PutRecordsCommand({ StreamName, Records: [{ PartitionKey: 'a', Data: Buffer.from('never') }] }),
  );
  const lambda = new LambdaClient({});
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: aws.kinesis.streamArn(StreamName),
      FunctionName: 'missing',
      StartingPosition: 'TRIM_HORIZON',
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::dead-letters' } },
    }),
  );
  lambda.destroy();
  await aws.mappings.drained(StreamName);
  expect(deliveries).toHaveLength(1);
  const key = deliveries[0]?.key ?? '';
  expect(key).toContain(`aws/lambda/${UUID}/shardId-000000000000/`);
  expect(JSON.parse(await readFile(join(folder, key), 'utf8'))).toMatchObject({
    requestContext: {
      functionArn: aws.functions.arn('missing'),
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 2,
    },
    responseContext: { functionError: 'Unhandled' },
    payload: { Records: [{ kinesis: { data: Buffer.from('never').toString('base64') } }] },
  });
});

it('carries them through a consumer with enhanced fan-out, and then names the consumer in every record', async () => {
  const StreamName = 'fanned';
  const StreamARN = aws.kinesis.streamArn(StreamName);
  await createStream(kinesis, StreamName);
  const { Consumer } = await kinesis.send(
    new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'a' }),
  );
  await expect(
    kinesis.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'a' })),
  ).rejects.toThrow(ResourceInUseException);
  const ConsumerARN = Consumer?.ConsumerARN ?? '';
  expect(ConsumerARN).toMatch(/:stream\/fanned\/consumer\/a:\d+$/);
  await eventually(async () => {
    const { Consumers } = await kinesis.send(new ListStreamConsumersCommand({ StreamARN }));
    return Consumers?.map(({ ConsumerStatus }) => ConsumerStatus);
  }).toEqual(['ACTIVE']);
  const lambda = new LambdaClient({});
  const create = (EventSourceArn: string) =>
    lambda.send(
      new CreateEventSourceMappingCommand({
        EventSourceArn,
        FunctionName: 'missing',
        StartingPosition: 'TRIM_HORIZON',
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::dead-letters' } },
      }),
    );
  await expect(create(`${StreamARN}/consumer/nobody:1`)).rejects.toThrow('Cannot access stream');
  const { EventSourceArn } = await create(ConsumerARN);
  expect(EventSourceArn).toBe(ConsumerARN);
  const before = deliveries.length;
  await kinesis.send(
    new PutRecordsCommand({ StreamName, Records: [{ PartitionKey: 'a', Data: Buffer.from('fanned') }] }),
  );
  await aws.mappings.drained(StreamName);
  const key = deliveries[before]?.key ?? '';
  expect(JSON.parse(await readFile(join(folder, key), 'utf8'))).toMatchObject({
    payload: { Records: [{ eventSourceARN: ConsumerARN }] },
  });
  lambda.destroy();
  await kinesis.send(new DeregisterStreamConsumerCommand({ ConsumerARN }));
  await eventually(async () => {
    const { Consumers } = await kinesis.send(new ListStreamConsumersCommand({ StreamARN }));
    return Consumers;
  }).toEqual([]);
});
