// How deep the tests go: `npm test` runs a part of what `npm run test:deep` runs, and that a part of all there is.
import { inject, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';

/** `whole` is asked for by hand: `PENSTOCK_DEPTH=whole npm run test:deep`. */
export type Depth = 'quick' | 'deep' | 'whole';

declare module 'vitest' {
  interface ProvidedContext {
    depth: Depth;
    /** Since 1970; 0 where every day is as the others. */
    day: number;
  }
}

export const depth = inject('depth');

/** Which of so many is tried: by `npm run test:deep` the next one each day, so that each comes within as many days. */
export function ofToday(drawn: number, size: number): number {
  return (drawn + inject('day')) % size;
}

/** So many runs of a property: a tenth of them by `npm test`, else all. */
export function runs(all: number): number {
  return depth === 'quick' ? Math.ceil(all / 10) : all;
}

/** Of what takes long, one in so many. */
const ONE_IN: Readonly<Record<Depth, number>> = { quick: 20, deep: 8, whole: 1 };

/** So many runs of what takes long: a twentieth by `npm test`, an eighth of them by `npm run test:deep`. */
export function longRuns(all: number): number {
  return Math.ceil(all / ONE_IN[depth]);
}

/** Of seeds, one in so many: whatever differs from one to the next is met in a tenth of them as well. */
const ONE_SEED_IN: Readonly<Record<Depth, number>> = { quick: 20, deep: 10, whole: 1 };

/** The seeds from 1 on, spread over all of them: a twentieth by `npm test`, a tenth by `npm run test:deep`, others each day. */
export function longSeeds(all: number): number[] {
  const random = seededRandom(all);
  const oneIn = ONE_SEED_IN[depth];
  return Array.from({ length: Math.ceil(all / oneIn) }, (_, part) => {
    const first = part * oneIn;
    const size = Math.min(oneIn, all - first);
    return first + 1 + ofToday(Math.floor(random() * size), size);
  });
}

/** Of what takes long, one in so many a day, others tomorrow; all of them where the whole is asked for. */
export function ofTheDay<T>(all: readonly T[], size: number): T[] {
  return all.filter((_, at) => depth === 'whole' || at % size === ofToday(0, size));
}

/** `it` for journeys that take turns in their order: one in so many a day. */
export function itByTurns(size: number): (name: string, journey: () => Promise<void>) => void {
  let at = 0;
  return (name, journey) => {
    if (at++ % size === ofToday(0, size) || depth === 'whole') it(name, journey);
  };
}
