// The state `base-connection`: the base connection with its inlet.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { baseConnection } from '../../lib/provision/base-connection.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('base-connection', baseRuntime, (pipeline, context) =>
  ensure(baseConnection, pipeline, context),
);
