// The state `retire`: what is not needed any more taken down.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { retire } from '../../lib/provision/steps/retire.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('retire', provisionRuntime, retire);
