// The state `rollback`: what a failed execution leaves behind.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { rollback } from '../../lib/provision/steps/rollback.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('rollback', provisionRuntime, rollback);
