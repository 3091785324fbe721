// How long to wait when flows change, what a shorter wait may lose, and who may wait less.
import { Failure } from './failure.ts';
import type { Settings } from './settings.ts';

/**
 * Adobe asks for at least five minutes between making or changing a flow and sending to it. Contract §4.6.
 */
export const WARM_UP_SECONDS = 300;
/** AEP validates against a cached schema for up to 15 minutes: three times the warm-up. Contract §6.4. */
export const SCHEMA_CACHE_FACTOR = 3;
/**
 * How long an old flow stays after the last record is sent to it. The forwarder reads the published pipeline
 * once a minute, and an invocation runs for a minute at most. What AEP has received by then may need minutes
 * (Adobe: to Profile within 15 for 95 of 100).
 */
export const DRAIN_SECONDS = 900;

interface Waits {
  readonly warmUpSeconds?: number | undefined;
  readonly drainSeconds?: number | undefined;
}

/**
 * The waits of a request; a wait that is left out is the full one.
 * @throws Failure `EVENT_INVALID` if one is so short that records may be lost, and this deployment does not
 * allow that
 */
export function checkWaits(waits: Waits, { shortWaits }: Pick<Settings, 'shortWaits'>): void {
  if (shortWaits) return;
  const { warmUpSeconds = WARM_UP_SECONDS, drainSeconds = DRAIN_SECONDS } = waits;
  const short = [
    ...(warmUpSeconds < WARM_UP_SECONDS
      ? [
          `"warmUpSeconds": ${warmUpSeconds} is less than ${WARM_UP_SECONDS}: AEP takes the first records of a new flow, and may lose them`,
        ]
      : []),
    ...(drainSeconds < DRAIN_SECONDS
      ? [
          `"drainSeconds": ${drainSeconds} is less than ${DRAIN_SECONDS}: what is still on its way through the old flow may be lost with it`,
        ]
      : []),
  ];
  if (short.length === 0) return;
  throw new Failure('EVENT_INVALID', short.join('; '), {
    next: 'Leave it out, or deploy with shortWaits=yes if no record matters.',
  });
}
