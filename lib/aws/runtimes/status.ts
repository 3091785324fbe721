// The runtime of status, which looks at everything a record can be in, and at everything it has to pass.
import { Failure } from '../../failure.ts';
import type { DoctorRuntime } from '../../runtime.ts';
import { createDeadLetters } from '../dead-letters.ts';
import { createForwardLog } from '../forward-log.ts';
import { createStreamRange } from '../stream-range.ts';
import { createStreams } from '../streams.ts';
import { createTriggers } from '../triggers.ts';
import { ledgerRuntime } from './ledger.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function statusRuntime(): DoctorRuntime {
  const base = ledgerRuntime();
  const { deadLettersUrl, forwarder, onFailureArn } = base.settings;
  if (deadLettersUrl === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_DEAD_LETTERS_URL is not set: there is no store to look in',
    );
  return {
    ...base,
    streams: createStreams(),
    triggers: createTriggers({ forwarder, onFailureArn }),
    stream: createStreamRange(),
    deadLetters: createDeadLetters(deadLettersUrl),
    forwardLog: createForwardLog(forwarder),
  };
}
