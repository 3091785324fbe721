// The state `plan`: the document with the plan in it.
import { provisionRuntime } from '../../lib/aws/provision-runtime.ts';
import { plan } from '../../lib/provision/plan.ts';
import { readingStep } from '../../lib/provision/step.ts';

export const handler = readingStep('plan', provisionRuntime, plan);
