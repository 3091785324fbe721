// The state `intake`: the stream switched on.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { step } from '../../lib/provision/steps/step.ts';
import { intake } from '../../lib/provision/steps/trigger.ts';

export const handler = step('intake', provisionRuntime, intake);
