// The state `verify`: checks that everything is ready for records.
import { baseRuntime } from '../../lib/aws/runtimes/base.ts';
import { readingStep } from '../../lib/provision/steps/step.ts';
import { verify } from '../../lib/provision/steps/verify.ts';

export const handler = readingStep('verify', baseRuntime, verify);
