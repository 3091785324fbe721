// The state `publish`: the pipeline, where the forwarder reads it.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { publish } from '../../lib/provision/publish.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('publish', baseRuntime, publish);
