// Starts Lambda functions asynchronously: another one, or the calling one again.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Functions } from '../runtime.ts';
import { limited } from './client.ts';
import { awsFailure } from './failure.ts';

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createFunctions(
  client: Pick<LambdaClient, 'send'> = limited((config) => new LambdaClient(config), {
    connectMs: 2_000,
    answerMs: 10_000,
  }),
): Functions {
  return {
    async start(functionArn, event) {
      const Payload = JSON.stringify(event);
      try {
        await client.send(new InvokeCommand({ FunctionName: functionArn, InvocationType: 'Event', Payload }));
      } catch (error) {
        throw awsFailure(error, 'starting the next invocation');
      }
    },
  };
}
