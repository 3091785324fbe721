// The state `rollback`: undoes what a failed execution made, or keeps it.
import { provisionRuntime } from '../../lib/aws/runtimes/provision.ts';
import { rollback } from '../../lib/provision/steps/rollback.ts';
import { step } from '../../lib/provision/steps/step.ts';

export const handler = step('rollback', provisionRuntime, rollback);
