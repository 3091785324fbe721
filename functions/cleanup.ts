// The stack's custom resource: when the stack goes, what was made at run time goes first. CloudFormation calls it.
import type { Context } from 'aws-lambda';
import { systemClock } from '../lib/aep/transport.ts';
import { createFetch } from '../lib/aws/http.ts';
import { cleanupRuntime } from '../lib/aws/runtimes/cleanup.ts';
import { type CloudFormationAnswer, createCleanup } from '../lib/cleanup.ts';

// CloudFormation is told by way of S3: AWS is asked past the proxy.
const cleanup = createCleanup({ clock: systemClock, fetch: createFetch() }, cleanupRuntime);

export const handler = async (event: unknown, context: Context): Promise<CloudFormationAnswer> =>
  cleanup(event, { remainingMs: () => context.getRemainingTimeInMillis() });
