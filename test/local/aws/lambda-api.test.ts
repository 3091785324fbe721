// The SDK's unmodified Lambda client against the local event source mappings.
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  InvalidParameterValueException,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  ResourceConflictException,
  ResourceInUseException,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
  type UpdateEventSourceMappingCommandInput,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalKinesis, startKinesis } from '../../../local/aws/kinesis.ts';
import { startLambdaApi } from '../../../local/aws/lambda-api.ts';
import { createMappings, type Mappings } from '../../../local/aws/mappings.ts';
import { createOnFailure } from '../../../local/aws/on-failure.ts';
import { LOCAL_ACCOUNT, type RunningServer } from '../../../local/aws/server.ts';
import { eventually } from '../../support/eventually.ts';
import { createStream } from '../../support/streams.ts';
import { heldTransitions } from '../../support/transitions.ts';

const transitions = heldTransitions();
let kinesis: LocalKinesis;
let streams: KinesisClient;
let mappings: Mappings;
let api: RunningServer;
let lambda: LambdaClient;
let number = 0;
let StreamName = '';
let delivered: string[] = [];

beforeAll(async () => {
  kinesis = await startKinesis();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  streams = new KinesisClient({ endpoint: kinesis.endpoint, region: 'eu-west-1', credentials });
  mappings = createMappings({
    account: LOCAL_ACCOUNT,
    kinesis: streams,
    functions: ['forward', 'other'],
    ...transitions.ports,
    pace: { idleMs: 20 },
    onFailure: createOnFailure({ folder: '/nowhere' }),
    invoke: async (name, event) => {
      const { Records } = event as { Records: { kinesis: { data: string } }[] };
      delivered.push(...Records.map((record) => `${name}:${Buffer.from(record.kinesis.data, 'base64')}`));
      return { ok: null };
    },
  });
  api = await startLambdaApi(mappings, LOCAL_ACCOUNT);
  lambda = new LambdaClient({ endpoint: api.endpoint, region: 'eu-west-1', credentials });
});
beforeEach(async () => {
  number += 1;
  delivered = [];
  StreamName = `stream-${number}`;
  await createStream(streams, StreamName);
});
afterAll(async () => {
  lambda.destroy();
  await api.close();
  await mappings.close();
  streams.destroy();
  await kinesis.close();
});

const put = (text: string) =>
  streams.send(new PutRecordCommand({ StreamName, PartitionKey: 'a', Data: Buffer.from(text) }));
const create = (more: Partial<CreateEventSourceMappingCommandInput> = {}) =>
  lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: kinesis.streamArn(StreamName),
      FunctionName: 'forward',
      StartingPosition: 'TRIM_HORIZON',
      ...more,
    }),
  );
const get = (UUID?: string) => lambda.send(new GetEventSourceMappingCommand({ UUID }));
const update = (input: UpdateEventSourceMappingCommandInput) =>
  lambda.send(new UpdateEventSourceMappingCommand(input));
const remove = (UUID?: string) => lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
const becomes = async (UUID: string | undefined, State: string) => {
  transitions.pass();
  await eventually(async () => (await get(UUID)).State).toBe(State);
};
/** Resolves when a mapping that is on has looked for records several times: one that is off has not. */
async function meanwhile(): Promise<void> {
  const other = `meanwhile-${crypto.randomUUID()}`;
  await createStream(streams, other);
  const { UUID } = await create({ EventSourceArn: kinesis.streamArn(other), FunctionName: 'other' });
  await becomes(UUID, 'Enabled');
  for (let times = 0; times < 3; times++) await mappings.drained(other);
  await remove(UUID);
  transitions.pass();
}

describe('a mapping', () => {
  it('is created, enabled, paused, resumed and deleted, with every state in between', async () => {
    const { UUID, State } = await create();
    expect(State).toBe('Creating');
    for (const early of [() => update({ UUID, BatchSize: 5 }), () => remove(UUID)]) {
      await expect(early()).rejects.toThrow(ResourceInUseException);
    }
    await becomes(UUID, 'Enabled');
    await put('a');
    await mappings.drained(StreamName);
    expect(delivered).toEqual(['forward:a']);

    expect((await update({ UUID, Enabled: false })).State).toBe('Disabling');
    await becomes(UUID, 'Disabled');
    await put('b');
    await meanwhile();
    expect(delivered).toEqual(['forward:a']);

    expect((await update({ UUID, Enabled: true })).State).toBe('Enabling');
    await becomes(UUID, 'Enabled');
    await mappings.drained(StreamName);
    expect(delivered).toEqual(['forward:a', 'forward:b']);

    expect((await update({ UUID, BatchSize: 7 })).State).toBe('Updating');
    await becomes(UUID, 'Enabled');
    expect(await get(UUID)).toMatchObject({ BatchSize: 7, LastProcessingResult: 'OK' });

    expect((await remove(UUID)).State).toBe('Deleting');
    transitions.pass();
    await eventually(() => get(UUID).catch((error: Error) => error.name)).toBe('ResourceNotFoundException');
    await put('c');
    await meanwhile();
    expect(delivered).toEqual(['forward:a', 'forward:b']);
  });

  it('can be created disabled, and then does not poll', async () => {
    await put('a');
    const { UUID } = await create({ Enabled: false });
    await becomes(UUID, 'Disabled');
    await meanwhile();
    expect(delivered).toEqual([]);
    const drained = mappings.drained(StreamName);
    await update({ UUID, Enabled: true });
    transitions.pass();
    await drained;
    expect(delivered).toEqual(['forward:a']);
    expect(mappings.progress(StreamName)).toMatchObject({ invocations: 1, records: 1, redelivered: 0 });
  });

  it('keeps its settings, with the defaults of AWS for the rest', async () => {
    const timestamp = new Date('2026-11-23T10:00:00.250Z');
    const { UUID } = await create({
      Enabled: false,
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: timestamp,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::dead-letters' } },
      BisectBatchOnFunctionError: true,
      Tags: { pipeline: 'orders' },
    });
    const mapping = await get(UUID);
    expect(mapping).toMatchObject({
      EventSourceArn: kinesis.streamArn(StreamName),
      FunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:forward',
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 0,
      MaximumRecordAgeInSeconds: -1,
      MaximumRetryAttempts: -1,
      ParallelizationFactor: 1,
      StartingPositionTimestamp: timestamp,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::dead-letters' } },
      BisectBatchOnFunctionError: true,
    });
    expect(mapping.LastModified).toBeInstanceOf(Date);

    const Resource = mapping.EventSourceMappingArn;
    await lambda.send(new TagResourceCommand({ Resource, Tags: { execution: '7' } }));
    expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({
      pipeline: 'orders',
      execution: '7',
    });
    await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['pipeline'] }));
    expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ execution: '7' });
  });
});

describe('a request is refused', () => {
  it.each<[string, Partial<CreateEventSourceMappingCommandInput>]>([
    ['a batch of 0', { BatchSize: 0 }],
    ['a batch of 10,001', { BatchSize: 10_001 }],
    ['a window of 301 s', { MaximumBatchingWindowInSeconds: 301 }],
    ['a record age of 59 s', { MaximumRecordAgeInSeconds: 59 }],
    ['a record age above a week', { MaximumRecordAgeInSeconds: 604_801 }],
    ['-2 retries', { MaximumRetryAttempts: -2 }],
    ['11 batches at a time', { ParallelizationFactor: 11 }],
    ['no starting position', { StartingPosition: undefined }],
    ['a time without AT_TIMESTAMP', { StartingPositionTimestamp: new Date() }],
    ['AT_TIMESTAMP without a time', { StartingPosition: 'AT_TIMESTAMP' }],
    [
      'a stream that is not there',
      { EventSourceArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/absent' },
    ],
    ['something that is no stream', { EventSourceArn: 'arn:aws:sqs:eu-west-1:123456789012:queue' }],
    ['a destination that is none', { DestinationConfig: { OnFailure: { Destination: 'dead-letters' } } }],
    [
      'a destination Lambda does not send to',
      { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:eu-west-1:123456789012:q.fifo' } } },
    ],
    [
      'a filter, which the local polling would not apply',
      { FilterCriteria: { Filters: [{ Pattern: '{}' }] } },
    ],
  ])('for %s', async (_, more) => {
    await expect(create(more)).rejects.toThrow(InvalidParameterValueException);
    expect(mappings.all.filter(({ eventSourceArn }) => eventSourceArn.endsWith(StreamName))).toEqual([]);
  });

  it('at the limits not', async () => {
    const limits = {
      Enabled: false,
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 300,
      MaximumRecordAgeInSeconds: 60,
      MaximumRetryAttempts: 10_000,
      ParallelizationFactor: 10,
    };
    expect(await create(limits)).toMatchObject({ BatchSize: 10_000 });
  });

  it('for a second mapping of the same stream and function, and for what does not exist', async () => {
    const { UUID } = await create({ Enabled: false });
    const again = await create({
      FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:forward',
    }).catch((error: unknown) => error);
    expect(again).toBeInstanceOf(ResourceConflictException);
    expect((again as Error).message).toContain(UUID);
    await expect(create({ FunctionName: 'nobody' })).rejects.toThrow(ResourceNotFoundException);
    await expect(get(crypto.randomUUID())).rejects.toThrow(ResourceNotFoundException);
    await becomes(UUID, 'Disabled');
    await expect(update({ UUID, BatchSize: 0 })).rejects.toThrow(InvalidParameterValueException);
    expect(await get(UUID)).toMatchObject({ State: 'Disabled', BatchSize: 100 });
    expect(await create({ Enabled: false, FunctionName: 'other' })).toHaveProperty('UUID');
  });
});

it('lists by stream and function, page by page', async () => {
  await create({ Enabled: false });
  await create({ Enabled: false, FunctionName: 'other' });
  const EventSourceArn = kinesis.streamArn(StreamName);
  const list = async (input: object) => {
    const { EventSourceMappings = [], NextMarker } = await lambda.send(
      new ListEventSourceMappingsCommand(input),
    );
    return {
      names: EventSourceMappings.map(({ FunctionArn }) => FunctionArn?.split(':').at(-1)),
      NextMarker,
    };
  };
  expect((await list({ EventSourceArn })).names).toEqual(['forward', 'other']);
  expect((await list({ EventSourceArn, FunctionName: 'other' })).names).toEqual(['other']);
  const first = await list({ EventSourceArn, MaxItems: 1 });
  expect(first.names).toEqual(['forward']);
  expect(await list({ EventSourceArn, MaxItems: 1, Marker: first.NextMarker })).toEqual({ names: ['other'] });
  expect((await list({ EventSourceArn: `${EventSourceArn}-other` })).names).toEqual([]);
});
