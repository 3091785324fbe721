// The next records of a pipeline's stream, as they would be sent, and what AEP's mapping makes of them. Sends nothing.
// events/tap.json
import { tapRuntime } from '../lib/aws/runtimes/tap.ts';
import { plainStep } from '../lib/provision/steps/step.ts';
import { tap } from '../lib/tap/tap.ts';

export const handler = plainStep('tap', tapRuntime, tap);
