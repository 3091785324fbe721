// Where does a pipeline stand (`{"pipeline": "name"}`, or `{}` for all), and where is a record? events/status.json, events/where.json
import { statusRuntime } from '../lib/aws/status-runtime.ts';
import { asksForRecord, where } from '../lib/forward/where.ts';
import { status } from '../lib/provision/status.ts';
import { plainStep } from '../lib/provision/step.ts';

export const handler = plainStep('status', statusRuntime, async (event, runtime) =>
  asksForRecord(event) ? where(event, runtime) : status(event, runtime),
);
