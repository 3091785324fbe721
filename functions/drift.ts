// Has anything changed in AEP since it was provisioned? On a schedule, or by hand with `{"pipeline":
// "name"}`. Reads only.
import { driftRuntime } from '../lib/aws/runtimes/drift.ts';
import { drift } from '../lib/provision/plan/drift.ts';
import { plainStep } from '../lib/provision/steps/step.ts';

export const handler = plainStep('drift', driftRuntime, drift);
