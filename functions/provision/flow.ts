// The state `flow`: the dataflow, and how long it has to warm up.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { flow } from '../../lib/provision/flow.ts';
import { step } from '../../lib/provision/step.ts';
import { waitSeconds } from '../../lib/provision/verify.ts';

export const handler = step('flow', baseRuntime, async (pipeline, context) => {
  const ensured = await ensure(flow, pipeline, context);
  return { ...ensured, waitSeconds: waitSeconds(ensured, context.runtime.clock.now()) };
});
