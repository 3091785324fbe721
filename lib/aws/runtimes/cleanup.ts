// The runtime of cleanup: what was made at run time, as Lambda and Secrets Manager list it.
import type { CleanupRuntime } from '../../cleanup.ts';
import { Failure } from '../../failure.ts';
import { createMadeAtRunTime } from '../made-at-run-time.ts';
import { awsRuntime } from './aws.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function cleanupRuntime(): CleanupRuntime {
  const { log, settings } = awsRuntime();
  const { forwarder, stage } = settings;
  if (forwarder === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_FORWARDER is not set: whose triggers are to go is not known',
    );
  return { log, madeAtRunTime: createMadeAtRunTime({ forwarder, stage }) };
}
