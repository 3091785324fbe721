// The state `publish`: writes the pipeline where the forwarder reads it.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { publish } from '../../lib/provision/steps/publish.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('publish', ledgerRuntime, publish);
