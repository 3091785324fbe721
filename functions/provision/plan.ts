// The state `plan`: a request in, the document with the plan out.
import { provisionRuntime } from '../../lib/aws/provision-runtime.ts';
import { begin, planStep } from '../../lib/provision/step.ts';

export const handler = planStep(provisionRuntime, begin);
