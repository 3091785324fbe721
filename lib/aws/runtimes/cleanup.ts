// The runtime of cleanup, which lists what was made at run time in Lambda and Secrets Manager.
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
      'PENSTOCK_FORWARDER is not set: the function whose triggers are removed is unknown',
    );
  return { log, madeAtRunTime: createMadeAtRunTime({ forwarder, stage }) };
}
