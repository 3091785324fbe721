import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { GetEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConsumers } from '../../lib/aws/consumers.ts';
import { awsFailure } from '../../lib/aws/failure.ts';
import { createSecrets } from '../../lib/aws/secrets.ts';
import { createStreams } from '../../lib/aws/streams.ts';
import { createTriggers } from '../../lib/aws/triggers.ts';
import { isOwnConsumer } from '../../lib/consumer-name.ts';
import { type LocalAws, startLocalAws } from '../../local/aws/index.ts';
import { eventually } from '../support/eventually.ts';
import { createStream } from '../support/streams.ts';
import { heldTransitions } from '../support/transitions.ts';

// The ports against the real protocols: unmodified SDK clients, local servers.

const transitions = heldTransitions();
let aws: LocalAws;
let options: {
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
};

beforeAll(async () => {
  aws = await startLocalAws({
    functions: { forward: { module: new URL('../local/aws/fixtures/none.ts', import.meta.url) } },
    ...transitions.ports,
  });
  options = {
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
});
afterAll(() => aws.close());

describe('secrets', () => {
  const port = () =>
    createSecrets(new SecretsManagerClient({ ...options, endpoint: aws.endpoints.secretsManager }));

  it('are written, read, written again, and removed twice', async () => {
    const secrets = port();
    expect(await secrets.get('penstock/a')).toBeUndefined();
    await secrets.put('penstock/a', 'fake-1', 'a test');
    await secrets.put('penstock/a', 'fake-2', 'a test');
    expect(await secrets.get('penstock/a')).toBe('fake-2');
    await secrets.remove('penstock/a');
    await secrets.remove('penstock/a');
    await secrets.remove('penstock/never');
    expect(await secrets.get('penstock/a')).toBeUndefined();
  });

  it('are restored where they wait for their deletion', async () => {
    const secrets = port();
    await secrets.put('penstock/b', 'fake-1', 'a test');
    await secrets.remove('penstock/b');
    await secrets.put('penstock/b', 'fake-2', 'a test');
    expect(await secrets.get('penstock/b')).toBe('fake-2');
  });

  it.each([
    ['ThrottlingException', 'AWS_UNAVAILABLE', 'TransientFailure'],
    ['AccessDeniedException', 'AWS_REFUSED', 'PermanentFailure'],
  ])('say of %s that it is %s, and never show a value', async (type, code, name) => {
    aws.secrets.inject({ type, times: 1 });
    const error = await port()
      .put('penstock/c', 'fake-canary', 'a test')
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toMatchObject({
      code,
      name,
      message: expect.stringContaining('writing the secret penstock/c'),
    });
    expect(String((error as Error).message)).not.toContain('fake-canary');
  });
});

describe('streams and triggers', () => {
  it('go from a name to an ARN, and from there to a trigger that is switched on last', async () => {
    const kinesis = new KinesisClient({ ...options, endpoint: aws.endpoints.kinesis });
    await kinesis.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 1 }));
    const streams = createStreams(kinesis);
    const arn = await streams.arn('orders');
    expect(arn).toMatch(/^arn:aws:kinesis:eu-west-1:\d{12}:stream\/orders$/);
    expect(await streams.arn(arn ?? '')).toBe(arn);
    expect(await streams.arn('nothing')).toBeUndefined();

    const lambda = new LambdaClient({ ...options, endpoint: aws.endpoints.lambda });
    const triggers = createTriggers({ forwarder: 'forward', onFailureArn: undefined }, lambda);
    expect(await triggers.find(arn ?? '')).toBeUndefined();
    const made = await triggers.create(arn ?? '', new Date('2026-01-01T00:00:00Z'));
    expect(made).toMatchObject({ streamArn: arn, state: 'changing' });
    // AWS takes seconds; the step comes again.
    await expect(triggers.switchOn(made.id)).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      name: 'TransientFailure',
    });
    transitions.pass();
    await eventually(async () => (await triggers.find(arn ?? ''))?.state).toBe('off');
    await triggers.switchOn(made.id);
    transitions.pass();
    await eventually(async () => (await triggers.find(arn ?? ''))?.state).toBe('on');
    expect(await lambda.send(new GetEventSourceMappingCommand({ UUID: made.id }))).toMatchObject({
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 1,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: 69_120,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      StartingPosition: 'AT_TIMESTAMP',
    });
    await triggers.remove(made.id);
    transitions.pass();
    await eventually(() => triggers.find(arn ?? '')).toBeUndefined();
    await triggers.remove(made.id);
  });

  it('B: a consumer with enhanced fan-out is registered once, read through by a trigger, and removed', async () => {
    const kinesis = new KinesisClient({ ...options, endpoint: aws.endpoints.kinesis });
    await createStream(kinesis, 'fanned');
    const streams = createStreams(kinesis);
    const streamArn = (await streams.arn('fanned')) ?? '';
    const consumers = createConsumers({ stage: 'dev' }, kinesis);
    expect(await consumers.find(streamArn)).toBeUndefined();
    await consumers.remove(streamArn);
    await consumers.register(streamArn);
    await consumers.register(streamArn);
    await eventually(async () => (await consumers.find(streamArn))?.state).toBe('active');
    const consumerArn = (await consumers.find(streamArn))?.arn ?? '';
    expect(isOwnConsumer(consumerArn, 'dev')).toBe(true);
    expect(isOwnConsumer(consumerArn, 'de')).toBe(false);
    expect(await streams.arn(consumerArn)).toBe(streamArn);
    expect(await streams.arn(`${streamArn}/consumer/nobody:1`)).toBeUndefined();

    const lambda = new LambdaClient({ ...options, endpoint: aws.endpoints.lambda });
    const triggers = createTriggers({ forwarder: 'forward', onFailureArn: undefined }, lambda);
    const { id } = await triggers.create(consumerArn, 'earliest');
    expect(await triggers.find(streamArn)).toMatchObject({ id, streamArn, consumerArn });
    transitions.pass();
    await eventually(async () => (await triggers.find(streamArn))?.state).toBe('off');
    await triggers.remove(id);
    transitions.pass();
    await eventually(() => triggers.find(streamArn)).toBeUndefined();
    await consumers.remove(streamArn);
    await eventually(() => consumers.find(streamArn)).toBeUndefined();
    expect(await streams.arn(consumerArn)).toBeUndefined();
  });

  it('B: the trigger of a stream is found on any page of the list', async () => {
    const mapping = (name: string) => ({ UUID: name, EventSourceArn: `arn:aws:kinesis:r:1:stream/${name}` });
    const lambda = {
      send: async ({ input: { Marker } }: { input: { Marker?: string } }) =>
        Marker === undefined
          ? { EventSourceMappings: [mapping('one')], NextMarker: '1' }
          : { EventSourceMappings: [mapping('two')] },
    } as unknown as LambdaClient;
    const triggers = createTriggers({ forwarder: 'forward', onFailureArn: undefined }, lambda);
    expect(await triggers.find('arn:aws:kinesis:r:1:stream/two')).toMatchObject({ id: 'two' });
    expect(await triggers.find('arn:aws:kinesis:r:1:stream/three')).toBeUndefined();
  });

  it("issue 13 B 3: Lambda's last result is read in one place, into a field", async () => {
    const lambda = (LastProcessingResult: string) =>
      ({
        send: async () => ({
          EventSourceMappings: [{ UUID: '1', EventSourceArn: 'arn', State: 'Enabled', LastProcessingResult }],
        }),
      }) as unknown as LambdaClient;
    const lastOf = (text: string) =>
      createTriggers({ forwarder: 'forward', onFailureArn: undefined }, lambda(text)).find('arn');
    for (const text of ['OK', 'No records processed'])
      expect(await lastOf(text)).toMatchObject({ lastResult: text, lastFailed: false });
    const text = 'PROBLEM: Function call failed';
    expect(await lastOf(text)).toMatchObject({ lastResult: text, lastFailed: true });
  });

  it('say what is missing where no forwarder is configured', async () => {
    const triggers = createTriggers(
      { forwarder: undefined, onFailureArn: undefined },
      new LambdaClient(options),
    );
    await expect(triggers.find('arn')).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
  });
});

describe('awsFailure', () => {
  it.each([
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'AWS_UNAVAILABLE'],
    [Object.assign(new Error('x'), { code: 'ERR_HTTP2_STREAM_CANCEL' }), 'AWS_UNAVAILABLE'],
    [Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } }), 'AWS_UNAVAILABLE'],
    [
      Object.assign(new Error('x'), { name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } }),
      'AWS_UNAVAILABLE',
    ],
    [
      Object.assign(new Error('x'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } }),
      'AWS_REFUSED',
    ],
    ['no error', 'AWS_REFUSED'],
  ])('%j is %s', (error, code) => {
    expect(awsFailure(error, 'doing')).toMatchObject({ code, message: expect.stringContaining('doing') });
  });
});
