// The state `base-connection`: the base connection: an inlet, or AEP's way into a foreign source.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('base-connection', ledgerRuntime);
