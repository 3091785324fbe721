// Reads a Kinesis stream for a flow, through AWS's own client: shard by shard, children after their parents.
import type { KinesisClient, Shard } from '@aws-sdk/client-kinesis';
import { kinesisSdk } from './clients.ts';
import type { Progress, ShardProgress, ShardStart } from './memory.ts';

/** Most records that a call for records may ask for. */
const MAX_RECORDS = 10_000;
/** AWS answers with at most 10 MB. A Kinesis on a laptop has no such limit, so we ask for no more records than fit. */
const PAGE_BYTES = 10 * 1024 * 1024;
/** Of records whose size is not known yet. */
const FIRST_RECORDS = 100;

/** Next places in the shards, by their ids. They last for five minutes, and are got anew by what the flow has taken. */
export type Iterators = Map<string, string>;

export interface Page {
  readonly shardId: string;
  readonly records: readonly { readonly bytes: Uint8Array; readonly sequenceNumber: string }[];
  /** Nothing lay behind these records when they were read. */
  readonly atTip: boolean;
}

export interface StreamReader {
  readonly client: KinesisClient;
  readonly stream: string;
  readonly progress: Progress;
  readonly iterators: Iterators;
}

/** Looks up the stream's shards. What is not known yet is read from `start` on. */
export async function describe({ client, stream, progress }: StreamReader, reset: unknown): Promise<void> {
  const found = await shardsOf(client, stream);
  const isFirst = progress.shards === undefined;
  const shards = ofSameStream(progress.shards, found) ?? new Map<string, ShardProgress>();
  const latest = isFirst && reset === 'latest';
  const start: ShardStart = { ShardIteratorType: latest ? 'LATEST' : 'TRIM_HORIZON' };
  for (const { ShardId = '', ParentShardId, AdjacentParentShardId, SequenceNumberRange } of found) {
    const closed = SequenceNumberRange?.EndingSequenceNumber !== undefined;
    const parents = [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined);
    // Who begins at the tip passes over what is closed already.
    if (!shards.has(ShardId))
      shards.set(ShardId, {
        parents,
        first: SequenceNumberRange?.StartingSequenceNumber,
        start,
        last: undefined,
        ended: latest && closed,
        fits: FIRST_RECORDS,
      });
  }
  // A shard all of whose records are too old is gone. A flow that slept so long goes on with the shards that came of it.
  for (const id of shards.keys()) if (!found.some(({ ShardId }) => ShardId === id)) shards.delete(id);
  progress.shards = shards;
  progress.resharded = false;
}

/** `undefined` where the stream of this name is another one by now: none of the places in the old one are in it. */
function ofSameStream(known: Progress['shards'], found: readonly Shard[]): Progress['shards'] {
  const isSame = ({ ShardId = '', SequenceNumberRange }: Shard) => {
    const shard = known?.get(ShardId);
    return shard === undefined || shard.first === SequenceNumberRange?.StartingSequenceNumber;
  };
  return found.every(isSame) ? known : undefined;
}

async function shardsOf(client: KinesisClient, StreamName: string): Promise<Shard[]> {
  const { DescribeStreamCommand } = await kinesisSdk();
  const all: Shard[] = [];
  for (let more = true; more; ) {
    // Not `ListShards`: Adobe's policy for the reader does not have it.
    const { StreamDescription } = await client.send(
      new DescribeStreamCommand({ StreamName, ExclusiveStartShardId: all.at(-1)?.ShardId }),
    );
    all.push(...(StreamDescription?.Shards ?? []));
    more = StreamDescription?.HasMoreShards === true;
  }
  return all;
}

/** The shards that can be read: not those whose parents still have records. */
export function readable({ shards = new Map() }: Progress): [string, ShardProgress][] {
  const isOver = (id: string) => shards.get(id)?.ended ?? true;
  return [...shards].filter(([, { ended, parents }]) => !ended && parents.every(isOver));
}

/** One page of a shard. What becomes of its records is the caller's: nothing is passed before `took`. */
export async function readShard(
  { client, stream, progress, iterators }: StreamReader,
  [shardId, shard]: readonly [string, ShardProgress],
  limit: number,
): Promise<Page & { took(): void }> {
  const { GetRecordsCommand } = await kinesisSdk();
  const ShardIterator = iterators.get(shardId) ?? (await iteratorFor(client, stream, shardId, shard));
  progress.reads += 1;
  const answer = await client.send(
    new GetRecordsCommand({ ShardIterator, Limit: Math.min(limit, shard.fits) }),
  );
  const { Records = [], NextShardIterator, MillisBehindLatest } = answer;
  const records = Records.map(({ Data = new Uint8Array(), SequenceNumber = '' }) => ({
    bytes: Data,
    sequenceNumber: SequenceNumber,
  }));
  const bytes = records.reduce((sum, one) => sum + one.bytes.length, 0);
  if (bytes > 0) shard.fits = Math.min(MAX_RECORDS, Math.ceil((PAGE_BYTES * records.length) / bytes));
  return {
    shardId,
    records,
    atTip: records.length === 0 && !MillisBehindLatest,
    took() {
      shard.last = records.at(-1)?.sequenceNumber ?? shard.last;
      if (NextShardIterator) iterators.set(shardId, NextShardIterator);
      else {
        iterators.delete(shardId);
        shard.ended = true;
      }
    },
  };
}

async function iteratorFor(
  client: KinesisClient,
  StreamName: string,
  ShardId: string,
  shard: ShardProgress,
): Promise<string> {
  const { GetShardIteratorCommand } = await kinesisSdk();
  const asked = new Date();
  const from =
    shard.last === undefined
      ? shard.start
      : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, StartingSequenceNumber: shard.last };
  const { ShardIterator = '' } = await client.send(
    new GetShardIteratorCommand({ StreamName, ShardId, ...from }),
  );
  // The tip moves on: a second iterator must not pass over what came since the first.
  if (shard.start.ShardIteratorType === 'LATEST')
    shard.start = { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: asked };
  return ShardIterator;
}
