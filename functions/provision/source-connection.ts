// The state `source-connection`: the source connection.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { sourceConnection } from '../../lib/provision/source-connection.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('source-connection', baseRuntime, (pipeline, context) =>
  ensure(sourceConnection, pipeline, context),
);
