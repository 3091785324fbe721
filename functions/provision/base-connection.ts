// The state `base-connection`: makes the base connection, an inlet or AEP's connection to a foreign source.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('base-connection', ledgerRuntime);
