// The state `publish`: the pipeline, where the forwarder reads it.
import { ledgerRuntime } from '../../lib/aws/ledger-runtime.ts';
import { publish } from '../../lib/provision/publish.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('publish', ledgerRuntime, publish);
