// The state `identity`: makes the identity descriptors, and puts the schema into Profile.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('identity', ledgerRuntime);
