// What one execution leaves for the next: where each resource is, what is still to be removed, and the samples that
// were right.
import * as z from 'zod';
import { type Made, Pipeline, type ResourceKey, Tried } from '../pipeline.ts';
import type { Known, LedgerRuntime } from '../runtime.ts';

const KeptLocations = z
  .object({
    ids: Pipeline.shape.hints,
    old: Pipeline.shape.old,
    sandbox: Pipeline.shape.home,
    tried: Tried.optional().catch(undefined),
  })
  .catch({ ids: {}, old: [] });

/** What an earlier execution wrote down, as far as it can be read. */
export function readKnown(known: unknown): Pick<Pipeline, 'hints' | 'old' | 'home' | 'tried'> {
  const { ids, old, sandbox, tried } = KeptLocations.parse(known ?? {});
  return {
    hints: ids,
    old,
    ...(sandbox !== undefined && { home: sandbox }),
    ...(tried !== undefined && { tried }),
  };
}

/**
 * Where everything is now. `undefined` if this execution looked at nothing or at another sandbox; then the
 * entry there is stays.
 */
export function knownOf(pipeline: Pipeline): Known | undefined {
  const { plan, hints, resources, old, fates, home, manifest, tried } = pipeline;
  if (plan.length === 0 || (home !== undefined && home !== manifest.sandbox)) return undefined;
  const made = Object.entries(resources).map(([key, one]) => [key, one?.id ?? ''] as const);
  const gone = (key: string, id: string) =>
    fates.some((one) => one.became === 'removed' && one.resource === key && one.id === id);
  const now = new Map([...(Object.entries(hints) as [string, string][]), ...made]);
  const ids = [...now].filter(([key, id]) => !gone(key, id));
  const still = old.filter(({ resource, id }) => !gone(resource, id) && resources[resource]?.id !== id);
  const isHeld = still.length > 0 || ids.some(([key]) => isKnownOurs(resources[key as ResourceKey]));
  return {
    ids: Object.fromEntries(ids),
    old: still,
    ...(isHeld && !isRetired(pipeline) && { sandbox: manifest.sandbox }),
    ...(tried !== undefined && { tried }),
  };
}

/** This execution did not look at it, so the earlier entry still holds. */
function isKnownOurs(made: Made | undefined): boolean {
  return made === undefined || (made.how !== 'given' && made.pending !== true);
}

/** Retiring left the rest on purpose, so the pipeline may move to another sandbox. */
function isRetired({ mode, failure }: Pipeline): boolean {
  return mode === 'retire' && failure === undefined;
}

/** Writes down what is to be replaced before the first change, in case this execution is stopped. */
export async function remember(pipeline: Pipeline, { ledger, clock }: LedgerRuntime): Promise<void> {
  if (pipeline.old.length === 0) return;
  const updatedAt = new Date(clock.now()).toISOString();
  await ledger.write(pipeline.manifest.name, pipeline.execution.id, { known: knownOf(pipeline), updatedAt });
}
