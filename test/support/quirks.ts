// Which variants of Adobe's behaviour the platform plays in this run: the default ones, but where `npm run test:deep` says otherwise.
import { inject } from 'vitest';
import type { Quirks } from '../../local/aep/quirks.ts';

declare module 'vitest' {
  interface ProvidedContext {
    quirks?: Partial<Quirks>;
  }
}

/** `npm run fuzz` uses the same worlds, and no Vitest. */
export const quirks: Partial<Quirks> = process.env.VITEST === undefined ? {} : (inject('quirks') ?? {});
