// The state `target-connection`: the target connection.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { step } from '../../lib/provision/step.ts';
import { targetConnection } from '../../lib/provision/target-connection.ts';

export const handler = step('target-connection', baseRuntime, (pipeline, context) =>
  ensure(targetConnection, pipeline, context),
);
