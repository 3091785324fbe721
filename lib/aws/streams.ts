// Kinesis as provisioning needs it: from a stream's name to its ARN.
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import type { Streams } from '../runtime.ts';
import { awsFailure, isNotFound } from './failure.ts';

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createStreams(client = new KinesisClient({})): Streams {
  return {
    async arn(stream) {
      const which = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
      try {
        const answer = await client.send(new DescribeStreamSummaryCommand(which));
        return answer.StreamDescriptionSummary?.StreamARN;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw awsFailure(error, `looking up the stream ${stream}`);
      }
    },
  };
}
