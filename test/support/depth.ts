// How deep the tests go: `npm test` runs a part of what `npm run test:deep` runs.
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    depth: 'quick' | 'deep';
  }
}

export const deep = inject('depth') === 'deep';

/** So many runs of a property: all of them in the deep tests, a tenth otherwise. */
export function runs(all: number): number {
  return deep ? all : Math.ceil(all / 10);
}
