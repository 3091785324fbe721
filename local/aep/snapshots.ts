// Snapshots: all that the platform remembers at a moment, to begin each test from the same state without making it again.

import { type Answer, empty, json } from './answer.ts';
import { Refusal } from './errors.ts';
import type { Call } from './http.ts';
import type { JsonObject } from './json.ts';
import type { Platform, Snapshot } from './platform-interface.ts';
import type { Route } from './router.ts';

/** Each holds the lists of all rows that are kept. */
export const MAX_SNAPSHOTS = 16;

const BASE = '/_simulator/snapshots';

export function snapshotRoutes(platform: Platform): Route<Call>[] {
  const { snapshots } = platform;
  const shown = (id: string, { at }: Snapshot): JsonObject => ({ id, at });
  const listed = () => [...snapshots].map(([id, snapshot]) => shown(id, snapshot));
  return [
    ['GET', BASE, () => json(200, { snapshots: listed(), most: MAX_SNAPSHOTS })],
    ['POST', BASE, () => take(platform, shown)],
    ['POST', `${BASE}/:id/restore`, (_call, id = '') => restore(platform, id)],
    ['DELETE', `${BASE}/:id`, (_call, id = '') => (snapshots.delete(id) ? empty(204) : notThere(id))],
  ];
}

async function take(
  platform: Platform,
  shown: (id: string, snapshot: Snapshot) => JsonObject,
): Promise<Answer> {
  const { snapshots } = platform;
  // What is still on its way to the lake would be in no copy.
  await platform.idle();
  if (snapshots.size >= MAX_SNAPSHOTS)
    throw Refusal.problem(
      409,
      'TooManySnapshots',
      `There are ${MAX_SNAPSHOTS} snapshots. Remove one by DELETE ${BASE}/{id}; GET ${BASE} lists them.`,
    );
  const snapshot = platform.snapshot();
  snapshots.set(snapshot.id, snapshot);
  return json(201, shown(snapshot.id, snapshot));
}

function restore(platform: Platform, id: string): Answer {
  const snapshot = platform.snapshots.get(id);
  if (!snapshot) return notThere(id);
  platform.restore(snapshot);
  return empty(204);
}

function notThere(id: string): never {
  throw Refusal.problem(404, 'NotFoundError', `There is no snapshot ${id}.`);
}
