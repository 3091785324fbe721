// The state `identity`: the identity descriptors, and the schema in Profile.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('identity', ledgerRuntime);
