// Flows that Experience Platform switches off by itself, because they have failed for 30 days.
// Release notes of June 2026, Sources: "Sources dataflows that fail continuously for 30 days are automatically disabled."
// Adobe does not say how AEP counts. Our reading: we count from the last batch that landed, or from the last change of the flow.
// Every batch since then has failed whole, and the first of them is at least 30 days old.

import type { Batch, Flow, Sandbox, World } from '../state.ts';

const DAY_MS = 86_400_000;
export const FAILING_MS = 30 * DAY_MS;

/** When each world was checked last, in ms since the epoch. Once a day is enough, as nothing depends on the hour. */
const lookedAt = new WeakMap<World, number>();

export function disableFailing(world: World): void {
  const now = world.clock.now();
  if (now - (lookedAt.get(world) ?? Number.NEGATIVE_INFINITY) < DAY_MS) return;
  lookedAt.set(world, now);
  for (const sandbox of world.state.sandboxes.values()) disableIn(sandbox, world);
}

interface Span {
  readonly first: number;
  readonly last: number;
}

function disableIn(sandbox: Sandbox, world: World): void {
  const failing = new Map<string, Span | undefined>();
  // In the order in which they were made.
  for (const batch of sandbox.batches.values()) {
    const flow = sandbox.flows.get(batch.flowId);
    if (flow?.state !== 'enabled' || batch.created < flow.updatedAt) continue;
    failing.set(flow.id, spanWith(failing.get(flow.id), batch));
  }
  for (const [id, span] of failing) {
    const flow = sandbox.flows.get(id);
    if (flow === undefined || span === undefined || span.last - span.first < FAILING_MS) continue;
    sandbox.flows.put(id, disabled(flow, span.last, world));
  }
}

/** A batch of which anything landed ends it. */
function spanWith(span: Span | undefined, { created, rowCount, refused }: Batch): Span | undefined {
  return rowCount > 0 || refused.length === 0 ? undefined : { first: span?.first ?? created, last: created };
}

export function disabled(flow: Flow, at: number, world: World): Flow {
  return { ...flow, state: 'disabled', updatedAt: at, etag: world.ids.etag() };
}
