// The state `dataset`: the dataset.
import { baseRuntime } from '../../lib/aws/runtime.ts';
import { dataset } from '../../lib/provision/dataset.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { step } from '../../lib/provision/step.ts';

export const handler = step('dataset', baseRuntime, (pipeline, context) =>
  ensure(dataset, pipeline, context),
);
