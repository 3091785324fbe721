// The state `retire`: removes what is not needed any more.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { retire } from '../../lib/provision/steps/retire.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('retire', provisionRuntime, retire);
