// The runtime of redrive, which takes out of the dead-letter store, reads streams, and starts itself again.
import { Failure } from '../../failure.ts';
import type { RedriveRuntime } from '../../runtime.ts';
import { createDeadLetters } from '../dead-letters.ts';
import { createFunctions } from '../functions.ts';
import { createMetrics } from '../metrics.ts';
import { createStreamRange } from '../stream-range.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function redriveRuntime(): RedriveRuntime {
  const base = baseRuntime();
  const { deadLettersUrl, stage } = base.settings;
  if (deadLettersUrl === undefined) {
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_DEAD_LETTERS_URL is not set: there is no store to send again from',
    );
  }
  return {
    ...base,
    deadLetters: createDeadLetters(deadLettersUrl),
    metrics: createMetrics(stage),
    stream: createStreamRange(),
    functions: createFunctions(),
  };
}
