// How deep the tests go: `npm test` runs a part of what `npm run test:deep` runs, and that a part of all there is.
import { inject } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';

/** `whole` is asked for by hand: `PENSTOCK_DEPTH=whole npm run test:deep`. */
export type Depth = 'quick' | 'deep' | 'whole';

declare module 'vitest' {
  interface ProvidedContext {
    depth: Depth;
  }
}

export const depth = inject('depth');

/** So many runs of a property: a tenth of them by `npm test`, else all. */
export function runs(all: number): number {
  return depth === 'quick' ? Math.ceil(all / 10) : all;
}

/** Of what takes long, one in so many. */
const ONE_IN: Readonly<Record<Depth, number>> = { quick: 20, deep: 2, whole: 1 };

/** So many runs of what takes long: a twentieth by `npm test`, half of them by `npm run test:deep`. */
export function longRuns(all: number): number {
  return Math.ceil(all / ONE_IN[depth]);
}

/** As many of the seeds from 1 on as `longRuns` says, spread over all of them. */
export function longSeeds(all: number): number[] {
  const random = seededRandom(all);
  return Array.from({ length: longRuns(all) }, (_, part) => {
    const first = part * ONE_IN[depth];
    const size = Math.min(ONE_IN[depth], all - first);
    return first + 1 + Math.floor(random() * size);
  });
}
