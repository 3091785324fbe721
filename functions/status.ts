// Status of a pipeline, its sandbox, health check, where a record is, or the stack's version. events/status.json, events/doctor.json,
// events/where.json
import { statusRuntime } from '../lib/aws/runtimes/status.ts';
import { asksForDoctor, doctor } from '../lib/doctor/doctor.ts';
import { asksForSandbox, sandboxOfPipeline } from '../lib/doctor/sandbox.ts';
import { asksForVersion, stackVersion } from '../lib/doctor/version.ts';
import { status } from '../lib/provision/status.ts';
import { plainStep } from '../lib/provision/steps/step.ts';
import { asksForRecord, asksForRoutes, where, whereOnRoutes } from '../lib/where/where.ts';

export const handler = plainStep('status', statusRuntime, async (event, runtime) => {
  if (asksForVersion(event)) return stackVersion(event);
  if (asksForRoutes(event)) return whereOnRoutes(event, runtime);
  if (asksForRecord(event)) return where(event, runtime);
  if (asksForSandbox(event)) return sandboxOfPipeline(event, runtime);
  return asksForDoctor(event) ? doctor(event, runtime) : status(event, runtime);
});
