// What follows from a fault of the set-up: an invocation that let nothing through fails, so that Lambda's own error
// metric shows it.
import { type PublishedRoute, streamNameOf } from '../published.ts';
import type { ContainerState } from './container.ts';
import type { Invocation } from './invocation.ts';
import type { Received } from './read/event.ts';
import { reportReturned } from './report.ts';
import type { Sent } from './send/run.ts';

/** A route of the invocation that had messages to send. */
export interface Attempted {
  readonly route: PublishedRoute;
  readonly sent: Sent;
  /** Some of its messages are parked: they hold nothing. */
  readonly isParked: boolean;
  readonly messages: number;
}

interface FaultContext {
  readonly received: Received;
  readonly invocation: Invocation;
  readonly container: ContainerState;
}

/** @throws Failure if each of these routes has a fault, and none of them let anything through */
export function failOnFault(routes: readonly Attempted[], about: FaultContext): void {
  const faults = routes.filter(({ sent }) => sent.stop?.fault === true && sent.stop.failure !== undefined);
  if (faults.length === 0) return;
  // A newer pipeline, with another inlet, may have been published.
  about.container.pipelines.forget(about.received.streamArn);
  const isAll =
    faults.length === routes.length &&
    faults.every(({ sent, isParked }) => sent.acknowledged === 0 && !isParked);
  for (const fault of faults) reportFault(fault, isAll, about);
  if (isAll) throw faults[0]?.sent.stop?.failure;
}

function reportFault({ route, sent, messages }: Attempted, isAll: boolean, about: FaultContext): void {
  const { received, invocation, container } = about;
  const { failure, why = 'set-up' } = sent.stop ?? {};
  const { pipeline } = route;
  if (failure === undefined) return;
  if (isAll) {
    reportReturned(container.runtime, { received, invocation, pipeline, messages, why, failure });
    return;
  }
  container.runtime.log.error('sending stopped: the configuration is wrong', {
    pipeline,
    stream: streamNameOf(received.streamArn),
    shardId: received.shardId,
    code: failure.code,
    reason: failure.what,
    next: failure.next,
    status: failure.status,
    requestId: failure.requestId,
  });
}
