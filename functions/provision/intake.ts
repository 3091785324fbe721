// The state `intake`: the stream switched on.
import { provisionRuntime } from '../../lib/aws/provision-runtime.ts';
import { intake } from '../../lib/provision/intake.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('intake', provisionRuntime, intake);
