// The state `target-connection`: makes the target connection.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('target-connection', ledgerRuntime);
