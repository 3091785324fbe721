// A collection that remembers what it held earlier, so that a list can be as stale as the platform's often are.

import type { Clock } from './clock.ts';

interface Change<T> {
  readonly at: number;
  readonly id: string;
  readonly value: T | undefined;
}

/** Values are replaced, never edited in place: an old list must not change under its reader. */
export interface Shelf<T> {
  readonly size: number;
  /** Goes up with every change. */
  readonly revision: number;
  get(id: string): T | undefined;
  put(id: string, value: T): T;
  remove(id: string): boolean;
  /** Everything goes now; a list of an earlier time still holds it. */
  clear(): void;
  /** In order of creation; with `staleMs`, as it was that long ago. */
  values(staleMs?: number): T[];
  /** A copy with the same values and the same past, independent of this one. */
  copy(clock: Clock): Shelf<T>;
}

/** @param held what it holds at first; `past` has the changes that led to it */
export function createShelf<T>(
  clock: Clock,
  held?: ReadonlyMap<string, T>,
  past: readonly Change<T>[] = [],
): Shelf<T> {
  const current = new Map(held);
  const changes = [...past];

  function remove(id: string): boolean {
    changes.push({ at: clock.now(), id, value: undefined });
    return current.delete(id);
  }

  return {
    get size() {
      return current.size;
    },
    get revision() {
      return changes.length;
    },
    get: (id) => current.get(id),
    put(id, value) {
      current.set(id, value);
      changes.push({ at: clock.now(), id, value });
      return value;
    },
    remove,
    clear() {
      for (const id of [...current.keys()]) remove(id);
    },
    values: (staleMs = 0) =>
      staleMs <= 0 ? [...current.values()] : valuesAt(clock.now() - staleMs, changes),
    copy: (ownClock) => createShelf(ownClock, current, changes),
  };
}

function valuesAt<T>(then: number, changes: readonly Change<T>[]): T[] {
  const past = new Map<string, T>();
  for (const { at, id, value } of changes) {
    if (at > then) break;
    if (value === undefined) past.delete(id);
    else past.set(id, value);
  }
  return [...past.values()];
}
