// Manifests of pipelines that were made in AEP by hand: of a flow, of a dataset, or of all in a sandbox. Reads only.
// events/import.json
import { ledgerRuntime } from '../lib/aws/runtimes/ledger.ts';
import { importing } from '../lib/import/import.ts';
import { plainStep } from '../lib/provision/steps/step.ts';

export const handler = plainStep('import', ledgerRuntime, importing);
