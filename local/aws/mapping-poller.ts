// Gives a mapping its poller: the mapping's settings and ports in the terms of polling.
import { failure } from './function-errors.ts';
import type { MappingSettings } from './mapping-settings.ts';
import type { Mapping, MappingPorts } from './mappings.ts';
import { Poller } from './polling.ts';
import { lambdaPace, type ReaderSettings } from './shard-reader.ts';

export function pollerFor(mapping: Mapping, streamName: string, ports: MappingPorts): Poller {
  const { account, kinesis, pace } = ports;
  const source = {
    eventSourceArn: mapping.eventSourceArn,
    region: account.region,
    roleArn: `arn:aws:iam::${account.accountId}:role/${mapping.functionName}`,
  };
  return new Poller(
    {
      kinesis,
      streamName,
      source,
      pace: { ...lambdaPace, ...pace },
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
    },
    readerSettings(mapping.settings),
    mapping.start,
  );
}

export function readerSettings(settings: MappingSettings): ReaderSettings {
  return {
    batchSize: settings.BatchSize,
    windowMs: settings.MaximumBatchingWindowInSeconds * 1000,
    reportsItemFailures: settings.FunctionResponseTypes.includes('ReportBatchItemFailures'),
  };
}
