// The oldest records that a Kinesis stream still has, in turns from its shards.
import { DescribeStreamSummaryCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { isNotFound } from '../../lib/aws/failure.ts';
import { createStreamRange } from '../../lib/aws/stream-range.ts';
import { streamArnIn } from '../../lib/published.ts';
import type { StreamPage } from '../../lib/runtime.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { asked } from './asked.ts';

/**
 * @param stream its name or its ARN
 * @param most records; fewer where the stream has no more
 * @throws MistakeError `NOT_FOUND`, `NO_CREDENTIALS`, Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`, the reason of the signal
 */
export async function takeRecords(
  client: KinesisClient,
  stream: string,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const streamArn = await arnOf(client, stream);
  const range = createStreamRange(client);
  const listing = { what: `listing the shards of ${stream}`, action: 'kinesis:ListShards' };
  const reading = { what: `reading ${stream}`, action: 'kinesis:GetShardIterator and kinesis:GetRecords' };
  const shards = await asked(listing, () => range.shards(streamArn));
  // A time before the oldest record stands for that record. AWS: GetShardIterator, `Timestamp`.
  const readers = shards.map((shard) =>
    range.pages(streamArn, shard, { kind: 'time', time: 0 })[Symbol.asyncIterator](),
  );
  const taken: Uint8Array[] = [];
  try {
    for (let open = readers; open.length > 0 && taken.length < most; ) {
      const going: AsyncIterator<StreamPage>[] = [];
      for (const reader of open) {
        signal.throwIfAborted();
        const page = await asked(reading, () => reader.next());
        if (page.done === true) continue;
        for (const { data } of page.value.records) if (taken.length < most) taken.push(data);
        if (!page.value.last) going.push(reader);
      }
      open = going;
    }
  } finally {
    for (const reader of readers) await reader.return?.();
  }
  return taken;
}

/** @throws MistakeError, Failure */
async function arnOf(client: KinesisClient, stream: string): Promise<string> {
  const which = stream.startsWith('arn:') ? { StreamARN: streamArnIn(stream) } : { StreamName: stream };
  const command = new DescribeStreamSummaryCommand(which);
  const answer = await asked(
    { what: `looking up the stream ${stream}`, action: 'kinesis:DescribeStreamSummary' },
    async () => {
      try {
        return await client.send(command);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
  );
  const found = answer?.StreamDescriptionSummary?.StreamARN;
  if (found !== undefined) return found;
  throw new MistakeError(
    'NOT_FOUND',
    `there is no stream ${stream}`,
    'Check its name, --stage and --region.',
  );
}
