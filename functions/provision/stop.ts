// The state `stop`: the way in closed, before a pipeline is taken down.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { stop } from '../../lib/provision/steps/retire.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('stop', provisionRuntime, stop);
