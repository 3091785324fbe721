// What every fuzzed property has in common: so many cases of a seed, each with bounded work, all of them in bounded memory.
import fc from 'fast-check';
import { processorSeconds } from '../support/effort.ts';

/** Rejects where it does not hold for one of so many random inputs; by the same seed for the same ones. */
export type Property = (runs: number, seed?: number) => Promise<void>;

/** No single case may cost more of a processor, in seconds; whatever else the machine does, does not count. */
const MOST_SECONDS = 5;
/** What all of it together may add to the process's memory: a few of the largest inputs, and what the collector leaves. */
const MOST_BYTES = 400 * 1024 * 1024;
/** So many between two turns of the event loop: until then Node holds what could not be unpacked. */
const SLICE = 250;

/** A property of one input; it does not hold where `predicate` throws, works too long, or leaves too much behind. */
export function each<T>(input: fc.Arbitrary<T>, predicate: (value: T) => Promise<void> | void): Property {
  const property = fc.asyncProperty(input, (value) => bounded(() => predicate(value)));
  return async (runs, seed = Date.now()) => {
    const before = process.memoryUsage().rss;
    for (let done = 0; done < runs; done += SLICE) {
      await fc.assert(property, { numRuns: Math.min(SLICE, runs - done), seed: seed + done });
      await new Promise(setImmediate);
      const more = process.memoryUsage().rss - before;
      ensure(more < MOST_BYTES, `it has taken ${Math.round(more / 1e6)} MB after ${done} cases`);
    }
  };
}

export function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function bounded(work: () => Promise<void> | void): Promise<void> {
  const cost = await processorSeconds(work);
  ensure(cost <= MOST_SECONDS, `one case took ${cost.toFixed(1)} s of a processor`);
}
