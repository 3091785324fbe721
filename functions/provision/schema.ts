// The state `schema`: the XDM schema, and before it the field groups that the manifest defines.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('schema', ledgerRuntime);
