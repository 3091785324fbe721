// The state `schema`: makes the field groups that the manifest defines, and then the XDM schema.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('schema', ledgerRuntime);
