// The stack's custom resource: removes what was made at run time before the stack is removed. CloudFormation
// calls it.
import type { Context } from 'aws-lambda';
import { systemClock } from '../lib/aep/transport.ts';
import { createFetch } from '../lib/aws/http.ts';
import { cleanupRuntime } from '../lib/aws/runtimes/cleanup.ts';
import { type CloudFormationAnswer, createCleanup } from '../lib/cleanup.ts';

// The answer to CloudFormation goes to S3, which is called without the proxy.
const cleanup = createCleanup({ clock: systemClock, fetch: createFetch() }, cleanupRuntime);

export const handler = async (event: unknown, context: Context): Promise<CloudFormationAnswer> =>
  cleanup(event, { remainingMs: () => context.getRemainingTimeInMillis() });
