// How long is waited around a change of flows, what is lost where it is less, and who may wait less.
import { Failure } from './failure.ts';
import type { Settings } from './settings.ts';

/** Adobe asks for at least five minutes between making or changing a flow and sending to it. Contract §4.6. */
export const WARM_UP_SECONDS = 300;
/** AEP validates against a schema it has cached for up to 15 minutes: three times the warm-up. Contract §6.4. */
export const SCHEMA_CACHE_FACTOR = 3;
/**
 * What a flow is left in place for after nobody is told to send to it any more: the forwarder reads the published
 * pipeline once a minute, an invocation runs for a minute at most, and what AEP has taken in by then may be minutes on its way
 * (Adobe: to Profile within 15 for 95 of 100).
 */
export const DRAIN_SECONDS = 900;

interface Waits {
  readonly warmUpSeconds?: number | undefined;
  readonly drainSeconds?: number | undefined;
}

/**
 * What is not said is waited for in full.
 * @throws Failure `EVENT_INVALID` where it is too short to lose nothing, and this deployment does not allow that
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
    next: 'Leave it out; or deploy with shortWaits=yes, where no record matters.',
  });
}
