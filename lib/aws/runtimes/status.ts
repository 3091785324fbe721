// The runtime of status, which looks at everything a record can be in, and at everything it has to pass.
import { Failure } from '../../failure.ts';
import type { DoctorRuntime } from '../../runtime.ts';
import { createUndelivered } from '../dead-letters.ts';
import { createForwardLog } from '../forward-log.ts';
import { createStreamRange } from '../stream-range.ts';
import { createStreams } from '../streams.ts';
import { createIntakes } from '../triggers.ts';
import { ledgerRuntime } from './ledger.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function statusRuntime(): DoctorRuntime {
  const base = ledgerRuntime();
  const { undeliveredUrl, forwarder, onFailureArn } = base.settings;
  if (undeliveredUrl === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_UNDELIVERED_URL is not set: there is no store to look in',
    );
  return {
    ...base,
    streams: createStreams(),
    intakes: createIntakes({ forwarder, onFailureArn }),
    stream: createStreamRange(),
    undelivered: createUndelivered(undeliveredUrl),
    forwardLog: createForwardLog(forwarder),
  };
}
