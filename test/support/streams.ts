// Streams for tests of local Kinesis.
import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DescribeStreamSummaryCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import type { LocalKinesis } from '../../local/aws/kinesis.ts';
import { until } from './eventually.ts';

/** AWS's own client of a local Kinesis, for the account that is there at first. */
export function clientOf(
  { endpoint }: Pick<LocalKinesis, 'endpoint'>,
  more: { readonly maxAttempts?: number } = {},
): KinesisClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new KinesisClient({ endpoint, region: 'eu-west-1', credentials, ...more });
}

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
