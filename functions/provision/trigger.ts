// The state `trigger`: switches the stream's trigger on.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { step } from '../../lib/provision/steps/step.ts';
import { trigger } from '../../lib/provision/steps/trigger.ts';

export const handler = step('trigger', provisionRuntime, trigger);
