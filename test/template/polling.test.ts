import { type CreateEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it, vi } from 'vitest';
import { createTriggers } from '../../lib/aws/triggers.ts';

// How Lambda polls is no part of the template: the trigger is made at run time. So its values are asserted on that call.

async function made(startAt: 'earliest' | Date) {
  const client = new LambdaClient({ region: 'eu-west-1' });
  const send = vi
    .spyOn(client, 'send')
    .mockImplementation(() => Promise.resolve({ UUID: 'fake', EventSourceArn: 'arn' }));
  await createTriggers(
    { forwarder: 'penstock-dev-forward', onFailureArn: 'arn:aws:s3:::fake' },
    client,
  ).create('arn:aws:kinesis:eu-west-1:123456789012:stream/clicks', startAt);
  const [[command]] = send.mock.calls as unknown as [[CreateEventSourceMappingCommand]];
  return command.input;
}

it('a trigger is made with these values and no other', async () => {
  expect(await made('earliest')).toEqual({
    EventSourceArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks',
    FunctionName: 'penstock-dev-forward',
    Enabled: false,
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 10_000,
    MaximumBatchingWindowInSeconds: 1,
    ParallelizationFactor: 1,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: -1,
    // At most 80 % of the shortest retention there is, 24 hours.
    MaximumRecordAgeInSeconds: 86_400 * 0.8,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::fake' } },
  });
});

it('or from a moment on', async () => {
  const at = new Date('2026-01-31T12:00:00Z');
  expect(await made(at)).toMatchObject({ StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: at });
});
