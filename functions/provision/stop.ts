// The state `stop`: stops the input of a pipeline before it is retired.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { stop } from '../../lib/provision/steps/retire.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('stop', provisionRuntime, stop);
