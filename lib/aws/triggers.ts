// Lambda's event source mappings as Penstock's triggers: one for each stream, created disabled.
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  type ListEventSourceMappingsCommandOutput,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { Failure } from '../failure.ts';
import { streamArnIn } from '../published.ts';
import type { Trigger, Triggers } from '../runtime.ts';
import { MAX_RECORD_AGE_SECONDS } from '../shared-rules.ts';
import { limited } from './client.ts';
import { awsCall, isNotFound } from './failure.ts';

/**
 * How Lambda polls. It retries until the record is too old, so every loss leaves a document. It splits a batch to
 * isolate a bad record. One batch per shard keeps the order. The age is below the shortest retention (24 h).
 */
const POLLING = {
  BatchSize: 10_000,
  MaximumBatchingWindowInSeconds: 1,
  ParallelizationFactor: 1,
  BisectBatchOnFunctionError: true,
  MaximumRetryAttempts: -1,
  MaximumRecordAgeInSeconds: MAX_RECORD_AGE_SECONDS,
  FunctionResponseTypes: ['ReportBatchItemFailures'],
} as const satisfies Record<string, unknown>;

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createTriggers(
  options: {
    forwarder: string | undefined;
    onFailureArn: string | undefined;
    /** Tags of new triggers. */
    tags?: Readonly<Record<string, string>>;
  },
  client = limited((config) => new LambdaClient(config), { connectMs: 2_000, answerMs: 10_000 }),
): Triggers {
  const forwarder = (): string => {
    if (options.forwarder !== undefined) return options.forwarder;
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_FORWARDER is not set: the function that the trigger calls is unknown',
    );
  };
  return {
    find: (streamArn) =>
      awsCall(`looking for the trigger of ${streamArn}`, async () => {
        // Lambda filters by the exact source. That may be a consumer of the stream, so all of them are looked through.
        let Marker: string | undefined;
        do {
          const page: ListEventSourceMappingsCommandOutput = await client.send(
            new ListEventSourceMappingsCommand({ FunctionName: forwarder(), Marker }),
          );
          const found = page.EventSourceMappings?.find(
            ({ EventSourceArn = '', State }) =>
              State !== 'Deleting' && streamArnIn(EventSourceArn) === streamArn,
          );
          if (found !== undefined) return triggerOf(found);
          Marker = page.NextMarker || undefined;
        } while (Marker !== undefined);
        return undefined;
      }),

    create: (eventSourceArn, startAt) =>
      awsCall(`making the trigger of ${eventSourceArn}`, async () =>
        triggerOf(
          await client.send(
            new CreateEventSourceMappingCommand({
              ...POLLING,
              FunctionResponseTypes: [...POLLING.FunctionResponseTypes],
              EventSourceArn: eventSourceArn,
              FunctionName: forwarder(),
              Enabled: false,
              ...(options.tags && Object.keys(options.tags).length > 0 && { Tags: { ...options.tags } }),
              ...(startAt === 'earliest'
                ? { StartingPosition: 'TRIM_HORIZON' as const }
                : { StartingPosition: 'AT_TIMESTAMP' as const, StartingPositionTimestamp: startAt }),
              ...(options.onFailureArn !== undefined && {
                DestinationConfig: { OnFailure: { Destination: options.onFailureArn } },
              }),
            }),
          ),
        ),
      ),

    switchOn: (id) =>
      awsCall(`enabling the trigger ${id}`, async () => {
        await client.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: true }));
      }),

    switchOff: (id) =>
      awsCall(`disabling the trigger ${id}`, async () => {
        await client.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: false }));
      }),

    remove: (id) =>
      awsCall(`removing the trigger ${id}`, async () => {
        try {
          await client.send(new DeleteEventSourceMappingCommand({ UUID: id }));
        } catch (error) {
          if (!isNotFound(error) && !(await isTriggerBeingDeleted(client, id))) throw error;
        }
      }),
  };
}

/** Lambda answers a second deletion with "in use" while the first is under way. */
async function isTriggerBeingDeleted(client: LambdaClient, id: string): Promise<boolean> {
  try {
    return (await client.send(new GetEventSourceMappingCommand({ UUID: id }))).State === 'Deleting';
  } catch (error) {
    return isNotFound(error);
  }
}

/**
 * Lambda has no code for it, only a text: `OK`, `No records processed`, or one that begins with `PROBLEM`. AWS:
 * "Monitoring DynamoDB/Kinesis event source mappings", `LastProcessingResult` ("PROBLEM: Function call failed").
 */
function resultOf(lastResult: string): Pick<Trigger, 'lastResult' | 'lastFailed'> {
  return { lastResult, lastFailed: /^problem\b/i.test(lastResult) };
}

function sourceOf(eventSourceArn: string): Pick<Trigger, 'streamArn' | 'consumerArn'> {
  const streamArn = streamArnIn(eventSourceArn);
  return streamArn === eventSourceArn ? { streamArn } : { streamArn, consumerArn: eventSourceArn };
}

function triggerOf(mapping: EventSourceMappingConfiguration): Trigger {
  if (mapping.UUID === undefined || mapping.EventSourceArn === undefined) {
    throw new Failure(
      'AWS_UNAVAILABLE',
      'Lambda described an event source mapping without its UUID or its stream',
    );
  }
  const states: Record<string, Trigger['state']> = { Enabled: 'on', Disabled: 'off' };
  return {
    id: mapping.UUID,
    ...sourceOf(mapping.EventSourceArn),
    state: states[mapping.State ?? ''] ?? 'changing',
    ...(mapping.LastProcessingResult !== undefined && resultOf(mapping.LastProcessingResult)),
    ...(mapping.LastModified !== undefined && { changedAt: mapping.LastModified.getTime() }),
    ...(mapping.MaximumRecordAgeInSeconds !== undefined && {
      maximumRecordAgeSeconds: mapping.MaximumRecordAgeInSeconds,
    }),
  };
}
