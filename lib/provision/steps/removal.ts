// Removes one resource of ours from AEP: only if it is still ours and nothing forbids it, and never twice.
import { Failure, isFailure, reasonOf } from '../../failure.ts';
import type { Pipeline } from '../../pipeline.ts';
import {
  type Context,
  hasOwnId,
  type RemovableResource,
  type Resource,
  type StreamContext,
} from '../resources/resource.ts';

/** `removed`, `gone` if there was nothing to remove, or why it stays. */
export type Removal = 'removed' | 'gone' | { readonly left: string };

/** AEP may take some time to notice that what refers to it is gone. */
const BUSY_TRIES = 4;
const BUSY_MS = 5_000;

/** Something that is not ours uses it: waiting longer does not help. Contract §4.2. */
function isInUse({ status, serviceCode = '' }: Failure): boolean {
  return status === 409 || /^FLOW-(1418|1447)-/.test(serviceCode);
}

/**
 * Removes a resource by its id. Data is removed only if the request says so.
 * @throws Failure that passes; any other failure becomes the reason why the resource stays
 */
export async function removeResource(
  resource: Resource,
  id: string,
  pipeline: Pipeline,
  context: Context,
): Promise<Removal> {
  if (resource.kind === 'switch') return { left: 'AEP cannot undo it' };
  try {
    const there = hasOwnId(resource) ? await resource.get(context, pipeline, id) : undefined;
    if (there !== undefined && there.ownershipTag?.pipeline !== pipeline.manifest.name)
      return { left: 'it is not ours' };
    const reason = await reasonToStay(resource, id, pipeline, context);
    if (reason !== undefined) return { left: reason };
    await removeWhenFree(resource, id, pipeline, context);
    return 'removed';
  } catch (error) {
    if (!isFailure(error) || error.code === 'LEASE_LOST') throw error;
    if (error.retryable && !isInUse(error)) throw error;
    return error.code === 'AEP_NOT_FOUND' ? 'gone' : { left: reasonOf(error) };
  }
}

/** What holds data stays, unless that was asked for. */
async function reasonToStay(
  resource: Resource,
  id: string,
  { deleteData }: Pipeline,
  context: Context,
): Promise<string | undefined> {
  if (deleteData || resource.kind !== 'changeable') return undefined;
  return resource.keepBecause?.(context, id);
}

async function removeWhenFree(
  resource: RemovableResource,
  id: string,
  pipeline: Pipeline,
  context: Context,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await resource.remove(context, id, pipeline);
    } catch (error) {
      if (attempt === BUSY_TRIES || !isFailure(error) || !isInUse(error)) throw error;
      await context.runtime.clock.sleep(BUSY_MS);
    }
  }
}

export async function removeTrigger(id: string, { runtime }: StreamContext): Promise<true> {
  await runtime.triggers.remove(id);
  return true;
}

/** A resource of the list, by its key. */
export function resourceOf(resources: readonly Resource[], key: string): Resource {
  const found = resources.find((one) => one.key === key);
  if (found === undefined) throw new Failure('EVENT_INVALID', `the manifest knows no ${key}`);
  return found;
}
