// Sends Kinesis records to AEP and answers with a partial batch response.
import type { Context } from 'aws-lambda';
import { forwardRuntime } from '../lib/aws/runtimes/forward.ts';
import { createForward, type Forward } from '../lib/forward/forward.ts';
import type { BatchResponse } from '../lib/forward/settle.ts';

let forward: Forward | undefined;

/** Made on the first call, so that wrong settings fail the call with a message, and not the import. */
export const handler = async (event: unknown, context: Context): Promise<BatchResponse> => {
  forward ??= createForward(forwardRuntime());
  return forward(event, {
    remainingMs: () => context.getRemainingTimeInMillis(),
    invocationId: context.awsRequestId,
  });
};
