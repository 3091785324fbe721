// The state `identity-dataset`: where new identities are linked, for pipelines that link any.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { resourceStep } from '../../lib/provision/steps/step.ts';

export const handler = resourceStep('identity-dataset', ledgerRuntime);
