// Mutants that no test can notice, each with the reason; below 85 % killed `npm run mutate` fails on any other that survives, and always on a reason nothing needs.
import type { Explained } from './judge.ts';

export const EXPLAINED: Readonly<Record<string, readonly Explained[]>> = {};
