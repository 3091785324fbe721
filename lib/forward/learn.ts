// What an invocation has shown of an inlet and of single messages, for the invocations after it.
import type { Held } from './report.ts';
import type { Sent } from './send/run.ts';
import type { Standing } from './send/standing.ts';
import type { Settled } from './verdict.ts';

/**
 * Updates what is known of messages that come again.
 * @returns the message that blocks its shard: all before it are settled, and nothing shows whether it is at fault
 */
export function learn(
  standing: Standing,
  { settled, whole, unproven, failing, troubled }: Sent,
  checkpoint: string | undefined,
): Held | undefined {
  if (troubled) standing.clear();
  let held: Held | undefined;
  for (const message of failing) {
    const stretches = standing.suspect(message);
    if (message.sequenceNumber === checkpoint) held = { message, stretches };
  }
  for (const { message, verdict } of settled) {
    if (verdict.kind === 'delivered') standing.cleared(message);
    if (verdict.kind !== 'rejected') continue;
    const isKept = checkpoint === undefined || BigInt(message.sequenceNumber) < BigInt(checkpoint);
    if (isKept && unproven.has(message)) standing.refused(1);
    if (!isKept && !unproven.has(message)) standing.know(message);
  }
  if (standing.hasSuspects)
    for (const { message } of whole.flatMap((block) => block.messages())) standing.cleared(message);
  return held;
}

/** Messages that are acknowledged and delivered again. Another container may read them, and does not know of them. */
export function beyond(settled: readonly Settled[], checkpoint: string | undefined): number {
  if (checkpoint === undefined) return 0;
  const from = BigInt(checkpoint);
  return settled.filter(
    ({ verdict, message }) => verdict.kind === 'delivered' && BigInt(message.sequenceNumber) >= from,
  ).length;
}
