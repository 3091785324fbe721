// Penstock's own consumers of Kinesis streams (enhanced fan-out): one for each stream, named after the stage.
import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  KinesisClient,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis';
import { consumerName } from '../consumer-name.ts';
import type { Consumers } from '../runtime.ts';
import { limited } from './client.ts';
import { awsCall, isNotFound } from './failure.ts';

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createConsumers(
  { stage }: { readonly stage: string },
  client = limited((config) => new KinesisClient(config), { connectMs: 2_000, answerMs: 5_000 }),
): Consumers {
  const ConsumerName = consumerName(stage);
  return {
    find: (StreamARN) =>
      awsCall(`looking for the consumer ${ConsumerName} of ${StreamARN}`, async () => {
        try {
          const { ConsumerDescription: found } = await client.send(
            new DescribeStreamConsumerCommand({ StreamARN, ConsumerName }),
          );
          if (found?.ConsumerARN === undefined) return undefined;
          return { arn: found.ConsumerARN, state: found.ConsumerStatus === 'ACTIVE' ? 'active' : 'changing' };
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
      }),

    register: (StreamARN) =>
      awsCall(`registering the consumer ${ConsumerName} of ${StreamARN}`, async () => {
        try {
          await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }));
        } catch (error) {
          if (!(error instanceof Error && error.name === 'ResourceInUseException')) throw error;
        }
      }),

    remove: (StreamARN) =>
      awsCall(`removing the consumer ${ConsumerName} of ${StreamARN}`, async () => {
        try {
          await client.send(new DeregisterStreamConsumerCommand({ StreamARN, ConsumerName }));
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }),
  };
}
