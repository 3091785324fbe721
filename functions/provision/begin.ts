// The state `begin`: a request in, the document out.
import { beginRuntime } from '../../lib/aws/runtimes/begin.ts';
import { begin } from '../../lib/provision/steps/begin.ts';
import { plainStep } from '../../lib/provision/steps/step.ts';

export const handler = plainStep('begin', beginRuntime, begin);
