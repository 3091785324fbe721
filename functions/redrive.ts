// Sends undelivered records again: rejects, batches that Lambda discarded, or part of the stream.
// events/redrive.json
import type { Context } from 'aws-lambda';
import { redriveRuntime } from '../lib/aws/runtimes/redrive.ts';
import { passOn } from '../lib/failure.ts';
import { createRedrive, type Redrive } from '../lib/redrive/redrive.ts';
import type { RedriveAnswer } from '../lib/redrive/request.ts';

let redrive: Redrive | undefined;

/** Made on the first call, so that wrong settings fail the call with a message, and not the import. */
export const handler = async (event: unknown, context: Context): Promise<RedriveAnswer> => {
  redrive ??= createRedrive(redriveRuntime());
  const call = {
    remainingMs: () => context.getRemainingTimeInMillis(),
    invocationId: context.awsRequestId,
    functionArn: context.invokedFunctionArn,
  };
  return redrive(event, call).catch(passOn);
};
