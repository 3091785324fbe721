// Gives a mapping its poller: the mapping's settings and ports in the terms of polling.
import { realClock } from './clock.ts';
import { failure } from './function-errors.ts';
import { kinesisStream } from './kinesis-stream.ts';
import type { Mapping, MappingPorts } from './mapping.ts';
import type { MappingSettings } from './mapping-settings.ts';
import { onFailureDocument } from './on-failure.ts';
import { createPoller, type Poller } from './polling.ts';
import type { Discarded } from './retry-rules.ts';
import { LAMBDA_PACE, type ReaderSettings } from './shard-reader.ts';

export function pollerFor(mapping: Mapping, streamName: string, ports: MappingPorts): Poller {
  const { account, pace, clock = realClock } = ports;
  const kinesis = ports.kinesisAs?.(mapping.functionName) ?? ports.kinesis;
  const source = {
    eventSourceArn: mapping.eventSourceArn,
    region: account.region,
    roleArn: `arn:aws:iam::${account.accountId}:role/${mapping.functionName}`,
  };
  const functionArn = `arn:aws:lambda:${account.region}:${account.accountId}:function:${mapping.functionName}`;
  return createPoller(
    {
      stream: kinesisStream(kinesis, mapping.eventSourceArn),
      streamName,
      source,
      clock,
      pace: { ...LAMBDA_PACE, ...pace },
      invoke: (event) =>
        ports
          .invoke(mapping.functionName, event)
          .catch((error: unknown) =>
            failure('rejected', 'ServiceException', error instanceof Error ? error.message : String(error)),
          ),
      onInvocation: (report) => {
        mapping.lastResult = report.outcome === 'delivered' ? 'OK' : 'PROBLEM: Function call failed';
        ports.onInvocation?.(report);
      },
      onDiscard: async (shardId: string, discarded: Discarded) => {
        const destination = mapping.settings.DestinationConfig.OnFailure.Destination;
        if (!destination) return;
        const about = { functionArn, streamArn: mapping.eventSourceArn, shardId, now: clock.now() };
        await ports.onFailure.send(destination, mapping.uuid, onFailureDocument(discarded, about));
      },
    },
    mapping.start,
  );
}

export function readerSettings(settings: MappingSettings): ReaderSettings {
  return {
    batchSize: settings.BatchSize,
    windowMs: settings.MaximumBatchingWindowInSeconds * 1000,
    parallelization: settings.ParallelizationFactor,
    reportsItemFailures: settings.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    bisects: settings.BisectBatchOnFunctionError,
    maxRetryAttempts: settings.MaximumRetryAttempts,
    maxRecordAgeSeconds: settings.MaximumRecordAgeInSeconds,
  };
}
