// The runtime of status, which looks for records everywhere, and checks everything that a pipeline depends on.
import { Failure } from '../../failure.ts';
import type { DoctorRuntime } from '../../runtime.ts';
import { createDeadLetters } from '../dead-letters.ts';
import { createForwardLog } from '../forward-log.ts';
import { createMarks } from '../marks.ts';
import { createStreamRange } from '../stream-range.ts';
import { createStreams } from '../streams.ts';
import { createTriggers } from '../triggers.ts';
import { tableCall } from './aws.ts';
import { ledgerRuntime } from './ledger.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function statusRuntime(): DoctorRuntime {
  const base = ledgerRuntime();
  const { deadLettersUrl, forwarder, onFailureArn } = base.settings;
  if (deadLettersUrl === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_DEAD_LETTERS_URL is not set: the dead-letter store is unknown',
    );
  return {
    ...base,
    streams: createStreams(),
    triggers: createTriggers({ forwarder, onFailureArn }),
    stream: createStreamRange(),
    marks: createMarks(base.settings.table, tableCall()),
    deadLetters: createDeadLetters(deadLettersUrl),
    forwardLog: createForwardLog(forwarder),
  };
}
