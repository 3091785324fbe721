// Reads what the forwarder logged of its batches, from its log group in CloudWatch Logs.
import {
  CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  type FilterLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import * as z from 'zod';
import { parse } from '../aep/exchange.ts';
import { Failure } from '../failure.ts';
import { BATCH_ENDED } from '../log-events.ts';
import type { ForwardedBatch, ForwardLog, WaitingShard } from '../runtime.ts';
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

/** The same line of a route that has not settled all of its messages. */
const WaitingLine = z.object({
  event: z.literal(BATCH_ENDED),
  pipeline: z.string(),
  stream: z.string(),
  shardId: z.string(),
  checkpoint: z.string().optional(),
  ownCheckpoint: z.string(),
  code: z.string().optional(),
});

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
      // Both terms, anywhere in the line.
      const terms = [BATCH_ENDED, shardId];
      for await (const events of pagesWith(terms, { forwarder, client, from }))
        yield events
          .flatMap(({ timestamp = 0, message = '' }) => batchIn(message, timestamp, stream, shardId))
          .sort((a, b) => a.at.localeCompare(b.at));
    },
    async *waiting(stream, from) {
      // A line has no such field where the route has settled all.
      const terms = [BATCH_ENDED, 'ownCheckpoint', stream];
      for await (const events of pagesWith(terms, { forwarder, client, from }))
        yield events
          .flatMap(({ timestamp = 0, message = '' }) => waitingIn(message, timestamp, stream))
          .sort((a, b) => a.at.localeCompare(b.at));
    },
  };
}

interface Query {
  readonly forwarder: string | undefined;
  readonly client: Pick<CloudWatchLogsClient, 'send'>;
  /** In ms since the epoch. */
  readonly from: number;
}

/** Lines of the forwarder's log that have all of these terms in them, page by page. */
async function* pagesWith(
  terms: readonly string[],
  { forwarder, client, from }: Query,
): AsyncGenerator<FilteredLogEvent[]> {
  if (forwarder === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_FORWARDER is not set: the forwarder, whose log is read, is unknown',
    );
  const logGroupName = `/aws/lambda/${forwarder.split(':function:').at(-1)}`;
  const filterPattern = terms.map((term) => `"${term.replaceAll('"', '')}"`).join(' ');
  let nextToken: string | undefined;
  do {
    const page = await readPage(client, { logGroupName, filterPattern, startTime: from, nextToken });
    yield page.events ?? [];
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
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
function fieldsIn(message: string): unknown {
  return parse(message.slice(Math.max(0, message.indexOf('{'))));
}

function batchIn(message: string, timestamp: number, stream: string, shardId: string): ForwardedBatch[] {
  const result = LogLine.safeParse(fieldsIn(message));
  if (!result.success || result.data.shardId !== shardId) return [];
  const { shardId: _, stream: itsStream, ...line } = result.data;
  // Shards of all streams have the same names. The first versions did not log the stream's.
  if (itsStream !== undefined && itsStream !== stream) return [];
  return [{ at: new Date(timestamp).toISOString(), ...line }];
}

function waitingIn(message: string, timestamp: number, stream: string): WaitingShard[] {
  const result = WaitingLine.safeParse(fieldsIn(message));
  if (!result.success || result.data.stream !== stream) return [];
  const { pipeline, shardId, checkpoint, ownCheckpoint, code } = result.data;
  const holds = checkpoint === ownCheckpoint;
  return [{ at: new Date(timestamp).toISOString(), pipeline, shardId, holds, code }];
}
