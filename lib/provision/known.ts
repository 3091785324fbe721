// What one execution leaves for the next to know: where things are, under whatever name, and what still has to go.
import * as z from 'zod';
import { Pipeline } from '../pipeline.ts';
import type { Known, LedgerRuntime } from '../runtime.ts';

const Kept = z.object({ ids: Pipeline.shape.hints, old: Pipeline.shape.old }).catch({ ids: {}, old: [] });

/** What an earlier execution wrote down, as far as it can be read. */
export function readKnown(known: unknown): Pick<Pipeline, 'hints' | 'old'> {
  const { ids, old } = Kept.parse(known ?? {});
  return { hints: ids, old };
}

/** Where everything is now. Nothing is forgotten by an execution that did not come to look: then it is `undefined`. */
export function knownOf({ plan, hints, resources, old, removed }: Pipeline): Known | undefined {
  if (plan.length === 0) return undefined;
  const made = Object.entries(resources).map(([key, one]) => [key, one?.id ?? ''] as const);
  const now = new Map([...(Object.entries(hints) as [string, string][]), ...made]);
  const gone = (key: string, id: string) => removed.includes(`${key} ${id}`);
  return {
    ids: Object.fromEntries([...now].filter(([key, id]) => !gone(key, id))),
    old: old.filter(({ resource, id }) => !gone(resource, id) && resources[resource]?.id !== id),
  };
}

/** Before the first change: whoever comes after an execution that is stopped knows what it was about to replace. */
export async function remember(pipeline: Pipeline, { ledger, clock }: LedgerRuntime): Promise<void> {
  if (pipeline.old.length === 0) return;
  const updatedAt = new Date(clock.now()).toISOString();
  await ledger.write(pipeline.manifest.name, pipeline.execution.id, { known: knownOf(pipeline), updatedAt });
}
