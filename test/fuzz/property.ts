// What every fuzzed property has in common: so many cases of a seed, each in time, all of them in bounded memory.
import fc from 'fast-check';

/** Rejects where it does not hold for one of so many random inputs; by the same seed for the same ones. */
export type Property = (runs: number, seed?: number) => Promise<void>;

/** No single case may take longer, in ms: a pause of the machine included. */
const LONGEST_MS = 5_000;
/** What all of it together may add to the process's memory: a few of the largest inputs, and what the collector leaves. */
const MOST_BYTES = 400 * 1024 * 1024;
/** So many between two turns of the event loop: until then Node holds what could not be unpacked. */
const SLICE = 250;

/** A property of one input; it does not hold where `predicate` throws, takes too long, or leaves too much behind. */
export function each<T>(input: fc.Arbitrary<T>, predicate: (value: T) => Promise<void> | void): Property {
  const property = fc.asyncProperty(input, (value) => inTime(() => predicate(value)));
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

async function inTime(work: () => Promise<void> | void): Promise<void> {
  const started = performance.now();
  await work();
  const took = performance.now() - started;
  ensure(took <= LONGEST_MS, `one case took ${Math.round(took)} ms`);
}
