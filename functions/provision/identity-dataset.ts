// The state `identity-dataset`: makes the dataset for new identities, if the pipeline links any.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('identity-dataset', ledgerRuntime);
