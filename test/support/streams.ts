// Streams for tests of local Kinesis.
import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { until } from './eventually.ts';

/** Resolves when the stream is ACTIVE: before, it has no shards and takes no records, here as on AWS. */
export async function createStream(
  client: KinesisClient,
  StreamName: string,
  ShardCount = 1,
  more: Partial<CreateStreamCommandInput> = {},
): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName, ShardCount, ...more }));
  await until(async () => {
    const { StreamDescriptionSummary: found } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    );
    return found?.StreamStatus === 'ACTIVE';
  });
}
