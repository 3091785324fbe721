// The state `schema`: the XDM schema.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { schema } from '../../lib/provision/schema.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('schema', baseRuntime, (pipeline, context) => ensure(schema, pipeline, context));
