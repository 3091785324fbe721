// Finds a Kinesis stream's ARN by its name, for provisioning.
import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import { streamArnIn } from '../published.ts';
import type { DescribedStreams } from '../runtime.ts';
import { limited } from './client.ts';
import { awsFailure, isNotFound } from './failure.ts';

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createStreams(
  client = limited((config) => new KinesisClient(config), { connectMs: 2_000, answerMs: 5_000 }),
): DescribedStreams {
  return {
    async arn(stream) {
      const streamArn = streamArnIn(stream);
      const which = stream.startsWith('arn:') ? { StreamARN: streamArn } : { StreamName: stream };
      try {
        if (streamArn !== stream)
          await client.send(new DescribeStreamConsumerCommand({ ConsumerARN: stream }));
        const answer = await client.send(new DescribeStreamSummaryCommand(which));
        return answer.StreamDescriptionSummary?.StreamARN;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw awsFailure(error, `looking up the stream ${stream}`);
      }
    },

    async describe(streamArn) {
      try {
        const answer = await client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn }));
        const {
          StreamStatus: state = 'unknown',
          RetentionPeriodHours: retentionHours = 24,
          StreamModeDetails: { StreamMode: mode } = {},
          RecordDistributionStrategy: distribution,
          MaxRecordSizeInKiB: maxRecordKiB,
        } = answer.StreamDescriptionSummary ?? {};
        return { state, retentionHours, mode, distribution, maxRecordKiB };
      } catch (error) {
        throw awsFailure(error, `looking up the stream ${streamArn}`);
      }
    },
  };
}
