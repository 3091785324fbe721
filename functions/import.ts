// Manifests of pipelines that were made in AEP by hand: of a flow, of a dataset, or of all in a sandbox. Reads only.
// events/import.json
import { baseRuntime } from '../lib/aws/runtimes/base.ts';
import { importing } from '../lib/import/import.ts';
import { plainStep } from '../lib/provision/steps/step.ts';

export const handler = plainStep('import', baseRuntime, importing);
