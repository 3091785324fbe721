// A collection that remembers what it held earlier, so that a list can be served as old as the platform's often are.

import type { Clock } from './clock.ts';

interface Change<T> {
  readonly at: number;
  readonly id: string;
  readonly value: T | undefined;
}

/** Values are replaced, never edited in place: an old list must not change under its reader. */
export class Shelf<T> {
  readonly #clock: Clock;
  readonly #current = new Map<string, T>();
  readonly #changes: Change<T>[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same things and the same past, with a future of its own. */
  copy(clock: Clock): Shelf<T> {
    const copy = new Shelf<T>(clock);
    for (const [id, value] of this.#current) copy.#current.set(id, value);
    for (const change of this.#changes) copy.#changes.push(change);
    return copy;
  }

  get size(): number {
    return this.#current.size;
  }

  /** Goes up with every change. */
  get revision(): number {
    return this.#changes.length;
  }

  get(id: string): T | undefined {
    return this.#current.get(id);
  }

  put(id: string, value: T): T {
    this.#current.set(id, value);
    this.#changes.push({ at: this.#clock.now(), id, value });
    return value;
  }

  remove(id: string): boolean {
    this.#changes.push({ at: this.#clock.now(), id, value: undefined });
    return this.#current.delete(id);
  }

  /** Everything goes now; a list of an earlier time still holds it. */
  clear(): void {
    for (const id of [...this.#current.keys()]) this.remove(id);
  }

  /** In order of creation; with `staleMs`, as it was that long ago. */
  values(staleMs = 0): T[] {
    if (staleMs <= 0) return [...this.#current.values()];
    const then = this.#clock.now() - staleMs;
    const past = new Map<string, T>();
    for (const change of this.#changes) {
      if (change.at > then) break;
      if (change.value === undefined) past.delete(change.id);
      else past.set(change.id, change.value);
    }
    return [...past.values()];
  }
}
