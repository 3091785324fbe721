// Reads what the forwarder logged of its batches, from its log group in CloudWatch Logs.
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  type FilterLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import * as z from 'zod';
import { parse } from '../aep/exchange.ts';
import { Failure } from '../failure.ts';
import { BATCH_ENDED } from '../log-events.ts';
import type { ForwardedBatch, ForwardLog } from '../runtime.ts';
import { limited } from './client.ts';
import { awsFailure, isNotFound } from './failure.ts';

/** A search takes long, and gives its results in parts. */
const LIMITS = { connectMs: 2_000, answerMs: 20_000 };

/** The log lines that `report` and `reportReturned` in lib/forward/report.ts write. */
const LogLine = z
  .object({
    event: z.literal(BATCH_ENDED),
    pipeline: z.string().optional(),
    stream: z.string().optional(),
    invocationId: z.string(),
    firstSequenceNumber: z.string().regex(/^\d+$/),
    lastSequenceNumber: z.string().regex(/^\d+$/),
    shardId: z.string(),
    checkpoint: z.string().regex(/^\d+$/).optional(),
    ownCheckpoint: z.string().regex(/^\d+$/).optional(),
    acknowledged: z.number(),
    acknowledgedBefore: z.number().optional(),
    filtered: z.number(),
    rejected: z.number(),
    parked: z.number().optional(),
    returned: z.number().optional(),
    unrouted: z.number().optional(),
  })
  .transform(({ event: _, firstSequenceNumber: first, lastSequenceNumber: last, ...line }) => ({
    ...line,
    first,
    last,
  }));

/**
 * @param forwarder name or ARN of the function
 * @throws Failure (on the first call) `SETTINGS_INVALID` where there is none
 */
export function createForwardLog(
  forwarder: string | undefined,
  client: Pick<CloudWatchLogsClient, 'send'> = limited((config) => new CloudWatchLogsClient(config), LIMITS),
): ForwardLog {
  return {
    async *batches({ stream, shardId }, from) {
      if (forwarder === undefined)
        throw new Failure(
          'SETTINGS_INVALID',
          'PENSTOCK_FORWARDER is not set: the forwarder, whose log is read, is unknown',
        );
      const logGroupName = `/aws/lambda/${forwarder.split(':function:').at(-1)}`;
      // Both terms, anywhere in the line.
      const filterPattern = `"${BATCH_ENDED}" "${shardId.replaceAll('"', '')}"`;
      let nextToken: string | undefined;
      do {
        const page = await readPage(client, { logGroupName, filterPattern, startTime: from, nextToken });
        yield (page.events ?? [])
          .flatMap(({ timestamp = 0, message = '' }) => batchIn(message, timestamp, stream, shardId))
          .sort((a, b) => a.at.localeCompare(b.at));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
    },
  };
}

async function readPage(
  client: Pick<CloudWatchLogsClient, 'send'>,
  query: { logGroupName: string; filterPattern: string; startTime: number; nextToken: string | undefined },
): Promise<Partial<FilterLogEventsCommandOutput>> {
  try {
    return await client.send(new FilterLogEventsCommand(query));
  } catch (error) {
    // A function that was never called has no log group yet.
    if (isNotFound(error)) return {};
    throw awsFailure(error, `reading the log group ${query.logGroupName}`);
  }
}

/** The line as Powertools wrote it, with the prefix that Lambda may add. */
function batchIn(message: string, timestamp: number, stream: string, shardId: string): ForwardedBatch[] {
  const result = LogLine.safeParse(parse(message.slice(Math.max(0, message.indexOf('{')))));
  if (!result.success || result.data.shardId !== shardId) return [];
  const { shardId: _, stream: itsStream, ...line } = result.data;
  // Shards of all streams have the same names. The first versions did not log the stream's.
  if (itsStream !== undefined && itsStream !== stream) return [];
  return [{ at: new Date(timestamp).toISOString(), ...line }];
}
