// The state `plan`: returns the document with its plan.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { plan } from '../../lib/provision/plan/plan.ts';
import { readingStep } from '../../lib/provision/steps/step.ts';

export const handler = readingStep('plan', provisionRuntime, plan);
