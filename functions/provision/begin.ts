// The state `begin`: checks a request and returns the document.
import { beginRuntime } from '../../lib/aws/runtimes/begin.ts';
import { begin } from '../../lib/provision/steps/begin.ts';
import { plainStep } from '../../lib/provision/steps/step.ts';

export const handler = plainStep('begin', beginRuntime, begin);
