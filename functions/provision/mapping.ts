// The state `mapping`: the mapping set.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { mapping } from '../../lib/provision/mapping.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('mapping', baseRuntime, (pipeline, context) =>
  ensure(mapping, pipeline, context),
);
