// A stream in Kinesis, as polling reads it.
import {
  type _Record,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  type Shard as KinesisShard,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { streamArnIn, streamNameOf } from '../../lib/published.ts';
import type { ReadFrom, Shard, Stream } from './stream.ts';

const MAX_PAGE_BYTES = 10 * 1024 * 1024;
const MAX_PAGE_RECORDS = 10_000;

/** The stream with this ARN, or of this consumer: it is read in the same way here. */
export function kinesisStream(kinesis: KinesisClient, eventSourceArn: string): Stream {
  const streamArn = streamArnIn(eventSourceArn);
  const streamName = streamNameOf(streamArn);
  let pageRecords = 1000;
  return {
    async shards() {
      const shards: Shard[] = [];
      let NextToken: string | undefined;
      do {
        const page = await kinesis.send(
          new ListShardsCommand(NextToken ? { NextToken } : { StreamName: streamName }),
        );
        shards.push(...(page.Shards ?? []).map(shardOf));
        NextToken = page.NextToken;
      } while (NextToken);
      return shards;
    },

    async iterator(shardId, from) {
      const shard = { StreamName: streamName, ShardId: shardId };
      const answer = await kinesis.send(new GetShardIteratorCommand({ ...shard, ...placeOf(from) }));
      return answer.ShardIterator ?? '';
    },

    async read(iterator, limit) {
      const page = await kinesis.send(
        new GetRecordsCommand({
          StreamARN: streamArn,
          ShardIterator: iterator,
          Limit: Math.min(limit, pageRecords),
        }),
      );
      const records = page.Records ?? [];
      pageRecords = fitting(records) ?? pageRecords;
      return { records, next: page.NextShardIterator || undefined, atTip: !page.MillisBehindLatest };
    },
  };
}

/** How many records like these make a page. Kinesis returns 10 MB at most; kinesalite returns what it was asked for. */
function fitting(records: readonly _Record[]): number | undefined {
  const bytes = records.reduce((sum, { Data }) => sum + (Data?.length ?? 0), 0);
  if (bytes === 0) return undefined;
  return Math.min(Math.ceil((MAX_PAGE_BYTES * records.length) / bytes), MAX_PAGE_RECORDS);
}

function shardOf({
  ShardId,
  ParentShardId,
  AdjacentParentShardId,
  SequenceNumberRange,
}: KinesisShard): Shard {
  return {
    shardId: ShardId ?? '',
    parents: [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined),
    closed: SequenceNumberRange?.EndingSequenceNumber !== undefined,
  };
}

function placeOf(from: ReadFrom) {
  switch (from.type) {
    case 'AFTER_SEQUENCE_NUMBER':
      return { ShardIteratorType: from.type, StartingSequenceNumber: from.sequenceNumber };
    case 'AT_TIMESTAMP':
      return { ShardIteratorType: from.type, Timestamp: from.timestamp };
    default:
      return { ShardIteratorType: from.type };
  }
}
