// The state `flow`: makes the dataflow, and says how long it has to warm up.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('flow', ledgerRuntime);
