// Reads a stretch of a Kinesis stream directly, while Lambda may read the same shards.
import {
  type _Record,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { type Clock, systemClock } from '../aep/transport.ts';
import type { StreamPosition, StreamRange, StreamRecord } from '../runtime.ts';
import { limited } from './client.ts';
import { awsCall, awsFailure } from './failure.ts';

/** The part of the Kinesis client that is used. */
export type Kinesis = Pick<KinesisClient, 'send'>;

/**
 * The pause between two reads, in ms. A shard answers five reads a second for all its readers, of which Lambda is
 * one.
 */
const THROTTLED_PAUSE_MS = 400;
/** How often a throttled read is repeated; each wait is twice the last. */
const THROTTLED_READS = 6;

/**
 * Kinesis need not say how far an answer is from the tip. After so many empty answers that do not say it, the tip is
 * reached.
 */
const UNSAID_READS = 30;

const HOUR_MS = 3_600_000;

/** A page has up to 10 MB. */
const LIMITS = { connectMs: 2_000, answerMs: 20_000 };

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createStreamRange(
  client: Kinesis = limited((config) => new KinesisClient(config), LIMITS),
  clock: Clock = systemClock,
): StreamRange {
  return {
    async shards(streamArn) {
      const ids: string[] = [];
      let next: string | undefined;
      do {
        const which = next === undefined ? { StreamARN: streamArn } : { NextToken: next };
        const page = await awsCall(`listing the shards of ${streamArn}`, () =>
          client.send(new ListShardsCommand(which)),
        );
        ids.push(...(page.Shards ?? []).flatMap(({ ShardId }) => (ShardId === undefined ? [] : [ShardId])));
        next = page.NextToken;
      } while (next !== undefined);
      return ids.sort();
    },

    async keptSince(streamArn) {
      const { StreamDescriptionSummary: found } = await awsCall(`looking up the stream ${streamArn}`, () =>
        client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn })),
      );
      const kept = clock.now() - (found?.RetentionPeriodHours ?? 24) * HOUR_MS;
      const created = found?.StreamCreationTimestamp?.getTime() ?? 0;
      // A younger stream has lost nothing.
      return created > kept ? 0 : kept;
    },

    pages: (streamArn, shardId, from) => pages({ client, clock, streamArn, shardId }, from),
  };
}

interface Reader {
  readonly client: Kinesis;
  readonly clock: Clock;
  readonly streamArn: string;
  readonly shardId: string;
}

async function* pages(reader: Reader, from: StreamPosition) {
  const { client, clock } = reader;
  let position = from;
  let iterator = await iteratorAt(reader, position);
  let unsaid = 0;
  for (;;) {
    const page = await unthrottled(clock, () =>
      client.send(new GetRecordsCommand({ ShardIterator: iterator, StreamARN: reader.streamArn })),
    ).catch((error: unknown) => {
      // An iterator is valid for five minutes, and the work on a page can take longer.
      if (errorName(error) === 'ExpiredIteratorException') return undefined;
      throw awsFailure(error, `reading the shard ${reader.shardId}`);
    });
    if (page === undefined) {
      iterator = await iteratorAt(reader, position);
      continue;
    }
    const records = (page.Records ?? []).map(streamRecord);
    const { NextShardIterator: next, MillisBehindLatest: behind } = page;
    unsaid = records.length === 0 && behind === undefined ? unsaid + 1 : 0;
    const atTip = records.length === 0 && (behind === 0 || unsaid === UNSAID_READS);
    const last = next === undefined || atTip;
    yield { records, last };
    if (last) return;
    iterator = next;
    const sequenceNumber = records.at(-1)?.sequenceNumber;
    if (sequenceNumber !== undefined) position = { kind: 'after', sequenceNumber };
    await clock.sleep(THROTTLED_PAUSE_MS);
  }
}

/** An iterator at the record where it should begin. If that is lost, one at the oldest record left. */
async function iteratorAt(reader: Reader, from: StreamPosition): Promise<string | undefined> {
  try {
    return await newIterator(reader, asked(from));
  } catch (error) {
    if (errorName(error) === 'InvalidArgumentException' && from.kind !== 'time') {
      return awsCall(`reading the shard ${reader.shardId}`, () =>
        newIterator(reader, { ShardIteratorType: 'TRIM_HORIZON' }),
      );
    }
    throw awsFailure(error, `reading the shard ${reader.shardId}`);
  }
}

async function newIterator(
  { client, streamArn, shardId }: Reader,
  where: Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'>,
): Promise<string | undefined> {
  const answer = await client.send(
    new GetShardIteratorCommand({ StreamARN: streamArn, ShardId: shardId, ...where }),
  );
  return answer.ShardIterator;
}

function asked(from: StreamPosition) {
  if (from.kind === 'time') {
    return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(from.time) } as const;
  }
  return {
    ShardIteratorType: from.kind === 'at' ? 'AT_SEQUENCE_NUMBER' : 'AFTER_SEQUENCE_NUMBER',
    StartingSequenceNumber: from.sequenceNumber,
  } as const;
}

async function unthrottled<T>(clock: Clock, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      const throttled = errorName(error) === 'ProvisionedThroughputExceededException';
      if (!throttled || tries === THROTTLED_READS) throw error;
      await clock.sleep(THROTTLED_PAUSE_MS * 2 ** tries);
    }
  }
}

function streamRecord(record: _Record): StreamRecord {
  const arrived = record.ApproximateArrivalTimestamp?.getTime();
  return {
    sequenceNumber: record.SequenceNumber ?? '',
    partitionKey: record.PartitionKey ?? undefined,
    data: record.Data ?? new Uint8Array(),
    arrivedAt: arrived === undefined ? undefined : arrived / 1_000,
  };
}

function errorName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}
