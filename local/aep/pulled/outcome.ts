// What a look at a source comes to: records that are taken, dropped or lost, or a failure.
import { disabled, FAILING_MS } from '../flow-service/failing.ts';
import { runOf } from '../inlet/landing.ts';
import type { Message } from '../inlet/messages.ts';
import { countLoss, type Sandbox, type World } from '../state.ts';
import type { Progress, SourceFailure } from './memory.ts';
import { messageIn } from './payload.ts';
import type { Reader } from './readers.ts';

/** Adobe: "Error encountered while copying data from a source." (sources/notifications.md, "Understand error messages") */
const NOT_COPIED = 'CONNECTOR-1001-500';

/** Where what was read goes on. */
export type Take = (
  to: { readonly sandbox: Sandbox; readonly sourceId: string; readonly flowId: string },
  messages: readonly Message[],
  bytes: number,
) => void;

export function took(
  { world, take }: { readonly world: World; readonly take: Take },
  { sandbox, flow, source }: Reader,
  progress: Progress,
  records: readonly { readonly bytes: Uint8Array }[],
): void {
  wentWell(progress);
  if (records.length === 0) return;
  const { dataType } = progress.params;
  const to = { flowId: flow.id, kind: source.kind, dataType };
  const found = records.map(({ bytes }) => messageIn(world, to, bytes));
  const messages = found.filter((one) => one !== undefined);
  const dropped = records.length - messages.length;
  progress.read += messages.length;
  progress.dropped += dropped;
  if (dropped > 0) {
    world.state.counts.dropped += dropped;
    const run = runOf(world, { sandbox, flowId: flow.id });
    run.input += dropped;
    run.failed += dropped;
  }
  if (messages.length === 0) return;
  const size = records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  take({ sandbox, sourceId: source.connection.id, flowId: flow.id }, messages, size);
}

/** The flow stays enabled, and tries again: Adobe switches it off only after 30 days. */
export function fail(world: World, { sandbox, flow }: Reader, progress: Progress, reason: string): void {
  const failure: SourceFailure = {
    code: NOT_COPIED,
    message: `Error encountered while copying data from a source. ${reason}`,
  };
  progress.failure = failure;
  const run = runOf(world, { sandbox, flowId: flow.id });
  run.failures.set(failure.code, failure);
  const now = world.clock.now();
  run.updatedAt = now;
  progress.failingSince ??= now;
  if (now - progress.failingSince < FAILING_MS) return;
  progress.failingSince = undefined;
  sandbox.flows.put(flow.id, disabled(flow, now, world));
}

export function lose({ state, clock }: World, { source, flow }: Reader, reason: string, count: number): void {
  const loss = { reason, inletId: source.connection.id, flowId: flow.id };
  if (count > 0) countLoss(state, loss, count, clock.now());
}

export function wentWell(progress: Progress): void {
  progress.failure = undefined;
  progress.failingSince = undefined;
}
