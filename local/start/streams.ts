// Makes a stream where it is not there yet.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';

/** Between two looks at a stream that is being made. */
const LOOK_MS = 20;

/** Creates the stream where it is not there, and returns its ARN. */
export async function ensureNamed(
  kinesis: KinesisClient,
  streamName: string,
  shards: number,
): Promise<string> {
  try {
    await kinesis.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shards }));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error;
  }
  for (;;) {
    const { StreamDescriptionSummary: found } = await kinesis.send(
      new DescribeStreamSummaryCommand({ StreamName: streamName }),
    );
    if (found?.StreamStatus === 'ACTIVE') return found.StreamARN ?? '';
    await sleep(LOOK_MS);
  }
}
