// The state `source-connection`: makes the source connection.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('source-connection', ledgerRuntime);
